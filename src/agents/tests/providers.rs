//! The other wire formats, against a server that answers as their documentation says.

use std::sync::Mutex;

use axum::{Router, body::Body, extract::State, http::Request, response::Response};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::*;

/// A request as the provider gets it.
#[derive(Debug)]
pub(in crate::agents) struct Got {
    pub(in crate::agents) path: String,
    pub(in crate::agents) headers: axum::http::HeaderMap,
    pub(in crate::agents) body: Value,
}

/// A server that says one thing to everybody. It stops when this is dropped.
pub(in crate::agents) struct Stub {
    pub(in crate::agents) url: String,
    pub(in crate::agents) got: Arc<Mutex<Vec<Got>>>,
    server: JoinHandle<()>,
}

type Says = dyn Fn(&Got) -> Response<Body> + Send + Sync;
type Shared = (Arc<Mutex<Vec<Got>>>, Arc<Says>);

impl Stub {
    pub(in crate::agents) async fn start(says: impl Fn(&Got) -> Response<Body> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let got = Arc::new(Mutex::new(Vec::new()));
        let says: Arc<Says> = Arc::new(says);
        let router = Router::new().fallback(take).with_state((Arc::clone(&got), says));
        let server = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url, got, server }
    }

    /// Says `body` in pieces of a few bytes, as a network may deliver it.
    pub(in crate::agents) async fn streaming(mime: &'static str, body: impl Into<String>) -> Self {
        let body = body.into();
        Self::start(move |_| {
            let pieces: Vec<_> = body
                .as_bytes()
                .chunks(7)
                .map(|piece| Ok::<_, std::io::Error>(piece.to_vec()))
                .collect();
            let body = Body::from_stream(futures_util::stream::iter(pieces));
            Response::builder().header("content-type", mime).body(body).unwrap()
        })
        .await
    }

    fn only(&self) -> Got {
        let mut got = self.got.lock().unwrap();
        assert_eq!(got.len(), 1);
        got.remove(0)
    }
}

impl Drop for Stub {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn take(State((got, says)): State<Shared>, request: Request<Body>) -> Response<Body> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    let one = Got {
        path: head.uri.to_string(),
        headers: head.headers,
        // A list of models is asked for without one.
        body: serde_json::from_slice(&body).unwrap_or_default(),
    };
    let response = says(&one);
    got.lock().unwrap().push(one);
    response
}

/// A history with a gap and a picture.
fn conversation() -> Question {
    let mut last = said(Role::User, "and this?");
    last.images.push(picture("a.png"));
    let messages = vec![
        said(Role::User, "hi"),
        said(Role::Agent, "hello"),
        said(Role::Agent, ""),
        last,
    ];
    question_of(messages, kind())
}

pub(in crate::agents) fn events(events: &[Value]) -> String {
    events.iter().fold(String::new(), |all, event| {
        let name = event["type"]
            .as_str()
            .map(|name| format!("event: {name}\n"))
            .unwrap_or_default();
        format!("{all}{name}data: {event}\n\n")
    })
}

#[tokio::test]
async fn ollama() {
    let lines = [
        json!({ "model": "m", "message": { "role": "assistant", "content": "A ca" }, "done": false }),
        json!({ "model": "m", "message": { "role": "assistant", "content": "", "thinking": "hm" }, "done": false }),
        json!({ "model": "m", "message": { "role": "assistant", "content": "t é." }, "done": false }),
        json!({ "model": "m", "message": { "content": "" }, "done": true, "done_reason": "stop", "prompt_eval_count": 26, "eval_count": 4 }),
    ];
    let body: Vec<_> = lines.iter().map(|line| format!("{line}\n")).collect();
    let stub = Stub::streaming("application/x-ndjson", body.concat()).await;
    let agent = agent(&[("MODEL", "llava:7b@ollama"), ("OLLAMA_URL", &stub.url)]);
    let (text, outcome) = ask(&agent, conversation()).all().await;
    let usage = outcome.unwrap().usage;
    assert_eq!(
        (text.as_str(), usage.input, usage.output),
        ("A cat é.", Some(26), Some(4))
    );
    let Got { path, body, .. } = stub.only();
    assert_eq!(path, "/api/chat");
    assert_eq!(
        body,
        json!({ "model": "llava:7b", "stream": true, "messages": [
            { "role": "system", "content": "Be kind." },
            { "role": "user", "content": "hi" },
            { "role": "assistant", "content": "hello" },
            { "role": "user", "content": "and this?", "images": ["iVBORw=="] },
        ] })
    );
}

