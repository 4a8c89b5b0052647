//! The routes of the site: pages, server functions, assets, and the engine's doors.

use std::sync::Arc;

use anteroom::{
    engine::Engine,
    http::{self, Unreached},
};
use axum::{
    Router,
    extract::{Request, State},
    http::{Extensions, HeaderMap, HeaderValue, Method, StatusCode, Uri, Version, header},
    middleware::{self, Next},
    response::{IntoResponse as _, Redirect, Response},
    routing::{get, post},
};
use leptos::{nonce::use_nonce, prelude::*};
use leptos_axum::{LeptosRoutes as _, ResponseOptions, generate_route_list};
use tower_http::compression::CompressionLayer;

use super::{
    actions, along, api, assets, described, drawing, leaves, offline, operator, own, program_keys, refusals, sources,
};
use crate::{
    App,
    initial::Preloaded,
    route::{Page, conversation_of},
    shell,
};

/// The whole site in front of `engine`.
pub fn router(engine: &Arc<Engine>) -> Router {
    let options = LeptosOptions::builder()
        .output_name("anteroom")
        .site_root("target/site")
        .site_pkg_dir("pkg")
        .site_addr(engine.settings().site_addr)
        .build();
    let urls = assets::urls();
    let context = {
        let (engine, urls) = (Arc::clone(engine), urls.clone());
        move || {
            provide_context(Arc::clone(&engine));
            provide_context(urls.clone());
        }
    };
    let document = {
        let options = options.clone();
        move || {
            restrict_page();
            shell(options.clone())
        }
    };
    let operator = Router::new()
        .route("/operator", get(operator::enter))
        .with_state((Arc::clone(engine), urls.clone()))
        .merge(program_keys::script());
    let passes = along::passes(engine, &urls);
    let pages = Router::new()
        .route("/api/{*function}", post(refusals::unknown_function))
        .route(actions::ROUTE, actions::door(Arc::clone(engine)))
        .merge(along::owner(engine, &urls))
        .merge(own::pages(engine, &urls))
        .merge(leaves::pages(engine, &urls))
        .merge(program_keys::doors(engine, &urls))
        .merge(sources::doors(engine))
        // These bring the routes of the server functions along.
        .leptos_routes_with_context(&options, generate_route_list(App), context.clone(), document.clone())
        .fallback(leptos_axum::file_and_error_handler_with_context::<LeptosOptions, _>(
            context,
            move |_| document(),
        ))
        .with_state(options)
        .layer(middleware::from_fn_with_state(Arc::clone(engine), preload))
        .layer(middleware::from_fn_with_state(urls, refusals::in_words))
        .layer(middleware::from_fn(without_slash))
        // Nothing that somebody else's page could choose stands in one of ours, so its length gives nothing away.
        .layer(CompressionLayer::new().compress_when(is_page));
    http::site(
        engine,
        pages,
        operator
            .merge(assets::router())
            .merge(described::router())
            .merge(offline::router()),
        Arc::new(drawing::Tabs),
        passes,
    )
}

/// Redirects from an address with a slash behind it to the page.
async fn without_slash(request: Request, next: Next) -> Response {
    let looks = matches!(*request.method(), Method::GET | Method::HEAD);
    match page_without_slash(request.uri()).filter(|_| looks) {
        Some(address) => Redirect::permanent(&address).into_response(),
        None => next.run(request).await,
    }
}

/// The address of the page that `uri` names with slashes behind it. Only pages that there are, so that it is never somebody else's
/// address: what begins with two slashes would be.
fn page_without_slash(uri: &Uri) -> Option<String> {
    let path = uri.path();
    let trimmed = path.trim_end_matches('/');
    if trimmed == path || Page::of(path) == Page::Missing {
        return None;
    }
    let address = if trimmed.is_empty() { "/" } else { trimmed };
    if address == path {
        return None;
    }
    let query = uri.query().map(|query| format!("?{query}"));
    Some(format!("{address}{}", query.unwrap_or_default()))
}

