//! What people do with their conversations.

use std::time::Duration;

use anteroom::wire::{
    ConversationId, ConversationPage, ConversationView, Reason, SearchResults, TurnId, TurnPage, TurnState,
};
use reqwest::StatusCode;

use crate::support::{Browser, Site};

async fn answered(browser: &Browser, conversation: Option<ConversationId>, text: &str) -> anteroom::wire::Sent {
    let sent = browser.send_with(conversation, text, Vec::new()).await;
    browser.feed().await.over(sent.turn).await;
    sent
}

fn messages(view: &ConversationView) -> Vec<&str> {
    view.turns.iter().map(|turn| turn.message.as_str()).collect()
}

async fn shown(browser: &Browser, id: ConversationId) -> ConversationView {
    browser.conversation(id).await.expect("it is there")
}

#[tokio::test]
async fn an_edited_message_is_another_version_and_the_earlier_one_stays_reachable() {
    let site = Site::start(&[]).await;
    let browser = site.browser().await;
    let first = answered(&browser, None, "one").await;
    let id = first.conversation;
    let second = answered(&browser, Some(id), "two").await;
    answered(&browser, Some(id), "three").await;

    let edited = browser.edit(id, second.turn, "two, edited").await;
    let mut feed = browser.feed().await;
    let over = feed.over(edited.turn).await;
    assert_eq!(
        (over.parent, over.versions.number, over.versions.count),
        (Some(first.turn), 2, 2)
    );
    assert_eq!(over.versions.earlier, Some(second.turn));
    let asked = site.model.record().requests.last().expect("a request").clone();
    assert_eq!(
        (asked.question.as_str(), asked.messages),
        ("two, edited", 3),
        "what came after is not its history"
    );
    assert_eq!(messages(&shown(&browser, id).await), ["one", "two, edited"]);

    let reply = browser.call("version", &[("turn", &second.turn.to_string())]).await;
    assert_eq!(reply.status, StatusCode::OK, "{reply:?}");
    let back = shown(&browser, id).await;
    assert_eq!(messages(&back), ["one", "two", "three"], "with all that followed");
    assert_eq!(back.turns[1].versions.later, Some(edited.turn));
    feed.until("the other tabs to hear of it", |feed| {
        feed.head == Some(back.turns[2].id)
    })
    .await;

    // What is sent now follows what is shown now.
    answered(&browser, Some(id), "four").await;
    assert_eq!(messages(&shown(&browser, id).await), ["one", "two", "three", "four"]);
}

#[tokio::test]
async fn the_first_message_can_be_edited_too() {
    let site = Site::start(&[]).await;
    let browser = site.browser().await;
    let first = answered(&browser, None, "one").await;
    let edited = browser.edit(first.conversation, first.turn, "one, edited").await;
    let over = browser.feed().await.over(edited.turn).await;
    assert_eq!((over.parent, over.versions.count), (None, 2));
    assert_eq!(messages(&shown(&browser, first.conversation).await), ["one, edited"]);
    let (stranger, elsewhere) = (site.browser().await, answered(&browser, None, "elsewhere").await);
    for (browser, conversation) in [(&stranger, first.conversation), (&browser, elsewhere.conversation)] {
        let mut request = crate::support::request(Some(conversation), "not mine", Vec::new());
        request.instead_of = Some(first.turn);
        assert_eq!(browser.try_send(&request).await.status, StatusCode::NOT_FOUND);
    }
}

