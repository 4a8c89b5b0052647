//! The doors of programs, over real HTTP.

mod doors;
mod limits;
mod table;

use std::{convert::Infallible, net::SocketAddr, sync::Arc, time::Duration};

use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    http::{HeaderMap, Method, StatusCode, header},
    middleware::{self, Next},
    response::Response as Answer,
    routing::any,
};
use futures_util::{StreamExt as _, stream};
use reqwest::{Client, RequestBuilder, Response};
use tempfile::TempDir;
use tokio::{net::TcpListener, sync::Notify, task::JoinHandle};
use uuid::Uuid;

pub(super) use self::table::DOORS;
use super::{guarded, routes, scope};
use crate::{
    accounts::{
        KeyId, Principal, Program, Scope, Scopes,
        keys::Token,
        rates::{KeyRates, RatesChange},
    },
    clock::now_ms,
    engine::Engine,
    http::{language, serve::serve},
    logs::Logs,
    queue::Owner,
    sessions::SessionId,
    settings::Settings,
    store::KeyRecord,
    wire::{Reason, Refused, Usage},
};

/// Says who asks.
async fn who(who: Principal, headers: HeaderMap) -> String {
    let secrets = [header::COOKIE.as_str(), "authorization", "x-api-key"];
    let secrets = secrets.iter().filter(|&&name| headers.contains_key(name)).count();
    format!("{} {secrets}", who.session.0)
}

/// A refusal, in words and with its reason.
async fn speak(State(engine): State<Arc<Engine>>, request: Request, next: Next) -> Answer {
    language::speak(&engine, request, |request| next.run(request)).await
}

/// A site of programs alone. It ends when it is dropped.
struct Site {
    engine: Arc<Engine>,
    address: SocketAddr,
    client: Client,
    /// Somebody asks what is never answered, and has gone again.
    asked: Arc<Notify>,
    gone: Arc<Notify>,
    task: JoinHandle<()>,
    _folder: TempDir,
}

impl Drop for Site {
    fn drop(&mut self) {
        self.task.abort();
    }
}

struct Tell(Arc<Notify>);

impl Drop for Tell {
    fn drop(&mut self) {
        self.0.notify_one();
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
        let (asked, gone) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let told = (Arc::clone(&asked), Arc::clone(&gone));
        let waits = async move || {
            let _gone = Tell(Arc::clone(&told.1));
            told.0.notify_one();
            std::future::pending::<()>().await;
        };
        let endless = async || {
            let parts = stream::iter([Ok::<_, Infallible>("a part")]);
            Body::from_stream(parts.chain(stream::pending()))
        };
        let routes = routes()
            .merge(scope::needs(Scope::Chat, Router::new().route("/test/chat", any(who))))
            .merge(scope::needs(
                Scope::Metrics,
                Router::new().route("/test/metrics", any(who)),
            ))
            .route("/test/waits", any(waits))
            .route("/test/endless", any(endless));
        let speak = middleware::from_fn_with_state(Arc::clone(&engine), speak);
        let site = guarded(&engine, None, routes).layer(speak);
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let served = Arc::clone(&engine);
        let task = tokio::spawn(async move { serve(&served, listener, site, std::future::pending()).await });
        crate::tls::install();
        Self {
            engine,
            address,
            client: Client::builder().no_proxy().build().expect("a client"),
            asked,
            gone,
            task,
            _folder: folder,
        }
    }

    fn ask(&self, method: &Method, path: &str) -> RequestBuilder {
        self.client
            .request(method.clone(), format!("http://{}{path}", self.address))
    }

    fn get(&self, path: &str) -> RequestBuilder {
        self.ask(&Method::GET, path)
    }

    /// A key. The server knows of it once [`Site::known`] is over.
    async fn key(&self, scopes: Scopes, change: impl FnOnce(&mut KeyRecord)) -> (Token, KeyId) {
        let id = KeyId(Uuid::new_v4());
        let token = Token::random(id);
        let mut key = KeyRecord {
            id,
            name: id.0.simple().to_string(),
            scopes,
            digest: token.digest(),
            created_at: now_ms(),
            expires_at: None,
            revoked_at: None,
            rates: KeyRates::default(),
        };
        change(&mut key);
        let store = self.engine.store();
        assert_eq!(store.add_key(key.clone()).await, Ok(true));
        if let Some(at) = key.revoked_at {
            assert_eq!(store.revoke_key(id, at).await, Ok(true));
        }
        (token, id)
    }

    /// Waits until the server has found out by itself how its keys are now.
    async fn known(&self) {
        let keys = self.engine.store().keys().await.expect("read");
        let known = async || {
            while keys
                .iter()
                .any(|key| self.engine.keys().find(key.id).as_ref() != Some(key))
            {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        let known = tokio::time::timeout(Duration::from_secs(60), known());
        known.await.expect("it looks for them");
    }

    async fn revoke(&self, key: KeyId) {
        let store = self.engine.store();
        assert_eq!(store.revoke_key(key, now_ms()).await, Ok(true));
    }
}

fn with(request: RequestBuilder, token: &Token) -> RequestBuilder {
    request.header("authorization", format!("Bearer {}", token.reveal()))
}

/// What somebody is answered.
async fn said(request: RequestBuilder) -> Result<String, (StatusCode, Reason)> {
    read(request.send().await.expect("an answer")).await
}

async fn read(response: Response) -> Result<String, (StatusCode, Reason)> {
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

fn cookie(site: &Site) -> String {
    let cookie = site.engine.jar().set_cookies(SessionId::random(), "").remove(0);
    cookie.split(';').next().expect("a pair").to_owned()
}

const fn unauthorized<T>(reason: Reason) -> Result<T, (StatusCode, Reason)> {
    Err((StatusCode::UNAUTHORIZED, reason))
}
