//! The operator's link: whoever opens it with the right key sees addresses and paths on the stats and logs tabs from then on.

use std::sync::Arc;

use anteroom::{
    accounts::Principal,
    engine::Engine,
    http::{cookies, set_session},
    sessions::SessionId,
};
use axum::{
    extract::{Query, State},
    http::{HeaderMap, HeaderValue, StatusCode, Uri, header},
    response::{IntoResponse as _, Redirect, Response},
};
use leptos::prelude::*;
use serde::Deserialize;

use super::refusals::plain_page;
use crate::{AssetUrls, components::unsent::Unsent};

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
) -> Response {
    let Query(Given { key }) = Query::try_from_uri(&uri).unwrap_or_default();
    let session = who.map_or_else(SessionId::random, |who| who.session);
    let Some(cookie) = engine.admit_operator(session, &key) else {
        return (StatusCode::FORBIDDEN, refused(&urls)).into_response();
    };
    let mut response = Redirect::to("/stats").into_response();
    let answer = response.headers_mut();
    set_session(&engine, session, &cookies(&headers), answer);
    if let Ok(cookie) = HeaderValue::from_str(&cookie) {
        answer.append(header::SET_COOKIE, cookie);
    }
    answer.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}

fn refused(urls: &AssetUrls) -> Response {
    let reason =
        "Its key is not the one that is in force. The server prints the link when it starts, and OPERATOR_KEY in its \
                  settings says which key it has."
            .to_owned();
    let page = || {
        view! { <Unsent heading="This is not the operator’s link" reason text=String::new() back="/".to_owned() /> }
    };
    plain_page("Not the operator’s link · Anteroom", urls, page)
}