/// Fetches what a page starts with before it is rendered, so that rendering waits for nothing: of some five hundred
/// pages rendered at once, leptos 0.8.23 would leave one waiting for ever for a suspense that has been resolved.
async fn preload(State(engine): State<Arc<Engine>>, mut request: Request, next: Next) -> Response {
    let path = request.uri().path();
    // Of an address that leads nowhere, nobody needs to be known.
    if Page::of(path) == Page::Missing || along::is_owners(path) || leaves::is_ours(path) {
        return next.run(request).await;
    }
    let first = match request.extensions().get() {
        Some(Unreached(refusal)) => Err(refusal.clone()),
        None => api::first(engine, request.extensions(), conversation_of(path)).await,
    };
    // As an address that leads nowhere, whoever else may see it.
    let kept_from_them = match (&first, Page::of(path).refreshed()) {
        (Ok(first), Some(kind)) => !first.overview.tabs.contains(&kind),
        _ => false,
    };
    let gone = first
        .as_ref()
        .is_ok_and(|first| matches!(first.conversation, Some((_, None))));
    let reader = offline::reader_of(request.extensions());
    let (carried, refused) = match first {
        Ok(first) => (Preloaded::new(Ok(first)), None),
        Err(refused) => (Preloaded::new(Err(refused.reason.clone())), Some(refused)),
    };
    request.extensions_mut().insert(carried);
    let mut response = next.run(request).await;
    offline::mark(&mut response, reader.as_deref(), gone);
    if kept_from_them && response.status() == StatusCode::OK {
        *response.status_mut() = StatusCode::NOT_FOUND;
    }
    match refused {
        Some(refused) => refused.mark(response),
        None => response,
    }
}

/// Server functions answer in a few bytes, and the files of the site have been compressed already.
fn is_page(_: StatusCode, _: Version, headers: &HeaderMap, _: &Extensions) -> bool {
    let kind = headers.get(header::CONTENT_TYPE);
    kind.is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"))
}

/// Lets the page run only the scripts that this render has marked, and talk only to this site.
fn restrict_page() {
    let (Some(nonce), Some(response)) = (use_nonce(), use_context::<ResponseOptions>()) else {
        return;
    };
    let policy = format!(
        "default-src 'self'; script-src 'nonce-{nonce}' 'self' 'wasm-unsafe-eval'; style-src 'self' 'unsafe-inline'; \
         img-src 'self' data: blob:; connect-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; \
         frame-ancestors 'none'"
    );
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        response.insert_header(header::CONTENT_SECURITY_POLICY, policy);
    }
}

#[cfg(test)]
mod tests {
    use leptos_axum::generate_route_list;

    use super::{App, Page, page_without_slash};

    #[tokio::test]
    async fn every_page_has_its_route() {
        let routes = generate_route_list(App);
        for page in Page::TABS.into_iter().chain([Page::Data]) {
            assert!(routes.iter().any(|route| route.path() == page.path()), "{page:?}");
        }
    }

    #[test]
    fn a_slash_too_many_leads_to_the_page_and_never_to_another_site() {
        for (address, leads_to) in [
            ("/", None),
            ("/stats", None),
            ("/stats/", Some("/stats")),
            ("/stats//", Some("/stats")),
            ("/logs/?q=%2F&x=/", Some("/logs?q=%2F&x=/")),
            ("/data/?", Some("/data?")),
            (
                "/c/0190a3c2-7e0b-7c5e-8d6d-1d3a5b7c9e0f/",
                Some("/c/0190a3c2-7e0b-7c5e-8d6d-1d3a5b7c9e0f"),
            ),
            ("/c//evil.example/", Some("/c//evil.example")),
            ("//", Some("/")),
            ("/c/", None),
            ("/nowhere/", None),
            ("//evil.example/", None),
            ("//evil.example/stats/", None),
            ("/\\evil.example/", None),
            ("//stats/", None),
            ("https://evil.example//evil.example/", None),
        ] {
            let uri = address.parse().expect(address);
            assert_eq!(page_without_slash(&uri).as_deref(), leads_to, "{address}");
        }
    }
}
