//! A browser that does not give up: it sends until it is told that its message was accepted, and follows its feed through
//! every restart.

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use anteroom::wire::{
    ConversationId, ConversationView, FeedEvent, FeedMessage, SendRequest, Sent, Status, TurnId, TurnState, TurnView,
};
use futures_util::StreamExt as _;
use reqwest::{Client, RequestBuilder, StatusCode, header};
use serde_json::{Value, json};
use tokio_tungstenite::{
    connect_async,
    tungstenite::{Message, client::IntoClientRequest as _, http::HeaderValue},
};

/// Between two tries to reach a server that is gone.
const AGAIN: Duration = Duration::from_millis(20);

/// A message that was accepted.
#[derive(Clone, Debug)]
pub(crate) struct Accepted {
    pub(crate) turn: TurnId,
    pub(crate) conversation: ConversationId,
    pub(crate) text: String,
}

#[derive(Clone)]
pub(crate) struct Browser {
    http: Client,
    pub(crate) addr: SocketAddr,
    pub(crate) cookie: String,
    /// Answers that its page has shown as complete.
    shown: Arc<Mutex<HashMap<TurnId, String>>>,
    /// What it was told of messages that were not accepted when they were first sent, and were sent again.
    refusals: Arc<Mutex<Vec<String>>>,
}

impl Browser {
    pub(crate) async fn visit(addr: SocketAddr) -> Self {
        anteroom::tls::install();
        // Less than the 15 s after which a server closes a connection that nobody uses.
        let http = Client::builder().no_proxy().pool_idle_timeout(Duration::from_secs(5));
        let http = http.build().expect("a client");
        let page = http.get(format!("http://{addr}/")).header(header::ACCEPT, "text/html");
        let page = page.send().await.expect("a page");
        let cookie = page.headers().get(header::SET_COOKIE).expect("a cookie");
        let cookie = cookie
            .to_str()
            .expect("text")
            .split(';')
            .next()
            .expect("a pair")
            .to_owned();
        Self {
            http,
            addr,
            cookie,
            shown: Arc::default(),
            refusals: Arc::default(),
        }
    }

    fn post(&self, function: &str) -> RequestBuilder {
        self.http
            .post(format!("http://{}/api/{function}", self.addr))
            .header(header::COOKIE, &self.cookie)
            .timeout(Duration::from_secs(20))
    }

    /// `None`: the server went away meanwhile.
    async fn asked(&self, request: RequestBuilder) -> Option<(StatusCode, String)> {
        let response = request.send().await.ok()?;
        let status = response.status();
        Some((status, response.text().await.ok()?))
    }

    /// Sends a message until it hears that it was accepted. The same message with the same id may be sent several times.
    pub(crate) async fn send(&self, conversation: Option<ConversationId>, text: String) -> Accepted {
        let request = SendRequest {
            turn: TurnId::new(),
            conversation,
            instead_of: None,
            text,
            files: Vec::new(),
            choice: None,
        };
        let body = json!({ "request": request }).to_string();
        loop {
            let post = self.post("send").header(header::CONTENT_TYPE, "application/json");
            match self.asked(post.body(body.clone())).await {
                Some((StatusCode::OK, reply)) => {
                    let sent: Sent = serde_json::from_str(&reply).expect("an answer");
                    return Accepted {
                        turn: sent.turn,
                        conversation: sent.conversation,
                        text: request.text,
                    };
                }
                // Its own request of before is still on its way in, or the server is just ending; or whoever stands before it finds it gone.
                Some((
                    status @ (StatusCode::CONFLICT
                    | StatusCode::SERVICE_UNAVAILABLE
                    | StatusCode::BAD_GATEWAY
                    | StatusCode::GATEWAY_TIMEOUT),
                    reply,
                )) => self.refused(format!("{status}: {reply}")),
                None => self.refused("the connection broke off".to_owned()),
                Some((status, reply)) => panic!("{status}: {reply}"),
            }
            tokio::time::sleep(AGAIN).await;
        }
    }

