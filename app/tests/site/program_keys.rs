//! The operator's page of programs' keys: what it makes lets a program in, what it revokes does not, and nobody else finds it.

use anteroom::wire::RefreshKind;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::{
    Client, RequestBuilder, StatusCode,
    header::{self, HeaderValue},
    redirect,
};

use crate::{
    operator::operator,
    support::{Browser, Nodes, Site, soon},
};

pub(crate) const KEY: &str = "the-key-of-the-operator";
const SETTINGS: [(&str, &str); 3] = [
    ("OPERATOR_KEY", KEY),
    ("KEY_REQUESTS_PER_MINUTE", "60"),
    ("KEY_TOKENS_PER_MINUTE", "1000"),
];

/// The same, where what a request has used up is not there again before half a minute: of sixty in a minute, one is there after each second.
const SLOWLY: [(&str, &str); 3] = [SETTINGS[0], ("KEY_REQUESTS_PER_MINUTE", "2"), SETTINGS[2]];

fn client() -> Client {
    anteroom::tls::install();
    let client = Client::builder().no_proxy().redirect(redirect::Policy::none());
    client.build().expect("a client")
}

async fn said(request: RequestBuilder) -> (StatusCode, String) {
    let answer = soon("an answer", request.send()).await.expect("an answer");
    (answer.status(), answer.text().await.expect("a body"))
}

async fn page(browser: &Browser) -> (StatusCode, String) {
    let page = client().get(format!("http://{}/keys", browser.addr));
    let page = page.header(header::COOKIE, &browser.cookie);
    said(page.header(header::ACCEPT, "text/html")).await
}

/// A form, as a browser without scripts sends it.
fn form_with(browser: &Browser, action: &str, confirmation: &str, fields: &str) -> RequestBuilder {
    let confirmation = utf8_percent_encode(confirmation, NON_ALPHANUMERIC);
    client()
        .post(format!("http://{}/api/form/{action}", browser.addr))
        .header(header::COOKIE, &browser.cookie)
        .header(header::ACCEPT, "text/html")
        .header(header::ORIGIN, format!("http://{}", browser.addr))
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(format!("confirmation={confirmation}&{fields}"))
}

async fn form(browser: &Browser, action: &str, fields: &str) -> (StatusCode, String) {
    let overview = browser.overview().await;
    let confirmation = overview["confirmation"].as_str().expect("text");
    said(form_with(browser, action, confirmation, fields)).await
}

/// Makes a key that may do its work for a week, and returns what its program sends.
pub(crate) async fn made(browser: &Browser, name: &str) -> String {
    let name = utf8_percent_encode(name, NON_ALPHANUMERIC);
    let fields = format!("name={name}&lives=604800&chat=yes&tasks=yes&read=yes");
    let (status, page) = form(browser, "key", &fields).await;
    assert_eq!(status, StatusCode::OK, "{page}");
    let at = page.find(">anteroom_").expect("the key") + 1;
    let token = page[at..].split('<').next().expect("its end").to_owned();
    assert_eq!(token.len(), 106, "{token}");
    assert_eq!(page.matches(&token).count(), 1, "it is shown this once: {page}");
    token
}

