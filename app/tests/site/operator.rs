//! Addresses and paths are the operator's to see.

use anteroom::{settings::Settings, wire::RefreshKind};
use reqwest::{Client, Response, StatusCode, header, redirect};

use crate::{
    drawn::Drawn,
    support::{Browser, Site},
};

pub(crate) const KEY: &str = "a&key?of=24%characters+";
pub(crate) const ENCODED: &str = "a%26key%3Fof%3D24%25characters%2B";

async fn open_link(browser: &Browser, key: &str) -> Response {
    let client = Client::builder()
        .no_proxy()
        .redirect(redirect::Policy::none())
        .build()
        .expect("a client");
    let link = client.get(format!("http://{}/operator?key={key}", browser.addr));
    link.header(header::COOKIE, &browser.cookie)
        .send()
        .await
        .expect("an answer")
}

/// The browser once it has opened the operator's link.
pub(crate) async fn operator(browser: &Browser, key: &str) -> Browser {
    let answer = open_link(browser, key).await;
    assert_eq!(answer.status(), StatusCode::SEE_OTHER);
    let cookies = answer.headers().get_all(header::SET_COOKIE).iter();
    let pairs = cookies.map(|cookie| {
        cookie
            .to_str()
            .expect("text")
            .split(';')
            .next()
            .expect("a pair")
            .to_owned()
    });
    Browser {
        cookie: pairs.collect::<Vec<_>>().join("; "),
        ..browser.clone()
    }
}

pub(crate) async fn stats(browser: &Browser) -> Drawn {
    let mut feed = browser.feed().await;
    browser.refresh(RefreshKind::Stats).await;
    feed.stats().await
}

/// What is shown of a setting's value.
fn value(view: &Drawn, name: &str) -> String {
    view.setting(name).0
}

#[tokio::test]
async fn addresses_and_paths_are_shown_with_the_operators_link_only() {
    let site = Site::start(&[("OPERATOR_KEY", KEY), ("SITE_ADDR", "127.0.0.1:3999")]).await;
    let folder = site.data().display().to_string();
    let model = site.model.base_url();
    let visitor = site.browser().await;
    let view = stats(&visitor).await;
    for (name, shown) in [
        ("DATA_DIR", "(set)"),
        ("OPENAI_BASE_URL", "(set)"),
        ("SITE_ADDR", "(set)"),
        ("OLLAMA_URL", "(unset)"),
        ("OPERATOR_KEY", "(hidden)"),
        ("MODEL", "loopback@openai"),
    ] {
        assert_eq!(value(&view, name), shown, "{name}");
    }
    // An edit, a good or a bad one, tells no more.
    let edit = "DATA_DIR=/srv/elsewhere\nOPENAI_BASE_URL=http://10.1.2.3:8000\nQUEUE_MAX_SIZE=9";
    site.engine
        .retune(Settings::load(site.variables_but("DATA_DIR"), Some(edit)))
        .await;
    let told = stats(&visitor).await;
    assert_eq!(
        told.setting("DATA_DIR"),
        ("(set)".to_owned(), "needs a restart".to_owned())
    );
    let bad = "DATA_DIR=/srv/elsewhere\nOPENAI_BASE_URL=10.1.2.3:8000\nQUEUE_MAX_SIZE=no";
    site.engine
        .retune(Settings::load(site.variables_but("OPENAI_BASE_URL"), Some(bad)))
        .await;
    let edited = stats(&visitor).await;
    let faults = edited.one("bad-edit").text();
    assert!(
        faults.contains("QUEUE_MAX_SIZE = no") && faults.contains("OPENAI_BASE_URL = (set)"),
        "{faults}"
    );

    let whoever = operator(&visitor, ENCODED).await;
    let seen = stats(&whoever).await;
    assert_eq!(value(&seen, "DATA_DIR"), folder);
    assert_eq!(value(&seen, "OPENAI_BASE_URL"), model);
    assert_eq!(value(&seen, "SITE_ADDR"), "127.0.0.1:3999");
    assert_eq!(value(&seen, "OPERATOR_KEY"), "(hidden)");
    assert!(seen.one("bad-edit").text().contains("10.1.2.3:8000"));

    let mut everywhere = vec![told.html, faults, edited.html];
    for path in ["/", "/stats", "/logs", "/data", "/health", "/metrics"] {
        everywhere.push(visitor.ask(visitor.get(path)).await.text);
    }
    let mut feed = visitor.feed().await;
    visitor.send("hello").await;
    visitor.refresh(RefreshKind::Logs).await;
    let records = feed.drawn(RefreshKind::Logs).await.expect("they have not come before");
    for startup in records.of_class("startup") {
        assert!(startup.elements("time").is_empty(), "{startup:?}");
    }
    records.one("startup-hidden");
    everywhere.push(records.html);
    for text in everywhere {
        for hidden in [
            &*folder,
            &model,
            "127.0.0.1:3999",
            "/srv/elsewhere",
            "10.1.2.3",
            KEY,
            ENCODED,
        ] {
            assert!(!text.contains(hidden), "{hidden}: {text}");
        }
    }
}

