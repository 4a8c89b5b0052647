//! What a form may have done, and what becomes of one that is refused.

use anteroom::wire::{Choice, ConversationId, MAX_MESSAGE_BYTES, Reason, TurnId};
use reqwest::{StatusCode, header};

use crate::support::{Browser, Html, Reply, Site};

/// Sends a form as a browser without scripts does.
async fn submit(browser: &Browser, function: &str, referer: &str, body: String) -> Reply {
    let form = browser
        .post(&format!("/api/{function}"))
        .header(
            header::ACCEPT,
            "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
        )
        .header(header::ORIGIN, format!("http://{}", browser.addr))
        .header(header::REFERER, format!("http://{}{referer}", browser.addr))
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    browser.ask(form.body(body)).await
}

#[tokio::test]
async fn everything_is_deleted_only_for_a_page_of_this_session() {
    let site = Site::start(&[]).await;
    let (browser, thief) = (site.browser().await, site.browser().await);
    let sent = browser.send("hello").await;
    browser.feed().await.over(sent.turn).await;
    let confirmation = |overview: serde_json::Value| overview["confirmation"].as_str().expect("text").to_owned();
    let (own, others) = (
        confirmation(browser.overview().await),
        confirmation(thief.overview().await),
    );
    let encoded =
        |text: &str| percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string();

    // A form that somebody has put into a page of ours, or a link that tells of being followed.
    for body in [
        String::new(),
        "confirmation=".to_owned(),
        format!("confirmation={}", encoded(&others)),
    ] {
        let page = submit(&browser, "forget", "/", body.clone()).await;
        assert!(page.status.is_client_error(), "{body}: {page:?}");
        assert!(page.text.contains("Nothing was deleted"), "{body}: {page:?}");
        let reply = browser
            .ask(
                browser
                    .post("/api/forget")
                    .header(header::CONTENT_TYPE, "text/ping")
                    .body(body),
            )
            .await;
        assert!(reply.status.is_client_error(), "{reply:?}");
    }
    for wrong in ["", "x", &*others, &own[1..]] {
        let reply = browser.call("forget", &[("confirmation", wrong)]).await;
        assert_eq!(reply.status, StatusCode::FORBIDDEN, "{wrong}: {reply:?}");
        assert_eq!(reply.reason(), Reason::NotConfirmed);
    }
    assert!(browser.conversation(sent.conversation).await.is_some());

    // The form of the page itself.
    let page = browser
        .ask(browser.get("/data").header(header::ACCEPT, "text/html"))
        .await;
    assert!(page.text.contains(&format!("value=\"{own}\"")), "{}", page.text);
    let reply = submit(&browser, "forget", "/data", format!("confirmation={}", encoded(&own))).await;
    assert_eq!(reply.status, StatusCode::OK, "{reply:?}");
    assert_eq!(browser.conversation(sent.conversation).await, None);
}

#[tokio::test]
async fn the_browser_is_another_one_after_everything_was_deleted() {
    let site = Site::start(&[]).await;
    let browser = site.browser().await;
    let overview = browser.overview().await;
    let confirmation = overview["confirmation"].as_str().expect("text");
    let confirmation = percent_encoding::utf8_percent_encode(confirmation, percent_encoding::NON_ALPHANUMERIC);
    let form = browser
        .post("/api/forget")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(format!("confirmation={confirmation}"));
    let reply = form.send().await.expect("an answer");
    assert_eq!(reply.status(), StatusCode::OK);
    let cookies: Vec<_> = reply.headers().get_all(header::SET_COOKIE).iter().collect();
    assert_eq!(cookies.len(), 1, "{cookies:?}");
    let cookie = cookies[0].to_str().expect("text");
    assert!(
        cookie.starts_with("anteroom=") && !cookie.starts_with(&browser.cookie),
        "{cookie}"
    );
}

