//! In which language somebody is spoken to: the one chosen on a page, else the one that the browser asks for, else the site's. Refusals
//! are put into words here, after all doors, so that no door has to know the language.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Query, Request, State},
    http::{HeaderMap, HeaderValue, header},
    response::{IntoResponse as _, Redirect, Response},
};
use serde::Deserialize;

use super::{Refusal, identity::cookies};
use crate::{
    engine::Engine,
    language::{Language, Words},
    wire::Refused,
};

/// The cookie that remembers a choice. Nothing depends on it but words, so it is not signed.
const COOKIE: &str = "language";
/// For how long, in seconds: a year.
const REMEMBERED: u32 = 365 * 24 * 3600;

/// Marks the request with the [`Language`] that it is to be answered in, and puts a refusal into its words.
pub(super) async fn speak<N: Future<Output = Response>>(
    engine: &Engine,
    mut request: Request,
    next: impl FnOnce(Request) -> N,
) -> Response {
    let language = language_of(request.headers()).unwrap_or_else(|| engine.settings().language);
    request.extensions_mut().insert(language);
    let mut response = next(request).await;
    let Some(refusal) = response.extensions_mut().remove::<Refusal>() else {
        return response;
    };
    let message = refusal.in_words(Words::of(language));
    let reason = refusal.reason;
    let (mut parts, _) = response.into_parts();
    let told = Json(Refused { reason, message }).into_response();
    parts.headers.extend(told.headers().clone());
    Response::from_parts(parts, told.into_body())
}

fn language_of(headers: &HeaderMap) -> Option<Language> {
    let sent = cookies(headers);
    let chosen = sent.split(';').filter_map(|cookie| cookie.trim().split_once('='));
    let chosen = chosen.filter(|(name, _)| *name == COOKIE);
    let mut chosen = chosen.filter_map(|(_, tag)| Language::of_tag(tag));
    let accepted = headers
        .get(header::ACCEPT_LANGUAGE)
        .and_then(|accepted| accepted.to_str().ok());
    chosen.next().or_else(|| Language::preferred(accepted?))
}

#[derive(Debug, Deserialize)]
pub(super) struct Choice {
    to: Language,
    #[serde(default)]
    back: String,
}

/// `POST /language?to=ru&back=/stats`: remembers the choice in the browser, and leads back. A page's form, which needs no scripts.
pub(super) async fn choose(State(engine): State<Arc<Engine>>, Query(Choice { to, back }): Query<Choice>) -> Response {
    let secure = if engine.settings().secure_cookies {
        "; Secure"
    } else {
        ""
    };
    let cookie = format!(
        "{COOKIE}={}; Path=/; Max-Age={REMEMBERED}; SameSite=Lax{secure}",
        to.code()
    );
    let mut response = Redirect::to(if is_ours(&back) { &back } else { "/" }).into_response();
    if let Ok(cookie) = HeaderValue::from_str(&cookie) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}

/// Whether an address is one of this site: what begins with two slashes is another's, and browsers take a backslash for a slash.
fn is_ours(address: &str) -> bool {
    let printable = |byte: u8| byte.is_ascii_graphic() && byte != b'\\';
    address.starts_with('/') && !address.starts_with("//") && address.bytes().all(printable)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(pairs: &[(header::HeaderName, &'static str)]) -> Option<Language> {
        let headers = pairs
            .iter()
            .cloned()
            .map(|(name, value)| (name, HeaderValue::from_static(value)));
        language_of(&headers.collect())
    }

    #[test]
    fn what_was_chosen_comes_before_what_the_browser_asks_for() {
        use header::{ACCEPT_LANGUAGE, COOKIE};
        assert_eq!(asked(&[]), None);
        assert_eq!(asked(&[(ACCEPT_LANGUAGE, "ru")]), Some(Language::Russian));
        assert_eq!(
            asked(&[(ACCEPT_LANGUAGE, "ru"), (COOKIE, "a=b; language=en; session=x")]),
            Some(Language::English)
        );
        assert_eq!(
            asked(&[(ACCEPT_LANGUAGE, "ru"), (COOKIE, "language=tlh; languages=en")]),
            Some(Language::Russian)
        );
    }

    #[test]
    fn the_way_back_never_leads_to_another_site() {
        for ours in ["/", "/stats", "/c/0190a3c2-7e0b-7c5e-8d6d-1d3a5b7c9e0f"] {
            assert!(is_ours(ours), "{ours}");
        }
        for other in [
            "",
            "//evil.example",
            "/\\evil.example",
            "https://evil.example",
            "stats",
            "/a\r\nX: y",
            "/ä",
            "/a b",
        ] {
            assert!(!is_ours(other), "{other}");
        }
    }
}
