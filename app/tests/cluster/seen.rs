//! What each of several nodes shows of all of them: on the stats tab, to a scraper, and on `/health`.

use std::time::Duration;

use anteroom::wire::{FeedMessage, TurnId};
use anteroom_loopback::{Config, Loopback};
use futures_util::StreamExt as _;
use reqwest::{Client, RequestBuilder, header, redirect};
use serde_json::{Value, json};
use tokio::time::{sleep, timeout};
use tokio_tungstenite::{
    connect_async,
    tungstenite::{Message, client::IntoClientRequest as _, http::HeaderValue},
};

use crate::{
    drawn::{Drawn, Row},
    nodes::Node,
};

/// Far more than anything here needs.
const GIVE_UP: Duration = Duration::from_secs(60);
const KEY: &str = "0123456789abcdef";
/// As an English page has it.
const THIS: &str = "this one";
const TAKES_PART: &str = "takes part";

fn nodes(view: &Drawn) -> Vec<Row> {
    view.rows("node-row")
}

async fn soon<T>(what: &str, work: impl Future<Output = T>) -> T {
    match timeout(GIVE_UP, work).await {
        Ok(value) => value,
        Err(_) => panic!("waited in vain for: {what}"),
    }
}

/// A browser that comes in at one node.
struct Visitor {
    http: Client,
    site: String,
    cookies: String,
}

impl Visitor {
    async fn come(node: &Node) -> Self {
        anteroom::tls::install();
        let http = Client::builder().no_proxy().redirect(redirect::Policy::none());
        let mut visitor = Self {
            http: http.build().expect("a client"),
            site: node.addr.to_string(),
            cookies: String::new(),
        };
        visitor.take_cookies("/").await;
        visitor
    }

    /// Opens the operator's link.
    async fn operate(mut self) -> Self {
        self.take_cookies(&format!("/operator?key={KEY}")).await;
        self
    }

    async fn take_cookies(&mut self, path: &str) {
        let page = self.get(path).header(header::ACCEPT, "text/html").send();
        let page = page.await.expect("a page");
        for cookie in page.headers().get_all(header::SET_COOKIE) {
            let cookie = cookie.to_str().expect("text").split(';').next().expect("a pair");
            self.cookies.push_str(&format!("{cookie}; "));
        }
    }

    fn get(&self, path: &str) -> RequestBuilder {
        let get = self.http.get(format!("http://{}{path}", self.site));
        get.header(header::COOKIE, self.cookies.trim_end_matches("; "))
    }

    async fn post(&self, function: &str, mime: &str, body: String) {
        let post = self.http.post(format!("http://{}/api/{function}", self.site));
        let post = post
            .header(header::COOKIE, self.cookies.trim_end_matches("; "))
            .header(header::CONTENT_TYPE, mime);
        let answer = post.body(body).send().await.expect("an answer");
        assert!(answer.status().is_success(), "{function}: {}", answer.status());
    }

    async fn send(&self, text: &str) {
        let request = json!({ "turn": TurnId::new(), "conversation": null, "instead_of": null, "text": text, "files": [], "choice": null });
        self.post("send", "application/json", json!({ "request": request }).to_string())
            .await;
    }

    /// The stats tab, as its page hears of it.
    async fn stats(&self) -> Drawn {
        let mut request = format!("ws://{}/feed", self.site)
            .into_client_request()
            .expect("an address");
        let origin = format!("http://{}", self.site);
        for (name, value) in [("cookie", self.cookies.trim_end_matches("; ")), ("origin", &*origin)] {
            let value = HeaderValue::from_str(value).expect("text");
            request.headers_mut().insert(name, value);
        }
        let (mut feed, _) = connect_async(request).await.expect("a feed");
        self.post("refresh", "application/x-www-form-urlencoded", "kind=stats".to_owned())
            .await;
        let view = async {
            loop {
                let frame = feed.next().await.expect("the feed is open").expect("a frame");
                let Message::Text(text) = frame else { continue };
                let message = serde_json::from_str(&text).expect("a feed message");
                if let FeedMessage::Drawn { html, .. } = message {
                    return Drawn::read(&html.expect("it has not come before"));
                }
            }
        };
        soon("the figures", view).await
    }
}

/// The value of a series; `None`: it is not there.
pub(crate) async fn metric(node: &Node, series: &str) -> Option<f64> {
    let metrics = reqwest::get(format!("http://{}/metrics", node.addr)).await;
    let text = metrics.expect("an answer").text().await.expect("text");
    let mut lines = text.lines();
    let value = lines.find_map(|line| line.strip_prefix(series)?.strip_prefix(' '))?;
    Some(value.parse().expect("a number"))
}

