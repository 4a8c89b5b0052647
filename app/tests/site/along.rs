//! Taking a conversation along: what a link does, once, and what its guest sees and does not see.

use anteroom::wire::{ConversationId, Sent};
use futures_util::{Stream, StreamExt as _};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::{Client, RequestBuilder, Response, StatusCode, header, redirect};

use crate::support::{Browser, Html, Log, Site, soon};

/// A device without any cookie, which follows no redirect by itself.
fn device() -> Client {
    anteroom::tls::install();
    let device = Client::builder().no_proxy().redirect(redirect::Policy::none());
    device.build().expect("a client")
}

pub(super) fn page(site: &Site, path: &str, cookie: &str) -> RequestBuilder {
    device()
        .get(format!("http://{}{path}", site.addr))
        .header(header::ACCEPT, "text/html")
        .header(header::COOKIE, cookie)
}

pub(super) async fn text(request: RequestBuilder) -> (StatusCode, String) {
    let answer = soon("an answer", request.send()).await.expect("an answer");
    (answer.status(), answer.text().await.expect("a body"))
}

/// Sends a form of the owner's pages.
async fn form(browser: &Browser, action: &str, conversation: ConversationId, fields: &str) -> (StatusCode, String) {
    let overview = browser.overview().await;
    let confirmation = overview["confirmation"].as_str().expect("text");
    let confirmation = utf8_percent_encode(confirmation, NON_ALPHANUMERIC);
    let form = device()
        .post(format!("http://{}/api/form/{action}", browser.addr))
        .header(header::COOKIE, &browser.cookie)
        .header(header::ACCEPT, "text/html")
        .header(header::ORIGIN, format!("http://{}", browser.addr))
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    text(form.body(format!(
        "confirmation={confirmation}&conversation={conversation}&{fields}"
    )))
    .await
}

/// Makes a link, and returns its path.
pub(super) async fn link(browser: &Browser, conversation: ConversationId, fields: &str) -> String {
    let (status, page) = form(browser, "along", conversation, fields).await;
    assert_eq!(status, StatusCode::OK, "{page}");
    let address = format!("http://{}", browser.addr);
    let (_, rest) = page.split_once(&address).expect("the whole address");
    let path = rest.split('"').next().expect("its end").to_owned();
    assert!(path.starts_with("/t/") && path.len() == 3 + 32, "{path}");
    path
}

/// Presses the button of a link.
pub(super) async fn press(site: &Site, path: &str, more: &str, cookie: &str) -> Response {
    let secret = path.strip_prefix("/t/").expect("a link");
    let form = device()
        .post(format!("http://{}/t", site.addr))
        .header(header::COOKIE, cookie)
        .header(header::ORIGIN, format!("http://{}", site.addr))
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(format!("secret={secret}{more}"));
    soon("an answer", form.send()).await.expect("an answer")
}

/// A guest: where they watch, and the cookie for it.
pub(super) struct Guest {
    pub(super) path: String,
    pub(super) cookie: String,
}

/// Opens a link in another browser.
pub(super) async fn open(site: &Site, path: &str) -> Guest {
    let answer = press(site, path, "", "").await;
    assert_eq!(answer.status(), StatusCode::SEE_OTHER);
    let text = |name| answer.headers()[name].to_str().expect("text").to_owned();
    let cookie = text(header::SET_COOKIE);
    let path = text(header::LOCATION);
    assert!(
        cookie.starts_with("anteroom_guest=") && cookie.contains(&format!("Path={path};")),
        "{cookie}"
    );
    assert_eq!(
        answer.headers().get_all(header::SET_COOKIE).iter().count(),
        1,
        "no session comes with it"
    );
    Guest {
        path,
        cookie: cookie.split(';').next().expect("a pair").to_owned(),
    }
}

