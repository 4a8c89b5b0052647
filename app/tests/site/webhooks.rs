//! Programs are told what is over.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
    sync::mpsc,
};

use crate::support::{Site, program::Program, soon};

pub(crate) const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// How a receiver takes the next request.
#[derive(Clone, Copy)]
pub(crate) enum Takes {
    It,
    Status(u16),
    Redirects,
    Never,
}

/// A program that is told things.
pub(crate) struct Receiver {
    pub(crate) url: String,
    told: mpsc::UnboundedReceiver<(String, Value)>,
}

impl Receiver {
    pub(crate) async fn start(first: &[Takes]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}/hook", listener.local_addr().expect("an address"));
        let plan = Arc::new(Mutex::new(first.iter().copied().collect::<VecDeque<_>>()));
        let (teller, told) = mpsc::unbounded_channel();
        let elsewhere = url.replace("/hook", "/elsewhere");
        tokio::spawn(async move {
            while let Ok((mut connection, _)) = listener.accept().await {
                let (plan, teller, elsewhere) = (Arc::clone(&plan), teller.clone(), elsewhere.clone());
                tokio::spawn(async move {
                    let (mut read, mut buffer) = (Vec::new(), [0; 4096]);
                    let (head, body) = loop {
                        let count = connection.read(&mut buffer).await.expect("read");
                        if count == 0 {
                            return;
                        }
                        read.extend_from_slice(&buffer[..count]);
                        let text = String::from_utf8_lossy(&read).into_owned();
                        let Some((head, body)) = text.split_once("\r\n\r\n") else {
                            continue;
                        };
                        let length = head.to_ascii_lowercase();
                        let length = length.split("content-length: ").nth(1).expect("a length");
                        let length: usize = length.lines().next().expect("one").trim().parse().expect("a number");
                        if body.len() >= length {
                            break (head.to_owned(), body.to_owned());
                        }
                    };
                    let takes = plan.lock().expect("no panic").pop_front().unwrap_or(Takes::It);
                    let _ = teller.send((head, serde_json::from_str(&body).expect("JSON")));
                    let reply = match takes {
                        Takes::It => "HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n".to_owned(),
                        Takes::Status(status) => {
                            format!("HTTP/1.1 {status} No\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
                        }
                        Takes::Redirects => format!(
                            "HTTP/1.1 307 Elsewhere\r\nlocation: {elsewhere}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
                        ),
                        Takes::Never => std::future::pending().await,
                    };
                    let _ = connection.write_all(reply.as_bytes()).await;
                });
            }
        });
        Self { url, told }
    }

    pub(crate) async fn next(&mut self) -> (String, Value) {
        soon("something to be told", self.told.recv())
            .await
            .expect("it is there")
    }
}

fn header<'a>(head: &'a str, name: &str) -> &'a str {
    let line = head
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
    line.unwrap_or_else(|| panic!("{name}: {head}"))
}

async fn send(site: &Site, url: &str) -> reqwest::Response {
    let program = Program::new(site.addr);
    let body = json!({ "message": "hello", "metadata": { "row": 1 }, "webhook": { "url": url, "secret": SECRET } });
    program.post("/api/v1/tasks", &body).send().await.expect("an answer")
}

#[tokio::test]
async fn a_program_is_told_once_it_takes_it() {
    let site = Site::start(&[("WEBHOOK_PRIVATE_ADDRESSES", "true")]).await;
    let mut receiver = Receiver::start(&[Takes::Status(500), Takes::It]).await;
    assert_eq!(send(&site, &receiver.url).await.status(), 202);
    let (mut kinds, mut ids) = (Vec::new(), Vec::new());
    for _ in 0..3 {
        let (head, message) = receiver.next().await;
        assert!(header(&head, "webhook-signature").starts_with("v1,"), "{head}");
        assert!(header(&head, "webhook-timestamp").parse::<u64>().is_ok(), "{head}");
        assert!(message["data"]["result"].is_null(), "{message}");
        kinds.push(message["type"].as_str().expect("a kind").to_owned());
        ids.push(header(&head, "webhook-id").to_owned());
    }
    kinds.sort();
    // The one that was not taken comes once more, under the same id.
    assert!(
        kinds.contains(&"task.done".to_owned()) && kinds.contains(&"batch.ended".to_owned()),
        "{kinds:?}"
    );
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 2);
    // All of it is counted, and nothing is left once its end is stored.
    let counted = [
        "anteroom_task_ends_total{outcome=\"done\"} 1",
        "anteroom_webhooks_total{outcome=\"taken\"} 2",
        "anteroom_webhooks_total{outcome=\"untaken\"} 1",
        "anteroom_webhooks_total{outcome=\"given_up\"} 0",
        "anteroom_webhook_outbox 0",
    ];
    soon("the figures", async {
        loop {
            let text = program_text(&site, "/metrics").await;
            if counted.iter().all(|line| text.lines().any(|known| known == *line)) {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    })
    .await;
}

async fn program_text(site: &Site, path: &str) -> String {
    let reply = Program::new(site.addr).get(path).send().await.expect("an answer");
    reply.text().await.expect("a text")
}

#[tokio::test]
async fn one_that_does_not_listen_holds_up_no_other_and_redirects_lead_nowhere() {
    let site = Site::start(&[("WEBHOOK_PRIVATE_ADDRESSES", "true")]).await;
    let mut deaf = Receiver::start(&[Takes::Never; 8]).await;
    assert_eq!(send(&site, &deaf.url).await.status(), 202);
    deaf.next().await;
    let mut leads_on = Receiver::start(&[Takes::Redirects, Takes::Redirects]).await;
    assert_eq!(send(&site, &leads_on.url).await.status(), 202);
    let mut told = Vec::new();
    for _ in 0..2 {
        told.push(leads_on.next().await.0);
    }
    let mut well = Receiver::start(&[]).await;
    assert_eq!(send(&site, &well.url).await.status(), 202);
    for _ in 0..2 {
        well.next().await;
    }
    // What was redirected counts as not taken, and comes to the same address once more. Followed, a redirect would have come before that.
    for _ in 0..2 {
        told.push(leads_on.next().await.0);
    }
    assert!(told.iter().all(|head| head.starts_with("POST /hook ")), "{told:?}");
}

#[tokio::test]
async fn nothing_is_sent_to_this_machine_unless_a_setting_lets_it() {
    let site = Site::start(&[]).await;
    let program = Program::new(site.addr);
    for (url, secret) in [
        ("https://127.0.0.1/hook", SECRET),
        ("https://[::1]/hook", SECRET),
        ("https://[::ffff:10.0.0.1]/hook", SECRET),
        ("https://169.254.169.254/latest", SECRET),
        ("https://2130706433/hook", SECRET),
        ("http://example.com/hook", SECRET),
        ("https://user:password@example.com/hook", SECRET),
        ("nonsense", SECRET),
        ("https://example.com/hook", "secret"),
    ] {
        let body = json!({ "message": "m", "webhook": { "url": url, "secret": secret } });
        let reply = program.ask(program.post("/api/v1/tasks", &body)).await;
        assert_eq!(reply.status, 400, "{url}: {reply:?}");
        assert_eq!(reply.json["reason"]["code"], "webhook_unfit", "{url}");
    }
}