#[tokio::test]
async fn a_regenerated_answer_is_another_version_made_once() {
    let site = Site::start(&[]).await;
    let browser = site.browser().await;
    let first = answered(&browser, None, "one").await;
    let new = TurnId::new();
    for _ in 0..2 {
        // Asked again after a lost reply, it is the same.
        let sent: anteroom::wire::Sent = browser.again(first.turn, new).await.json();
        assert_eq!(sent.turn, new);
        browser.feed().await.over(new).await;
    }
    assert_eq!(site.model.record().requests.len(), 2);
    let view = shown(&browser, first.conversation).await;
    assert_eq!((view.turns.len(), view.turns[0].id), (1, new));
    assert_eq!(view.turns[0].versions.earlier, Some(first.turn));
    // While it is on its way, it is the one that is shown.
    site.model.hold(true);
    let third = TurnId::new();
    let _sent: anteroom::wire::Sent = browser.again(new, third).await.json();
    let reply = browser.call("version", &[("turn", &first.turn.to_string())]).await;
    assert_eq!(reply.status, StatusCode::NOT_FOUND, "{reply:?}");
    site.model.hold(false);
}

#[tokio::test]
async fn a_regenerated_answer_that_is_cancelled_in_the_line_leaves_the_one_before_on_show() {
    let site = Site::start(&[("CHAT_CONCURRENCY_LIMIT", "1")]).await;
    let browser = site.browser().await;
    let first = answered(&browser, None, "one").await;
    let edited = browser.edit(first.conversation, first.turn, "one, edited").await;
    let mut feed = browser.feed().await;
    feed.over(edited.turn).await;
    // Somebody else has the only slot.
    site.model.hold(true);
    let other = site.browser().await;
    other.send("holds the slot").await;

    let new = TurnId::new();
    let sent: anteroom::wire::Sent = browser.again(edited.turn, new).await.json();
    assert!(sent.place.is_some(), "it waits");
    assert!(browser.cancel(new).await);
    let over = feed.over(new).await;
    assert_eq!((over.state, over.versions.number), (TurnState::Cancelled, 3));
    feed.until("the pages to hear of it", |feed| feed.head == Some(edited.turn))
        .await;
    let view = shown(&browser, first.conversation).await;
    assert_eq!((view.turns.len(), view.turns[0].id), (1, edited.turn));
    assert!(!view.turns[0].answer.is_empty());
    assert_eq!(view.turns[0].versions.later, Some(new), "it can still be looked at");

    // New words are kept on show: nothing else has them.
    let reworded = browser.edit(first.conversation, edited.turn, "in new words").await;
    assert!(browser.cancel(reworded.turn).await);
    feed.over(reworded.turn).await;
    assert_eq!(messages(&shown(&browser, first.conversation).await), ["in new words"]);
    site.model.hold(false);
}

#[tokio::test]
async fn stopping_keeps_what_was_written_and_trying_again_keeps_that() {
    let site = Site::start(&[]).await;
    let browser = site.browser().await;
    let mut feed = browser.feed().await;
    let sent = browser.send("stop me [[gate=never after=4]]").await;
    feed.until("a part of the answer", |feed| {
        feed.turns.get(&sent.turn).is_some_and(|turn| !turn.blocks.is_empty())
    })
    .await;
    assert!(browser.cancel(sent.turn).await);
    let stopped = feed.over(sent.turn).await;
    assert!(
        stopped.state == TurnState::Cancelled && !stopped.answer.is_empty(),
        "{stopped:?}"
    );
    assert_eq!(shown(&browser, sent.conversation).await.turns[0].answer, stopped.answer);
}

