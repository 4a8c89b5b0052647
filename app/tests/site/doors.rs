//! What the doors let in, and whom.

use anteroom::wire::{ConversationId, FileId, MAX_MESSAGE_BYTES, Reason, TurnId, TurnState};
use reqwest::{StatusCode, header};

use crate::support::{Browser, Feed, Reply, Site, answer_of, request};

#[tokio::test]
async fn bad_messages_are_refused_with_a_sentence_and_harm_nothing() {
    let site = Site::start(&[]).await;
    let browser = site.browser().await;
    let json = |body: Vec<u8>| {
        browser
            .post("/api/send")
            .header(header::CONTENT_TYPE, "application/json")
            .body(body)
    };
    for blank in ["", " \n\t ", "\u{a0}\u{2003}"] {
        let reply = browser.try_send(&request(None, blank, Vec::new())).await;
        assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{reply:?}");
        assert_eq!(reply.reason(), Reason::EmptyMessage);
    }
    let long = browser
        .try_send(&request(None, &"x".repeat(MAX_MESSAGE_BYTES + 1), Vec::new()))
        .await;
    assert_eq!(long.status, StatusCode::PAYLOAD_TOO_LARGE, "{long:?}");
    let most = MAX_MESSAGE_BYTES as u64;
    assert_eq!(long.reason(), Reason::MessageTooLong { bytes: most + 1, most });
    let huge = browser.try_send(&request(None, &"x".repeat(1 << 20), Vec::new())).await;
    assert_eq!(huge.status, StatusCode::PAYLOAD_TOO_LARGE, "{huge:?}");
    assert_eq!(huge.reason(), Reason::RequestTooLarge { most });
    let mut raw = serde_json::json!({ "request": request(None, "bytes: @", Vec::new()) })
        .to_string()
        .into_bytes();
    for byte in &mut raw {
        if *byte == b'@' {
            *byte = 0xff;
        }
    }
    for garbage in [&raw[..], b"{", b"", b"[]", b"{\"request\":{\"turn\":\"x\"}}"] {
        let reply = browser.ask(json(garbage.to_vec())).await;
        assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{reply:?}");
        assert_eq!(reply.reason(), Reason::RequestUnreadable);
    }
    for garbage in [
        "",
        "turn=",
        "turn=x",
        "turn=%ff",
        "TURN=0190a3c2-7e0b-7c5e-8d6d-1d3a5b7c9e0f",
    ] {
        let form = browser.post("/api/cancel");
        let form = form.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        let reply = browser.ask(form.body(garbage)).await;
        assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{garbage}: {reply:?}");
        assert_eq!(reply.reason(), Reason::RequestUnreadable);
    }
    let files = vec![FileId::new(); 11];
    assert_eq!(
        browser.try_send(&request(None, "hello", files)).await.status,
        StatusCode::BAD_REQUEST
    );
    let unknown = browser.try_send(&request(None, "hello", vec![FileId::new()])).await;
    assert_eq!(unknown.status, StatusCode::BAD_REQUEST, "{unknown:?}");
    let nowhere = browser
        .try_send(&request(Some(ConversationId::new()), "hello", Vec::new()))
        .await;
    assert_eq!(nowhere.status, StatusCode::NOT_FOUND, "{nowhere:?}");
    assert!(
        browser.overview().await["conversations"]["conversations"]
            .as_array()
            .expect("a list")
            .is_empty()
    );
    assert!(site.model.record().requests.is_empty());
    let good = browser.send("still here?").await;
    assert_eq!(answer_of(&browser, good.turn).await.state, TurnState::Done);
}

#[tokio::test]
async fn sending_the_same_turn_again_makes_no_second_one() {
    let site = Site::start(&[]).await;
    let browser = site.browser().await;
    let message = request(None, "once", Vec::new());
    let first: anteroom::wire::Sent = browser.try_send(&message).await.json();
    answer_of(&browser, first.turn).await;
    let second: anteroom::wire::Sent = browser.try_send(&message).await.json();
    assert_eq!((first.turn, first.conversation), (second.turn, second.conversation));
    assert_eq!(site.model.record().requests.len(), 1);
    // The same id from another browser is another turn.
    let other = site.browser().await;
    let foreign: anteroom::wire::Sent = other.try_send(&message).await.json();
    assert_ne!(foreign.conversation, first.conversation);
}