#[tokio::test]
async fn the_demo_model_tells_no_addresses_either() {
    let site = Site::start(&[
        ("MODEL", "demo@builtin"),
        ("DEMO_FIRST_TOKEN", "0"),
        ("DEMO_SPEED", "100000"),
    ])
    .await;
    let browser = site.browser().await;
    let sent = browser.send("What does DATA_DIR do?").await;
    let answer = browser.feed().await.over(sent.turn).await.answer;
    assert!(answer.contains("DATA_DIR") && answer.contains("in force"), "{answer}");
    assert!(!answer.contains(&site.data().display().to_string()), "{answer}");
}

#[tokio::test]
async fn the_operators_link_needs_its_key_and_leaves_none_behind() {
    let site = Site::start(&[]).await;
    let browser = site.browser().await;
    let key = site.engine.made_operator_key().expect("one was made").to_owned();
    assert!(key.len() >= 32, "{key}");
    for wrong in ["", "x", &key[1..], &format!("{key}0"), "%ff", "%00", "0123456789abcdef"] {
        let answer = open_link(&browser, wrong).await;
        assert_eq!(answer.status(), StatusCode::FORBIDDEN, "{wrong}");
        assert!(!answer.headers().contains_key(header::LOCATION), "{wrong}");
        let cookies: Vec<_> = answer.headers().get_all(header::SET_COOKIE).iter().cloned().collect();
        assert!(
            cookies
                .iter()
                .all(|cookie| !cookie.to_str().expect("text").contains("operator")),
            "{cookies:?}"
        );
        let page = answer.text().await.expect("text");
        assert!(
            page.contains("This is not the operator’s link") && !page.contains(&key),
            "{page}"
        );
    }
    let answer = open_link(&browser, &key).await;
    assert_eq!(answer.status(), StatusCode::SEE_OTHER);
    for (name, value) in [
        (header::LOCATION, "/stats"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-store"),
    ] {
        assert_eq!(answer.headers()[&name], value);
    }
    let told = format!("{:?}", answer.headers());
    assert!(!told.contains(&key), "{told}");
    assert!(told.contains("HttpOnly") && told.contains("SameSite=Strict"), "{told}");

    let whoever = operator(&browser, &key).await;
    let folder = site.data().display().to_string();
    assert_eq!(value(&stats(&whoever).await, "DATA_DIR"), folder);
    // The cookie of another session makes nobody the operator.
    let other = site.browser().await;
    let mark = whoever.cookie.split("; ").last().expect("the operator's cookie");
    let thief = Browser {
        cookie: format!("{}; {mark}", other.cookie),
        ..other
    };
    assert_eq!(value(&stats(&thief).await, "DATA_DIR"), "(set)");
    // One who has never been here before gets a session, too.
    let nobody = Browser {
        cookie: String::new(),
        ..browser
    };
    let fresh = operator(&nobody, &key).await;
    assert_eq!(value(&stats(&fresh).await, "DATA_DIR"), folder);

    // Another key, in force at once: whoever had the old one is a visitor again.
    let edit = Settings::load(site.variables(), Some("OPERATOR_KEY=0123456789abcdef"));
    site.engine.retune(edit).await;
    assert_eq!(value(&stats(&whoever).await, "DATA_DIR"), "(set)");
    assert_eq!(open_link(&whoever, &key).await.status(), StatusCode::FORBIDDEN);
    let again = operator(&whoever, "0123456789abcdef").await;
    assert_eq!(value(&stats(&again).await, "DATA_DIR"), folder);
}
