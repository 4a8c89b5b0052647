//! Who is let in at the doors of programs, over real HTTP.

use std::{net::SocketAddr, sync::Arc};

use axum::{
    Router,
    http::{HeaderMap, StatusCode, header},
    middleware,
    routing::any,
};
use reqwest::{Client, RequestBuilder};
use tempfile::TempDir;
use tokio::{net::TcpListener, task::JoinHandle};

use super::{guarded, scope};
use crate::{
    accounts::{Principal, Program, Scope},
    engine::Engine,
    http::{language, serve::serve},
    logs::Logs,
    settings::Settings,
    wire::{Reason, Refused},
};

/// Says who asks.
async fn who(who: Principal, headers: HeaderMap) -> String {
    let cookies = headers.get_all(header::COOKIE).iter().count();
    format!("{} {cookies}", who.session.0)
}

/// A site of programs alone. It ends when it is dropped.
struct Site {
    engine: Arc<Engine>,
    address: SocketAddr,
    task: JoinHandle<()>,
    _folder: TempDir,
}

impl Drop for Site {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Site {
    async fn start(settings: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let data = ("DATA_DIR", folder.path().to_str().expect("a path"));
        let variables = settings.iter().chain([&data]);
        let variables = variables.map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let loaded = Settings::load(variables.collect::<Vec<_>>(), None).expect("good settings");
        let engine = Engine::start(loaded, Logs::default()).await.expect("it starts");
        let routes = Router::new()
            .merge(scope::needs(Scope::Chat, Router::new().route("/v1/chat", any(who))))
            .merge(scope::needs(
                Scope::Metrics,
                Router::new().route("/v1/metrics", any(who)),
            ));
        let site =
            guarded(&engine, None, routes).layer(middleware::from_fn_with_state(Arc::clone(&engine), language::speak));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let served = Arc::clone(&engine);
        let task = tokio::spawn(async move { serve(&served, listener, site, std::future::pending()).await });
        Self {
            engine,
            address,
            task,
            _folder: folder,
        }
    }

    fn get(&self, path: &str) -> RequestBuilder {
        crate::tls::install();
        let client = Client::builder().no_proxy().build().expect("a client");
        client.get(format!("http://{}{path}", self.address))
    }
}

/// What somebody is answered.
async fn said(request: RequestBuilder) -> Result<String, (StatusCode, Reason)> {
    let response = request.send().await.expect("an answer");
    let status = response.status();
    let asks = response.headers().get(header::WWW_AUTHENTICATE).cloned();
    assert_eq!(asks.is_some(), status == StatusCode::UNAUTHORIZED);
    let text = response.text().await.expect("a body");
    if status.is_success() {
        return Ok(text);
    }
    let refused: Refused = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
    Err((status, refused.reason))
}

#[tokio::test]
async fn without_keys_programs_of_this_machine_are_one_owner() {
    let site = Site::start(&[]).await;
    let local = format!("{} 0", Program::LOCAL.key.0);
    assert_eq!(said(site.get("/v1/chat")).await, Ok(local.clone()));
    let session = crate::sessions::SessionId::random();
    let cookie = site.engine.jar().set_cookies(session, "").remove(0);
    let cookie = cookie.split(';').next().expect("a pair");
    let with_cookie = site.get("/v1/chat").header("cookie", cookie);
    assert_eq!(said(with_cookie).await, Ok(local), "cookies mean nothing");
}

#[tokio::test]
async fn others_are_told_how_to_make_a_key() {
    let site = Site::start(&[]).await;
    let no_key = Err((StatusCode::UNAUTHORIZED, Reason::NoKey));
    let passed_on = site.get("/v1/chat").header("x-forwarded-for", "192.0.2.1");
    assert_eq!(said(passed_on).await, no_key);
    let rebound = site.get("/v1/chat").header("host", "evil.example");
    assert_eq!(said(rebound).await, no_key);
    let evil = site.get("/v1/chat").header("origin", "http://evil.example");
    assert_eq!(said(evil).await, Err((StatusCode::FORBIDDEN, Reason::CrossSite)));
    let secure = Site::start(&[("SECURE_COOKIES", "true")]).await;
    assert_eq!(said(secure.get("/v1/chat")).await, no_key, "there may be a proxy");
}

#[tokio::test]
async fn a_scope_that_is_lacking_is_named() {
    let site = Site::start(&[]).await;
    let name = "metrics".to_owned();
    let refused = said(site.get("/v1/metrics")).await;
    assert_eq!(refused, Err((StatusCode::FORBIDDEN, Reason::KeyMayNot { name })));
}