#[tokio::test]
async fn anthropic() {
    let usage = json!({ "input_tokens": 20, "cache_read_input_tokens": 5, "output_tokens": 1 });
    let answer = events(&[
        json!({ "type": "message_start", "message": { "id": "msg_1", "role": "assistant", "usage": usage } }),
        json!({ "type": "content_block_start", "index": 0, "content_block": { "type": "text", "text": "" } }),
        json!({ "type": "ping" }),
        json!({ "type": "content_block_delta", "index": 0, "delta": { "type": "thinking_delta", "thinking": "hm" } }),
        json!({ "type": "content_block_delta", "index": 0, "delta": { "type": "text_delta", "text": "A c" } }),
        json!({ "type": "content_block_delta", "index": 0, "delta": { "type": "text_delta", "text": "at." } }),
        json!({ "type": "content_block_stop", "index": 0 }),
        json!({ "type": "message_delta", "delta": { "stop_reason": "end_turn" }, "usage": { "output_tokens": 9 } }),
        json!({ "type": "message_stop" }),
    ]);
    let stub = Stub::streaming("text/event-stream", answer).await;
    let agent = agent(&[
        ("MODEL", "claude-sonnet-4-5@anthropic"),
        ("ANTHROPIC_BASE_URL", &stub.url),
        ("ANTHROPIC_API_KEY", "sk-ant"),
    ]);
    let (text, outcome) = ask(&agent, conversation()).all().await;
    let usage = outcome.unwrap().usage;
    assert_eq!(
        (text.as_str(), usage.input, usage.output),
        ("A cat.", Some(25), Some(9))
    );
    let Got { path, headers, body } = stub.only();
    assert_eq!(path, "/v1/messages");
    assert_eq!(
        (&headers["x-api-key"], &headers["anthropic-version"]),
        (&"sk-ant".parse().unwrap(), &"2023-06-01".parse().unwrap())
    );
    let image =
        json!({ "type": "image", "source": { "type": "base64", "media_type": "image/png", "data": "iVBORw==" } });
    assert_eq!(
        body,
        json!({ "model": "claude-sonnet-4-5", "max_tokens": 8192, "stream": true, "system": "Be kind.", "messages": [
            { "role": "user", "content": [{ "type": "text", "text": "hi" }] },
            { "role": "assistant", "content": [{ "type": "text", "text": "hello" }] },
            { "role": "user", "content": [image, { "type": "text", "text": "and this?" }] },
        ] })
    );
}

#[tokio::test]
async fn gemini() {
    let part = |part: Value| json!({ "candidates": [{ "content": { "role": "model", "parts": [part] } }] });
    let answer = events(&[
        part(json!({ "text": "hm", "thought": true })),
        part(json!({ "text": "A c" })),
        json!({
            "candidates": [{ "content": { "parts": [{ "text": "at." }] }, "finishReason": "STOP" }],
            "usageMetadata": { "promptTokenCount": 30, "candidatesTokenCount": 3, "thoughtsTokenCount": 2 },
        }),
    ]);
    let stub = Stub::streaming("text/event-stream", answer).await;
    let agent = agent(&[
        ("MODEL", "gemini-2.5-flash@gemini"),
        ("GEMINI_BASE_URL", &format!("{}/v1beta/", stub.url)),
        ("GEMINI_API_KEY", "AIza"),
    ]);
    let (text, outcome) = ask(&agent, conversation()).all().await;
    let usage = outcome.unwrap().usage;
    assert_eq!(
        (text.as_str(), usage.input, usage.output),
        ("A cat.", Some(30), Some(5))
    );
    let Got { path, headers, body } = stub.only();
    assert_eq!(path, "/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse");
    assert_eq!(headers["x-goog-api-key"], "AIza");
    let image = json!({ "inlineData": { "mimeType": "image/png", "data": "iVBORw==" } });
    assert_eq!(
        body,
        json!({ "systemInstruction": { "parts": [{ "text": "Be kind." }] },
          "generationConfig": { "thinkingConfig": { "includeThoughts": true } }, "contents": [
            { "role": "user", "parts": [{ "text": "hi" }] },
            { "role": "model", "parts": [{ "text": "hello" }] },
            { "role": "user", "parts": [{ "text": "and this?" }, image] },
        ] })
    );
}