/// An operator whose session is at home on the node.
async fn operator_at_home_on(node: &Node) -> Visitor {
    let found = async {
        loop {
            let operator = Visitor::come(node).await.operate().await;
            let view = operator.stats().await;
            if nodes(&view)[0].about == format!("{THIS} · {}", node.link) {
                return operator;
            }
        }
    };
    soon("a session that is at home here", found).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_node_is_seen_on_all_and_what_is_its_own_adds_up() {
    let Some(cluster) = anteroom_pgtest::shared() else {
        return;
    };
    let model = Loopback::start(Config::default()).await.expect("a free port");
    let base = model.base_url();
    let database = cluster.database();
    let settings = |max_running: &'static str| {
        [
            ("MODEL", "loopback@openai"),
            ("OPENAI_BASE_URL", &*base),
            ("OPERATOR_KEY", KEY),
            ("MAX_RUNNING", max_running),
        ]
        .map(|(name, value)| (name, value.to_owned()))
    };
    let node = |max_running| {
        let settings = settings(max_running);
        let settings: Vec<_> = settings.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let mut node = Node::new(cluster, &database, &settings);
        node.start();
        node
    };
    // The second one's file says something else than what the first one has put in force.
    let first = node("9");
    let second = node("8");

    for (node, other, differs) in [(&first, &second, ""), (&second, &first, "Not in force: MAX_RUNNING.")] {
        let view = operator_at_home_on(node).await.stats().await;
        assert_eq!(view.one("settings-differ").text(), differs);
        let rows = nodes(&view);
        let abouts: Vec<_> = rows.iter().map(|row| row.about.clone()).collect();
        assert_eq!(abouts, [format!("{THIS} · {}", node.link), other.link.clone()]);
        assert_ne!(rows[0].name, rows[1].name);
        for row in &rows {
            assert_eq!(row.cell("State"), TAKES_PART, "{row:?}");
        }
        let applied = rows[0].cell("Log").replace(',', "");
        assert!(applied.parse().is_ok_and(|applied: u64| applied > 0), "{rows:?}");
        let health = reqwest::get(format!("http://{}/health", node.addr)).await;
        let health: Value = health.expect("an answer").json().await.expect("JSON");
        assert_eq!(health["node"], "takes_part");
        assert_eq!(metric(node, "anteroom_nodes").await, Some(2.0));
        assert_eq!(metric(node, "anteroom_node_takes_part").await, Some(1.0));
        let differ = metric(node, "anteroom_node_settings_differ")
            .await
            .expect("it is there");
        let expected = if differs.is_empty() { 0.0 } else { 1.0 };
        assert!((differ - expected).abs() < 0.5, "{differ}");
        assert!(
            metric(node, "anteroom_node_lease_seconds")
                .await
                .is_some_and(|lease| lease > 0.0)
        );
    }
    let view = Visitor::come(&second).await.stats().await;
    let abouts: Vec<_> = nodes(&view).into_iter().map(|row| row.about).collect();
    assert_eq!(abouts, [THIS, ""], "without addresses");
    assert_eq!(view.one("settings-differ").text(), "");

    // One runs and three wait, wherever they came in.
    model.hold(true);
    for node in [&first, &second, &first, &second] {
        Visitor::come(node).await.send("hello").await;
    }
    let adds_up = async {
        loop {
            let mut seen = Vec::new();
            for series in [
                "anteroom_node_working",
                "anteroom_node_held",
                "anteroom_running{limit=\"chat\"}",
                "anteroom_waiting{limit=\"chat\"}",
            ] {
                seen.push((metric(&first, series).await, metric(&second, series).await));
            }
            let sum = |(one, other): (Option<f64>, Option<f64>)| Some(one? + other?);
            let own = (sum(seen[0]), sum(seen[1])) == (Some(1.0), Some(4.0));
            // What is of all is the same on each.
            if own && seen[2..] == [(Some(1.0), Some(1.0)), (Some(3.0), Some(3.0))] {
                return;
            }
            sleep(Duration::from_millis(20)).await;
        }
    };
    soon("one that runs and four that are held", adds_up).await;
    model.hold(false);

    let operator = operator_at_home_on(&first).await;
    second.stop();
    let silent = async {
        loop {
            let mut rows = nodes(&operator.stats().await).into_iter();
            let row = rows.find(|row| !row.about.starts_with(THIS));
            let row = row.expect("it has its row still");
            if let Some(time) = row.cell("State").strip_prefix("not heard of for ") {
                return time.to_owned();
            }
            assert_eq!(row.cell("State"), TAKES_PART, "{row:?}");
            sleep(Duration::from_millis(100)).await;
        }
    };
    let time = soon("a node that says nothing", silent).await;
    second.go_on();
    assert!(time.ends_with(" s") && time != "0 s", "{time}");
}
