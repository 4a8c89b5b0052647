//! A program: requests as clients of OpenAI's API make them, and what comes back.

use std::net::SocketAddr;

use futures_util::StreamExt as _;
use reqwest::{Client, Method, RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};

use super::soon;

/// A program of this machine.
#[derive(Clone)]
pub(crate) struct Program {
    http: Client,
    addr: SocketAddr,
    key: Option<String>,
}

/// A request whose answer is in one body.
#[derive(Debug)]
pub(crate) struct Whole {
    pub(crate) status: StatusCode,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) json: Value,
}

impl Whole {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().expect("text"))
    }

    /// What the model has said.
    pub(crate) fn content(&self) -> &str {
        assert_eq!(self.status, StatusCode::OK, "{self:?}");
        self.json["choices"][0]["message"]["content"].as_str().expect("a text")
    }

    /// Its error, which has all that OpenAI's have.
    pub(crate) fn error(&self) -> &Value {
        let error = &self.json["error"];
        assert!(
            error["message"].as_str().is_some_and(|message| !message.is_empty()),
            "{self:?}"
        );
        assert!(error["type"].is_string(), "{self:?}");
        assert!(error.get("param").is_some() && error.get("code").is_some(), "{self:?}");
        error
    }
}

impl Program {
    pub(crate) fn new(addr: SocketAddr) -> Self {
        anteroom::tls::install();
        let http = Client::builder().no_proxy().build().expect("a client");
        Self { http, addr, key: None }
    }

    /// The same program with a key.
    pub(crate) fn with_key(mut self, key: &str) -> Self {
        self.key = Some(key.to_owned());
        self
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.http.request(method, format!("http://{}{path}", self.addr));
        match &self.key {
            Some(key) => request.bearer_auth(key),
            None => request,
        }
    }

    pub(crate) fn get(&self, path: &str) -> RequestBuilder {
        self.request(Method::GET, path)
    }

    pub(crate) fn delete(&self, path: &str) -> RequestBuilder {
        self.request(Method::DELETE, path)
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> RequestBuilder {
        Self::with_json(self.request(Method::POST, path), body)
    }

    pub(crate) fn patch(&self, path: &str, body: &Value) -> RequestBuilder {
        Self::with_json(self.request(Method::PATCH, path), body)
    }

    /// A request whose body is this, whatever it is.
    pub(crate) fn send(&self, path: &str, body: impl Into<reqwest::Body>) -> RequestBuilder {
        self.request(Method::POST, path).body(body)
    }

    fn with_json(request: RequestBuilder, body: &Value) -> RequestBuilder {
        request
            .header("content-type", "application/json")
            .body(body.to_string())
    }

    /// A request to say something to the model.
    pub(crate) fn chat(&self, body: &Value) -> RequestBuilder {
        self.post("/v1/chat/completions", body)
    }

    pub(crate) async fn ask(&self, request: RequestBuilder) -> Whole {
        let response = soon("an answer", request.send()).await.expect("an answer");
        let (status, headers) = (response.status(), response.headers().clone());
        let text = response.text().await.expect("a body");
        let json = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
        Whole { status, headers, json }
    }

    pub(crate) async fn stream(&self, request: RequestBuilder) -> Stream {
        let response = soon("the head of an answer", request.send()).await.expect("an answer");
        assert_eq!(response.status(), StatusCode::OK);
        Stream::new(response)
    }
}

/// The body of a request to the loopback model server.
pub(crate) fn saying(text: &str) -> Value {
    json!({ "model": "loopback@openai", "messages": [{ "role": "user", "content": text }] })
}

/// The same, whose answer is to come as a stream.
pub(crate) fn streaming(text: &str) -> Value {
    let mut body = saying(text);
    body["stream"] = json!(true);
    body
}

/// A streamed answer, line by line, as it comes.
pub(crate) struct Stream {
    pub(crate) headers: reqwest::header::HeaderMap,
    response: Option<Response>,
    read: Vec<u8>,
    /// Every byte of it until now.
    pub(crate) raw: String,
}

impl Stream {
    fn new(response: Response) -> Self {
        Self {
            headers: response.headers().clone(),
            response: Some(response),
            read: Vec::new(),
            raw: String::new(),
        }
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().expect("text"))
    }

    /// The next line, without its end; `None`: there is none.
    pub(crate) async fn line(&mut self) -> Option<String> {
        loop {
            if let Some(end) = self.read.iter().position(|byte| *byte == b'\n') {
                let rest = self.read.split_off(end + 1);
                let line = std::mem::replace(&mut self.read, rest);
                return Some(String::from_utf8(line).expect("text").trim_end_matches('\n').to_owned());
            }
            let response = self.response.as_mut()?;
            match soon("more of a stream", response.chunk())
                .await
                .expect("it is not cut off")
            {
                Some(bytes) => {
                    self.raw
                        .push_str(std::str::from_utf8(&bytes).expect("whole characters"));
                    self.read.extend_from_slice(&bytes);
                }
                None => self.response = None,
            }
        }
    }

    /// The next event's data; comments are left out.
    pub(crate) async fn data(&mut self) -> Option<String> {
        loop {
            let line = self.line().await?;
            if let Some(data) = line.strip_prefix("data: ") {
                return Some(data.to_owned());
            }
        }
    }

    /// The next comment.
    pub(crate) async fn comment(&mut self) -> Option<String> {
        loop {
            let line = self.line().await?;
            if let Some(comment) = line.strip_prefix(": ") {
                return Some(comment.to_owned());
            }
        }
    }

    /// All events to come, the last of which has to be `[DONE]`.
    pub(crate) async fn rest(&mut self) -> Vec<Value> {
        let mut all = Vec::new();
        while let Some(data) = self.data().await {
            if data == "[DONE]" {
                assert_eq!(self.data().await, None, "nothing comes after the end");
                return all;
            }
            all.push(serde_json::from_str(&data).unwrap_or_else(|error| panic!("{error}: {data}")));
        }
        panic!("it has no end: {all:?}")
    }

    /// What the model says from here on.
    pub(crate) async fn content(&mut self) -> String {
        content_of(&self.rest().await)
    }
}

/// What the events of a stream say.
pub(crate) fn content_of(events: &[Value]) -> String {
    let pieces = events
        .iter()
        .filter_map(|event| event["choices"][0]["delta"]["content"].as_str());
    pieces.collect()
}

/// Waits for all of them at once.
pub(crate) async fn all<T>(works: impl IntoIterator<Item = impl Future<Output = T>>) -> Vec<T> {
    works
        .into_iter()
        .collect::<futures_util::stream::FuturesOrdered<_>>()
        .collect()
        .await
}