#[tokio::test]
async fn how_to_answer_is_said_in_the_words_of_each_format() {
    let how = Parameters {
        system: None,
        temperature: Some(1.3),
        max_tokens: Some(77),
        whole: false,
    };
    for (model, variable, expected) in [
        (
            "m@openai",
            "OPENAI_BASE_URL",
            json!({ "temperature": 1.3, "max_tokens": 77 }),
        ),
        (
            "m@ollama",
            "OLLAMA_URL",
            json!({ "options": { "temperature": 1.3, "num_predict": 77 } }),
        ),
        (
            "m@anthropic",
            "ANTHROPIC_BASE_URL",
            json!({ "temperature": 1.0, "max_tokens": 77 }),
        ),
        (
            "m@gemini",
            "GEMINI_BASE_URL",
            json!({ "generationConfig": { "temperature": 1.3, "maxOutputTokens": 77 } }),
        ),
    ] {
        let stub = Stub::streaming("text/event-stream", "").await;
        let agent = agent(&[("MODEL", model), (variable, &stub.url)]);
        let asked = ask(&agent, question_of(vec![said(Role::User, "q")], how.clone()));
        assert_eq!(asked.all().await.1, Err(AgentError::CutOff));
        let mut body = stub.only().body;
        let body = body.as_object_mut().unwrap();
        for known in ["model", "messages", "contents", "stream", "stream_options"] {
            body.remove(known);
        }
        assert_eq!(json!(body), expected, "{model}");
    }
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_known_in_every_format() {
    let ollama = json!({ "message": { "content": "half" }, "done": false }).to_string() + "\n{\"mess";
    let delta = json!({ "type": "content_block_delta", "index": 0, "delta": { "type": "text_delta", "text": "half" } });
    let candidate = json!({ "candidates": [{ "content": { "parts": [{ "text": "half" }] } }] });
    for (model, variable, body) in [
        ("m@ollama", "OLLAMA_URL", ollama),
        ("m@anthropic", "ANTHROPIC_BASE_URL", events(&[delta])),
        ("m@gemini", "GEMINI_BASE_URL", events(&[candidate])),
    ] {
        let stub = Stub::streaming("text/event-stream", body).await;
        let (text, outcome) = ask(&agent(&[("MODEL", model), (variable, &stub.url)]), question("q"))
            .all()
            .await;
        assert_eq!((text.as_str(), outcome), ("half", Err(AgentError::CutOff)), "{model}");
    }
}

#[tokio::test]
async fn faults_inside_an_answer_are_known_in_every_format() {
    let overloaded = json!({ "type": "error", "error": { "type": "overloaded_error", "message": "Overloaded" } });
    let unavailable = json!({ "error": { "code": 503, "status": "UNAVAILABLE" } });
    let busy = |status| AgentError::Overloaded {
        status,
        retry_after: None,
    };
    for (model, variable, body, error) in [
        (
            "m@ollama",
            "OLLAMA_URL",
            json!({ "error": "out of memory" }).to_string(),
            AgentError::ServerFault { status: 500 },
        ),
        ("m@anthropic", "ANTHROPIC_BASE_URL", events(&[overloaded]), busy(529)),
        ("m@gemini", "GEMINI_BASE_URL", events(&[unavailable]), busy(503)),
    ] {
        let stub = Stub::streaming("text/event-stream", body).await;
        let agent = agent(&[("MODEL", model), (variable, &stub.url)]);
        let outcome = ask(&agent, question("q")).all().await.1;
        assert_eq!(outcome, Err(error), "{model}");
    }
}

#[tokio::test]
async fn a_question_that_gemini_blocks_is_told_so() {
    let stub = Stub::streaming(
        "text/event-stream",
        events(&[json!({ "promptFeedback": { "blockReason": "SAFETY" } })]),
    )
    .await;
    let agent = agent(&[("MODEL", "m@gemini"), ("GEMINI_BASE_URL", &stub.url)]);
    assert_eq!(ask(&agent, question("q")).all().await.1, Err(AgentError::Filtered));
}

#[tokio::test]
async fn a_model_that_does_not_see_says_so() {
    let stub = Stub::start(|_| {
        let body = json!({ "error": { "message": "m is not a multimodal model", "code": 400 } });
        Response::builder()
            .status(400)
            .body(Body::from(body.to_string()))
            .unwrap()
    })
    .await;
    let agent = agent(&[("MODEL", "m@openai"), ("OPENAI_BASE_URL", &stub.url)]);
    assert_eq!(
        ask(&agent, conversation()).all().await.1,
        Err(AgentError::VisionUnsupported)
    );
    assert_eq!(
        ask(&agent, question("q")).all().await.1,
        Err(AgentError::Rejected { status: 400 })
    );
}

#[tokio::test]
async fn a_redirect_is_not_followed_and_is_told_as_what_it_is() {
    let other = Stub::start(|_| Response::new(Body::empty())).await;
    let to = other.url.clone();
    for status in [301, 302, 303, 307, 308] {
        let location = format!("{}/v1?token=secret", to.replace("http://", "http://me:secret@"));
        let stub = Stub::start(move |_| {
            Response::builder()
                .status(status)
                .header("location", &location)
                .body(Body::from("this site takes no image"))
                .unwrap()
        })
        .await;
        for (model, address, key) in [
            ("m@openai", "OPENAI_BASE_URL", "OPENAI_API_KEY"),
            ("m@anthropic", "ANTHROPIC_BASE_URL", "ANTHROPIC_API_KEY"),
            ("m@gemini", "GEMINI_BASE_URL", "GEMINI_API_KEY"),
            ("m@ollama", "OLLAMA_URL", "OPENAI_API_KEY"),
        ] {
            let agent = agent(&[("MODEL", model), (address, &stub.url), (key, "sk-secret")]);
            let fault = ask(&agent, conversation()).all().await.1.unwrap_err();
            let origin = address.to_owned();
            assert_eq!(fault, AgentError::Redirected { origin });
            let sentence = fault.to_string();
            assert!(
                sentence.contains(address) && !sentence.contains(&to) && !sentence.contains("secret"),
                "{sentence}"
            );
        }
        assert_eq!(stub.got.lock().unwrap().len(), 4, "none was asked again");
    }
    assert!(
        other.got.lock().unwrap().is_empty(),
        "nothing went there, nor did a key"
    );
}
