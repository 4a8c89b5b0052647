//! Several nodes: whatever door a browser comes through, the home of its session answers.

use std::time::Duration;

use anteroom::wire::{Reason, RefreshKind, TurnState};
use futures_util::{StreamExt as _, stream};
use reqwest::{Body, StatusCode, header};
use tokio::net::TcpListener;

use crate::support::{Browser, Feed, Nodes, Site, answer_of, request, soon};

#[tokio::test]
async fn a_message_goes_through_any_door_and_its_answer_comes_back_over_the_feed() {
    let nodes = Nodes::start(3, &[]).await;
    let home = nodes.site(0).browser().await;
    let browser = nodes.through(1, &home);
    let mut feed = browser.feed().await;
    let sent = browser.send("Hello through the wrong door [[reply=markdown]]").await;
    let turn = feed.over(sent.turn).await;
    assert_eq!(turn.state, TurnState::Done);
    assert!(feed.numbers.len() > 2, "it was streamed");
    // Every door shows the same.
    for door in 0..3 {
        let browser = nodes.through(door, &home);
        assert_eq!(answer_of(&browser, sent.turn).await, turn);
        let page = browser.get(&format!("/c/{}", sent.conversation));
        let page = browser.ask(page.header(header::ACCEPT, "text/html")).await;
        assert_eq!(page.status, StatusCode::OK);
        assert!(page.text.contains("Hello through the wrong door"), "{door}");
        let view = browser.conversation(sent.conversation).await.expect("it is there");
        assert_eq!(view.turns.len(), 1);
    }
    assert_eq!(nodes.site(0).engine.sessions().len(), 1);
    for door in [1, 2] {
        assert!(nodes.site(door).engine.sessions().is_empty(), "it is at home elsewhere");
        assert!(nodes.site(door).model.record().requests.is_empty());
    }
    // Sent once more through another door, it is the same message.
    let again = nodes
        .through(2, &home)
        .again(sent.turn, anteroom::wire::TurnId::new())
        .await;
    assert_eq!(again.status, StatusCode::OK, "{again:?}");
    browser.refresh(RefreshKind::Stats).await;
    feed.stats().await;
    drop(feed);
    soon("the home's end of the feeds", async {
        while nodes.site(0).engine.feeds().open() > 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
}

#[tokio::test]
async fn files_and_exports_go_through_any_door() {
    let nodes = Nodes::start(2, &[]).await;
    let browser = nodes.through(1, &nodes.site(0).browser().await);
    let content = "A line of a long file, number after number.\n".repeat(200_000);
    let parts: Vec<_> = content
        .as_bytes()
        .chunks(10_000)
        .map(|part| Ok::<_, std::io::Error>(part.to_vec()))
        .collect();
    let file = browser
        .uploaded("long.txt", Body::wrap_stream(stream::iter(parts)))
        .await;
    assert_eq!(file.size, content.len() as u64);
    let response = browser
        .get(&format!("/files/{}", file.id))
        .send()
        .await
        .expect("an answer");
    assert_eq!(response.headers()[header::CONTENT_LENGTH], content.len().to_string());
    assert!(response.headers().contains_key(header::CONTENT_DISPOSITION));
    assert!(response.text().await.expect("the whole") == content);
    let whole = browser.uploaded("whole.txt", "with a length").await;
    let sent = browser.send_with(None, "What is in it?", vec![whole.id]).await;
    answer_of(&browser, sent.turn).await;
    let export = browser
        .ask(browser.get(&format!("/export/{}.md", sent.conversation)))
        .await;
    assert_eq!(export.status, StatusCode::OK);
    assert!(export.text.contains("What is in it?"), "{}", export.text);
    // What is refused is refused in the same words.
    let refused = browser.upload("empty.txt", "").await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{refused:?}");
    assert_eq!(
        refused.reason(),
        Reason::FileEmpty {
            name: "empty.txt".to_owned()
        }
    );
    assert!(nodes.site(1).engine.sessions().is_empty());
}

#[tokio::test]
async fn a_file_too_large_is_refused_through_any_door() {
    let nodes = Nodes::start(2, &[("MAX_UPLOAD_SIZE", "1000")]).await;
    let browser = nodes.through(1, &nodes.site(0).browser().await);
    let (name, most) = ("large.txt".to_owned(), 1000);
    let announced = browser.upload(&name, vec![b'x'; 1001]).await;
    let parts = stream::iter([(); 2].map(|()| Ok::<_, std::io::Error>(vec![b'x'; 600])));
    let streamed = browser.upload(&name, Body::wrap_stream(parts)).await;
    for refused in [announced, streamed] {
        assert_eq!(refused.status, StatusCode::PAYLOAD_TOO_LARGE, "{refused:?}");
        let reason = Reason::FileTooLarge {
            name: name.clone(),
            most,
        };
        assert_eq!(refused.reason(), reason);
    }
}

#[tokio::test]
async fn languages_cookies_and_encodings_are_the_browsers() {
    let nodes = Nodes::start(2, &[]).await;
    let browser = nodes.through(1, &nodes.site(0).browser().await);
    let page = browser.get("/").header(header::ACCEPT, "text/html");
    let page = page
        .header(header::ACCEPT_LANGUAGE, "ru")
        .header(header::ACCEPT_ENCODING, "gzip");
    let page = page.send().await.expect("a page");
    assert_eq!(page.headers()[header::CONTENT_ENCODING], "gzip");
    let cookie = page.headers()[header::SET_COOKIE].to_str().expect("text").to_owned();
    assert!(
        cookie.starts_with(&browser.cookie),
        "it is let be so for longer: {cookie}"
    );
    assert!(page.bytes().await.expect("a body").starts_with(&[0x1f, 0x8b]));
    let plain = browser.get("/").header(header::ACCEPT, "text/html");
    let plain = browser.ask(plain.header(header::ACCEPT_LANGUAGE, "ru")).await;
    assert!(plain.text.contains("<html lang=\"ru\""), "{}", plain.text);
    let refused = browser.get("/export/none.md").header(header::ACCEPT_LANGUAGE, "ru");
    let refused = browser.ask(refused).await;
    assert_eq!(refused.status, StatusCode::NOT_FOUND);
    assert!(refused.text.contains("Этой беседы больше нет"), "{}", refused.text);
    let moved = browser
        .ask(browser.get("/stats/").header(header::ACCEPT, "text/html"))
        .await;
    assert_eq!(moved.status, StatusCode::OK, "the redirect was followed");
    // Another site's page is refused at the door, and would be at the home.
    assert!(Feed::open_from(&browser, None, "http://evil.example").await.is_err());
    let evil = browser
        .post("/api/overview")
        .header(header::ORIGIN, "http://evil.example");
    assert_eq!(browser.ask(evil).await.status, StatusCode::FORBIDDEN);
    let own = browser
        .post("/api/overview")
        .header(header::ORIGIN, format!("http://{}", browser.addr))
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    assert_eq!(browser.ask(own).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_message_too_large_and_one_that_cannot_be_read_are_refused_as_ever() {
    let nodes = Nodes::start(2, &[]).await;
    let browser = nodes.through(1, &nodes.site(0).browser().await);
    let huge = browser.try_send(&request(None, &"x".repeat(1 << 20), Vec::new())).await;
    assert_eq!(huge.status, StatusCode::PAYLOAD_TOO_LARGE, "{huge:?}");
    assert!(matches!(huge.reason(), Reason::RequestTooLarge { .. }));
    let garbage = browser
        .post("/api/send")
        .header(header::CONTENT_TYPE, "application/json");
    let garbage = browser.ask(garbage.body("{")).await;
    assert_eq!(
        (garbage.status, garbage.reason()),
        (StatusCode::BAD_REQUEST, Reason::RequestUnreadable)
    );
    let unknown = browser.ask(browser.post("/api/nothing")).await;
    assert_eq!(
        (unknown.status, unknown.reason()),
        (StatusCode::NOT_FOUND, Reason::RequestUnknown)
    );
    assert_eq!(browser.ask(browser.get("/nowhere")).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn nobody_gets_in_over_the_link_and_headers_of_ours_say_nothing_from_outside() {
    let nodes = Nodes::start(2, &[]).await;
    let home = nodes.site(0).browser().await;
    let browser = nodes.through(1, &home);
    for path in ["/", "/health", "/node", "/api/overview"] {
        let stranger = browser.http.get(format!("http://{}{path}", nodes.link(0)));
        let stranger = stranger.header(header::COOKIE, &browser.cookie);
        let refused = browser.ask(stranger).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN, "{path}");
        assert!(
            refused.text.starts_with("This address is for the other nodes"),
            "{}",
            refused.text
        );
    }
    for (name, value) in [
        ("x-anteroom-link", "forged"),
        ("x-anteroom-node", "forged"),
        ("x-anteroom-more", "1"),
    ] {
        let overview = browser.post("/api/overview").header(name, value);
        let overview = overview.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        assert_eq!(browser.ask(overview).await.status, StatusCode::OK, "{name}");
    }
    for door in [&home, &browser] {
        let page = door.ask(door.get("/node").header(header::ACCEPT, "text/html")).await;
        assert_eq!(page.status, StatusCode::NOT_FOUND, "it is no page of the site");
    }
}

#[tokio::test]
async fn a_home_that_dies_is_waited_for_and_the_next_one_answers() {
    let mut nodes = Nodes::start(3, &[]).await;
    let home = nodes.site(0).browser().await;
    let browser = nodes.through(1, &home);
    let mut feed = browser.feed().await;
    let running = browser.send("runs [[gate=never after=3]]").await;
    feed.until("a part of the answer", |feed| {
        feed.turns
            .get(&running.turn)
            .is_some_and(|turn| !turn.blocks.is_empty())
    })
    .await;
    nodes.kill(0);
    // In the middle of an answer the page is told to come back at once.
    assert_eq!(feed.closed().await, Some(1012));
    let message = request(None, "sent while nobody was there", Vec::new());
    let (reply, page, feed) = {
        let asking = async {
            let page = browser.get("/").header(header::ACCEPT, "text/html");
            tokio::join!(browser.try_send(&message), browser.ask(page), browser.feed())
        };
        let moving = async {
            // They are on their way by then, or find it there at once.
            tokio::time::sleep(Duration::from_millis(300)).await;
            nodes.settle(&home, Some(2));
        };
        tokio::join!(asking, moving).0
    };
    let sent: anteroom::wire::Sent = reply.json();
    assert_eq!(page.status, StatusCode::OK);
    let mut feed = feed;
    assert_eq!(feed.over(sent.turn).await.state, TurnState::Done);
    assert_eq!(nodes.site(2).engine.sessions().len(), 1);
    assert!(nodes.site(1).engine.sessions().is_empty());
}

#[tokio::test]
async fn a_home_that_moves_closes_its_feeds_and_the_next_one_opens_them() {
    let nodes = Nodes::start(3, &[]).await;
    let home = nodes.site(0).browser().await;
    let mut feeds = Vec::new();
    for door in 0..3 {
        feeds.push(nodes.through(door, &home).feed().await);
    }
    assert_eq!(nodes.site(0).engine.feeds().open(), 3);
    nodes.settle(&home, Some(1));
    for feed in &mut feeds {
        assert_eq!(feed.closed().await, Some(1012));
    }
    for door in 0..3 {
        let browser = nodes.through(door, &home);
        let sent = browser.send("at home elsewhere").await;
        assert_eq!(answer_of(&browser, sent.turn).await.state, TurnState::Done);
    }
    assert_eq!(nodes.site(1).model.record().requests.len(), 3);
    // Others have not moved.
    let other = nodes.site(0).browser().await;
    let mut feed = nodes.through(2, &other).feed().await;
    nodes.settle(&home, Some(2));
    let sent = other.send("stays").await;
    assert_eq!(feed.over(sent.turn).await.state, TurnState::Done);
}

#[tokio::test]
async fn a_frozen_home_is_left_once_the_session_is_at_home_elsewhere() {
    let mut nodes = Nodes::start(2, &[]).await;
    let home = nodes.site(0).browser().await;
    let browser = nodes.through(1, &home);
    // Its address is taken by something that accepts and never answers.
    let address = nodes.link(0).to_owned();
    nodes.kill(0);
    let frozen = soon("the address", async {
        loop {
            if let Ok(listener) = TcpListener::bind(&address).await {
                return listener;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
    let moving = async {
        let _stream = frozen.accept().await.expect("a connection");
        nodes.settle(&home, Some(1));
        // It stays as it is until the request is answered elsewhere.
        std::future::pending::<()>().await;
    };
    tokio::select! {
        overview = browser.overview() => assert!(overview["conversations"].is_object()),
        () = moving => {}
    }
}

#[tokio::test]
async fn who_has_no_home_for_now_is_told_so_and_everything_else_is_served() {
    let nodes = Nodes::start(1, &[]).await;
    let browser = nodes.site(0).browser().await;
    nodes.settle(&browser, None);
    let stranger = Browser {
        cookie: String::new(),
        ..browser.clone()
    };
    for path in ["/health", "/ready", "/metrics", "/pkg/nothing.js", "/operator?key=x"] {
        let begun = browser.ask(browser.get(path)).await;
        assert_ne!(begun.status, StatusCode::SERVICE_UNAVAILABLE, "{path}");
    }
    let language = browser.post("/language?to=ru&back=/health");
    assert_eq!(browser.ask(language).await.status, StatusCode::OK);
    let first = stranger.get("/").header(header::ACCEPT, "text/html");
    let first = first.send().await.expect("a page");
    assert_eq!(first.status(), StatusCode::OK);
    assert!(first.headers().contains_key(header::SET_COOKIE));

    let page = browser.ask(browser.get("/").header(header::ACCEPT, "text/html"));
    let late = async {
        let function = browser.try_send(&request(None, "hello", Vec::new())).await;
        assert_eq!(
            (function.status, function.reason()),
            (StatusCode::SERVICE_UNAVAILABLE, Reason::NodeAway)
        );
        assert_eq!(function.retry_after.as_deref(), Some("2"));
    };
    let form = browser
        .post("/api/send_form")
        .header(header::ACCEPT, "text/html")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(format!("turn={}&text=typed+words", anteroom::wire::TurnId::new()));
    let export = browser.ask(browser.get("/export/none.md"));
    let upload = browser.upload("a.txt", "content");
    let ((page, form), export, upload, (), feed) = tokio::join!(
        async { tokio::join!(page, browser.ask(form)) },
        export,
        upload,
        late,
        Feed::open(&browser, None)
    );
    let sentence = "Your server cannot be reached";
    for page in [page, form] {
        assert_eq!(page.status, StatusCode::SERVICE_UNAVAILABLE);
        assert!(
            page.text.starts_with("<!DOCTYPE html>") && page.text.contains(sentence),
            "{}",
            page.text
        );
        assert_eq!(page.retry_after.as_deref(), Some("2"));
    }
    for refused in [export, upload] {
        assert_eq!(
            (refused.status, refused.reason()),
            (StatusCode::SERVICE_UNAVAILABLE, Reason::NodeAway)
        );
    }
    assert!(feed.is_err());
    assert!(nodes.site(0).engine.sessions().is_empty(), "nothing was begun");
}

#[tokio::test]
async fn a_crowd_of_silent_pages_is_passed_on_and_goes_again() {
    let nodes = Nodes::start(2, &[]).await;
    let home = nodes.site(0).browser().await;
    let browser = nodes.through(1, &home);
    let feeds: Vec<_> = stream::iter(0..300)
        .map(|_| browser.feed())
        .buffer_unordered(50)
        .collect()
        .await;
    assert_eq!(nodes.site(0).engine.feeds().open(), 300);
    assert_eq!(nodes.site(1).engine.feeds().open(), 0);
    // Others are served meanwhile.
    let sent = browser.send("among them").await;
    assert_eq!(answer_of(&browser, sent.turn).await.state, TurnState::Done);
    drop(feeds);
    soon("their ends", async {
        while nodes.site(0).engine.feeds().open() > 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_door_that_ends_sends_its_pages_to_another() {
    let nodes = Nodes::start(2, &[]).await;
    let home = nodes.site(0).browser().await;
    let mut feed = nodes.through(1, &home).feed().await;
    let door = nodes.site(1).engine.clone();
    let ending = tokio::spawn(async move { door.shutdown(Duration::ZERO).await });
    assert_eq!(feed.closed().await, Some(1012));
    drop(feed);
    soon("a good end", ending).await.expect("a good end");
    let mut feed = home.feed().await;
    let sent = home.send("goes on").await;
    assert_eq!(feed.over(sent.turn).await.state, TurnState::Done);
}

#[tokio::test]
async fn a_node_says_when_browsers_may_be_sent_to_it() {
    let nodes = Nodes::start(1, &[]).await;
    let browser = nodes.site(0).browser().await;
    let ready = async || {
        let reply = browser.ask(browser.get("/ready")).await;
        (reply.status, reply.text)
    };
    assert_eq!(ready().await, (StatusCode::OK, "ready".to_owned()));
    nodes.unready(Some("it has no lease"));
    let unready = (StatusCode::SERVICE_UNAVAILABLE, "it has no lease".to_owned());
    assert_eq!(ready().await, unready);
    assert_eq!(browser.ask(browser.get("/health")).await.status, StatusCode::OK);
    nodes.unready(None);
    assert_eq!(ready().await.0, StatusCode::OK);
}

#[tokio::test]
async fn one_that_is_alone_is_ready_until_the_first_moment_of_its_end() {
    let site = Site::start(&[]).await;
    let browser = site.browser().await;
    let mut feed = browser.feed().await;
    let ready = async || browser.ask(browser.get("/ready")).await;
    assert_eq!(ready().await.status, StatusCode::OK);
    let running = browser.send("runs [[gate=end]]").await;
    feed.until_state(running.turn, |state| *state == TurnState::Running)
        .await;
    let engine = site.engine.clone();
    let ending = tokio::spawn(async move { engine.shutdown(Duration::from_secs(3600)).await });
    soon("the shutdown", async {
        while !site.engine.is_closing() {
            tokio::task::yield_now().await;
        }
    })
    .await;
    let reply = ready().await;
    assert_eq!(
        (reply.status, &*reply.text),
        (StatusCode::SERVICE_UNAVAILABLE, "it is shutting down")
    );
    site.model.open("end");
    assert_eq!(feed.over(running.turn).await.state, TurnState::Done);
    soon("a good end", ending).await.expect("a good end");
}
