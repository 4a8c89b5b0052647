//! `limit = "auto"` behind three nodes: what is found out is one limit, and all of them together keep to it.

use std::{io::Write as _, time::Duration};

use anteroom_loopback::{Config, Loopback};
use futures_util::future::join_all;
use tempfile::NamedTempFile;
use tokio::time::{sleep, timeout};

use crate::{browser::Browser, nodes::Node, seen::metric};

/// Far more than anything here needs.
const GIVE_UP: Duration = Duration::from_secs(180);
/// How many the server answers at once; it refuses the others, and nobody has been told.
const CAPACITY: usize = 4;
const BROWSERS: usize = 12;
/// Of each: enough that the limit is found, tried once more after its pause, and found again.
const MESSAGES: usize = 25;

async fn limit(node: &Node) -> Option<f64> {
    metric(node, "anteroom_backend_limit{backend=\"loopback\"}").await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_nodes_find_one_limit_out_and_keep_to_it_together() {
    let Some(cluster) = anteroom_pgtest::shared() else {
        return;
    };
    let model = Loopback::start(Config::default()).await.expect("a free port");
    for (knob, value) in [
        ("limit", &*CAPACITY.to_string()),
        ("retry_after", "none"),
        ("first_token", "150ms"),
    ] {
        model.set(knob, value).expect("a knob");
    }
    let mut file = NamedTempFile::new().expect("a file");
    let entry = model.backend_toml("models = [\"m\"]\nlimit = \"auto\"");
    file.write_all(entry.as_bytes()).expect("written");
    let path = file.path().display().to_string();
    let settings = [
        ("MODEL", "m@loopback"),
        ("BACKENDS_FILE", path.as_str()),
        ("QUEUE_MAX_WAITING_PER_SESSION", "none"),
        ("QUEUE_MAX_SIZE", "none"),
        ("MODEL_RETRIES", "0"),
    ];
    let database = cluster.database();
    let mut nodes: Vec<_> = (0..3).map(|_| Node::new(cluster, &database, &settings)).collect();
    nodes.iter_mut().for_each(Node::start);

    let people = join_all((0..BROWSERS).map(|at| Browser::visit(nodes[at % nodes.len()].addr))).await;
    let sending = people.iter().enumerate().map(|(at, browser)| async move {
        let mut sent = Vec::new();
        for number in 0..MESSAGES {
            sent.push(browser.send(None, format!("message {number} of {at} end")).await);
        }
        sent
    });
    let answering = async {
        let sent = join_all(sending).await;
        for (browser, sent) in people.iter().zip(&sent) {
            for message in sent {
                loop {
                    let view = browser.conversation(message.conversation).await;
                    if view.turns.iter().all(|turn| turn.state.is_over()) {
                        browser.check(message, &view);
                        break;
                    }
                    sleep(Duration::from_millis(20)).await;
                }
            }
        }
    };
    let answered = timeout(GIVE_UP, answering).await;
    assert!(answered.is_ok(), "not all is answered");

    let record = model.record();
    // One too many is how it is found out. With a limit for each node there would be as many more.
    assert!(
        record.max <= CAPACITY + 1,
        "{} at once where {CAPACITY} are taken",
        record.max
    );
    let refused = record.beyond_limit();
    assert!(refused > 0, "the limit was never reached");
    assert!(refused < record.requests.len() / 10, "{refused} were refused");
    for question in record.requests.iter().map(|request| &request.question) {
        let whole = record.of(question).filter(|request| !request.is_beyond_limit());
        assert_eq!(whole.count(), 1, "{question}");
    }
    // Nothing runs any more, so nothing moves.
    let agree = async {
        loop {
            let limits = join_all(nodes.iter().map(limit)).await;
            let first = limits[0].unwrap_or_default();
            if limits.iter().all(|limit| *limit == limits[0]) && (first - CAPACITY as f64).abs() <= 1.0 {
                return;
            }
            sleep(Duration::from_millis(50)).await;
        }
    };
    let agreed = timeout(GIVE_UP, agree).await;
    assert!(agreed.is_ok(), "the nodes do not agree on what the server takes");
}