/// Asks with a key until the answer has this status.
pub(crate) async fn until(site: &Site, token: &str, status: StatusCode) -> String {
    soon("the server knows of it", async {
        loop {
            let request = client().get(format!("http://{}/api/v1/key", site.addr));
            let (got, body) = said(request.bearer_auth(token)).await;
            if got == status {
                return body;
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    })
    .await
}

pub(crate) fn id_of(token: &str) -> &str {
    token.split('_').nth(1).expect("an id")
}

#[tokio::test]
async fn an_operator_makes_lists_and_revokes_keys() {
    let site = Site::start(&SLOWLY).await;
    let whoever = operator(&site.browser().await, KEY).await;
    let (status, empty) = page(&whoever).await;
    assert_eq!(status, StatusCode::OK);
    assert!(
        empty.contains("There are none") && empty.contains("tokens, read and written: 1,000"),
        "{empty}"
    );
    let name = "The <b>nightly</b> report";
    let token = made(&whoever, name).await;
    let me = until(&site, &token, StatusCode::OK).await;
    assert!(
        me.contains("\"chat\",\"tasks\",\"read\"") && !me.contains("metrics"),
        "{me}"
    );
    let (_, listed) = page(&whoever).await;
    for part in [
        "The &lt;b&gt;nightly",
        "chat, tasks, read",
        "Expires 2",
        "Last used just now",
        "Requests left: 1 of 2",
        "Tokens left: 1,000 of 1,000",
    ] {
        assert!(listed.contains(part), "{part}: {listed}");
    }
    assert!(!listed.contains(&token[token.len() - 64..]), "{listed}");

    // What cannot be made is said, and what was typed stands there still.
    for (fields, why) in [
        (
            "name=The+%3Cb%3Enightly%3C/b%3E+report&lives=0&read=yes",
            "called The &lt;b&gt;nightly&lt;/b&gt; report already",
        ),
        ("name=+&lives=0&read=yes", "needs a name"),
        (
            "name=0190a3c2-7e0b-7c5e-8d6d-1d3a5b7c9e0f&lives=0&read=yes",
            "needs a name",
        ),
        ("name=typed&lives=0", "at least one thing"),
    ] {
        let (status, page) = form(&whoever, "key", fields).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{fields}");
        assert!(page.contains(why), "{why}: {page}");
        assert!(
            fields != "name=typed&lives=0" || page.contains("value=\"typed\""),
            "{page}"
        );
    }
    for fields in [
        "name=x&lives=17&read=yes",
        "name=x&read=yes",
        "name=x&lives=no&read=yes",
    ] {
        assert_eq!(
            form(&whoever, "key", fields).await.0,
            StatusCode::BAD_REQUEST,
            "{fields}"
        );
    }
    assert_eq!(site.engine.store().keys().await.expect("read").len(), 1);

    let revoke = format!("key={}", id_of(&token));
    for _ in 0..2 {
        let (status, _) = form(&whoever, "key-revoke", &revoke).await;
        assert_eq!(status, StatusCode::SEE_OTHER);
    }
    until(&site, &token, StatusCode::UNAUTHORIZED).await;
    let (_, listed) = page(&whoever).await;
    assert!(
        listed.contains("Revoked: 1") && !listed.contains("key-revoke\""),
        "{listed}"
    );
    // The name is free again, and a key may be for ever.
    let (status, page) = form(
        &whoever,
        "key",
        "name=The+%3Cb%3Enightly%3C/b%3E+report&lives=0&metrics=yes",
    )
    .await;
    assert!(
        status == StatusCode::OK && page.contains("Good until it is revoked"),
        "{page}"
    );
}

/// Nobody waits here: where there has been no key before, programs of this machine are let in without one, as somebody else.
#[tokio::test]
async fn a_key_is_known_and_revoked_once_the_page_says_so() {
    let site = Site::start(&SLOWLY).await;
    let whoever = operator(&site.browser().await, KEY).await;
    let token = made(&whoever, "bot").await;
    let ask = || {
        let request = client().get(format!("http://{}/api/v1/key", site.addr));
        said(request.bearer_auth(&token))
    };
    let (status, me) = ask().await;
    assert!(status == StatusCode::OK && me.contains("\"bot\""), "{me}");
    let revoke = format!("key={}", id_of(&token));
    assert_eq!(form(&whoever, "key-revoke", &revoke).await.0, StatusCode::SEE_OTHER);
    assert_eq!(ask().await.0, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn an_operator_gives_a_key_rates_of_its_own_and_others_later() {
    let site = Site::start(&SETTINGS).await;
    let whoever = operator(&site.browser().await, KEY).await;
    let fields = "name=bot&lives=0&read=yes&requests=500&tokens=";
    let (status, made) = form(&whoever, "key", fields).await;
    assert_eq!(status, StatusCode::OK, "{made}");
    let at = made.find(">anteroom_").expect("the key") + 1;
    let token = made[at..].split('<').next().expect("its end").to_owned();
    let me = until(&site, &token, StatusCode::OK).await;
    assert!(
        me.contains("\"requests_per_minute\":500,\"tokens_per_minute\":1000"),
        "{me}"
    );
    let (_, listed) = page(&whoever).await;
    for part in [
        "requests: 500; tokens: as the site",
        "of 500<",
        "Tokens left: 1,000 of 1,000",
    ] {
        assert!(listed.contains(part), "{part}: {listed}");
    }
    let id = id_of(&token).to_owned();
    let (status, _) = form(&whoever, "key-rates", &format!("key={id}&requests=&tokens=70000")).await;
    assert_eq!(status, StatusCode::SEE_OTHER);
    soon("the server to know", async {
        while !until(&site, &token, StatusCode::OK)
            .await
            .contains("\"requests_per_minute\":60,\"tokens_per_minute\":70000")
        {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    })
    .await;
    let (_, listed) = page(&whoever).await;
    assert!(listed.contains("requests: as the site; tokens: 70,000"), "{listed}");
    // What is no rate changes nothing, and says so.
    for typed in ["requests=0", "requests=1.5", "tokens=1000000001", "tokens=many"] {
        let (status, said) = form(&whoever, "key-rates", &format!("key={id}&{typed}")).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{typed}");
        assert!(said.contains("Nothing was changed"), "{typed}: {said}");
        let (status, said) = form(&whoever, "key", &format!("name=x&lives=0&read=yes&{typed}")).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{typed}");
        let value = typed.split('=').nth(1).expect("a value");
        assert!(
            said.contains("No key was made") && said.contains(&format!("value=\"{value}\"")),
            "{typed}: {said}"
        );
    }
    let keys = site.engine.store().keys().await.expect("read");
    assert_eq!(keys.len(), 1);
    assert_eq!(keys[0].rates.tokens.map(|rate| rate.get()), Some(70_000));
    assert_eq!(
        form(&whoever, "key-rates", "requests=1").await.0,
        StatusCode::BAD_REQUEST
    );
}

#[tokio::test]
async fn nobody_else_finds_keys_or_changes_them() {
    let site = Site::start(&SETTINGS).await;
    let visitor = site.browser().await;
    let whoever = operator(&site.browser().await, KEY).await;
    let token = made(&whoever, "bot").await;
    until(&site, &token, StatusCode::OK).await;
    let nobody = Browser {
        cookie: String::new(),
        ..visitor.clone()
    };
    // The operator's mark is good with their session alone.
    let mark = whoever.cookie.split("; ").last().expect("the operator's cookie");
    let thief = Browser {
        cookie: format!("{}; {mark}", visitor.cookie),
        ..visitor.clone()
    };
    for browser in [&visitor, &nobody, &thief] {
        let (status, shown) = page(browser).await;
        assert_eq!(status, StatusCode::NOT_FOUND);
        assert!(
            shown.contains("There is no page here") && !shown.contains("bot"),
            "{shown}"
        );
    }
    let make = "name=mine&lives=0&chat=yes";
    let revoke = format!("key={}", id_of(&token));
    let rates = format!("{revoke}&requests=1");
    for (action, fields) in [
        ("key", make),
        ("key-rates", rates.as_str()),
        ("key-revoke", revoke.as_str()),
    ] {
        for browser in [&visitor, &thief] {
            let (status, said) = form(browser, action, fields).await;
            assert_eq!(status, StatusCode::FORBIDDEN, "{action}");
            assert!(!said.contains("anteroom_") && !said.contains("bot"), "{said}");
        }
        let (status, _) = said(form_with(&nobody, action, "x", fields)).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{action}");
        // The operator's own browser, but not from a page of theirs.
        let (status, _) = said(form_with(&whoever, action, "guessed", fields)).await;
        assert_eq!(status, StatusCode::FORBIDDEN, "{action}");
        let confirmation = whoever.overview().await["confirmation"]
            .as_str()
            .expect("text")
            .to_owned();
        let forged = form_with(&whoever, action, &confirmation, fields);
        let (forgery, request) = forged.build_split();
        let mut request = request.expect("a request");
        request
            .headers_mut()
            .insert(header::ORIGIN, HeaderValue::from_static("http://evil.example"));
        let forged = RequestBuilder::from_parts(forgery, request);
        assert_eq!(said(forged).await.0, StatusCode::FORBIDDEN, "{action}");
    }
    until(&site, &token, StatusCode::OK).await;
    let keys = site.engine.store().keys().await.expect("read");
    assert_eq!(keys.len(), 1);
    assert!(keys[0].rates.requests.is_none());
    // A program's key opens it as little.
    let (status, _) = said(client().get(format!("http://{}/keys", site.addr)).bearer_auth(&token)).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn the_stats_tab_leads_operators_to_the_keys_and_each_in_their_language() {
    let site = Site::start(&SLOWLY).await;
    let visitor = site.browser().await;
    let whoever = operator(&site.browser().await, KEY).await;
    let token = made(&whoever, "bot").await;
    until(&site, &token, StatusCode::OK).await;
    let mut feed = whoever.feed().await;
    whoever.refresh(RefreshKind::Stats).await;
    let seen = feed.stats().await;
    assert!(
        seen.one("program-keys-panel")
            .text()
            .contains("1 key lets a program in")
    );
    let mut feed = visitor.feed().await;
    visitor.refresh(RefreshKind::Stats).await;
    assert!(!feed.stats().await.html.contains("/keys"));
    let russian = client().get(format!("http://{}/keys", site.addr));
    let russian = russian.header(header::COOKIE, &whoever.cookie);
    let (_, russian) = said(russian.header(header::ACCEPT_LANGUAGE, "ru")).await;
    assert!(
        russian.contains("Ключи программ") && russian.contains("Осталось запросов: 1 из 2"),
        "{russian}"
    );
}

#[tokio::test]
async fn through_any_node_it_is_the_page_of_the_operators_home() {
    let nodes = Nodes::start(2, &[("OPERATOR_KEY", KEY)]).await;
    let home = operator(&nodes.site(0).browser().await, KEY).await;
    nodes.settle(&home, Some(0));
    let token = made(&nodes.through(1, &home), "bot").await;
    until(nodes.site(0), &token, StatusCode::OK).await;
    let (status, listed) = page(&nodes.through(1, &home)).await;
    assert!(status == StatusCode::OK && listed.contains("bot"), "{listed}");
    nodes.settle(&home, None);
    let (status, _) = page(&home).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
}
