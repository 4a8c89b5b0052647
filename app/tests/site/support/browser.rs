//! A browser: a cookie, and requests as a page makes them.

use std::net::SocketAddr;

use anteroom::wire::{
    ConversationId, ConversationView, FeedPosition, FileId, FileView, Reason, RefreshKind, Refused, SendRequest, Sent,
    TurnId,
};
use reqwest::{Client, RequestBuilder, Response, StatusCode, header};
use serde_json::{Value, json};

use super::{Feed, soon};

/// One browser with its cookie.
#[derive(Clone)]
pub(crate) struct Browser {
    pub(crate) http: Client,
    pub(crate) addr: SocketAddr,
    pub(crate) cookie: String,
}

/// What a request was answered.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) retry_after: Option<String>,
    pub(crate) text: String,
}

impl Reply {
    pub(crate) async fn read(response: Response) -> Self {
        let status = response.status();
        let retry_after = response
            .headers()
            .get(header::RETRY_AFTER)
            .map(|value| value.to_str().expect("text").to_owned());
        Self {
            status,
            retry_after,
            text: response.text().await.expect("a body"),
        }
    }

    /// The body as JSON, of a request that went well.
    pub(crate) fn json<T: serde::de::DeserializeOwned>(self) -> T {
        assert_eq!(self.status, StatusCode::OK, "{}", self.text);
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }
}

impl Reply {
    /// Why it was refused, by a server function or by another door.
    pub(crate) fn reason(&self) -> Reason {
        let refused: Refused = serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {self:?}"));
        assert_eq!(refused.message, super::english(&refused.reason));
        refused.reason
    }
}

impl Browser {
    pub(crate) async fn visit(addr: SocketAddr) -> Self {
        anteroom::tls::install();
        let http = Client::builder().no_proxy().build().expect("a client");
        let page = http
            .get(format!("http://{addr}/"))
            .header(header::ACCEPT, "text/html")
            .send()
            .await
            .expect("a page");
        assert_eq!(page.status(), StatusCode::OK);
        let cookie = page
            .headers()
            .get(header::SET_COOKIE)
            .expect("a cookie")
            .to_str()
            .expect("text");
        let cookie = cookie.split(';').next().expect("a pair").to_owned();
        Self { http, addr, cookie }
    }

    pub(crate) fn post(&self, path: &str) -> RequestBuilder {
        self.http
            .post(format!("http://{}{path}", self.addr))
            .header(header::COOKIE, &self.cookie)
    }

    pub(crate) fn get(&self, path: &str) -> RequestBuilder {
        self.http
            .get(format!("http://{}{path}", self.addr))
            .header(header::COOKIE, &self.cookie)
    }

    pub(crate) async fn ask(&self, request: RequestBuilder) -> Reply {
        Reply::read(soon("an answer to a request", request.send()).await.expect("an answer")).await
    }

    async fn form(&self, function: &str, body: String) -> Reply {
        let request = self.post(&format!("/api/{function}"));
        self.ask(
            request
                .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
                .body(body),
        )
        .await
    }

    pub(crate) async fn try_send(&self, request: &SendRequest) -> Reply {
        let body = json!({ "request": request }).to_string();
        self.ask(
            self.post("/api/send")
                .header(header::CONTENT_TYPE, "application/json")
                .body(body),
        )
        .await
    }

    pub(crate) async fn send_with(&self, conversation: Option<ConversationId>, text: &str, files: Vec<FileId>) -> Sent {
        self.try_send(&request(conversation, text, files)).await.json()
    }

    /// Sends in a new conversation.
    pub(crate) async fn send(&self, text: &str) -> Sent {
        self.send_with(None, text, Vec::new()).await
    }

    pub(crate) async fn cancel(&self, turn: TurnId) -> bool {
        self.form("cancel", format!("turn={turn}")).await.json()
    }

    /// Asks for another answer; where that makes another version, it is the turn `new`.
    pub(crate) async fn again(&self, turn: TurnId, new: TurnId) -> Reply {
        self.form("again", format!("turn={turn}&new={new}")).await
    }

    /// Calls a server function with these arguments.
    pub(crate) async fn call(&self, function: &str, arguments: &[(&str, &str)]) -> Reply {
        let encode =
            |text: &str| percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string();
        let body: Vec<String> = arguments
            .iter()
            .map(|(name, value)| format!("{name}={}", encode(value)))
            .collect();
        self.form(function, body.join("&")).await
    }

    /// Sends a message in place of another.
    pub(crate) async fn edit(&self, conversation: ConversationId, turn: TurnId, text: &str) -> Sent {
        let request = SendRequest {
            instead_of: Some(turn),
            ..request(Some(conversation), text, Vec::new())
        };
        self.try_send(&request).await.json()
    }

    pub(crate) async fn refresh(&self, kind: RefreshKind) {
        let kind = serde_json::to_value(kind).expect("JSON");
        let reply = self
            .form("refresh", format!("kind={}", kind.as_str().expect("a word")))
            .await;
        assert_eq!(reply.status, StatusCode::OK, "{}", reply.text);
    }

    /// Deletes everything of this browser, as its pages do.
    pub(crate) async fn forget(&self) -> Reply {
        let overview = self.overview().await;
        let confirmation = overview["confirmation"].as_str().expect("a confirmation");
        self.call("forget", &[("confirmation", confirmation)]).await
    }

    pub(crate) async fn overview(&self) -> Value {
        self.form("overview", String::new()).await.json()
    }

    pub(crate) async fn conversation(&self, id: ConversationId) -> Option<ConversationView> {
        self.form("conversation", format!("id={id}")).await.json()
    }

    pub(crate) async fn upload(&self, name: &str, content: impl Into<reqwest::Body>) -> Reply {
        self.ask(self.post(&format!("/files?name={name}")).body(content)).await
    }

    pub(crate) async fn uploaded(&self, name: &str, content: impl Into<reqwest::Body>) -> FileView {
        self.upload(name, content).await.json()
    }

    /// A feed from the beginning.
    pub(crate) async fn feed(&self) -> Feed {
        Feed::open(self, None).await.expect("a feed")
    }

    /// A feed that goes on after `position`.
    pub(crate) async fn feed_after(&self, position: FeedPosition) -> Feed {
        Feed::open(self, Some(position)).await.expect("a feed")
    }
}

/// A message.
pub(crate) fn request(conversation: Option<ConversationId>, text: &str, files: Vec<FileId>) -> SendRequest {
    SendRequest {
        turn: TurnId::new(),
        conversation,
        instead_of: None,
        text: text.to_owned(),
        files,
        choice: None,
    }
}
