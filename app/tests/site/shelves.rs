//! What stands above the days of the list, and what is in the archive.

use anteroom::wire::{ConversationId, TurnState};
use reqwest::StatusCode;

use crate::support::{Browser, Reply, Site, request};

async fn shelve(browser: &Browser, id: ConversationId, what: &str) -> Reply {
    let request = browser
        .post(&format!("/shelf/{id}/{what}"))
        .header("x-asked-by", "page");
    browser.ask(request).await
}

async fn shelf(browser: &Browser, id: ConversationId) -> (bool, bool) {
    let line = browser.conversation(id).await.expect("it is there").summary;
    (line.pinned, line.archived)
}

/// The titles of the list.
async fn listed(browser: &Browser) -> Vec<String> {
    let overview = browser.overview().await;
    let all = overview["conversations"]["conversations"].as_array().cloned();
    let titles = all.expect("a list").into_iter();
    titles
        .map(|one| one["title"].as_str().expect("a title").to_owned())
        .collect()
}

#[tokio::test]
async fn what_is_pinned_or_archived_is_so_in_every_tab_and_after_a_restart() {
    let mut site = Site::start(&[]).await;
    let browser = site.browser().await;
    let mut feed = browser.feed().await;
    let mut ids = Vec::new();
    for text in ["apples", "pears", "plums"] {
        let sent = browser.send(text).await;
        feed.over(sent.turn).await;
        ids.push(sent.conversation);
    }
    let mut other = browser.feed().await;
    assert_eq!(listed(&browser).await, ["plums", "pears", "apples"]);
    assert_eq!(
        shelve(&browser, ids[0], "pinned/true").await.status,
        StatusCode::NO_CONTENT
    );
    assert_eq!(
        shelve(&browser, ids[2], "archived/true").await.status,
        StatusCode::NO_CONTENT
    );
    other
        .until("the other tab to hear of both", |feed| {
            feed.shelves.get(&ids[0]) == Some(&(true, false)) && feed.shelves.get(&ids[2]) == Some(&(false, true))
        })
        .await;
    assert_eq!(listed(&browser).await, ["apples", "pears", "plums"]);
    site.restart(std::time::Duration::from_secs(5)).await;
    let browser = Browser {
        addr: site.addr,
        ..browser
    };
    assert_eq!(listed(&browser).await, ["apples", "pears", "plums"]);
    assert_eq!(shelf(&browser, ids[2]).await, (false, true));
}

#[tokio::test]
async fn a_message_takes_a_conversation_out_of_the_archive_and_its_end_changes_nothing() {
    let site = Site::start(&[]).await;
    let browser = site.browser().await;
    let mut feed = browser.feed().await;
    let first = browser.send("apples").await;
    feed.over(first.turn).await;
    let id = first.conversation;
    shelve(&browser, id, "pinned/true").await;
    shelve(&browser, id, "archived/true").await;
    assert_eq!(shelf(&browser, id).await, (true, true));

    site.model.hold(true);
    let second = browser.send_with(Some(id), "and now?", Vec::new()).await;
    feed.until("it to come back, pinned as it was", |feed| {
        feed.shelves.get(&id) == Some(&(true, false))
    })
    .await;
    assert_eq!(shelf(&browser, id).await, (true, false));
    // What is done with it while it is answered outlasts the answer, and its pages hear nothing else.
    shelve(&browser, id, "pinned/false").await;
    shelve(&browser, id, "archived/true").await;
    site.model.hold(false);
    assert_eq!(feed.over(second.turn).await.state, TurnState::Done);
    feed.until("its line after the end", |feed| {
        feed.shelves.get(&id) == Some(&(false, true))
    })
    .await;
    assert_eq!(shelf(&browser, id).await, (false, true));
    // Another title, or another opinion of an answer, is no message.
    let rename = [("conversation", id.to_string()), ("title", "Fruit".to_owned())];
    let rename: Vec<_> = rename.iter().map(|(name, value)| (*name, value.as_str())).collect();
    assert_eq!(browser.call("rename", &rename).await.status, StatusCode::OK);
    assert_eq!(shelf(&browser, id).await, (false, true));
}

#[tokio::test]
async fn nobody_else_moves_it_and_nonsense_moves_nothing() {
    let site = Site::start(&[]).await;
    let (browser, stranger) = (site.browser().await, site.browser().await);
    let sent = browser.send("apples").await;
    browser.feed().await.over(sent.turn).await;
    let id = sent.conversation;
    let there = stranger.send("mine").await;
    assert_ne!(there.conversation, id);
    assert_eq!(shelve(&stranger, id, "pinned/true").await.status, StatusCode::NOT_FOUND);
    for odd in ["pinned/yes", "pinned/", "held/true", "pinned/true/x"] {
        assert!(shelve(&browser, id, odd).await.status.is_client_error(), "{odd}");
    }
    // No form can bring that header along.
    let bare = browser.ask(browser.post(&format!("/shelf/{id}/pinned/true"))).await;
    assert_eq!(bare.status, StatusCode::FORBIDDEN);
    let late = shelve(&browser, ConversationId::new(), "archived/true").await;
    assert_eq!(late.status, StatusCode::NOT_FOUND);
    assert_eq!(shelf(&browser, id).await, (false, false));
}

#[tokio::test]
async fn a_file_of_a_conversation_says_where_it_stood_and_it_comes_back_there() {
    let site = Site::start(&[]).await;
    let browser = site.browser().await;
    let sent = browser.send("apples").await;
    browser.feed().await.over(sent.turn).await;
    shelve(&browser, sent.conversation, "pinned/true").await;
    shelve(&browser, sent.conversation, "archived/true").await;
    let saved = browser
        .ask(browser.get(&format!("/export/{}.json", sent.conversation)))
        .await;
    for (content, shelf_then) in [
        (saved.text.clone(), (true, true)),
        (
            saved.text.replace("\"archived\": true", "\"archived\": false"),
            (true, false),
        ),
        // As a version wrote it that knew no such thing.
        (
            saved
                .text
                .replace("\"archived\": true,", "")
                .replace("\"pinned\": true,", ""),
            (false, false),
        ),
    ] {
        let import = browser.post("/import").header("x-asked-by", "page").body(content);
        let made: serde_json::Value = browser.ask(import).await.json();
        let id: ConversationId = made["conversation"].as_str().expect("an id").parse().expect("an id");
        assert_eq!(shelf(&browser, id).await, shelf_then);
        // What is imported can be gone on with.
        let reply = browser.try_send(&request(Some(id), "and now?", Vec::new())).await;
        assert_eq!(reply.status, StatusCode::OK, "{reply:?}");
    }
}
