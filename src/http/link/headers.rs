//! Heads of requests and answers that go through a door to another node.

use axum::http::{
    HeaderMap, HeaderName, HeaderValue, Method, Request, Uri, Version, header,
    request::Parts,
    uri::{Authority, PathAndQuery},
};

use super::{
    secret::{Token, drop_ours},
    vouch,
};
use crate::{accounts::Principal, nodes::Incarnation};

/// Headers that are about one connection (RFC 9110, 7.6.1), beside those that `Connection` names.
const OF_ONE_CONNECTION: [HeaderName; 9] = [
    header::CONNECTION,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    header::PROXY_AUTHENTICATE,
    header::PROXY_AUTHORIZATION,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];

/// Takes away what is about one connection.
pub(super) fn keep_end_to_end(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = headers
        .get_all(header::CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect();
    for name in named.into_iter().chain(OF_ONE_CONNECTION) {
        headers.remove(name);
    }
}

/// Whether this is a page that opens its feed.
pub(super) fn is_upgrade(parts: &Parts) -> bool {
    let wanted = parts.headers.get(header::UPGRADE);
    parts.method == Method::GET && wanted.is_some_and(|to| to.as_bytes().eq_ignore_ascii_case(b"websocket"))
}

/// The head of a request as `node` gets it: as the browser has sent it, but for what is about its own connection, and with the token.
pub(super) fn head(parts: &Parts, node: Incarnation, token: &Token) -> Request<()> {
    let mut request = Request::new(());
    *request.method_mut() = parts.method.clone();
    *request.version_mut() = Version::HTTP_11;
    let path = parts.uri.path_and_query().cloned();
    *request.uri_mut() = Uri::from(path.unwrap_or_else(|| PathAndQuery::from_static("/")));
    let mut headers = parts.headers.clone();
    keep_end_to_end(&mut headers);
    drop_ours(&mut headers);
    // Each connection has its own.
    headers.remove(header::EXPECT);
    if !headers.contains_key(header::HOST)
        && let Some(host) = parts.uri.authority().and_then(host)
    {
        headers.insert(header::HOST, host);
    }
    if is_upgrade(parts) {
        headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
        headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    }
    token.sign(&mut headers, Some(node));
    let who: Option<&Principal> = parts.extensions.get();
    if let Some((program, address)) = who.and_then(|who| Some((who.program?, who.address))) {
        vouch::write(&mut headers, program, address);
    }
    *request.headers_mut() = headers;
    request
}

fn host(authority: &Authority) -> Option<HeaderValue> {
    HeaderValue::from_str(authority.as_str()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        sessions::{CookieJar, CookieKey},
        settings::Secret,
    };

    fn forwarded(request: axum::http::request::Builder) -> Request<()> {
        let secret = Secret("1".repeat(32));
        let key = CookieKey::load(Some(&secret), std::path::Path::new("nowhere")).expect("a key");
        let (parts, ()) = request.body(()).expect("a request").into_parts();
        head(&parts, Incarnation(7), &Token::of(&CookieJar::new(key, false)))
    }

    #[test]
    fn what_is_about_one_connection_stays_there_and_the_rest_goes_along() {
        let request = Request::get("http://chat.example:3000/c/1?q=%2F")
            .header("connection", "close, X-Own")
            .header("x-own", "1")
            .header("keep-alive", "timeout=5")
            .header("te", "trailers")
            .header("transfer-encoding", "chunked")
            .header("upgrade", "h2c")
            .header("expect", "100-continue")
            .header("x-anteroom-link", "forged")
            .header("x-anteroom-more", "forged")
            .header("cookie", "a=1")
            .header("cookie", "b=2")
            .header("accept-encoding", "br, gzip");
        let request = forwarded(request);
        assert_eq!(request.uri(), "/c/1?q=%2F");
        let headers = request.headers();
        assert_eq!(headers["host"], "chat.example:3000");
        assert_eq!(headers.get_all("cookie").iter().count(), 2);
        assert_eq!(headers["accept-encoding"], "br, gzip");
        assert_ne!(headers["x-anteroom-link"], "forged");
        let mut names: Vec<_> = headers.keys().map(HeaderName::as_str).collect();
        names.sort_unstable();
        let expected = [
            "accept-encoding",
            "cookie",
            "host",
            "x-anteroom-link",
            "x-anteroom-node",
        ];
        assert_eq!(names, expected);
    }

    #[test]
    fn a_host_that_was_named_is_not_another() {
        let request = forwarded(Request::get("http://evil.example/").header("host", "chat.example"));
        assert_eq!(request.headers()["host"], "chat.example");
    }

    #[test]
    fn a_feed_asks_for_its_upgrade_and_nothing_else_does() {
        let upgrade = |request: axum::http::request::Builder| {
            let request = request.header("connection", "keep-alive, Upgrade");
            let request = forwarded(request.header("upgrade", "WebSocket").header("sec-websocket-key", "k"));
            let headers = request.headers();
            assert_eq!(headers["sec-websocket-key"], "k");
            (headers.get("connection").cloned(), headers.get("upgrade").cloned())
        };
        let value = |text| Some(HeaderValue::from_static(text));
        assert_eq!(upgrade(Request::get("/feed")), (value("upgrade"), value("websocket")));
        assert_eq!(upgrade(Request::post("/feed")), (None, None));
    }
}
