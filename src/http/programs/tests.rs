//! Who is let in at the doors of programs, over real HTTP: at each of them, and what is theirs.

use std::{convert::Infallible, net::SocketAddr, sync::Arc, time::Duration};

use axum::{
    Router,
    body::Body,
    http::{HeaderMap, Method, StatusCode, header},
    middleware,
    routing::any,
};
use futures_util::{StreamExt as _, stream};
use reqwest::{Client, RequestBuilder, Response};
use tempfile::TempDir;
use tokio::{net::TcpListener, sync::Notify, task::JoinHandle};
use uuid::Uuid;

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

/// Every door of programs, with what a key has to let its program do there. A new one is a line here; one that is not is found by the test of the document.
pub(super) const DOORS: &[(Method, &str, Option<Scope>)] = &[
    (Method::GET, "/api/v1/key", None),
    (Method::POST, "/api/v1/chat", Some(Scope::Chat)),
    (Method::POST, "/api/v1/chat/stream", Some(Scope::Chat)),
    (
        Method::DELETE,
        "/api/v1/chat/0190a3c2-7e0b-7c5e-8d6d-1d3a5b7c9e0f",
        Some(Scope::Chat),
    ),
    (Method::POST, "/chat", Some(Scope::Chat)),
    (Method::POST, "/chat/stream", Some(Scope::Chat)),
    (Method::GET, "/api/v1/queue", Some(Scope::Read)),
    (Method::GET, "/api/v1/models", Some(Scope::Read)),
    (Method::GET, "/api/v1/info", Some(Scope::Read)),
    (Method::GET, "/info", Some(Scope::Read)),
    (Method::GET, "/api/v1/conversations", Some(Scope::Read)),
    (Method::POST, "/api/v1/conversations", Some(Scope::Chat)),
    (Method::GET, "/api/v1/conversations/search?q=x", Some(Scope::Read)),
    (
        Method::GET,
        "/api/v1/conversations/0190a3c2-7e0b-7c5e-8d6d-1d3a5b7c9e0f",
        Some(Scope::Read),
    ),
    (
        Method::PATCH,
        "/api/v1/conversations/0190a3c2-7e0b-7c5e-8d6d-1d3a5b7c9e0f",
        Some(Scope::Chat),
    ),
    (
        Method::DELETE,
        "/api/v1/conversations/0190a3c2-7e0b-7c5e-8d6d-1d3a5b7c9e0f",
        Some(Scope::Chat),
    ),
    (
        Method::GET,
        "/api/v1/conversations/0190a3c2-7e0b-7c5e-8d6d-1d3a5b7c9e0f/turns",
        Some(Scope::Read),
    ),
    (
        Method::POST,
        "/api/v1/conversations/0190a3c2-7e0b-7c5e-8d6d-1d3a5b7c9e0f/turns",
        Some(Scope::Chat),
    ),
    (
        Method::GET,
        "/api/v1/conversations/0190a3c2-7e0b-7c5e-8d6d-1d3a5b7c9e0f/turns/1",
        Some(Scope::Read),
    ),
    (
        Method::DELETE,
        "/api/v1/conversations/0190a3c2-7e0b-7c5e-8d6d-1d3a5b7c9e0f/turns/1",
        Some(Scope::Chat),
    ),
    (
        Method::GET,
        "/api/v1/conversations/0190a3c2-7e0b-7c5e-8d6d-1d3a5b7c9e0f/export",
        Some(Scope::Read),
    ),
    (
        Method::POST,
        "/api/v1/conversations/0190a3c2-7e0b-7c5e-8d6d-1d3a5b7c9e0f/turns/1/steps/2",
        Some(Scope::Chat),
    ),
    (
        Method::POST,
        "/api/v1/conversations/0190a3c2-7e0b-7c5e-8d6d-1d3a5b7c9e0f/restore",
        Some(Scope::Chat),
    ),
    (
        Method::POST,
        "/api/v1/conversations/0190a3c2-7e0b-7c5e-8d6d-1d3a5b7c9e0f/release",
        Some(Scope::Chat),
    ),
    (
        Method::POST,
        "/api/v1/conversations/0190a3c2-7e0b-7c5e-8d6d-1d3a5b7c9e0f/turns/1/again",
        Some(Scope::Chat),
    ),
    (
        Method::POST,
        "/api/v1/conversations/0190a3c2-7e0b-7c5e-8d6d-1d3a5b7c9e0f/turns/1/show",
        Some(Scope::Chat),
    ),
    (
        Method::POST,
        "/api/v1/conversations/0190a3c2-7e0b-7c5e-8d6d-1d3a5b7c9e0f/turns/1/rating",
        Some(Scope::Chat),
    ),
    (
        Method::POST,
        "/api/v1/conversations/0190a3c2-7e0b-7c5e-8d6d-1d3a5b7c9e0f/turns/1/branch",
        Some(Scope::Chat),
    ),
    (
        Method::PATCH,
        "/api/v1/conversations/0190a3c2-7e0b-7c5e-8d6d-1d3a5b7c9e0f/turns/1",
        Some(Scope::Chat),
    ),
    (Method::POST, "/api/v1/conversations/import", Some(Scope::Chat)),
    (Method::POST, "/api/v1/files", Some(Scope::Chat)),
    (Method::GET, "/api/v1/files/1", Some(Scope::Read)),
    (Method::GET, "/api/v1/files/1/text", Some(Scope::Read)),
    (Method::GET, "/api/v1/none", None),
    (Method::POST, "/v1/chat/completions", Some(Scope::Chat)),
    (Method::POST, "/v1/responses", Some(Scope::Chat)),
    (Method::POST, "/v1/embeddings", Some(Scope::Chat)),
    (Method::GET, "/v1/models", Some(Scope::Chat)),
    (Method::GET, "/v1/models/demo", Some(Scope::Chat)),
    (Method::GET, "/v1/none", None),
    (Method::POST, "/api/v1/tasks", Some(Scope::Tasks)),
    (Method::GET, "/api/v1/tasks", Some(Scope::Tasks)),
    (Method::GET, "/api/v1/tasks/0", Some(Scope::Tasks)),
    (Method::DELETE, "/api/v1/tasks/0", Some(Scope::Tasks)),
    (Method::GET, "/api/v1/tasks/0/stream", Some(Scope::Tasks)),
    (Method::GET, "/api/v1/tasks/batches/0", Some(Scope::Tasks)),
    (Method::GET, "/api/v1/tasks/batches/0/stream", Some(Scope::Tasks)),
    (Method::DELETE, "/api/v1/tasks/batches/0", Some(Scope::Tasks)),
    (Method::POST, "/chat/async", Some(Scope::Tasks)),
    (Method::GET, "/chat/task/0", Some(Scope::Tasks)),
];