/// What a guest is shown of a conversation.
pub(super) async fn shown(site: &Site, browser: &Browser, conversation: ConversationId) -> Html {
    let guest = open(site, &link(browser, conversation, "kind=watch").await).await;
    let (status, html) = text(page(site, &guest.path, &guest.cookie)).await;
    assert_eq!(status, StatusCode::OK, "{html}");
    Html::read(&html)
}

/// The guest's feed, as text.
pub(super) async fn follow(site: &Site, guest: &Guest) -> impl Stream<Item = String> + Unpin + use<> {
    let answer = page(site, &format!("{}/feed", guest.path), &guest.cookie).send().await;
    let answer = answer.expect("an answer");
    assert_eq!(answer.status(), StatusCode::OK);
    Box::pin(
        answer
            .bytes_stream()
            .map(|part| String::from_utf8(part.expect("more").to_vec()).expect("text")),
    )
}

/// Reads until this has come; all that has come by then.
pub(super) async fn until(feed: &mut (impl Stream<Item = String> + Unpin), what: &str) -> String {
    let mut come = String::new();
    soon(what, async {
        while !come.contains(what) {
            come += &feed
                .next()
                .await
                .unwrap_or_else(|| panic!("it ended before {what}: {come}"));
        }
    })
    .await;
    come
}

async fn talk(site: &Site) -> (Browser, Sent) {
    let browser = site.browser().await;
    let sent = browser.send("story [[tokens=60 gate=middle after=20]]").await;
    let mut feed = browser.feed().await;
    feed.until("a part of the answer", |feed| {
        let turn = feed.turns.get(&sent.turn);
        turn.is_some_and(|turn| turn.blocks.concat().contains("word15"))
    })
    .await;
    (browser, sent)
}

#[tokio::test]
async fn a_guest_sees_the_answer_grow_and_then_that_the_link_is_revoked() {
    let site = Site::start(&[]).await;
    let (browser, sent) = talk(&site).await;
    let path = link(&browser, sent.conversation, "kind=watch&seconds=3600").await;
    let guest = open(&site, &path).await;
    let (status, shown) = text(page(&site, &guest.path, &guest.cookie)).await;
    assert_eq!(status, StatusCode::OK);
    assert!(
        shown.contains("word15") && shown.contains("The answer is being written"),
        "{shown}"
    );
    let mut feed = follow(&site, &guest).await;
    until(&mut feed, "word15").await;
    site.model.open("middle");
    let grown = until(&mut feed, "The answer is there").await;
    assert!(grown.contains("word59"), "{grown}");

    let (_, listed) = text(page(&site, &format!("/c/{}/along", sent.conversation), &browser.cookie)).await;
    assert!(listed.contains("opened: somebody can watch"), "{listed}");
    let id = guest.path.strip_prefix("/along/").expect("a pass");
    let (status, _) = form(&browser, "along-revoke", sent.conversation, &format!("pass={id}")).await;
    assert_eq!(status, StatusCode::SEE_OTHER);
    let told = until(&mut feed, "has been revoked").await;
    assert!(told.contains("event: end"), "{told}");
    assert_eq!(feed.next().await, None, "nothing comes after that");
    let (status, shown) = text(page(&site, &guest.path, &guest.cookie)).await;
    assert_eq!(status, StatusCode::GONE);
    assert!(shown.contains("revoked") && !shown.contains("word15"), "{shown}");
    // A feed that is asked for again says so, too.
    until(&mut follow(&site, &guest).await, "has been revoked").await;
}

