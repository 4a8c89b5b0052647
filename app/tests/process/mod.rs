//! A server as its own process, and a browser in front of it.

use std::{
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Child, Command, Output, Stdio},
    time::Duration,
};

use anteroom::wire::{ConversationView, SendRequest, Sent, TurnId, TurnState};
use anteroom_loopback::{Config, Loopback};
use reqwest::{Client, StatusCode, header};
use serde_json::{Value, json};

/// Less than the 15 s after which a server closes a connection that nobody uses. A test that waits for a command blocks its client, too,
/// which then takes a connection for open that has been closed.
const KEPT: Duration = Duration::from_secs(5);
/// Far more than anything here needs.
pub(crate) const GIVE_UP: Duration = Duration::from_secs(60);

pub(crate) fn command(data: &Path, model: &Loopback) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_anteroom"));
    command
        .current_dir("/")
        .env_clear()
        .env("DATA_DIR", data)
        .env("MODEL", "loopback@openai")
        .env("OPENAI_BASE_URL", model.base_url());
    command
}

pub(crate) fn failed(mut command: Command) -> String {
    let Output { status, stderr, .. } = command.env("SITE_ADDR", "127.0.0.1:0").output().expect("it ran");
    let said = String::from_utf8(stderr).expect("text");
    assert_eq!(status.code(), Some(1), "{said}");
    said
}

/// A server, and a browser in front of it.
pub(crate) struct Site {
    pub(crate) child: Child,
    pub(crate) url: String,
    pub(crate) http: Client,
    pub(crate) cookie: String,
}

impl Site {
    pub(crate) async fn start(data: &Path, model: &Loopback, cookie: Option<&str>) -> Self {
        Self::run(command(data, model), cookie).await
    }

    /// Starts it with a command that says where it keeps things.
    pub(crate) async fn run(mut command: Command, cookie: Option<&str>) -> Self {
        let free = format!("127.0.0.1:{}", anteroom_pgtest::free_port());
        command.env("SITE_ADDR", &free).stdout(Stdio::piped());
        let mut child = command.spawn().expect("it runs");
        let mut greeting = String::new();
        BufReader::new(child.stdout.take().expect("it is piped"))
            .read_line(&mut greeting)
            .expect("a line");
        assert!(greeting.contains("http://"), "it does not start");
        anteroom::tls::install();
        let (url, http) = (
            format!("http://{free}"),
            Client::builder()
                .no_proxy()
                .pool_idle_timeout(KEPT)
                .build()
                .expect("a client"),
        );
        let page = http.get(&url).header(header::ACCEPT, "text/html");
        let page = match cookie {
            Some(cookie) => page.header(header::COOKIE, cookie),
            None => page,
        };
        let page = page.send().await.expect("a page");
        assert_eq!(page.status(), StatusCode::OK);
        let fresh = page
            .headers()
            .get(header::SET_COOKIE)
            .map(|value| value.to_str().expect("text"));
        let fresh = fresh.and_then(|value| value.split(';').next()).map(str::to_owned);
        Self {
            child,
            url,
            http,
            cookie: cookie.map(str::to_owned).or(fresh).expect("a cookie"),
        }
    }

    pub(crate) async fn post(&self, function: &str, mime: &str, body: String) -> (StatusCode, String) {
        let post = self.http.post(format!("{}/api/{function}", self.url));
        let post = post
            .header(header::COOKIE, &self.cookie)
            .header(header::CONTENT_TYPE, mime);
        let response = post.timeout(GIVE_UP).body(body).send().await.expect("an answer");
        (response.status(), response.text().await.expect("text"))
    }

    pub(crate) async fn try_send(&self, text: &str) -> (StatusCode, String) {
        let request = SendRequest {
            turn: TurnId::new(),
            conversation: None,
            instead_of: None,
            text: text.to_owned(),
            files: Vec::new(),
            choice: None,
        };
        self.post("send", "application/json", json!({ "request": request }).to_string())
            .await
    }

    pub(crate) async fn send(&self, text: &str) -> Sent {
        let (status, reply) = self.try_send(text).await;
        assert_eq!(status, StatusCode::OK, "{reply}");
        serde_json::from_str(&reply).expect("JSON")
    }

    pub(crate) async fn view(&self, sent: &Sent) -> Option<ConversationView> {
        let form = "application/x-www-form-urlencoded";
        let (status, reply) = self
            .post("conversation", form, format!("id={}", sent.conversation))
            .await;
        assert_eq!(status, StatusCode::OK, "{reply}");
        serde_json::from_str(&reply).expect("JSON")
    }

    /// Sends, and waits until the answer is stored.
    pub(crate) async fn answered(&self, text: &str) -> Sent {
        let sent = self.send(text).await;
        self.until(&sent, |state| *state == TurnState::Done).await;
        sent
    }

    pub(crate) async fn until(&self, sent: &Sent, holds: impl Fn(&TurnState) -> bool) {
        let waited = tokio::time::timeout(GIVE_UP, async {
            while !self.view(sent).await.is_some_and(|view| holds(&view.turns[0].state)) {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        });
        waited.await.expect("the state in time");
    }

    pub(crate) async fn until_health(&self, holds: impl Fn(&str) -> bool) {
        let waited = tokio::time::timeout(GIVE_UP, async {
            while !holds(self.health().await["store"].as_str().expect("text")) {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        });
        waited.await.expect("the store's state in time");
    }

    pub(crate) async fn health(&self) -> Value {
        let response = self
            .http
            .get(format!("{}/health", self.url))
            .send()
            .await
            .expect("an answer");
        assert_eq!(response.status(), StatusCode::OK);
        response.json().await.expect("JSON")
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(crate) async fn model() -> Loopback {
    Loopback::start(Config::default()).await.expect("a free port")
}