#[tokio::test]
async fn conversations_are_renamed_deleted_and_brought_back() {
    let site = Site::start(&[]).await;
    let (browser, stranger) = (site.browser().await, site.browser().await);
    let sent = answered(&browser, None, "a long story about a lighthouse").await;
    let id = sent.conversation.to_string();
    let mut feed = browser.feed().await;

    for (who, title, status) in [
        (&browser, " My\nstory ", 200),
        (&browser, " ", 400),
        (&stranger, "Mine", 404),
    ] {
        let reply = who.call("rename", &[("conversation", &id), ("title", title)]).await;
        assert_eq!(reply.status, status, "{reply:?}");
    }
    feed.until("the new title", |feed| {
        feed.conversations
            .get(&sent.conversation)
            .is_some_and(|title| title == "My story")
    })
    .await;

    assert_eq!(stranger.call("delete", &[("conversation", &id)]).await.status, 404);
    assert_eq!(browser.call("delete", &[("conversation", &id)]).await.status, 200);
    feed.until("it to go", |feed| !feed.conversations.contains_key(&sent.conversation))
        .await;
    assert_eq!(browser.conversation(sent.conversation).await, None);
    assert_eq!(browser.ask(browser.get(&format!("/export/{id}.md"))).await.status, 404);
    let late = crate::support::request(Some(sent.conversation), "still there?", Vec::new());
    assert_eq!(browser.try_send(&late).await.status, 404);
    assert_eq!(stranger.call("undelete", &[("conversation", &id)]).await.status, 404);
    assert_eq!(browser.call("undelete", &[("conversation", &id)]).await.status, 200);
    feed.until("it to be back", |feed| {
        feed.conversations.contains_key(&sent.conversation)
    })
    .await;
    assert_eq!(shown(&browser, sent.conversation).await.turns.len(), 1);
}

#[tokio::test]
async fn a_title_given_while_the_answer_is_on_its_way_stays() {
    let site = Site::start(&[]).await;
    site.model.hold(true);
    let browser = site.browser().await;
    let mut feed = browser.feed().await;
    let sent = browser.send("a long story about a lighthouse").await;
    site.until_load(1, 0).await;
    let id = sent.conversation.to_string();
    let reply = browser
        .call("rename", &[("conversation", &id), ("title", "Mine")])
        .await;
    assert_eq!(reply.status, 200, "{reply:?}");
    site.model.hold(false);
    feed.over(sent.turn).await;
    // The last word on the conversation comes with the end of its turn.
    let end = feed.position.number + 1;
    feed.until("the end", |feed| feed.position.number >= end).await;
    assert_eq!(feed.conversations[&sent.conversation], "Mine");
    assert_eq!(shown(&browser, sent.conversation).await.summary.title, "Mine");
}

#[tokio::test]
async fn deleting_what_is_on_its_way_ends_it_and_keeps_it_away() {
    let site = Site::start(&[("CHAT_CONCURRENCY_LIMIT", "1")]).await;
    site.model.hold(true);
    let browser = site.browser().await;
    let mut feed = browser.feed().await;
    let running = browser.send("runs").await;
    site.until_load(1, 0).await;
    let waiting = browser.send("waits").await;
    for sent in [&waiting, &running] {
        let reply = browser
            .call("delete", &[("conversation", &sent.conversation.to_string())])
            .await;
        assert_eq!(reply.status, 200, "{reply:?}");
    }
    site.until_load(0, 0).await;
    feed.until("both to go", |feed| feed.conversations.is_empty()).await;
    site.model.hold(false);
    let next = answered(&browser, None, "next").await;
    feed.over(next.turn).await;
    assert_eq!(
        feed.conversations.len(),
        1,
        "the end of a deleted one does not bring it back"
    );
}

#[tokio::test]
async fn text_is_found_in_titles_messages_and_answers_of_ones_own() {
    let site = Site::start(&[]).await;
    let (browser, stranger) = (site.browser().await, site.browser().await);
    let sent = answered(&browser, None, "Wo steht der LEUCHTTURM von Wangerooge?").await;
    let found = |who: Browser, text: &'static str| async move {
        let reply = who.call("search", &[("text", text)]).await;
        reply.json::<SearchResults>().found
    };
    for text in ["leuchtturm", "ANSWER TO", "wangeroo"] {
        let found = found(browser.clone(), text).await;
        assert_eq!(found.len(), 1, "{text}");
        assert_eq!(found[0].conversation.id, sent.conversation);
        assert_eq!(found[0].excerpt.1.to_lowercase(), text.to_lowercase());
    }
    assert!(found(browser.clone(), "bergwerk").await.is_empty());
    assert!(found(browser.clone(), "  ").await.is_empty());
    assert!(found(stranger, "leuchtturm").await.is_empty());
}