#[tokio::test]
async fn looking_at_a_link_uses_nothing_up_and_the_second_to_press_is_refused() {
    let site = Site::start(&[]).await;
    let (browser, sent) = talk(&site).await;
    let path = link(&browser, sent.conversation, "kind=watch").await;
    for _ in 0..3 {
        let (status, shown) = text(page(&site, &path, "")).await;
        assert_eq!(status, StatusCode::OK);
        assert!(
            !shown.contains("gate=middle"),
            "a preview hears nothing of the conversation: {shown}"
        );
        let head = device().head(format!("http://{}{path}", site.addr)).send().await;
        let head = head.expect("an answer");
        assert_eq!(head.status(), StatusCode::OK);
        assert!(head.headers().get(header::SET_COOKIE).is_none());
        assert_eq!(head.headers()[header::REFERRER_POLICY], "strict-origin");
        assert_eq!(head.headers()[header::CACHE_CONTROL], "no-store");
    }
    // The browser that has made it does not use it up by mistake.
    assert_eq!(press(&site, &path, "", &browser.cookie).await.status(), StatusCode::OK);
    // Another site's page presses nothing.
    let secret = path.strip_prefix("/t/").expect("a link");
    let forged = device()
        .post(format!("http://{}/t", site.addr))
        .header(header::ORIGIN, "http://evil.example");
    let forged = forged.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    assert_eq!(
        text(forged.body(format!("secret={secret}"))).await.0,
        StatusCode::FORBIDDEN
    );
    let guest = open(&site, &path).await;
    let second = press(&site, &path, "", "").await;
    assert_eq!(second.status(), StatusCode::GONE);
    assert!(second.headers().get(header::SET_COOKIE).is_none());
    assert!(second.text().await.expect("a page").contains("has been used"));
    assert_eq!(text(page(&site, &path, "")).await.0, StatusCode::GONE);
    assert_eq!(text(page(&site, &guest.path, &guest.cookie)).await.0, StatusCode::OK);
    // What stood in the link is worth nothing as a cookie, and neither is another's.
    for cookie in [
        "",
        &format!("anteroom_guest={secret}"),
        "anteroom_guest=x",
        &*browser.cookie,
    ] {
        let (status, shown) = text(page(&site, &guest.path, cookie)).await;
        assert_eq!(status, StatusCode::NOT_FOUND, "{cookie}");
        assert!(!shown.contains("word15"), "{shown}");
    }
}

