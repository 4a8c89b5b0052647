//! What people choose for a conversation, and what its model thinks, over HTTP and the feed.

use std::{convert::Infallible, sync::Arc};

use anteroom::{
    agents::{Agent, AgentError, AgentFactory, Answered, Part, Parts, Question},
    wire::{
        Choice, MAX_INSTRUCTIONS_BYTES, MAX_MESSAGE_BYTES, ModelInfo, Reason, Refused, SendRequest, Sent, TurnState,
    },
};
use async_trait::async_trait;
use serde_json::{Value, json};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::support::{Browser, Feed, Reply, Site, request};

/// Agents of two models, which think aloud and say one word once they may.
struct Thinkers {
    may_speak: Arc<Semaphore>,
}

struct Thinker(Arc<Semaphore>);

#[async_trait]
impl Agent for Thinker {
    async fn answer(&self, _: Question, parts: Parts, cancel: CancellationToken) -> Result<Answered, AgentError> {
        let thought = Part::Reasoning("Is **<b>this</b>** safe?\n\n```js\nalert(1)\n```\n".to_owned());
        let _ = parts.send(thought).await;
        tokio::select! {
            permit = self.0.acquire() => permit.expect("open").forget(),
            () = cancel.cancelled() => return Ok(Answered::default()),
        }
        let _ = parts.send(Part::Text("Yes.".to_owned())).await;
        Ok(Answered::default())
    }
}

impl AgentFactory for Thinkers {
    fn model(&self) -> String {
        "small@cpu".into()
    }

    fn models(&self) -> Vec<ModelInfo> {
        let model = |id: &str, title: Option<&str>| ModelInfo {
            id: id.to_owned(),
            title: title.map(str::to_owned),
            vision: None,
        };
        vec![model("small@cpu", None), model("large@gpu", Some("Large"))]
    }

    fn agent(&self) -> Arc<dyn Agent> {
        Arc::new(Thinker(Arc::clone(&self.may_speak)))
    }
}

/// A site of these two models, and what lets them speak.
async fn site() -> (Site, Arc<Semaphore>) {
    let may_speak = Arc::new(Semaphore::new(0));
    let agents = Thinkers {
        may_speak: Arc::clone(&may_speak),
    };
    let site = Site::start_with(&[("CHAT_CONCURRENCY_LIMIT", "1")], |_, _| {
        Ok::<_, Infallible>(Arc::new(agents) as _)
    });
    (site.await, may_speak)
}

async fn choose(browser: &Browser, conversation: impl ToString, choice: Value) -> Reply {
    let body = json!({ "conversation": conversation.to_string(), "choice": choice });
    let call = browser.post("/api/choose").header("content-type", "application/json");
    browser.ask(call.body(body.to_string())).await
}

fn model_of<'a>(feed: &'a Feed, sent: &Sent) -> Option<&'a str> {
    feed.turns.get(&sent.turn).map(|turn| turn.model.as_str())
}

fn large() -> Choice {
    Choice {
        model: Some("large@gpu".to_owned()),
        instructions: "Be brief.".to_owned(),
        temperature: Some(0.7),
        max_tokens: Some(100),
        without_tools: false,
    }
}

