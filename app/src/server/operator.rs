//! The operator's link: a browser that opens it with the right key sees addresses and paths on the stats and logs tabs from then on.

use std::sync::Arc;

use anteroom::{
    accounts::{Principal, Role},
    engine::Engine,
    http::{cookies, set_session},
    say,
    sessions::SessionId,
    wire::{Reason, RefreshKind},
};
use axum::{
    extract::{Query, State},
    http::{Extensions, HeaderMap, HeaderValue, StatusCode, Uri, header},
    response::{IntoResponse as _, Redirect, Response},
};
use serde::Deserialize;

use super::refusals::PlainPage;
use crate::AssetUrls;

#[derive(Default, Deserialize)]
struct Given {
    #[serde(default)]
    key: String,
}

/// `/operator?key=…`. The key stays in no address bar and in no `Referer`: what it opens is a page of its own.
pub(super) async fn enter(
    State((engine, urls)): State<(Arc<Engine>, AssetUrls)>,
    who: Option<Principal>,
    uri: Uri,
    headers: HeaderMap,
    extensions: Extensions,
) -> Response {
    let Query(Given { key }) = Query::try_from_uri(&uri).unwrap_or_default();
    let session = who.map_or_else(SessionId::random, |who| who.session);
    let Some(cookie) = engine.admit_operator(session, &key) else {
        return (StatusCode::FORBIDDEN, refused(&PlainPage::of(&urls, &extensions))).into_response();
    };
    let stats = engine.shows(RefreshKind::Stats, Role::Operator);
    let mut response = Redirect::to(if stats { "/stats" } else { "/" }).into_response();
    let answer = response.headers_mut();
    set_session(&engine, session, &cookies(&headers), answer);
    if let Ok(cookie) = HeaderValue::from_str(&cookie) {
        answer.append(header::SET_COOKIE, cookie);
    }
    answer.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}

fn refused(page: &PlainPage) -> Response {
    let words = page.words;
    let (heading, reason) = (say!(words, "unsent-operator"), words.reason(&Reason::WrongKey));
    page.refuse(heading, reason, String::new(), "/".to_owned())
}
