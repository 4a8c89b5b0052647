//! Whether a request comes from a program of this machine, which needs no key as long as there is none.
//!
//! That its connection comes from this machine says little: so does a proxy's, for the whole world, and so does the browser's of somebody who
//! looks at a page of the world's. The first is told by what proxies add and by the name of the host, the second by that name (a page whose own
//! name was made to lead here, DNS rebinding, asks for that name) and by what browsers say of the page.

use std::net::{IpAddr, Ipv6Addr};

use axum::http::{HeaderMap, HeaderName, Uri, Version, header, request::Parts, uri::Authority};

use crate::http::serve::Peer;

/// What proxies add.
const OF_PROXIES: [HeaderName; 7] = [
    header::FORWARDED,
    header::VIA,
    HeaderName::from_static("x-forwarded-for"),
    HeaderName::from_static("x-forwarded-host"),
    HeaderName::from_static("x-forwarded-proto"),
    HeaderName::from_static("x-real-ip"),
    HeaderName::from_static("x-forwarded-server"),
];

/// Why a request is none of a program of this machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Foreign {
    /// It comes from elsewhere, or may.
    Elsewhere,
    /// It is a browser's, on behalf of a page that is not of this machine.
    CrossSite,
}

/// Looks at a request.
///
/// # Errors
/// [`Foreign`].
pub(super) fn check(parts: &Parts) -> Result<(), Foreign> {
    let peer = parts.extensions.get();
    let direct = peer.is_some_and(|Peer(address)| address.to_canonical().is_loopback())
        // Proxies that are set up with nothing but where to speak HTTP/1.0 and name this machine as the host.
        && parts.version != Version::HTTP_10
        && !OF_PROXIES.iter().any(|name| parts.headers.contains_key(name));
    if !direct || !names_this_machine(&parts.headers, &parts.uri) {
        return Err(Foreign::Elsewhere);
    }
    if is_of_another_page(&parts.headers) {
        return Err(Foreign::CrossSite);
    }
    Ok(())
}

/// Whether every host that the request names is this machine.
fn names_this_machine(headers: &HeaderMap, uri: &Uri) -> bool {
    let mut named = headers.get_all(header::HOST).iter();
    let named_once = match (named.next(), named.next()) {
        (Some(host), None) => host.to_str().ok().and_then(|host| host.parse::<Authority>().ok()),
        _ => None,
    };
    named_once.is_some_and(|host| is_loopback(&host)) && uri.authority().is_none_or(is_loopback)
}

fn is_loopback(authority: &Authority) -> bool {
    let host = authority.host();
    // What stands before an `@` is no part of a host's name.
    if authority.as_str().contains('@') {
        return false;
    }
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    match bare {
        Some(host) => host
            .parse()
            .is_ok_and(|address: Ipv6Addr| IpAddr::V6(address).to_canonical().is_loopback()),
        None => {
            host.eq_ignore_ascii_case("localhost") || host.parse().is_ok_and(|address: IpAddr| address.is_loopback())
        }
    }
}

