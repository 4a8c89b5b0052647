//! Conversations that are longer than a model can read, pictures for one that sees none, and tools for one that takes none.

use anteroom_loopback::{Config, Loopback};

use super::*;
use crate::{
    agents::{
        Notice, Parameters, Part, ToolSpec,
        tests::{picture, providers::Stub, question_of, said},
    },
    wire::Role,
};

async fn loopback() -> Loopback {
    Loopback::start(Config::default()).await.unwrap()
}

/// So many turns of about 300 tokens each, and a new message.
fn conversation(turns: usize) -> Question {
    let words = "word ".repeat(180);
    let mut messages = Vec::new();
    for _ in 0..turns {
        messages.extend([said(Role::User, "earlier"), said(Role::Agent, words.trim())]);
    }
    messages.push(said(Role::User, "now?"));
    question_of(messages, Parameters::default())
}

fn talks(backend: BackendSettings) -> Talker {
    talker(loaded(catalog(vec![backend], &["m@gpu"]))).unwrap()
}

/// The notices of an answer, and how it ended.
async fn notices(talker: &Talker, question: Question) -> (Vec<Notice>, Result<Answered, AgentError>) {
    let mut asked = ask(talker, question);
    let mut notices = Vec::new();
    while let Some(part) = asked.parts.recv().await {
        if let Part::Notice(notice) = part {
            notices.push(notice);
        }
    }
    (notices, asked.outcome.await.unwrap())
}

#[tokio::test]
async fn the_oldest_turns_are_left_out_and_that_is_told() {
    let loopback = loopback().await;
    let mut short = backend("one", &loopback.base_url());
    short.context = Some(2000);
    let talker = talks(short);
    let (told, outcome) = notices(&talker, conversation(10)).await;
    outcome.unwrap();
    let messages = loopback.record().requests[0].messages;
    let left_out = (21 - messages) / 2;
    assert!((4..8).contains(&left_out), "{left_out}");
    assert_eq!(told, [Notice::Trimmed(u32::try_from(left_out).unwrap())]);
    let (told, _) = notices(&talker, conversation(2)).await;
    assert_eq!(told, []);
}

#[tokio::test]
async fn what_the_server_counts_decides_how_much_fits() {
    let loopback = loopback().await;
    let mut short = backend("one", &loopback.base_url());
    short.context = Some(2000);
    let talker = talks(short);
    for _ in 0..30 {
        // The loopback server takes a word for a token, which here is five bytes.
        notices(&talker, conversation(4)).await.1.unwrap();
    }
    let before = loopback.record().requests.len();
    notices(&talker, conversation(10)).await.1.unwrap();
    let messages = loopback.record().requests[before].messages;
    let tokens = (messages - 1) / 2 * 181;
    assert!((1100..1500).contains(&tokens), "{tokens} of 1500 are used");
}

#[tokio::test]
async fn tools_are_offered_unless_the_operator_says_that_there_are_to_be_none() {
    let loopback = loopback().await;
    let mut question = conversation(0);
    question.tools = [ToolSpec {
        name: "add".to_owned(),
        description: "Adds.".to_owned(),
        schema: serde_json::json!({}),
    }]
    .into();
    for (tools, offered) in [(None, 1), (Some(true), 1), (Some(false), 0)] {
        let mut one = backend("one", &loopback.base_url());
        one.tools = tools;
        let (told, outcome) = notices(&talks(one), question.clone()).await;
        outcome.unwrap();
        assert_eq!(told, []);
        let request = loopback.record().requests.pop().unwrap();
        assert_eq!(request.tools.len(), offered, "{tools:?}");
    }
}

/// A server that takes no more than so many messages.
async fn short_of_memory(most: usize) -> Stub {
    let answer = crate::agents::tests::providers::events(&[serde_json::json!({
        "choices": [{ "delta": { "content": "Hi" }, "finish_reason": "stop" }]
    })]);
    Stub::start(move |got| {
        let messages = got.body["messages"].as_array().unwrap().len();
        if messages > most {
            let body = r#"{"error":{"message":"This model's maximum context length is 9 tokens."}}"#;
            return axum::response::Response::builder()
                .status(400)
                .body(body.into())
                .unwrap();
        }
        axum::response::Response::new(answer.clone().into())
    })
    .await
}

#[tokio::test]
async fn a_server_that_says_it_is_too_long_is_asked_once_more_with_half() {
    for (most, expected, requests) in [
        (21, Ok(Answered::default()), 1),
        (11, Ok(Answered::default()), 2),
        (10, Err(AgentError::TooLong), 2),
    ] {
        let stub = short_of_memory(most).await;
        let talker = talks(backend("one", &stub.url));
        let (told, outcome) = notices(&talker, conversation(10)).await;
        assert_eq!(outcome, expected);
        let halved = [Notice::Trimmed(5)];
        assert_eq!(told, &halved[..requests - 1]);
        assert_eq!(stub.got.lock().unwrap().len(), requests);
        assert_eq!(talker.backends.figures().backends[0].health, Health::Ready);
    }
    let stub = short_of_memory(0).await;
    let outcome = notices(&talks(backend("one", &stub.url)), conversation(0)).await.1;
    assert_eq!(outcome, Err(AgentError::TooLong));
    assert_eq!(stub.got.lock().unwrap().len(), 1, "there was nothing to leave out");
}

#[tokio::test]
async fn the_operators_number_is_told_to_a_server_that_would_cut_without_a_word() {
    let stub = Stub::streaming(
        "application/x-ndjson",
        "{\"message\":{\"content\":\"Hi\"},\"done\":true}\n",
    )
    .await;
    let mut ollama = backend("one", &stub.url);
    (ollama.provider, ollama.context) = (Provider::Ollama, Some(8192));
    notices(&talks(ollama), conversation(1)).await.1.unwrap();
    assert_eq!(stub.got.lock().unwrap()[0].body["options"]["num_ctx"], 8192);
}

#[tokio::test]
async fn one_that_sees_nothing_is_not_asked_to_look() {
    let loopback = loopback().await;
    let mut blind = backend("one", &loopback.base_url());
    blind.vision = Some(false);
    let talker = talks(blind);
    assert_eq!(talker.backends.models()[0].vision, Some(false));
    let mut question = conversation(0);
    question.messages[0].images = vec![picture("a.png")];
    assert_eq!(ask(&talker, question).all().await.1, Err(AgentError::VisionUnsupported));
    assert!(loopback.record().requests.is_empty());
    ask(&talker, conversation(0)).all().await.1.unwrap();
}