#[tokio::test]
async fn nobody_reaches_what_is_anothers() {
    let site = Site::start(&[("CHAT_CONCURRENCY_LIMIT", "1")]).await;
    site.model.hold(true);
    let (owner, thief) = (site.browser().await, site.browser().await);
    let file = owner.uploaded("secret.txt", "the secret").await;
    let sent = owner.send_with(None, "private", vec![file.id]).await;

    assert!(!thief.cancel(sent.turn).await);
    assert_eq!(thief.conversation(sent.conversation).await, None);
    assert_eq!(
        thief.again(sent.turn, TurnId::new()).await.status,
        StatusCode::NOT_FOUND
    );
    let stolen = thief
        .try_send(&request(Some(sent.conversation), "hello", Vec::new()))
        .await;
    assert_eq!(stolen.status, StatusCode::NOT_FOUND);
    let stolen = thief.try_send(&request(None, "hello", vec![file.id])).await;
    assert_eq!(stolen.status, StatusCode::BAD_REQUEST);
    assert_eq!(
        thief.ask(thief.get(&format!("/files/{}", file.id))).await.status,
        StatusCode::NOT_FOUND
    );
    assert_eq!(
        owner.ask(owner.get(&format!("/files/{}", file.id))).await.text,
        "the secret"
    );
    assert!(
        thief.overview().await["conversations"]["conversations"]
            .as_array()
            .expect("a list")
            .is_empty()
    );
    site.model.hold(false);
    let mut feed = thief.feed().await;
    let own = thief.send("mine").await;
    feed.over(own.turn).await;
    assert_eq!(feed.turns.len(), 1, "a feed holds its own session's turns only");
    assert_eq!(answer_of(&owner, sent.turn).await.state, TurnState::Done);
}

#[tokio::test]
async fn forged_and_missing_cookies_are_nobody() {
    let site = Site::start(&[]).await;
    let browser = site.browser().await;
    let (name, value) = browser.cookie.split_once('=').expect("a pair");
    let mut swapped = value.to_owned();
    swapped.replace_range(44..45, if &swapped[44..45] == "0" { "1" } else { "0" });
    for cookie in [
        String::new(),
        format!("{name}="),
        format!("{name}={swapped}"),
        format!("{name}={}", &value[44..]),
    ] {
        let forger = Browser {
            cookie,
            ..browser.clone()
        };
        let reply = forger.try_send(&request(None, "hello", Vec::new())).await;
        assert_eq!(reply.status, StatusCode::UNAUTHORIZED, "{reply:?}");
        assert_eq!(reply.reason(), Reason::NoCookie);
        assert_eq!(forger.upload("a.txt", "a").await.status, StatusCode::UNAUTHORIZED);
        assert!(Feed::open(&forger, None).await.is_err());
    }
}

#[tokio::test]
async fn other_sites_are_refused() {
    let site = Site::start(&[]).await;
    let browser = site.browser().await;
    for origin in ["http://evil.example", "null"] {
        assert!(Feed::open_from(&browser, None, origin).await.is_err());
        let body = serde_json::json!({ "request": request(None, "hello", Vec::new()) }).to_string();
        let send = browser
            .post("/api/send")
            .header(header::CONTENT_TYPE, "application/json")
            .body(body);
        assert_eq!(
            browser.ask(send.header(header::ORIGIN, origin)).await.status,
            StatusCode::FORBIDDEN
        );
        let upload = browser
            .post("/files?name=a.txt")
            .header(header::ORIGIN, origin)
            .body("a");
        assert_eq!(browser.ask(upload).await.status, StatusCode::FORBIDDEN);
    }
    let cross = browser.post("/api/overview").header("sec-fetch-site", "cross-site");
    assert_eq!(browser.ask(cross).await.status, StatusCode::FORBIDDEN);
    assert!(site.engine.sessions().is_empty(), "nothing was begun for them");
}

#[tokio::test]
async fn a_page_sent_without_webassembly_works() {
    let site = Site::start(&[]).await;
    let browser = site.browser().await;
    let turn = TurnId::new();
    let form = browser
        .post("/api/send_form")
        .header(header::ACCEPT, "text/html")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(format!("turn={turn}&text=Hello+from+a+form"));
    let page = browser.ask(form).await;
    assert_eq!(page.status, StatusCode::OK, "the redirect leads to the conversation");
    assert!(page.text.contains("Hello from a form"), "{}", page.text);
    assert!(answer_of(&browser, turn).await.answer.contains("Hello from a form"));
}

