//! How many a server answers at once.

use anteroom_loopback::{Config, Ending, Loopback};
use futures_util::StreamExt as _;
use reqwest::StatusCode;

use crate::support::{ask, read};

/// A server with room for two, and two that it holds.
async fn full(over: &str) -> (Loopback, Vec<reqwest::Response>) {
    let loopback = Loopback::start(Config::default()).await.unwrap();
    loopback.set("limit", "2").unwrap();
    loopback.set("over", over).unwrap();
    loopback.hold(true);
    let mut held = Vec::new();
    for message in ["1", "2"] {
        held.push(ask(&loopback, message).await);
    }
    (loopback, held)
}

#[tokio::test]
async fn beyond_its_limit_it_refuses_and_says_when_to_come_again() {
    let (loopback, held) = full("429").await;
    let refused = ask(&loopback, "3").await;
    assert_eq!(refused.status(), StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(refused.headers()["retry-after"], "1");
    loopback.set("retry_after", "2s").unwrap();
    assert_eq!(ask(&loopback, "4").await.headers()["retry-after"], "2");
    loopback.set("retry_after", "none").unwrap();
    assert!(!ask(&loopback, "5").await.headers().contains_key("retry-after"));
    loopback.set("over", "503").unwrap();
    loopback.set("retry_after", "usual").unwrap();
    let refused = ask(&loopback, "6").await;
    assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(!refused.headers().contains_key("retry-after"));

    let record = loopback.record();
    assert_eq!((record.now, record.beyond_limit()), (2, 4));
    for request in &record.requests {
        let beyond = request.is_beyond_limit();
        assert_eq!(request.ending, beyond.then_some(Ending::Refused), "{request:?}");
        assert_eq!(request.limit, Some(2));
    }
    let running: Vec<_> = record.requests.iter().map(|request| request.running).collect();
    assert_eq!(running, [1, 2, 3, 3, 3, 3], "those refused take up no room");
    drop(held);
}

#[tokio::test]
async fn there_is_room_again_once_one_has_ended_or_the_limit_is_higher() {
    let (loopback, held) = full("429").await;
    loopback.set("limit", "3").unwrap();
    let third = ask(&loopback, "3").await;
    assert_eq!(third.status(), StatusCode::OK);
    assert_eq!(ask(&loopback, "4").await.status(), StatusCode::TOO_MANY_REQUESTS);
    loopback.release_one();
    loopback.until(|record| record.now == 2).await;
    assert_eq!(ask(&loopback, "5").await.status(), StatusCode::OK);
    // A lower limit takes nothing from those that are being answered.
    loopback.set("limit", "1").unwrap();
    assert_eq!(ask(&loopback, "6").await.status(), StatusCode::TOO_MANY_REQUESTS);
    loopback.hold(false);
    assert!(read(&third.text().await.unwrap()).2);
    for held in held {
        assert!(read(&held.text().await.unwrap()).2);
    }
}

#[tokio::test]
async fn whoever_goes_leaves_room() {
    let (loopback, held) = full("429").await;
    drop(held);
    loopback.until(|record| record.now == 0).await;
    assert_eq!(ask(&loopback, "3").await.status(), StatusCode::OK);
}

#[tokio::test]
async fn it_may_serve_slower_in_place_of_refusing() {
    let (loopback, held) = full("slower").await;
    let mut third = ask(&loopback, "3").await.bytes_stream();
    third.next().await.unwrap().unwrap();
    let record = loopback.record();
    assert_eq!((record.now, record.max, record.beyond_limit()), (3, 3, 1));
    drop((held, third));
}
