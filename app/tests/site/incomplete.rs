//! Answers that end before their time though nothing failed: what was written is kept, and told from a whole answer.

use std::time::Duration;

use anteroom::{
    language::{Language, Words},
    wire::{Incomplete, TurnId, TurnState},
};
use reqwest::header;

use crate::support::{Browser, Site, answer_of, english};

const CAUSES: [(&str, Incomplete, &str); 3] = [
    ("length", Incomplete::Length, "longest answer"),
    ("content_filter", Incomplete::Filter, "filter"),
    ("abort", Incomplete::Other, "did not say why"),
];

async fn page(browser: &Browser, path: &str) -> String {
    let request = browser.get(path).header(header::ACCEPT, "text/html");
    browser.ask(request).await.text
}

#[tokio::test]
async fn what_was_written_is_kept_with_a_sentence_and_can_be_asked_for_again() {
    let mut site = Site::start(&[("MODEL_RETRIES", "0")]).await;
    let browser = site.browser().await;
    let mut conversations = Vec::new();
    for (finish, cause, words) in CAUSES {
        let sent = browser.send(&format!("cut [[finish={finish}]]")).await;
        let turn = answer_of(&browser, sent.turn).await;
        assert_eq!(turn.state, TurnState::Incomplete { cause }, "{finish}");
        assert!(turn.answer.contains("cut"), "{turn:?}");
        assert!(turn.usage.is_some_and(|usage| usage.output.is_some()), "{turn:?}");
        conversations.push((sent.conversation, turn.answer, cause, words));
    }
    site.until_load(0, 0).await;

    site.restart(Duration::ZERO).await;
    let browser = Browser {
        addr: site.addr,
        ..browser
    };
    for (id, answer, cause, words) in conversations {
        let view = browser.conversation(id).await.expect("it is there");
        assert_eq!(view.turns[0].state, TurnState::Incomplete { cause });
        assert_eq!(view.turns[0].answer, answer);
        let html = page(&browser, &format!("/c/{id}")).await;
        assert!(
            html.contains(words) && html.contains(r#"data-state="incomplete""#),
            "{html}"
        );
        let markdown = browser.ask(browser.get(&format!("/export/{id}.md"))).await.text;
        assert!(
            markdown.contains(answer.trim_end()) && markdown.contains(&Words::of(Language::English).incomplete(cause)),
            "{markdown}"
        );
        let json: serde_json::Value = browser.ask(browser.get(&format!("/export/{id}.json"))).await.json();
        let turn = &json["turns"][0];
        assert_eq!(turn["state"], "done");
        assert_eq!(turn["incomplete"], serde_json::to_value(cause).expect("JSON"));

        // It is part of the history, and keeps its place beside another answer.
        let sent = browser.send_with(Some(id), "go on", Vec::new()).await;
        assert_eq!(answer_of(&browser, sent.turn).await.state, TurnState::Done);
        let asked = site.model.record().requests.last().expect("a request").clone();
        assert_eq!((asked.question.as_str(), asked.messages), ("go on", 3));
        let new = TurnId::new();
        let again = browser.again(view.turns[0].id, new).await;
        assert_eq!(again.status, 200, "{again:?}");
        let turn = answer_of(&browser, new).await;
        assert_eq!(
            (turn.versions.count, turn.versions.earlier),
            (2, Some(view.turns[0].id))
        );
    }
}

#[tokio::test]
async fn one_that_says_nothing_has_failed_with_a_sentence() {
    let site = Site::start(&[("MODEL_RETRIES", "0")]).await;
    let browser = site.browser().await;
    for (finish, _, _) in CAUSES {
        let sent = browser.send(&format!("nothing [[finish={finish} fault=empty]]")).await;
        let turn = answer_of(&browser, sent.turn).await;
        let TurnState::Failed { reason } = &turn.state else {
            panic!("{finish}: {:?}", turn.state)
        };
        let words = match finish {
            "length" => "longest answer",
            "content_filter" => "filter",
            _ => "empty answer",
        };
        assert!(english(reason).contains(words), "{finish}: {reason:?}");
        assert_eq!(turn.answer, "");
    }
}

#[tokio::test]
async fn text_that_comes_in_halves_or_with_bytes_that_are_none_is_a_whole_answer() {
    let site = Site::start(&[]).await;
    let browser = site.browser().await;
    let text = "\u{1f600} and \u{1f9d1}\u{200d}\u{1f4bb}";
    let sent = browser.send(&format!("[[reply=echo fault=units]]{text}")).await;
    let turn = answer_of(&browser, sent.turn).await;
    assert_eq!((turn.state, turn.answer.as_str()), (TurnState::Done, text));
    let sent = browser.send("[[fault=bad_byte:2]]why?").await;
    let turn = answer_of(&browser, sent.turn).await;
    assert_eq!(turn.state, TurnState::Done);
    assert!(turn.answer.contains("word1 \u{fffd}word2"), "{turn:?}");
}