    fn refused(&self, why: String) {
        self.refusals.lock().expect("no panic").push(why);
    }

    /// Why messages had to be sent again.
    pub(crate) fn refusals(&self) -> Vec<String> {
        self.refusals.lock().expect("no panic").clone()
    }

    /// Where it stands; the server has to be there.
    pub(crate) async fn status(&self) -> Status {
        let (status, reply) = self.asked(self.post("overview")).await.expect("the server is there");
        assert_eq!(status, StatusCode::OK, "{reply}");
        let mut overview: Value = serde_json::from_str(&reply).expect("JSON");
        serde_json::from_value(overview["status"].take()).expect("a status")
    }

    pub(crate) async fn conversation(&self, id: ConversationId) -> ConversationView {
        let form = self.post("conversation");
        let form = form.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        let (status, reply) = self
            .asked(form.body(format!("id={id}")))
            .await
            .expect("the server is there");
        assert_eq!(status, StatusCode::OK, "{reply}");
        serde_json::from_str::<Option<ConversationView>>(&reply)
            .expect("JSON")
            .expect("the conversation is there")
    }

    /// Follows its feed as a page does, and comes back whenever it breaks. Runs until it is dropped.
    pub(crate) async fn follow(self) {
        let mut position = None;
        loop {
            let query = match position {
                Some((epoch, number)) => format!("?epoch={epoch}&after={number}"),
                None => String::new(),
            };
            let url = format!("ws://{}/feed{query}", self.addr);
            let mut request = url.into_client_request().expect("an address");
            let headers = request.headers_mut();
            headers.insert("cookie", HeaderValue::from_str(&self.cookie).expect("text"));
            let origin = format!("http://{}", self.addr);
            headers.insert("origin", HeaderValue::from_str(&origin).expect("text"));
            let Ok((mut socket, _)) = connect_async(request).await else {
                tokio::time::sleep(AGAIN).await;
                continue;
            };
            while let Some(Ok(frame)) = socket.next().await {
                let Message::Text(text) = frame else { continue };
                match serde_json::from_str(&text).expect("a feed message") {
                    FeedMessage::Hello { position: at, .. } => position = Some((at.epoch, at.number)),
                    FeedMessage::Event { number, event } => {
                        position = position.map(|(epoch, _)| (epoch, number));
                        if let FeedEvent::Turn(turn) = event {
                            self.see(&turn);
                        }
                    }
                    _ => {}
                }
            }
        }
    }

    /// What a page has shown as the answer stays the answer.
    fn see(&self, turn: &TurnView) {
        if turn.state == TurnState::Done {
            let mut shown = self.shown.lock().expect("no panic");
            let before = shown.insert(turn.id, turn.answer.clone());
            assert!(
                before.is_none_or(|before| before == turn.answer),
                "an answer has changed: {turn:?}"
            );
        } else {
            let shown = self.shown.lock().expect("no panic");
            assert!(
                !shown.contains_key(&turn.id),
                "an answer that was there is gone: {turn:?}"
            );
        }
    }

    /// Checks that the turn ended with exactly one answer, its own.
    pub(crate) fn check(&self, accepted: &Accepted, view: &ConversationView) {
        let mut asked = view.turns.iter().filter(|turn| turn.message == accepted.text);
        let turn = asked.next().unwrap_or_else(|| panic!("{accepted:?} is lost"));
        assert!(asked.next().is_none(), "{accepted:?} is there twice");
        assert_eq!(turn.id, accepted.turn);
        assert_eq!(turn.state, TurnState::Done, "{turn:?}");
        assert_eq!(turn.versions.count, 1, "{turn:?}");
        let said = turn.answer.matches(&accepted.text).count();
        assert_eq!(said, 1, "{} is not one answer to {}", turn.answer, accepted.text);
        let shown = self.shown.lock().expect("no panic");
        if let Some(shown) = shown.get(&turn.id) {
            assert_eq!(*shown, turn.answer, "the page showed another answer");
        }
    }
}