/// Browsers say of which page a request is. A page of this machine may ask, from whichever port.
fn is_of_another_page(headers: &HeaderMap) -> bool {
    if let Some(origin) = headers.get(header::ORIGIN) {
        let origin = origin.to_str().ok().and_then(|origin| origin.parse::<Uri>().ok());
        return !origin.as_ref().and_then(Uri::authority).is_some_and(is_loopback);
    }
    let site = headers.get("sec-fetch-site");
    site.is_some_and(|site| site != "same-origin" && site != "none")
}

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::*;

    fn from(peer: &str, headers: &[(&str, &str)]) -> Result<(), Foreign> {
        asked(peer, "/v1/models", Version::HTTP_11, headers)
    }

    fn asked(peer: &str, uri: &str, version: Version, headers: &[(&str, &str)]) -> Result<(), Foreign> {
        let mut request = Request::get(uri).version(version);
        for &(name, value) in headers {
            request = request.header(name, value);
        }
        let peer = Peer(peer.parse().expect("an address"));
        let (parts, ()) = request.extension(peer).body(()).expect("a request").into_parts();
        check(&parts)
    }

    const HERE: (&str, &str) = ("host", "127.0.0.1:3000");

    #[test]
    fn a_program_of_this_machine_is_one() {
        for peer in ["127.0.0.1", "127.1.2.3", "::1", "::ffff:127.0.0.1"] {
            for host in [
                "127.0.0.1:3000",
                "localhost",
                "LOCALHOST:3000",
                "[::1]:3000",
                "[::1]",
                "127.9.9.9",
            ] {
                assert_eq!(from(peer, &[("host", host)]), Ok(()), "{peer} {host}");
            }
        }
        assert_eq!(
            asked("::1", "http://localhost:3000/v1/models", Version::HTTP_11, &[HERE]),
            Ok(())
        );
    }

    #[test]
    fn what_comes_from_elsewhere_is_none() {
        for peer in [
            "192.0.2.1",
            "10.0.0.1",
            "2001:db8::1",
            "::ffff:192.0.2.1",
            "0.0.0.0",
            "::",
        ] {
            assert_eq!(from(peer, &[HERE]), Err(Foreign::Elsewhere), "{peer}");
        }
        let (bare, ()) = Request::get("/")
            .header("host", "localhost")
            .body(())
            .expect("a request")
            .into_parts();
        assert_eq!(
            check(&bare),
            Err(Foreign::Elsewhere),
            "nobody knows where it comes from"
        );
    }

    #[test]
    fn what_a_proxy_has_passed_on_is_none() {
        for name in OF_PROXIES {
            let headers = [HERE, (name.as_str(), "127.0.0.1")];
            assert_eq!(from("127.0.0.1", &headers), Err(Foreign::Elsewhere), "{name}");
        }
        assert_eq!(
            asked("127.0.0.1", "/", Version::HTTP_10, &[HERE]),
            Err(Foreign::Elsewhere)
        );
    }

    #[test]
    fn what_names_another_host_is_none() {
        for host in [
            "chat.example",
            "localhost.evil.example",
            "evil.localhost",
            "127.0.0.1.evil.example:3000",
            "127.0.0.1@evil.example",
            "localhost@evil.example:3000",
            "evil.example@localhost",
            "[::2]",
            "::1",
            "",
            "192.168.0.1",
            "0.0.0.0:3000",
        ] {
            assert_eq!(from("127.0.0.1", &[("host", host)]), Err(Foreign::Elsewhere), "{host}");
        }
        assert_eq!(from("127.0.0.1", &[]), Err(Foreign::Elsewhere), "no host");
        assert_eq!(
            from("127.0.0.1", &[HERE, ("host", "evil.example")]),
            Err(Foreign::Elsewhere),
            "two"
        );
        let whole = asked("127.0.0.1", "http://evil.example/v1/models", Version::HTTP_11, &[HERE]);
        assert_eq!(whole, Err(Foreign::Elsewhere));
    }

    #[test]
    fn what_a_page_of_the_world_asks_for_is_none() {
        for origin in [
            "http://evil.example",
            "null",
            "",
            "http://localhost.evil.example",
            "http://localhost@evil.example",
        ] {
            assert_eq!(
                from("127.0.0.1", &[HERE, ("origin", origin)]),
                Err(Foreign::CrossSite),
                "{origin}"
            );
        }
        for site in ["cross-site", "same-site", "nonsense"] {
            assert_eq!(
                from("127.0.0.1", &[HERE, ("sec-fetch-site", site)]),
                Err(Foreign::CrossSite),
                "{site}"
            );
        }
        let evil = [
            HERE,
            ("sec-fetch-site", "same-origin"),
            ("origin", "http://evil.example"),
        ];
        assert_eq!(from("127.0.0.1", &evil), Err(Foreign::CrossSite));
    }

    #[test]
    fn what_a_page_of_this_machine_asks_for_is_one() {
        for origin in ["http://127.0.0.1:3000", "http://localhost:8080", "https://[::1]"] {
            let headers = [HERE, ("origin", origin), ("sec-fetch-site", "cross-site")];
            assert_eq!(from("127.0.0.1", &headers), Ok(()), "{origin}");
        }
        for site in ["same-origin", "none"] {
            assert_eq!(from("127.0.0.1", &[HERE, ("sec-fetch-site", site)]), Ok(()), "{site}");
        }
    }
}
