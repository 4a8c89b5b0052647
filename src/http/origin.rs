//! Requests that another site's page makes in our visitor's browser (cross-site request forgery, CSRF) are refused.

use axum::{
    extract::Request,
    http::{HeaderMap, Method, StatusCode, Uri, header},
    middleware::Next,
    response::{IntoResponse, Response},
};

use super::Refusal;
use crate::wire::Reason;

/// The request came from another site's page.
#[derive(Debug)]
pub struct CrossSite;

impl CrossSite {
    /// As every door refuses it.
    #[must_use]
    pub const fn refusal(self) -> Refusal {
        Refusal::new(StatusCode::FORBIDDEN, Reason::CrossSite)
    }
}

impl IntoResponse for CrossSite {
    fn into_response(self) -> Response {
        self.refusal().into_response()
    }
}

/// Lets a request pass that only reads, and any other only from a page of this site. A WebSocket only reads too, but
/// is not held back by the browser's same-origin rule, so it is checked as well.
pub(super) async fn check(request: Request, next: Next) -> Result<Response, CrossSite> {
    let reads = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    let upgrades = request.headers().contains_key(header::UPGRADE) || request.method() == Method::CONNECT;
    if (!reads || upgrades) && !is_same_site(request.headers(), request.uri()) {
        return Err(CrossSite);
    }
    Ok(next.run(request).await)
}

/// Browsers name the page's origin with every such request. A request without one is not a browser's, and brings no
/// visitor's cookie along that its sender did not have anyway.
fn is_same_site(headers: &HeaderMap, uri: &Uri) -> bool {
    let Some(origin) = headers.get(header::ORIGIN) else {
        return headers
            .get("sec-fetch-site")
            .is_none_or(|site| site == "same-origin" || site == "none");
    };
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let host = host.or_else(|| uri.authority().map(|authority| authority.as_str()));
    let origin = origin.to_str().ok().and_then(|origin| origin.parse::<Uri>().ok());
    match (origin.as_ref().and_then(Uri::authority), host) {
        (Some(origin), Some(host)) => origin.as_str().eq_ignore_ascii_case(host),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn same(pairs: &[(&'static str, &'static str)]) -> bool {
        let headers = pairs.iter().map(|&(name, value)| {
            (
                header::HeaderName::from_static(name),
                header::HeaderValue::from_static(value),
            )
        });
        is_same_site(&headers.collect(), &Uri::from_static("/feed"))
    }

    #[test]
    fn only_pages_of_this_site_may_ask() {
        let host = ("host", "chat.example:3000");
        assert!(same(&[host, ("origin", "http://chat.example:3000")]));
        assert!(
            same(&[host, ("origin", "https://CHAT.example:3000")]),
            "a proxy may end TLS"
        );
        assert!(same(&[host]), "not a browser");
        for origin in [
            "http://evil.example",
            "http://chat.example",
            "null",
            "http://chat.example:3000.evil.example",
            "",
        ] {
            assert!(!same(&[host, ("origin", origin)]), "{origin}");
        }
        assert!(!same(&[host, ("sec-fetch-site", "cross-site")]));
        assert!(!same(&[host, ("sec-fetch-site", "same-site")]));
        assert!(
            !same(&[("origin", "http://chat.example:3000")]),
            "no host to compare with"
        );
    }
}