/// Says who asks.
async fn who(who: Principal, headers: HeaderMap) -> String {
    let secrets = [header::COOKIE.as_str(), "authorization", "x-api-key"];
    let secrets = secrets.iter().filter(|&&name| headers.contains_key(name)).count();
    format!("{} {secrets}", who.session.0)
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
        let speak = middleware::from_fn_with_state(Arc::clone(&engine), language::speak);
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

#[tokio::test]
async fn each_door_lets_in_who_may_and_nobody_else() {
    let site = Site::start(&[]).await;
    let cookie = cookie(&site);
    for (method, path, scope) in DOORS {
        let ask = || site.ask(method, path);
        // As long as there are no keys.
        let elsewhere = ask().header("x-forwarded-for", "192.0.2.1");
        assert_eq!(said(elsewhere).await, unauthorized(Reason::NoKey), "{path}");
        let page = ask().header("origin", "http://evil.example");
        let forbidden = Err((StatusCode::FORBIDDEN, Reason::CrossSite));
        assert_eq!(said(page).await, forbidden, "{path}");
        if scope.is_none_or(|scope| Scopes::WORK.has(scope)) {
            let local = ask().send().await.expect("an answer").status();
            assert!(![401, 403].contains(&local.as_u16()), "{path}: {local}");
        }
    }
    let all = Scope::ALL.into_iter().fold(Scopes::NONE, Scopes::with);
    let (good, _) = site.key(all, |_| ()).await;
    let (expired, _) = site.key(all, |key| key.expires_at = Some(1)).await;
    let (revoked, id) = site.key(all, |key| key.revoked_at = Some(1)).await;
    let mut lacking = Vec::new();
    for scope in Scope::ALL {
        let others = Scope::ALL.into_iter().filter(|&other| other != scope);
        lacking.push((scope, site.key(others.fold(Scopes::NONE, Scopes::with), |_| ()).await.0));
    }
    site.known().await;
    for (method, path, scope) in DOORS {
        let ask = || site.ask(method, path);
        for (request, reason) in [
            (ask(), Reason::NoKey),
            (ask().header("cookie", &cookie), Reason::NoKey),
            (with(ask(), &expired), Reason::KeyExpired),
            (with(ask(), &revoked), Reason::KeyRevoked),
            (with(ask(), &Token::random(id)), Reason::KeyUnknown),
            (ask().bearer_auth("sk-nonsense"), Reason::KeyUnknown),
            (ask().basic_auth("me", Some(good.reveal())), Reason::KeyUnknown),
            (with(ask(), &good).header("x-api-key", "other"), Reason::KeyUnknown),
        ] {
            assert_eq!(said(request).await, unauthorized(reason), "{path}");
        }
        for request in [
            with(ask(), &good),
            ask().header("x-api-key", good.reveal()),
            with(ask(), &good).header("x-api-key", good.reveal()),
            // A key is no cookie: no page of another site has it.
            with(ask(), &good).header("origin", "http://evil.example"),
            with(ask(), &good).header("x-forwarded-for", "192.0.2.1"),
        ] {
            let status = request.send().await.expect("an answer").status();
            assert!(![401, 403].contains(&status.as_u16()), "{path}: {status}");
        }
        for (lacks, token) in lacking.iter().filter(|(lacks, _)| Some(*lacks) == *scope) {
            let name = lacks.name().to_owned();
            let refused = Err((StatusCode::FORBIDDEN, Reason::KeyMayNot { name }));
            assert_eq!(said(with(ask(), token)).await, refused, "{path}");
        }
    }
}

#[tokio::test]
async fn a_key_is_one_owner_and_so_are_all_programs_of_this_machine() {
    let site = Site::start(&[]).await;
    let local = format!("{} 0", Program::LOCAL.key.0);
    assert_eq!(said(site.get("/test/chat")).await, Ok(local.clone()));
    let cookie = cookie(&site);
    assert_eq!(
        said(site.get("/test/chat").header("cookie", &cookie)).await,
        Ok(local.clone())
    );
    let dummy = site.get("/test/chat").bearer_auth("whatever");
    assert_eq!(said(dummy).await, Ok(local), "many clients cannot do without");
    let (one, id) = site.key(Scopes::WORK, |_| ()).await;
    let (other, other_id) = site.key(Scopes::WORK, |_| ()).await;
    site.known().await;
    for (token, id) in [(one, id), (other, other_id)] {
        let request = with(site.get("/test/chat"), &token).header("cookie", &cookie);
        assert_eq!(said(request).await, Ok(format!("{} 0", id.0)));
    }
}

#[tokio::test]
async fn a_site_behind_https_lets_nobody_in_without_a_key() {
    let site = Site::start(&[("SECURE_COOKIES", "true")]).await;
    assert_eq!(said(site.get("/test/chat")).await, unauthorized(Reason::NoKey));
    let dummy = site.get("/test/chat").bearer_auth("whatever");
    assert_eq!(said(dummy).await, unauthorized(Reason::KeyUnknown));
}

#[tokio::test]
async fn a_scope_that_is_lacking_is_named() {
    let site = Site::start(&[]).await;
    let name = "metrics".to_owned();
    let refused = said(site.get("/test/metrics")).await;
    assert_eq!(refused, Err((StatusCode::FORBIDDEN, Reason::KeyMayNot { name })));
    let (token, _) = site.key(Scopes::NONE.with(Scope::Metrics), |_| ()).await;
    site.known().await;
    assert!(said(with(site.get("/test/metrics"), &token)).await.is_ok());
    let name = "chat".to_owned();
    let refused = said(with(site.get("/test/chat"), &token)).await;
    assert_eq!(refused, Err((StatusCode::FORBIDDEN, Reason::KeyMayNot { name })));
}

#[tokio::test]
async fn a_program_reads_what_its_key_is() {
    let site = Site::start(&[]).await;
    let read = async |request| -> serde_json::Value {
        serde_json::from_str(&said(request).await.expect("let in")).expect("JSON")
    };
    let local = read(site.get("/api/v1/key")).await;
    assert_eq!(local["name"], serde_json::Value::Null);
    assert_eq!(local["scopes"], serde_json::json!(["chat", "tasks", "read"]));
    let scopes = Scopes::NONE.with(Scope::Read);
    let (token, id) = site.key(scopes, |key| key.expires_at = Some(u64::MAX / 4)).await;
    site.known().await;
    let me = read(with(site.get("/api/v1/key"), &token)).await;
    let known = serde_json::json!({
        "id": id.0, "name": id.0.simple().to_string(), "scopes": ["read"], "expires_at": u64::MAX / 4,
        "requests_per_minute": null, "tokens_per_minute": null,
    });
    assert_eq!(me, known);
}

#[tokio::test]
async fn what_a_revoked_key_had_asked_for_ends() {
    let site = Site::start(&[]).await;
    let (token, id) = site.key(Scopes::WORK, |_| ()).await;
    let (other, _) = site.key(Scopes::WORK, |_| ()).await;
    site.known().await;
    let waiting = tokio::spawn(said(with(site.get("/test/waits"), &token)));
    site.asked.notified().await;
    let begun = async |token: &Token| {
        let mut response = with(site.get("/test/endless"), token).send().await.expect("an answer");
        assert_eq!(response.chunk().await.expect("a part").as_deref(), Some(&b"a part"[..]));
        response
    };
    let (mut answer, mut others) = (begun(&token).await, begun(&other).await);
    site.revoke(id).await;
    assert_eq!(waiting.await.expect("asked"), unauthorized(Reason::KeyRevoked));
    site.gone.notified().await;
    assert!(answer.chunk().await.is_err(), "it breaks off");
    let more = tokio::time::timeout(Duration::from_millis(10), others.chunk());
    assert!(more.await.is_err(), "the others' go on");
}

/// An answer's status, its pause, and what it says of limits.
async fn limits(request: RequestBuilder) -> (u16, Option<u64>, String) {
    let response = request.send().await.expect("an answer");
    let headers = response.headers();
    let pause = headers
        .get(header::RETRY_AFTER)
        .map(|value| value.to_str().expect("text"));
    let pause = pause.map(|pause| pause.parse().expect("whole seconds"));
    let said = |name| {
        let lines = headers.get_all(name).iter();
        lines
            .map(|line| line.to_str().expect("text"))
            .collect::<Vec<_>>()
            .join(", ")
    };
    let said = format!("{} | {}", said("ratelimit-policy"), said("ratelimit"));
    (response.status().as_u16(), pause, said)
}

#[tokio::test]
async fn a_key_may_send_so_many_requests_a_minute_and_what_is_refused_counts_for_nothing() {
    let site = Site::start(&[("KEY_REQUESTS_PER_MINUTE", "1")]).await;
    let (token, _) = site.key(Scopes::WORK, |_| ()).await;
    let (other, _) = site.key(Scopes::WORK, |_| ()).await;
    site.known().await;
    let ask = |path, token| limits(with(site.get(path), token));
    for _ in 0..3 {
        let (status, pause, said) = ask("/test/metrics", &token).await;
        assert_eq!((status, pause), (403, None));
        assert!(
            said.starts_with("\"key-requests\";q=1;w=60 | \"key-requests\";r=1;t=0"),
            "{said}"
        );
    }
    let (status, pause, told) = ask("/test/chat", &token).await;
    assert_eq!((status, pause), (200, None));
    assert!(told.contains("\"key-requests\";r=0;t=60"), "{told}");
    let (status, pause, _) = ask("/test/chat", &token).await;
    assert_eq!(status, 429);
    assert!((1..=60).contains(&pause.expect("it says when")), "{pause:?}");
    let (_, reason) = said(with(site.get("/test/chat"), &token)).await.expect_err("refused");
    assert!(
        matches!(reason, Reason::KeyTooManyRequests { most: 1, .. }),
        "{reason:?}"
    );
    assert_eq!(ask("/test/chat", &other).await.0, 200, "each has its own");
    let (status, _, told) = limits(site.get("/test/chat")).await;
    assert_eq!((status, told.as_str()), (401, " | "));
}

#[tokio::test]
async fn a_key_may_use_so_many_tokens_a_minute() {
    let site = Site::start(&[("KEY_TOKENS_PER_MINUTE", "100")]).await;
    let (token, id) = site.key(Scopes::WORK, |_| ()).await;
    site.known().await;
    let ask = || limits(with(site.get("/test/chat"), &token));
    let (status, _, said) = ask().await;
    assert_eq!(status, 200);
    assert!(said.contains("\"key-tokens\";r=100;t=0"), "{said}");
    let usage = Usage {
        input: Some(900),
        output: Some(100),
    };
    site.engine.charge((Uuid::nil(), Owner(id.0.as_u128())), usage);
    let (status, pause, said) = ask().await;
    assert_eq!(
        (status, pause),
        (429, Some(120)),
        "some minutes, but not longer than that"
    );
    assert!(said.contains("\"key-tokens\";r=0;t=600"), "{said}");
    site.engine
        .charge((Uuid::nil(), Owner(id.0.as_u128())), Usage::default());
}

#[tokio::test]
async fn a_key_with_rates_of_its_own_is_held_to_those_and_a_change_holds_without_a_new_key() {
    let site = Site::start(&[("KEY_REQUESTS_PER_MINUTE", "1")]).await;
    let (token, id) = site
        .key(Scopes::WORK, |key| {
            key.rates = KeyRates {
                requests: "3".parse().ok(),
                tokens: "100".parse().ok(),
            };
        })
        .await;
    let (other, _) = site.key(Scopes::WORK, |_| ()).await;
    site.known().await;
    let ask = |token| limits(with(site.get("/test/chat"), token));
    let (status, _, told) = ask(&token).await;
    assert_eq!(status, 200);
    for part in [
        "\"key-requests\";q=3;w=60",
        "\"key-requests\";r=2;",
        "\"key-tokens\";q=100;w=60",
    ] {
        assert!(told.contains(part), "{part}: {told}");
    }
    let (_, _, told) = ask(&other).await;
    assert!(told.contains("q=1;w=60") && !told.contains("key-tokens"), "{told}");
    let me = said(with(site.get("/api/v1/key"), &token)).await.expect("let in");
    assert!(
        me.contains("\"requests_per_minute\":3,\"tokens_per_minute\":100"),
        "{me}"
    );
    // What an answer takes is taken of the key's own.
    let usage = Usage {
        input: Some(900),
        output: Some(100),
    };
    site.engine.charge((Uuid::nil(), Owner(id.0.as_u128())), usage);
    let (_, reason) = said(with(site.get("/test/chat"), &token)).await.expect_err("refused");
    assert!(
        matches!(reason, Reason::KeyTooManyTokens { most: 100, .. }),
        "{reason:?}"
    );
    let store = site.engine.store();
    let change = RatesChange {
        requests: Some("4".parse().ok()),
        tokens: Some(None),
    };
    assert_eq!(store.set_key_rates(id, change).await, Ok(true));
    site.known().await;
    let (status, _, told) = ask(&token).await;
    assert_eq!(status, 200, "the site sets no tokens");
    assert!(told.contains("q=4;w=60") && !told.contains("key-tokens"), "{told}");
    // And the site's own again.
    let change = RatesChange {
        requests: Some(None),
        ..RatesChange::default()
    };
    assert_eq!(store.set_key_rates(id, change).await, Ok(true));
    site.known().await;
    let (_, _, told) = ask(&token).await;
    assert!(told.contains("q=1;w=60"), "{told}");
}

#[tokio::test]
async fn an_address_may_send_so_many_requests_a_minute() {
    let site = Site::start(&[("ADDRESS_REQUESTS_PER_MINUTE", "1"), ("TRUSTED_PROXIES", "127.0.0.1")]).await;
    let (token, _) = site.key(Scopes::WORK, |_| ()).await;
    site.known().await;
    let ask = |from: &str| limits(with(site.get("/test/chat"), &token).header("x-forwarded-for", from));
    assert_eq!(ask("192.0.2.1").await.0, 200);
    let (status, pause, said) = ask("6.6.6.6, 192.0.2.1").await;
    assert_eq!(status, 429);
    assert!(pause.is_some() && said.contains("\"address-requests\";r=0"), "{said}");
    assert_eq!(ask("192.0.2.2").await.0, 200);
    assert_eq!(ask("2001:db8::1").await.0, 200);
    assert_eq!(ask("2001:db8::2").await.0, 429, "a network is one");
    assert_eq!(ask("192.0.2.3").await.0, 200);
    // Who is not let in does not use anything up.
    for _ in 0..3 {
        assert_eq!(
            limits(site.get("/test/chat").header("x-forwarded-for", "192.0.2.4"))
                .await
                .0,
            401
        );
    }
    assert_eq!(ask("192.0.2.4").await.0, 200);
}

#[tokio::test]
async fn programs_at_an_address_may_use_so_many_tokens_a_minute_with_whatever_keys() {
    let site = Site::start(&[
        ("ADDRESS_TOKENS_PER_MINUTE", "100"),
        ("KEY_REQUESTS_PER_MINUTE", "5"),
        ("TRUSTED_PROXIES", "127.0.0.1"),
    ])
    .await;
    let (one, id) = site.key(Scopes::WORK, |_| ()).await;
    let (other, _) = site.key(Scopes::WORK, |_| ()).await;
    site.known().await;
    let ask =
        |token: &Token, from: &str| with(site.get("/test/chat"), token).header("x-forwarded-for", from.to_owned());
    let (status, _, told) = limits(ask(&one, "192.0.2.1")).await;
    assert_eq!(status, 200);
    for part in ["\"address-tokens\";q=100;w=60", "\"address-tokens\";r=100;t=0"] {
        assert!(told.contains(part), "{part}: {told}");
    }
    let request = Uuid::from_u128(7);
    let owner = Owner(id.0.as_u128());
    let usage = Usage {
        input: Some(900),
        output: Some(100),
    };
    // Of what nobody knows who has asked for it, nobody's address pays.
    site.engine.charge((Uuid::from_u128(8), owner), usage);
    site.engine
        .rates()
        .note_payer((request, owner), "192.0.2.1".parse().expect("an address"));
    site.engine.charge((request, owner), usage);
    // Another key at the same address is refused as well, and neither key pays for that.
    for token in [&one, &other, &other, &other, &other, &other, &other] {
        let (status, pause, told) = limits(ask(token, "192.0.2.1")).await;
        assert_eq!((status, pause), (429, Some(120)), "{told}");
        assert!(told.contains("\"address-tokens\";r=0;t=600"), "{told}");
    }
    let (_, reason) = said(ask(&other, "192.0.2.1")).await.expect_err("refused");
    assert!(
        matches!(reason, Reason::AddressTooManyTokens { most: 100, .. }),
        "{reason:?}"
    );
    let (status, _, told) = limits(ask(&other, "192.0.2.2")).await;
    assert_eq!(status, 200, "another address has its own");
    assert!(told.contains("\"key-requests\";r=4"), "{told}");
    // What anybody could have written says nothing.
    assert_eq!(limits(ask(&other, "6.6.6.6, 192.0.2.1")).await.0, 429);
}
