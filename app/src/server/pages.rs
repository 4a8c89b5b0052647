//! The routes of the site: pages, server functions, assets, and the engine's doors.

use std::{sync::Arc, time::Duration};

use anteroom::{engine::Engine, http};
use axum::{
    Router,
    body::Body,
    extract::Request,
    http::{HeaderValue, Method, StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse as _, Response},
    routing::post,
};
use leptos::{nonce::use_nonce, prelude::*};
use leptos_axum::{LeptosRoutes as _, ResponseOptions, generate_route_list, handle_server_fns_with_context};
use tokio::time::timeout;
use tracing::warn;

use super::assets;
use crate::{App, AssetUrls, shell};

/// How long rendering a page may take before it is begun anew; a page takes milliseconds. Doubled with each try.
const RENDER: Duration = Duration::from_secs(6);
/// How often a page is rendered before it is given up.
const TRIES: u32 = 3;

/// The whole site in front of `engine`.
pub fn router(engine: &Arc<Engine>) -> Router {
    let options = LeptosOptions::builder()
        .output_name("anteroom")
        .site_root("target/site")
        .site_pkg_dir("pkg")
        .site_addr(engine.settings().site_addr)
        .build();
    let urls = assets::urls();
    let urls = AssetUrls {
        js: urls.js,
        wasm: urls.wasm,
        css: urls.css,
    };
    let context = {
        let engine = Arc::clone(engine);
        move || {
            provide_context(Arc::clone(&engine));
            provide_context(urls.clone());
        }
    };
    let server_functions = {
        let context = context.clone();
        post(move |request: Request<Body>| handle_server_fns_with_context(context.clone(), request))
    };
    let document = {
        let options = options.clone();
        move || {
            restrict_page();
            shell(options.clone())
        }
    };
    let pages = Router::new()
        .route("/api/{*function}", server_functions)
        .leptos_routes_with_context(&options, generate_route_list(App), context.clone(), document.clone())
        .fallback(leptos_axum::file_and_error_handler_with_context::<LeptosOptions, _>(
            context,
            move |_| document(),
        ))
        .with_state(options)
        .layer(middleware::from_fn(render));
    http::site(engine, pages.merge(assets::router()))
}

/// Renders a page, and once more where that got stuck.
///
/// Of some five hundred pages asked for at once, leptos 0.8.23 leaves one waiting for a suspense that has long been
/// resolved. Reading changes nothing, so it can be asked for again.
async fn render(request: Request, next: Next) -> Response {
    if request.method() != Method::GET {
        return next.run(request).await;
    }
    let (parts, _) = request.into_parts();
    for attempt in 0..TRIES {
        let request = Request::from_parts(parts.clone(), Body::empty());
        match timeout(RENDER * 2_u32.pow(attempt), next.clone().run(request)).await {
            Ok(response) => return response,
            Err(_) => warn!(path = parts.uri.path(), "a page got stuck while it was rendered"),
        }
    }
    http::Refusal::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "This page could not be made. Reload it.",
    )
    .into_response()
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