#[tokio::test]
async fn a_guest_comes_through_no_other_door() {
    let site = Site::start(&[]).await;
    let (browser, sent) = talk(&site).await;
    let (file, foreign) = (
        browser.uploaded("a.txt", "mine").await,
        browser.uploaded("b.txt", "other").await,
    );
    let with_file = browser
        .send_with(None, "xylophone [[reply=markdown]]", vec![file.id])
        .await;
    let guest = open(&site, &link(&browser, with_file.conversation, "kind=watch").await).await;
    let file_path = |id| format!("{}/files/{id}", guest.path);
    assert_eq!(text(page(&site, &file_path(file.id), &guest.cookie)).await.1, "mine");
    assert_eq!(
        text(page(&site, &file_path(foreign.id), &guest.cookie)).await.0,
        StatusCode::NOT_FOUND
    );
    assert_eq!(
        text(page(&site, &file_path(file.id), "")).await.0,
        StatusCode::NOT_FOUND
    );

    // Wherever a session's own things are, the guest's cookie is nobody's.
    let other = sent.conversation;
    for path in [
        format!("/files/{}", file.id),
        format!("/export/{}.json", with_file.conversation),
        "/feed".to_owned(),
    ] {
        let (status, _) = text(page(&site, &path, &guest.cookie)).await;
        assert!(
            status == StatusCode::UNAUTHORIZED || status == StatusCode::BAD_REQUEST,
            "{path}: {status}"
        );
    }
    for path in [
        format!("/branch/{}", with_file.turn),
        format!("/rate/{}/good", with_file.turn),
        "/import".to_owned(),
        "/files?name=x".to_owned(),
        format!("{}/files", guest.path),
        guest.path.clone(),
    ] {
        let post = device().post(format!("http://{}{path}", site.addr));
        let post = post.header(header::COOKIE, &guest.cookie).body("x");
        assert!(text(post).await.0.is_client_error(), "{path}");
    }
    let functions = [
        "overview",
        "conversations",
        "conversation",
        "earlier",
        "search",
        "rename",
        "choose",
        "delete",
        "undelete",
        "version",
        "forget",
        "send",
        "reword",
        "withdraw",
        "release",
        "cancel",
        "again",
        "refresh",
        "charts",
        "form/along",
        "form/along-revoke",
        "form/key",
        "form/key-rates",
        "form/key-revoke",
        "form/delete",
    ];
    for function in functions {
        let post = device()
            .post(format!("http://{}/api/{function}", site.addr))
            .header(header::COOKIE, &guest.cookie)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(format!(
                "id={0}&conversation={0}&turn={1}&before={1}&new={1}&text=x&title=x&confirmation=x&kind=watch&span=hour&offset=0",
                with_file.conversation, with_file.turn
            ));
        let (status, said) = text(post).await;
        assert!(
            status.is_client_error() || status.is_server_error(),
            "{function}: {status} {said}"
        );
        assert!(
            !said.contains("gate=middle") && !said.contains("xylophone"),
            "{function}: {said}"
        );
    }
    for path in [
        "/".to_owned(),
        format!("/c/{other}"),
        format!("/c/{}", with_file.conversation),
    ] {
        let (_, shown) = text(page(&site, &path, &guest.cookie)).await;
        assert!(!shown.contains("gate=middle") && !shown.contains("xylophone"), "{path}");
    }
    let (status, _) = text(page(
        &site,
        &format!("/c/{}/along", with_file.conversation),
        &guest.cookie,
    ))
    .await;
    assert!(status.is_client_error(), "{status}");
    // One pass is no key to another.
    let second = open(&site, &link(&browser, other, "kind=watch").await).await;
    assert_eq!(
        text(page(&site, &second.path, &guest.cookie)).await.0,
        StatusCode::NOT_FOUND
    );
    // Nobody makes one to what is not theirs.
    let stranger = site.browser().await;
    let (status, _) = form(&stranger, "along", other, "kind=watch").await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    let id = second.path.strip_prefix("/along/").expect("a pass");
    form(&stranger, "along-revoke", other, &format!("pass={id}")).await;
    assert_eq!(text(page(&site, &second.path, &second.cookie)).await.0, StatusCode::OK);
    assert_eq!(site.engine.sessions().len(), 1, "guests have none");
}

#[tokio::test]
async fn a_session_moves_on_purpose_at_both_ends_and_once() {
    let site = Site::start(&[]).await;
    let (browser, sent) = talk(&site).await;
    let (status, _) = form(&browser, "along", sent.conversation, "kind=move").await;
    assert_eq!(status, StatusCode::BAD_REQUEST, "it was not said to be meant");
    let path = link(&browser, sent.conversation, "kind=move&sure=yes").await;
    let asked = press(&site, &path, "", "").await;
    assert_eq!(asked.status(), StatusCode::OK);
    assert!(asked.headers().get(header::SET_COOKIE).is_none());
    let moved = press(&site, &path, "&sure=yes", "").await;
    assert_eq!(moved.status(), StatusCode::SEE_OTHER);
    assert_eq!(
        moved.headers()[header::LOCATION],
        format!("/c/{}", sent.conversation).as_str()
    );
    let cookie = moved.headers()[header::SET_COOKIE].to_str().expect("text");
    let other = Browser {
        cookie: cookie.split(';').next().expect("a pair").to_owned(),
        ..browser.clone()
    };
    assert!(other.conversation(sent.conversation).await.is_some());
    assert!(other.cancel(sent.turn).await, "it is the owner");
    assert!(
        browser.conversation(sent.conversation).await.is_some(),
        "as well as the first"
    );
    assert_eq!(press(&site, &path, "&sure=yes", "").await.status(), StatusCode::GONE);
}

