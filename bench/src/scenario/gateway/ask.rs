//! A program's request, as OpenAI's clients make it.

use std::time::{Duration, Instant};

use anyhow::ensure;
use hyper::{
    Method, StatusCode,
    header::{self, HeaderName},
};
use serde_json::json;
use tempfile::TempDir;

use crate::{http::Http, process::Program, stage::millis};

/// What is asked: the model server itself, or something in front of it.
#[derive(Debug)]
pub(super) struct Target {
    pub(super) name: &'static str,
    pub(super) http: Http,
    pub(super) headers: Vec<(HeaderName, String)>,
    /// `None`: it is part of the load generator.
    pub(super) program: Option<Program>,
    pub(super) _folder: Option<TempDir>,
}

impl Target {
    /// The processor's time that it has taken so far; none, if it is part of the load generator.
    ///
    /// # Errors
    /// It has ended.
    pub(super) fn cpu(&self) -> anyhow::Result<Duration> {
        self.program.as_ref().map_or(Ok(Duration::ZERO), Program::cpu)
    }
}

/// How.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    Stream,
    Whole,
}

/// Milliseconds from the request on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Answer {
    /// To the first of the answer.
    pub(super) first: f64,
    /// To its end.
    pub(super) whole: f64,
}

/// Asks, and reads the whole answer.
///
/// # Errors
/// It was refused, or the answer is not the one to this message.
pub(super) async fn ask(target: &Target, message: &str, how: Asked) -> anyhow::Result<Answer> {
    let stream = how == Asked::Stream;
    let body = json!({ "model": "loopback", "stream": stream, "messages": [{ "role": "user", "content": message }] });
    let own = target
        .headers
        .iter()
        .map(|(name, value)| (name.clone(), value.as_str()));
    let headers: Vec<_> = own.chain([(header::CONTENT_TYPE, "application/json")]).collect();
    let began = Instant::now();
    let reply = target
        .http
        .ask(Method::POST, "/v1/chat/completions", &headers, body.to_string())
        .await?;
    let whole = millis(began.elapsed());
    let (name, text) = (target.name, reply.text());
    ensure!(reply.status == StatusCode::OK, "{name}: {}: {text}", reply.status);
    ensure!(text.contains(message), "{name} answered something else: {text}");
    ensure!(
        !stream || text.trim_end().ends_with("[DONE]"),
        "{name}'s answer has no end: {text}"
    );
    Ok(Answer {
        first: millis(reply.began - began),
        whole,
    })
}