#[tokio::test]
async fn a_form_that_is_refused_is_answered_with_a_page() {
    let site = Site::start(&[]).await;
    let browser = site.browser().await;
    let nobody = Browser {
        cookie: String::new(),
        ..browser.clone()
    };
    let send = async |from: &Browser, form: &str| -> Reply {
        let request = from.post("/api/send_form").header(header::ACCEPT, "text/html,*/*");
        let request = request
            .header(header::REFERER, format!("http://{}/", from.addr))
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        from.ask(request.body(form.to_owned())).await
    };
    let whole = format!("turn={}&text=my+%3Cb%3Ewords", TurnId::new());
    let blank = format!("turn={}&text=+", TurnId::new());
    let elsewhere = ConversationId::new();
    let strange = format!("{whole}&conversation={elsewhere}");
    for (from, form, status, reason) in [
        (&nobody, &whole, StatusCode::UNAUTHORIZED, "Allow cookies for this site"),
        (&browser, &blank, StatusCode::BAD_REQUEST, "empty"),
        (&browser, &strange, StatusCode::NOT_FOUND, "conversation"),
        (
            &browser,
            &"text=my+%3Cb%3Ewords".to_owned(),
            StatusCode::BAD_REQUEST,
            "could not be read",
        ),
    ] {
        let page = send(from, form).await;
        assert_eq!(page.status, status, "{}", page.text);
        assert!(page.text.starts_with("<!DOCTYPE html>"), "{}", page.text);
        assert!(page.text.contains("Your message was not sent"), "{}", page.text);
        assert!(page.text.contains(reason), "{}", page.text);
        assert!(
            form == &blank || page.text.contains("my &lt;b&gt;words"),
            "{}",
            page.text
        );
        let back = format!("/c/{elsewhere}");
        assert_eq!(page.text.contains(&back), form == &strange, "{}", page.text);
    }
    assert!(site.model.record().requests.is_empty());
}

#[tokio::test]
async fn health_and_metrics_answer_while_every_slot_is_busy() {
    let site = Site::start(&[("ENABLE_CONCURRENT_PROCESSING", "false")]).await;
    site.model.hold(true);
    let browser = site.browser().await;
    browser.send("holds the only slot").await;
    browser.send("waits").await;
    let watcher = Browser {
        cookie: String::new(),
        ..browser
    };
    let health = watcher.ask(watcher.get("/health")).await;
    assert_eq!(health.status, StatusCode::OK);
    assert!(health.text.contains("\"ok\""), "{}", health.text);
    let metrics = watcher.ask(watcher.get("/metrics")).await;
    assert_eq!(metrics.status, StatusCode::OK);
    assert!(metrics.text.contains("waiting"), "{}", metrics.text);
}

#[tokio::test]
async fn unknown_pages_and_functions_are_not_found() {
    let site = Site::start(&[]).await;
    let browser = site.browser().await;
    let page = browser
        .ask(browser.get("/nowhere").header(header::ACCEPT, "text/html"))
        .await;
    assert_eq!(page.status, StatusCode::NOT_FOUND);
    let function = browser.ask(browser.post("/api/nothing")).await;
    assert_eq!(function.status, StatusCode::NOT_FOUND);
    assert_eq!(function.reason(), Reason::RequestUnknown);
    assert_eq!(
        browser.ask(browser.get("/files/not-an-id")).await.status,
        StatusCode::BAD_REQUEST
    );
    let missing = browser.ask(browser.get("/pkg/nothing.js")).await;
    assert_eq!(missing.status, StatusCode::NOT_FOUND);
    assert_eq!(missing.reason(), Reason::RequestUnknown);
    let address = format!("http://{}/pkg/nothing.js", browser.addr);
    let head = browser.http.head(address).send().await.expect("an answer");
    assert_eq!(head.status(), StatusCode::NOT_FOUND);
    assert_ne!(head.headers()["content-length"], "0", "what a GET has");
    assert_eq!(head.bytes().await.expect("a body"), "");
    assert_eq!(
        browser.ask(browser.get("/pkg/../../Cargo.toml")).await.status,
        StatusCode::NOT_FOUND
    );
}

#[tokio::test]
async fn a_page_that_cannot_be_made_says_why() {
    let site = Site::start(&[]).await;
    let browser = site.browser().await;
    site.engine.store().close().await;
    let page = browser.ask(browser.get("/stats")).await;
    assert_eq!(page.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(page.text.contains("This page could not be made"), "{}", page.text);
    assert!(page.text.contains("cannot be read at the moment"), "{}", page.text);
}

/// Pages are rendered by several threads at once, and none may wait for what another has.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn pages_asked_for_all_at_once_are_all_there() {
    let site = Site::start(&[]).await;
    let browser = site.browser().await;
    let sent = browser.send("hello").await;
    answer_of(&browser, sent.turn).await;
    let mut asking = tokio::task::JoinSet::new();
    for number in 0..240 {
        let browser = browser.clone();
        let path = match number % 4 {
            0 => "/".to_owned(),
            1 => format!("/c/{}", sent.conversation),
            2 => "/stats".to_owned(),
            _ => "/logs".to_owned(),
        };
        asking.spawn(async move {
            let page = browser.get(&path).header(header::ACCEPT, "text/html");
            (browser.ask(page).await, path)
        });
    }
    while let Some(asked) = asking.join_next().await {
        let (page, path) = asked.expect("asked");
        assert_eq!(page.status, StatusCode::OK, "{path}");
        // The list of conversations, and for the browser's half what the page was made of.
        let titles = page.text.matches("hello").count();
        assert!(titles >= 2, "{path}: {}", page.text);
    }
}