#[tokio::test]
async fn long_lists_and_long_conversations_come_in_parts() {
    let site = Site::start(&[]).await;
    let browser = site.browser().await;
    let first = answered(&browser, None, "turn 0").await;
    for number in 1..65 {
        answered(&browser, Some(first.conversation), &format!("turn {number}")).await;
    }
    let view = shown(&browser, first.conversation).await;
    assert!(view.earlier && view.turns.len() < 65);
    let mut turns = view.turns;
    let mut earlier = true;
    while earlier {
        let before = turns[0].id.to_string();
        let page: Option<TurnPage> = browser.call("earlier", &[("before", &before)]).await.json();
        let page = page.expect("it is there");
        earlier = page.earlier;
        turns.splice(0..0, page.turns);
    }
    let expected: Vec<String> = (0..65).map(|number| format!("turn {number}")).collect();
    assert_eq!(
        turns.iter().map(|turn| &turn.message).collect::<Vec<_>>(),
        expected.iter().collect::<Vec<_>>()
    );

    for number in 0..60 {
        answered(&browser, None, &format!("conversation {number}")).await;
    }
    let mut page: ConversationPage =
        serde_json::from_value(browser.overview().await["conversations"].clone()).expect("a part of the list");
    let mut titles = Vec::new();
    loop {
        titles.extend(page.conversations.iter().map(|summary| summary.title.clone()));
        let Some(last) = page.conversations.last().filter(|_| page.more) else {
            break;
        };
        page = browser
            .call("conversations", &[("after", &last.id.to_string())])
            .await
            .json();
    }
    let mut expected: Vec<String> = (0..60).rev().map(|number| format!("conversation {number}")).collect();
    expected.push("turn 0".into());
    assert_eq!(titles, expected);
}

#[tokio::test]
async fn a_conversation_can_be_taken_along() {
    let site = Site::start(&[]).await;
    let (browser, stranger) = (site.browser().await, site.browser().await);
    let sent = answered(&browser, None, "TCP/IP: a \"guide\"\n<script>alert(1)</script>").await;
    let again = TurnId::new();
    assert_eq!(browser.again(sent.turn, again).await.status, 200);
    browser.feed().await.over(again).await;
    let path = format!("/export/{}", sent.conversation);

    let response = browser.get(&format!("{path}.md")).send().await.expect("an answer");
    let header = |name: &str| response.headers()[name].to_str().expect("text").to_owned();
    assert_eq!(
        header("content-disposition"),
        "attachment; filename=\"TCP-IP- a 'guide'.md\"; filename*=UTF-8''TCP%2DIP%2D%20a%20%27guide%27%2Emd"
    );
    assert!(header("content-type").starts_with("text/markdown"));
    assert_eq!(header("x-content-type-options"), "nosniff");
    let text = response.text().await.expect("text");
    assert_eq!(
        text.matches("<script>alert(1)</script>").count(),
        2,
        "one version, with its answer: {text}"
    );

    let json: serde_json::Value = browser.ask(browser.get(&format!("{path}.json"))).await.json();
    assert_eq!(json["turns"].as_array().map(Vec::len), Some(2), "every version");
    assert_eq!(json["head"], again.to_string());
    for wrong in [
        format!("{path}.html"),
        path.clone(),
        "/export/x.md".into(),
        "/export/..%2F.json".into(),
    ] {
        assert_eq!(browser.ask(browser.get(&wrong)).await.status, 404, "{wrong}");
    }
    assert_eq!(stranger.ask(stranger.get(&format!("{path}.md"))).await.status, 404);
}

