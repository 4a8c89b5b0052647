//! Servers that go down, come back, and flap; connections that are reset.

use std::io::ErrorKind;

use anteroom_loopback::{Config, Ending, Loopback};
use futures_util::StreamExt as _;
use reqwest::StatusCode;
use serde_json::json;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use crate::support::{ask, control, read, try_ask};

#[tokio::test]
async fn a_kill_breaks_off_what_is_answered_and_the_same_port_comes_back() {
    let loopback = Loopback::start(Config::default()).await.unwrap();
    let mut streaming = ask(&loopback, "[[gate=never after=2]] cut").await.bytes_stream();
    streaming.next().await.unwrap().unwrap();
    let hanging = try_ask(&loopback, "[[fault=hang]] lost");
    let kill = async {
        loopback.until(|record| record.now == 2).await;
        loopback.kill().await.unwrap();
    };
    let (hanging, ()) = tokio::join!(hanging, kill);
    assert!(hanging.is_err());
    let end = loop {
        match streaming.next().await {
            Some(Ok(_)) => {}
            end => break end,
        }
    };
    assert!(end.unwrap().is_err(), "it ended as if it were whole");
    for _ in 0..3 {
        assert!(try_ask(&loopback, "refused").await.unwrap_err().is_connect());
    }
    let addr = loopback.addr;
    loopback.revive().await.unwrap();
    assert_eq!(loopback.addr, addr);
    assert!(read(&ask(&loopback, "back").await.text().await.unwrap()).2);

    let record = loopback.record();
    let endings: Vec<_> = record.requests.iter().map(|request| request.ending).collect();
    assert_eq!(
        endings,
        [Some(Ending::Fault), Some(Ending::Fault), Some(Ending::Complete)],
        "it was no client that went"
    );
    let changes: Vec<_> = record.changes.iter().map(|change| change.what.as_str()).collect();
    assert_eq!(changes, ["door=closed", "down", "door=open", "up"]);
}

#[tokio::test]
async fn it_goes_down_and_comes_back_again_and_again() {
    let loopback = Loopback::start(Config::default()).await.unwrap();
    for _ in 0..20 {
        loopback.kill().await.unwrap();
        loopback.kill().await.unwrap();
        assert!(try_ask(&loopback, "refused").await.is_err());
        loopback.revive().await.unwrap();
        assert_eq!(ask(&loopback, "back").await.status(), StatusCode::OK);
    }
}

#[tokio::test]
async fn a_flapping_server_is_up_and_down_in_turns() {
    let loopback = Loopback::start(Config::default()).await.unwrap();
    loopback.set("door", "5ms:5ms").unwrap();
    let turns = |record: &anteroom_loopback::Record| -> Vec<String> {
        let changes = record.changes.iter().map(|change| change.what.clone());
        changes.filter(|what| what == "down" || what == "up").collect()
    };
    loopback.until(|record| turns(record).len() >= 6).await;
    loopback.revive().await.unwrap();
    assert_eq!(
        turns(&loopback.record())[..6],
        ["down", "up", "down", "up", "down", "up"]
    );
    assert_eq!(ask(&loopback, "steady").await.status(), StatusCode::OK);
}

#[tokio::test]
async fn its_own_reset_brings_a_server_back() {
    let loopback = Loopback::start(Config::default()).await.unwrap();
    loopback.kill().await.unwrap();
    loopback.reset();
    loopback
        .until(|record| record.changes.iter().any(|change| change.what == "up"))
        .await;
    assert_eq!(ask(&loopback, "back").await.status(), StatusCode::OK);
}

#[tokio::test]
async fn a_reset_comes_before_the_first_byte() {
    let loopback = Loopback::start(Config::default()).await.unwrap();
    control(&loopback, "", json!({ "fault": "reset", "first": 2 })).await;
    let body = r#"{"model":"m","stream":true,"messages":[{"role":"user","content":"q"}]}"#;
    let mut connection = TcpStream::connect(loopback.addr).await.unwrap();
    let head = format!(
        "POST /v1/chat/completions HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        loopback.addr,
        body.len()
    );
    connection.write_all(format!("{head}{body}").as_bytes()).await.unwrap();
    let mut received = Vec::new();
    let end = connection.read_to_end(&mut received).await.unwrap_err();
    assert_eq!((end.kind(), received.len()), (ErrorKind::ConnectionReset, 0));

    assert!(!try_ask(&loopback, "q").await.unwrap_err().is_connect());
    assert_eq!(ask(&loopback, "q").await.status(), StatusCode::OK);
    let endings: Vec<_> = loopback
        .record()
        .requests
        .iter()
        .map(|request| request.ending)
        .collect();
    assert_eq!(endings[..2], [Some(Ending::Fault); 2]);
}