#[tokio::test]
async fn a_form_in_place_of_a_button_needs_the_confirmation_of_its_own_session() {
    let site = Site::start(&[]).await;
    let (browser, thief) = (site.browser().await, site.browser().await);
    let sent = browser.send("hello").await;
    browser.feed().await.over(sent.turn).await;
    let encoded =
        |text: &str| percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string();
    let confirmation = |overview: serde_json::Value| encoded(overview["confirmation"].as_str().expect("text"));
    let (own, others) = (
        confirmation(browser.overview().await),
        confirmation(thief.overview().await),
    );
    let id = sent.conversation;
    let forms = [
        ("form/rename", format!("conversation={id}&title=Mine")),
        (
            "form/again",
            format!("conversation={id}&turn={}&new={}", sent.turn, TurnId::new()),
        ),
        ("form/shelve", format!("conversation={id}&archived=true")),
        ("form/delete", format!("conversation={id}")),
    ];
    for (form, fields) in &forms {
        for confirmation in ["", "&confirmation=", &format!("&confirmation={others}")] {
            let page = submit(&browser, form, &format!("/c/{id}"), format!("{fields}{confirmation}")).await;
            assert!(page.status.is_client_error(), "{form}: {page:?}");
            assert!(page.text.contains("Nothing was changed"), "{form}: {page:?}");
            assert!(page.text.contains(&format!("href=\"/c/{id}\"")), "{form}: {page:?}");
        }
        // With a confirmation of their own, what is another's is not there.
        let page = submit(&thief, form, "/", format!("{fields}&confirmation={others}")).await;
        assert!(page.status.is_client_error(), "{form}: {page:?}");
    }
    for odd in ["form/nothing", "form/", "form/rename/x"] {
        let page = submit(&browser, odd, "/", format!("conversation={id}&confirmation={own}")).await;
        assert!(page.status.is_client_error(), "{odd}: {page:?}");
    }
    let view = browser.conversation(id).await.expect("it is there");
    assert_eq!((view.summary.title.as_str(), view.turns.len()), ("hello", 1));
    assert!(!view.summary.archived);

    // Another site's page, whatever it knows.
    let form = browser
        .post("/api/form/delete")
        .header(header::ACCEPT, "text/html")
        .header(header::ORIGIN, "http://evil.example")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    let reply = browser
        .ask(form.body(format!("conversation={id}&confirmation={own}")))
        .await;
    assert_eq!(reply.status, StatusCode::FORBIDDEN);
    assert!(browser.conversation(id).await.is_some());

    // The page of the conversation has each of them, and they do what they say.
    for (form, fields) in &forms {
        let page = browser
            .ask(browser.get(&format!("/c/{id}")).header(header::ACCEPT, "text/html"))
            .await;
        assert!(page.text.contains(&format!("action=\"/api/{form}\"")), "{}", page.text);
        let done = submit(&browser, form, "/", format!("{fields}&confirmation={own}")).await;
        assert!(done.status.is_success(), "{form}: {done:?}");
        match *form {
            "form/rename" => assert_eq!(
                browser.conversation(id).await.expect("it is there").summary.title,
                "Mine"
            ),
            "form/again" => {
                let turns = browser.conversation(id).await.expect("it is there").turns;
                assert_eq!(turns.last().map(|turn| turn.versions.count), Some(2));
            }
            "form/shelve" => {
                let line = browser.conversation(id).await.expect("it is there").summary;
                assert!(line.archived && !line.pinned);
            }
            _ => assert_eq!(browser.conversation(id).await, None),
        }
    }
}

#[tokio::test]
async fn a_form_changes_nothing_else() {
    let site = Site::start(&[]).await;
    let browser = site.browser().await;
    let sent = browser.send("hello").await;
    browser.feed().await.over(sent.turn).await;
    let id = sent.conversation;
    for (function, body) in [
        ("delete", format!("conversation={id}")),
        ("rename", format!("conversation={id}&title=Mine")),
        (
            "choose",
            format!("conversation={id}&choice[instructions]=Be+brief&choice[temperature]=1"),
        ),
        ("again", format!("turn={}&new={}", sent.turn, TurnId::new())),
        ("cancel", format!("turn={}", sent.turn)),
        ("nothing", String::new()),
    ] {
        let page = submit(&browser, function, "/", body).await;
        assert_eq!(page.status, StatusCode::FORBIDDEN, "{function}: {page:?}");
        assert!(page.text.contains("Nothing was changed"), "{function}: {page:?}");
    }
    let view = browser.conversation(id).await.expect("it is there");
    assert_eq!((view.summary.title.as_str(), view.turns.len()), ("hello", 1));
    assert_eq!(view.choice, Choice::default());
}

#[tokio::test]
async fn what_is_too_large_is_refused_in_words() {
    let site = Site::start(&[]).await;
    let browser = site.browser().await;
    let conversation = ConversationId::new();
    for (referer, back) in [
        ("/", "/".to_owned()),
        (&*format!("/c/{conversation}"), format!("/c/{conversation}")),
    ] {
        // So much more that the server could have answered before all of it was sent.
        for more in [1, 1 << 20, 3 << 20] {
            let text = "x".repeat(anteroom::http::MAX_BODY + more);
            let page = submit(
                &browser,
                "send_form",
                referer,
                format!("turn={}&text={text}", TurnId::new()),
            )
            .await;
            assert_eq!(page.status, StatusCode::PAYLOAD_TOO_LARGE, "{}", page.text);
            let html = Html::read(&page.text);
            assert_eq!(html.text("h1"), "Your message was not sent");
            assert!(html.text("p").contains("65,536 bytes"), "{}", page.text);
            assert!(page.text.contains(&format!("href=\"{back}\"")), "{}", page.text);
        }
    }
    // Without its length told beforehand, as a script could send it.
    let chunks = (0..40).map(|_| Ok::<_, std::io::Error>("x".repeat(32 * 1024)));
    let body = reqwest::Body::wrap_stream(futures_util::stream::iter(chunks));
    let json = browser
        .post("/api/send")
        .header(header::CONTENT_TYPE, "application/json");
    let reply = browser.ask(json.body(body)).await;
    assert_eq!(reply.status, StatusCode::PAYLOAD_TOO_LARGE, "{reply:?}");
    let most = MAX_MESSAGE_BYTES as u64;
    assert_eq!(reply.reason(), Reason::RequestTooLarge { most });
    assert!(site.model.record().requests.is_empty());
}