#[tokio::test]
async fn a_choice_is_offered_checked_kept_and_told_to_every_tab() {
    let (site, may_speak) = site().await;
    let (browser, stranger) = (site.browser().await, site.browser().await);
    let overview = browser.overview().await;
    assert_eq!(overview["model"], "small@cpu");
    assert_eq!(
        overview["models"][1],
        json!({ "id": "large@gpu", "title": "Large", "vision": null })
    );

    let (mut tab, mut other_tab) = (browser.feed().await, browser.feed().await);
    let first = SendRequest {
        choice: Some(large()),
        ..request(None, "hello", Vec::new())
    };
    let sent: Sent = browser.try_send(&first).await.json();
    let id = sent.conversation;
    let view = browser.conversation(id).await.expect("there");
    assert_eq!((view.choice, view.turns[0].model.as_str()), (large(), "large@gpu"));

    let cool = json!({ "temperature": 0 });
    assert_eq!(choose(&browser, id, cool.clone()).await.status, 200);
    let expected = Choice {
        temperature: Some(0.0),
        ..Choice::default()
    };
    for feed in [&mut tab, &mut other_tab] {
        feed.until("the choice", |feed| feed.choices.get(&id) == Some(&expected))
            .await;
    }
    assert_eq!(browser.conversation(id).await.expect("there").choice, expected);

    let refused = async |choice: Value, status: u16, why: Option<Reason>| {
        let reply = choose(&browser, id, choice.clone()).await;
        assert_eq!(reply.status, status, "{choice}: {reply:?}");
        let told: Refused = serde_json::from_str(&reply.text).expect("a refusal");
        assert!(why.is_none_or(|why| told.reason == why), "{choice}: {told:?}");
    };
    let gone = Reason::ModelNotOffered {
        model: "huge@gpu".to_owned(),
    };
    refused(json!({ "model": "huge@gpu" }), 404, Some(gone)).await;
    refused(json!({ "temperature": 201 }), 400, Some(Reason::NoTemperature)).await;
    refused(json!({ "temperature": "hot" }), 400, Some(Reason::RequestUnreadable)).await;
    refused(json!({ "max_tokens": 0 }), 400, None).await;
    refused(json!({ "max_tokens": -1 }), 400, Some(Reason::RequestUnreadable)).await;
    let long = "x".repeat(MAX_INSTRUCTIONS_BYTES + 1);
    refused(json!({ "instructions": long }), 413, None).await;
    assert_eq!(choose(&stranger, id, cool).await.status, 404);
    assert_eq!(browser.conversation(id).await.expect("there").choice, expected);

    // The longest message and the longest instructions, each byte of which takes six in JSON, fit into one request.
    may_speak.add_permits(1);
    tab.over(sent.turn).await;
    let longest = Choice {
        instructions: "\u{1}".repeat(MAX_INSTRUCTIONS_BYTES - 1) + "x",
        ..Choice::default()
    };
    let whole = SendRequest {
        choice: Some(longest.clone()),
        ..request(Some(id), &("\u{1}".repeat(MAX_MESSAGE_BYTES - 1) + "x"), Vec::new())
    };
    let reply = browser.try_send(&whole).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    other_tab
        .until("the long choice", |feed| feed.choices.get(&id) == Some(&longest))
        .await;
}

#[tokio::test]
async fn a_message_that_waits_goes_over_to_the_model_that_is_chosen() {
    let (site, may_speak) = site().await;
    let (one, other) = (site.browser().await, site.browser().await);
    let mut feed = one.feed().await;
    other.send("holds the slot").await;
    let waits = one.send("waits").await;
    feed.until("the first model", |feed| model_of(feed, &waits) == Some("small@cpu"))
        .await;
    feed.until_position(waits.turn, 1).await;
    let chosen = serde_json::to_value(large()).expect("JSON");
    assert_eq!(choose(&one, waits.conversation, chosen).await.status, 200);
    feed.until("the other model", |feed| model_of(feed, &waits) == Some("large@gpu"))
        .await;
    assert_eq!(feed.turns[&waits.turn].state, TurnState::Waiting);
    assert_eq!(feed.position_of(waits.turn), Some(1), "it has kept its place");
    may_speak.add_permits(2);
    let over = feed.over(waits.turn).await;
    assert_eq!((over.state, over.model.as_str()), (TurnState::Done, "large@gpu"));
}

#[tokio::test]
async fn thoughts_stream_as_clean_html_and_stay_beside_the_answer() {
    let (site, may_speak) = site().await;
    let browser = site.browser().await;
    let mut feed = browser.feed().await;
    let sent = browser.send("hello").await;
    let thinks = |feed: &Feed| feed.turns.get(&sent.turn).is_some_and(|turn| turn.thoughts.len() == 2);
    feed.until("two thoughts", thinks).await;
    let running = feed.turns[&sent.turn].clone();
    assert!(running.blocks.is_empty(), "{running:?}");
    let html = running.thoughts.concat();
    assert!(html.contains("&lt;b&gt;this") && html.contains("alert"), "{html}");
    assert!(!html.contains("<b>"), "{html}");
    // A page that is loaded now shows as much.
    let view = browser.conversation(sent.conversation).await.expect("there");
    assert_eq!(view.turns[0].thoughts, running.thoughts);
    // And so does a feed that is replayed.
    browser.feed().await.until("the thoughts", thinks).await;

    may_speak.add_permits(1);
    let over = feed.over(sent.turn).await;
    assert_eq!((over.answer.as_str(), over.thoughts.len()), ("Yes.", 2));
    assert!(over.thought_ms.is_some(), "{over:?}");
    let json = browser
        .ask(browser.get(&format!("/export/{}.json", sent.conversation)))
        .await;
    let exported: Value = json.json();
    assert!(
        exported["turns"][0]["reasoning"]
            .as_str()
            .is_some_and(|text| text.starts_with("Is **"))
    );
    assert_eq!(
        (&exported["model"], &exported["turns"][0]["model"]),
        (&Value::Null, &json!("small@cpu"))
    );
    let found: Value = browser.call("search", &[("text", "alert")]).await.json();
    assert_eq!(found["found"], json!([]), "thoughts are not searched");
}