#[tokio::test]
async fn what_is_over_forgotten_or_switched_off_shows_nothing() {
    let site = Site::start(&[]).await;
    let (browser, sent) = talk(&site).await;
    let (used, unused) = (
        link(&browser, sent.conversation, "kind=watch").await,
        link(&browser, sent.conversation, "kind=watch").await,
    );
    let guest = open(&site, &used).await;
    crate::support::edit(site.data(), "UPDATE passes SET expires_at = 1").await;
    assert_eq!(text(page(&site, &guest.path, &guest.cookie)).await.0, StatusCode::GONE);
    assert_eq!(text(page(&site, &unused, "")).await.0, StatusCode::GONE);
    assert_eq!(press(&site, &unused, "", "").await.status(), StatusCode::GONE);

    let guest = open(&site, &link(&browser, sent.conversation, "kind=watch").await).await;
    let mut feed = follow(&site, &guest).await;
    until(&mut feed, "word15").await;
    assert_eq!(browser.forget().await.status, StatusCode::OK);
    until(&mut feed, "event: end").await;
    assert_eq!(
        text(page(&site, &guest.path, &guest.cookie)).await.0,
        StatusCode::NOT_FOUND
    );

    let off = Site::start(&[("TAKE_ALONG", "false")]).await;
    let (browser, sent) = talk(&off).await;
    let (status, shown) = form(&browser, "along", sent.conversation, "kind=watch").await;
    assert_eq!(status, StatusCode::NOT_FOUND, "as whatever a site does not offer");
    assert!(shown.contains("switched off"), "{shown}");
    let (_, chat) = text(page(&off, "/", &browser.cookie)).await;
    assert!(chat.contains("data-stays"));
}

#[tokio::test]
async fn an_address_that_guesses_is_refused_after_a_while() {
    let site = Site::start(&[]).await;
    // It gets one guess back every other second: however slow this machine is, it guesses faster.
    for number in 0..1_000 {
        let (status, _) = text(page(&site, &format!("/t/{number:032}"), "")).await;
        match status {
            StatusCode::NOT_FOUND => {}
            StatusCode::TOO_MANY_REQUESTS if number >= 30 => return,
            other => panic!("{number}: {other}"),
        }
    }
    panic!("it guesses on");
}

#[tokio::test]
async fn no_secret_is_in_a_log_or_in_the_database() {
    let site = Site::start(&[]).await;
    // All of it is come by once before.
    let (browser, sent) = talk(&site).await;
    open(&site, &link(&browser, sent.conversation, "kind=watch").await).await;
    let (log, heard) = Log::listen();
    let mut tries = 0;
    let (path, guest) = loop {
        // Where another test has made it mute meanwhile, all is done once more.
        Log::wake();
        let path = link(&browser, sent.conversation, "kind=watch").await;
        text(page(&site, &path, "")).await;
        let guest = open(&site, &path).await;
        text(page(&site, &guest.path, &guest.cookie)).await;
        until(&mut follow(&site, &guest).await, "word15").await;
        press(&site, &path, "", "").await;
        let said = log.text();
        if said.contains("a pass was made") && said.contains("a pass was used") {
            break (path, guest);
        }
        tries += 1;
        assert!(tries < 10, "{said}");
    };
    drop(heard);
    let log = log.text();
    let cookie = guest.cookie.split_once('=').expect("a pair").1;
    let secrets = [path.strip_prefix("/t/").expect("a link"), cookie];
    // The test's own client says what it sends; the site is what is looked at.
    let of_site = |line: &&str| {
        !["reqwest", "hyper_util", "hyper::client"]
            .iter()
            .any(|client| line.contains(client))
    };
    for line in log.lines().filter(of_site) {
        assert!(!secrets.iter().any(|secret| line.contains(secret)), "{line}");
    }
    for name in ["anteroom.db", "anteroom.db-wal"] {
        let kept = std::fs::read(site.data().join(name)).unwrap_or_default();
        for secret in secrets {
            assert!(
                !kept.windows(secret.len()).any(|part| part == secret.as_bytes()),
                "{name}"
            );
        }
    }
}
