//! From which address a request comes, where a proxy that is trusted says so.

use std::net::{IpAddr, SocketAddr};

use axum::http::{HeaderMap, HeaderName, header};
use ipnet::IpNet;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The address of the client of a connection from `peer`: what stands rightmost in `X-Forwarded-For`, or where that is not sent in `Forwarded`,
/// and is no proxy that is trusted. What others say counts for nothing, and neither does what stands left of it: anybody may have written that.
pub(super) fn client(peer: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> IpAddr {
    let is_trusted = |address: IpAddr| trusted.iter().any(|network| network.contains(&address));
    let mut last = peer.to_canonical();
    if !is_trusted(last) {
        return last;
    }
    let passed_on = if headers.contains_key(X_FORWARDED_FOR) {
        of_x_forwarded_for(headers)
    } else {
        of_forwarded(headers)
    };
    for address in passed_on.into_iter().rev() {
        // What cannot be read was written by a proxy that is trusted: all that is known is that it came by that one.
        let Some(address) = address.map(|address| address.to_canonical()) else {
            return last;
        };
        last = address;
        if !is_trusted(address) {
            break;
        }
    }
    last
}

fn of_x_forwarded_for(headers: &HeaderMap) -> Vec<Option<IpAddr>> {
    let lines = headers.get_all(X_FORWARDED_FOR).iter();
    let texts = lines.flat_map(|line| line.to_str().unwrap_or("?").split(','));
    texts.map(|text| address(text.trim())).collect()
}

fn of_forwarded(headers: &HeaderMap) -> Vec<Option<IpAddr>> {
    let lines = headers.get_all(header::FORWARDED).iter();
    let elements = lines.flat_map(|line| line.to_str().unwrap_or("?").split(','));
    let of = |element: &str| {
        let mut pairs = element.split(';').filter_map(|pair| pair.trim().split_once('='));
        let (_, node) = pairs.find(|(name, _)| name.eq_ignore_ascii_case("for"))?;
        address(node.trim_matches('"'))
    };
    elements.map(of).collect()
}

/// An address, with a port or without, one of IPv6 in brackets or without.
fn address(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']'));
    let whole = bare.unwrap_or(text).parse().ok();
    whole.or_else(|| text.parse::<SocketAddr>().ok().map(|address| address.ip()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(peer: &str, trusted: &[&str], headers: &[(&str, &str)]) -> String {
        let headers = headers.iter().map(|(name, value)| {
            let name: HeaderName = name.parse().expect("a name");
            (name, value.parse().expect("a value"))
        });
        let mut map = HeaderMap::new();
        headers.for_each(|(name, value)| {
            map.append(name, value);
        });
        let trusted: Vec<IpNet> = trusted
            .iter()
            .map(|network| network.parse().expect("a network"))
            .collect();
        client(peer.parse().expect("an address"), &map, &trusted).to_string()
    }

    const PROXY: &[&str] = &["10.0.0.0/8", "::1/128"];

    #[test]
    fn only_a_proxy_that_is_trusted_is_believed() {
        let says = [("x-forwarded-for", "198.51.100.7")];
        assert_eq!(of("192.0.2.1", PROXY, &says), "192.0.2.1");
        assert_eq!(of("10.0.0.1", &[], &says), "10.0.0.1");
        assert_eq!(of("10.0.0.1", PROXY, &says), "198.51.100.7");
        assert_eq!(of("::ffff:10.0.0.1", PROXY, &says), "198.51.100.7");
        assert_eq!(of("::1", PROXY, &says), "198.51.100.7");
        assert_eq!(of("10.0.0.1", PROXY, &[]), "10.0.0.1");
    }

    #[test]
    fn what_stands_left_of_the_client_was_written_by_it() {
        for (value, client) in [
            ("1.1.1.1, 198.51.100.7", "198.51.100.7"),
            ("1.1.1.1, 198.51.100.7, 10.0.0.2,10.0.0.3", "198.51.100.7"),
            ("10.0.0.9", "10.0.0.9"),
            ("198.51.100.7:4711", "198.51.100.7"),
            ("2001:db8::7", "2001:db8::7"),
            ("[2001:db8::7]:4711", "2001:db8::7"),
            ("::ffff:198.51.100.7", "198.51.100.7"),
            ("198.51.100.7, unknown", "10.0.0.1"),
            ("198.51.100.7, unknown, 10.0.0.2", "10.0.0.2"),
            ("", "10.0.0.1"),
        ] {
            assert_eq!(of("10.0.0.1", PROXY, &[("x-forwarded-for", value)]), client, "{value}");
        }
        let twice = [("x-forwarded-for", "1.1.1.1"), ("x-forwarded-for", "198.51.100.7")];
        assert_eq!(of("10.0.0.1", PROXY, &twice), "198.51.100.7");
    }

    #[test]
    fn forwarded_is_read_where_nothing_else_is_sent() {
        for (value, client) in [
            ("for=198.51.100.7", "198.51.100.7"),
            ("for=1.1.1.1, For=\"[2001:db8::7]:4711\";proto=https", "2001:db8::7"),
            ("proto=https;for=198.51.100.7;by=10.0.0.1", "198.51.100.7"),
            ("for=198.51.100.7, for=10.0.0.2", "198.51.100.7"),
            ("for=198.51.100.7, for=_hidden", "10.0.0.1"),
            ("proto=https", "10.0.0.1"),
        ] {
            assert_eq!(of("10.0.0.1", PROXY, &[("forwarded", value)]), client, "{value}");
        }
        let both = [("forwarded", "for=1.1.1.1"), ("x-forwarded-for", "198.51.100.7")];
        assert_eq!(of("10.0.0.1", PROXY, &both), "198.51.100.7");
    }
}
