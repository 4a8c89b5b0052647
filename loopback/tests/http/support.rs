//! A client, and what it reads.

use anteroom_loopback::Loopback;
use reqwest::{Client, Response};
use serde_json::{Value, json};

/// Without the system's certificates, which take long to load and are of no use here.
pub(crate) fn client() -> Client {
    // Chosen by another test already, perhaps.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder().tls_certs_only([]).build().unwrap()
}

/// Asks for a streamed answer, on a connection of its own.
pub(crate) async fn ask(loopback: &Loopback, message: &str) -> Response {
    try_ask(loopback, message).await.unwrap()
}

pub(crate) async fn try_ask(loopback: &Loopback, message: &str) -> reqwest::Result<Response> {
    ask_for(&loopback.base_url(), "m", message).await
}

pub(crate) async fn ask_for(base_url: &str, model: &str, message: &str) -> reqwest::Result<Response> {
    let body = json!({
        "model": model, "stream": true, "stream_options": { "include_usage": true },
        "messages": [{ "role": "system", "content": "be brief" }, { "role": "user", "content": message }],
    });
    let request = client().post(format!("{base_url}/chat/completions")).json(&body);
    request.send().await
}

pub(crate) async fn get(url: String) -> Response {
    client().get(url).send().await.unwrap()
}

pub(crate) async fn post(url: String, body: Value) -> Response {
    client().post(url).json(&body).send().await.unwrap()
}

pub(crate) async fn control(loopback: &Loopback, path: &str, body: Value) -> Response {
    post(format!("http://{}/control{path}", loopback.addr), body).await
}

/// What a stream says under this name of its deltas.
pub(crate) fn deltas(body: &str, name: &str) -> Vec<String> {
    let chunks = body.lines().filter_map(|line| line.strip_prefix("data: {"));
    let texts = chunks.filter_map(|rest| {
        let chunk: Value = serde_json::from_str(&format!("{{{rest}")).unwrap();
        chunk["choices"][0]["delta"][name].as_str().map(str::to_owned)
    });
    texts.collect()
}

/// The pieces of a stream, its usage, and whether it ended as it should.
pub(crate) fn read(body: &str) -> (Vec<String>, Value, bool) {
    let (mut pieces, mut usage, mut finished) = (Vec::new(), Value::Null, false);
    for data in body.lines().filter_map(|line| line.strip_prefix("data: ")) {
        if data == "[DONE]" {
            return (pieces, usage, finished);
        }
        let chunk: Value = serde_json::from_str(data).unwrap();
        usage = chunk["usage"].clone();
        pieces.extend(chunk["choices"][0]["delta"]["content"].as_str().map(str::to_owned));
        finished |= chunk["choices"][0]["finish_reason"] == "stop";
    }
    (pieces, usage, false)
}
