//! Faults of the server itself, which come to an end or come again.

use anteroom_loopback::{Config, Ending, Loopback};
use futures_util::{FutureExt as _, StreamExt as _};
use serde_json::{Value, json};

use crate::support::{ask, control, get, read};

async fn statuses(loopback: &Loopback, count: usize) -> Vec<u16> {
    let mut statuses = Vec::new();
    for number in 0..count {
        statuses.push(ask(loopback, &format!("question {number}")).await.status().as_u16());
    }
    statuses
}

#[tokio::test]
async fn a_fault_meets_the_first_so_many_whatever_they_ask() {
    let loopback = Loopback::start(Config::default()).await.unwrap();
    control(&loopback, "", json!({ "fault": "status:500", "first": 3 })).await;
    assert_eq!(statuses(&loopback, 5).await, [500, 500, 500, 200, 200]);
    // Turned once more, it is counted anew.
    control(&loopback, "", json!({ "first": 1 })).await;
    assert_eq!(statuses(&loopback, 2).await, [500, 200]);
    // A message's own fault is none of the server's.
    assert_eq!(ask(&loopback, "[[fault=status:503]]").await.status(), 503);
}

#[tokio::test]
async fn a_fault_comes_now_and_then() {
    let loopback = Loopback::start(Config::default()).await.unwrap();
    control(&loopback, "", json!({ "fault": "status:429", "every": 3 })).await;
    assert_eq!(statuses(&loopback, 7).await, [200, 200, 429, 200, 200, 429, 200]);
}

#[tokio::test]
async fn a_server_that_is_loading_says_so_everywhere_and_then_is_well() {
    let loopback = Loopback::start(Config::default()).await.unwrap();
    control(&loopback, "", json!({ "fault": "loading", "lasts": "60m" })).await;
    let (models, health) = (
        format!("{}/models", loopback.base_url()),
        format!("http://{}/health", loopback.addr),
    );
    for response in [
        ask(&loopback, "q").await,
        get(models.clone()).await,
        get(health.clone()).await,
    ] {
        assert_eq!(response.status(), 503);
        assert!(!response.headers().contains_key("retry-after"));
        let body: Value = response.json().await.unwrap();
        assert_eq!(body["error"]["message"], "Loading model");
    }
    control(&loopback, "", json!({ "lasts": "0" })).await;
    for response in [ask(&loopback, "q").await, get(models).await, get(health).await] {
        assert_eq!(response.status(), 200);
    }
}

#[tokio::test]
async fn health_and_answers_do_not_depend_on_each_other() {
    let loopback = Loopback::start(Config::default()).await.unwrap();
    let health = format!("http://{}/health", loopback.addr);
    control(&loopback, "", json!({ "unwell": true })).await;
    assert_eq!(get(health.clone()).await.status(), 503);
    assert_eq!(ask(&loopback, "q").await.status(), 200);
    control(&loopback, "", json!({ "unwell": false, "fault": "status:500" })).await;
    assert_eq!(get(health).await.status(), 200);
    assert_eq!(ask(&loopback, "q").await.status(), 500);
}

#[tokio::test]
async fn what_hangs_is_never_answered() {
    let loopback = Loopback::start(Config::default()).await.unwrap();
    control(&loopback, "", json!({ "fault": "hang" })).await;
    let models = format!("{}/models", loopback.base_url());
    let before = loopback.record().connections;
    let mut asked = Box::pin(async { tokio::join!(ask(&loopback, "q"), get(models)) });
    tokio::select! {
        _ = &mut asked => panic!("it was answered"),
        () = loopback.until(|record| record.now == 1 && record.connections == before + 2) => {}
    }
    assert!((&mut asked).now_or_never().is_none());
    drop(asked);
    loopback.until(|record| record.now == 0).await;
    assert_eq!(loopback.record().requests[0].ending, Some(Ending::ClientGone));
}

#[tokio::test]
async fn a_dripping_answer_is_whole_in_the_end_and_can_be_left_before() {
    let loopback = Loopback::start(Config::default()).await.unwrap();
    let (pieces, _, finished) = read(
        &ask(&loopback, "[[fault=drip:0 tokens=2]] q")
            .await
            .text()
            .await
            .unwrap(),
    );
    assert_eq!((pieces.len(), finished), (2, true));
    let mut slow = ask(&loopback, "[[fault=drip:5]] q").await.bytes_stream();
    let first = slow.next().await.unwrap().unwrap();
    assert!(first.starts_with(b"d"), "{first:?}");
    drop(slow);
    loopback.until(|record| record.now == 0).await;
    let request = loopback.record().requests.remove(1);
    assert_eq!((request.ending, request.pieces), (Some(Ending::ClientGone), 0));
}