#[tokio::test]
async fn everything_of_one_browser_can_be_deleted_from_the_disk_too() {
    let site = Site::start(&[("CHAT_CONCURRENCY_LIMIT", "1")]).await;
    let (browser, other) = (site.browser().await, site.browser().await);
    let kept = answered(&other, None, "kept-marker").await;
    let file = browser.uploaded("secret.txt", "forget-marker in a file").await;
    let sent = browser.send_with(None, "forget-marker", vec![file.id]).await;
    let mut feed = browser.feed().await;
    feed.over(sent.turn).await;
    site.model.hold(true);
    browser.send("forget-marker runs").await;
    site.until_load(1, 0).await;
    browser.send("forget-marker waits").await;
    assert!(is_on_disk(site.data(), "forget-marker"));

    let reply = browser.forget().await;
    assert_eq!(reply.status, 200, "{reply:?}");
    assert_eq!(feed.closed().await, Some(1012), "its pages begin anew");
    site.until_load(0, 0).await;
    site.model.hold(false);
    assert_eq!(browser.conversation(sent.conversation).await, None);
    assert_eq!(
        browser.ask(browser.get(&format!("/files/{}", file.id))).await.status,
        404
    );
    assert!(!is_on_disk(site.data(), "forget-marker"));
    assert_eq!(shown(&other, kept.conversation).await.turns.len(), 1);
    // The ends of what was on its way come after it, at the latest now, and must not bring anything back.
    site.engine.shutdown(Duration::ZERO).await;
    assert!(!is_on_disk(site.data(), "forget-marker"));
    assert!(is_on_disk(site.data(), "kept-marker"));
}

/// Whether a text stands anywhere in the files of a folder.
fn is_on_disk(folder: &std::path::Path, text: &str) -> bool {
    std::fs::read_dir(folder).expect("a folder").any(|entry| {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            return is_on_disk(&path, text);
        }
        let bytes = std::fs::read(&path).unwrap_or_default();
        bytes.windows(text.len()).any(|window| window == text.as_bytes())
    })
}

#[tokio::test]
async fn what_was_cut_off_in_a_deleted_conversation_is_over_when_it_is_back() {
    let mut site = Site::start(&[]).await;
    let browser = site.browser().await;
    let sent = answered(&browser, None, "once").await;
    let id = sent.conversation.to_string();
    assert_eq!(browser.call("delete", &[("conversation", &id)]).await.status, 200);
    // As a crash would leave it between the deletion and the end of its turn.
    site.engine.shutdown(Duration::ZERO).await;
    crate::support::edit(site.data(), "UPDATE turns SET state = 'waiting', answer = ''").await;
    site.restart(Duration::ZERO).await;
    let browser = Browser {
        addr: site.addr,
        ..browser
    };
    assert_eq!(browser.call("undelete", &[("conversation", &id)]).await.status, 200);
    let view = shown(&browser, sent.conversation).await;
    assert_eq!(view.turns[0].state, TurnState::Cancelled);
    assert!(!view.summary.busy);
}

#[tokio::test]
async fn what_nobody_can_see_is_no_message_and_no_title() {
    let site = Site::start(&[]).await;
    let browser = site.browser().await;
    let sent = answered(&browser, None, "\u{200b}\n\u{feff}visible\u{200d}").await;
    assert_eq!(shown(&browser, sent.conversation).await.turns.len(), 1);
    for blank in [
        "\u{200b}",
        "\u{feff} \u{ad}",
        "\u{3164}",
        "\u{202e}\u{2066}",
        "\u{fe0f}\u{e0100}",
        "\u{0}",
    ] {
        let message = crate::support::request(Some(sent.conversation), blank, Vec::new());
        let reply = browser.try_send(&message).await;
        assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{blank:?}: {reply:?}");
        assert_eq!(reply.reason(), Reason::EmptyMessage);
        let id = sent.conversation.to_string();
        let reply = browser.call("rename", &[("conversation", &id), ("title", blank)]).await;
        assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{blank:?}: {reply:?}");
    }
    // With a file it is a message all the same.
    let file = browser.uploaded("a.txt", "text").await;
    let message = crate::support::request(Some(sent.conversation), "\u{200b}", vec![file.id]);
    assert_eq!(browser.try_send(&message).await.status, StatusCode::OK);
}
