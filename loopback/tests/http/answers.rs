//! One server: its answers, its faults for one request, its gates and knobs.

use std::time::Duration;

use anteroom_loopback::{Config, Ending, Loopback, Record};
use futures_util::{StreamExt as _, future::join_all};
use reqwest::{Response, StatusCode};
use serde_json::{Value, json};

use crate::support::{ask, client, control, read};

fn endings(record: &Record) -> Vec<Option<Ending>> {
    record.requests.iter().map(|request| request.ending).collect()
}

#[tokio::test]
async fn each_answer_repeats_its_question() {
    let loopback = Loopback::start(Config {
        tokens: 3,
        ..Config::default()
    })
    .await
    .unwrap();
    let bodies = join_all((0..20).map(|n| {
        let loopback = &loopback;
        async move { ask(loopback, &format!("question {n}")).await.text().await.unwrap() }
    }))
    .await;
    for (n, body) in bodies.iter().enumerate() {
        let (pieces, usage, finished) = read(body);
        assert_eq!(
            pieces,
            [
                format!("Answer to: question {n}\n\n"),
                "word1 ".to_owned(),
                "word2 ".to_owned()
            ]
        );
        assert_eq!(usage["completion_tokens"], 3);
        assert_eq!(usage["prompt_tokens"], 4);
        assert!(finished);
    }
    let record = loopback.record();
    assert_eq!((record.now, record.requests.len()), (0, 20));
    assert!(
        record
            .requests
            .iter()
            .all(|r| r.ending == Some(Ending::Complete) && r.pieces == 3 && r.began <= r.ended.unwrap())
    );
    assert_eq!(record.requests[0].system.as_deref(), Some("be brief"));
}

#[tokio::test]
async fn an_answer_in_one_body() {
    let loopback = Loopback::start(Config::default()).await.unwrap();
    let image = json!({ "type": "image_url", "image_url": { "url": "data:image/png;base64,AA==" } });
    let body = json!({ "model": "m", "messages": [
        { "role": "user", "content": [{ "type": "text", "text": "[[tokens=2]] what is this?" }, image] },
    ] });
    let url = format!("{}/chat/completions", loopback.base_url());
    let answer: Value = client()
        .post(url)
        .json(&body)
        .bearer_auth("k")
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(
        answer["choices"][0]["message"]["content"],
        "Answer to: what is this?\n\nword1 "
    );
    assert_eq!(answer["usage"]["total_tokens"], 6);
    let request = &loopback.record().requests[0];
    assert_eq!((request.images, request.key, request.system.is_none()), (1, true, true));
}

#[tokio::test]
async fn usage_comes_only_when_asked_for() {
    let loopback = Loopback::start(Config::default()).await.unwrap();
    let body = json!({ "model": "m", "stream": true, "messages": [{ "role": "user", "content": "q" }] });
    let url = format!("{}/chat/completions", loopback.base_url());
    let text = client()
        .post(url)
        .json(&body)
        .send()
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    assert!(!text.contains("usage") && text.ends_with("data: [DONE]\n\n"), "{text}");
}

#[tokio::test]
async fn refusals_carry_openais_error_body() {
    let loopback = Loopback::start(Config::default()).await.unwrap();
    for status in [400, 401, 404, 429, 500, 503] {
        let response = ask(&loopback, &format!("[[fault=status:{status} retry_after=1.2s]]")).await;
        assert_eq!(response.status().as_u16(), status);
        assert_eq!(response.headers()["retry-after"], "2");
        assert_eq!(response.headers()["retry-after-ms"], "1200");
        let body: Value = response.json().await.unwrap();
        assert!(body["error"]["message"].is_string() && body["error"]["type"].is_string());
    }
    assert_eq!(
        ask(&loopback, "[[fault=status:429]]").await.headers()["retry-after"],
        "1"
    );
    assert_eq!(endings(&loopback.record()), [Some(Ending::Fault); 7]);
}

#[tokio::test]
async fn a_fault_can_end_after_some_times() {
    let loopback = Loopback::start(Config::default()).await.unwrap();
    for (message, status) in [("a", 500), ("b", 500), ("a", 500), ("a", 200), ("b", 500), ("b", 200)] {
        let response = ask(&loopback, &format!("[[fault=status:500 times=2]] {message}")).await;
        assert_eq!(response.status().as_u16(), status, "{message}");
    }
}

#[tokio::test]
async fn streams_break_in_every_way() {
    let loopback = Loopback::start(Config::default()).await.unwrap();
    let text = |message: &'static str| {
        let loopback = &loopback;
        async move { ask(loopback, message).await.text().await }
    };
    assert!(text("[[fault=close]]").await.is_err());
    let mut broken = ask(&loopback, "[[fault=close:2]]").await.bytes_stream();
    let mut received = Vec::new();
    let end = loop {
        match broken.next().await {
            Some(Ok(bytes)) => received.extend_from_slice(&bytes),
            end => break end,
        }
    };
    assert!(end.unwrap().is_err());
    assert_eq!(read(std::str::from_utf8(&received).unwrap()).0.len(), 2);
    let (pieces, _, finished) = read(&text("[[fault=end:2]]").await.unwrap());
    assert_eq!((pieces.len(), finished), (2, false));
    assert!(
        text("[[fault=error:1]]")
            .await
            .unwrap()
            .ends_with("\"type\":\"server_error\"}}\n\n")
    );
    assert!(text("[[fault=garbage]]").await.unwrap().starts_with("<!doctype html>"));
    assert!(text("[[fault=garbage:1]]").await.unwrap().ends_with("data: <html>\n\n"));
    assert!(
        text("[[fault=huge_line:200000]]")
            .await
            .unwrap()
            .lines()
            .last()
            .unwrap()
            .len()
            >= 200_000
    );
    let (pieces, usage, finished) = read(&text("[[fault=empty]]").await.unwrap());
    assert_eq!(
        (pieces.len(), &usage["completion_tokens"], finished),
        (0, &json!(0), true)
    );
    loopback.until(|record| record.now == 0).await;
}

#[tokio::test]
async fn a_client_that_goes_is_noticed_wherever_the_answer_stands() {
    let loopback = Loopback::start(Config::default()).await.unwrap();
    for fault in ["stall", "stall:2", "hang"] {
        let message = format!("[[fault={fault}]]");
        let ask = ask(&loopback, &message);
        if fault == "hang" {
            tokio::select! {
                _ = ask => panic!("a hanging request was answered"),
                () = loopback.until(|record| record.now == 1) => {}
            }
        } else {
            let mut body = ask.await.bytes_stream();
            if fault == "stall:2" {
                body.next().await.unwrap().unwrap();
            }
            assert_eq!(loopback.record().now, 1);
        }
        loopback.until(|record| record.now == 0).await;
    }
    assert_eq!(endings(&loopback.record()), [Some(Ending::ClientGone); 3]);
}

#[tokio::test]
async fn gates_and_holds_need_no_clock() {
    let loopback = Loopback::start(Config::default()).await.unwrap();
    loopback.hold(true);
    let mut bodies: Vec<_> = join_all([ask(&loopback, "[[gate=g]] 1"), ask(&loopback, "2"), ask(&loopback, "3")])
        .await
        .into_iter()
        .map(Response::bytes_stream)
        .collect();
    for body in &mut bodies {
        body.next().await.unwrap().unwrap();
    }
    assert_eq!((loopback.record().now, loopback.record().max), (3, 3));
    for left in [2, 1] {
        loopback.release_one();
        loopback.until(|record| record.now == left).await;
    }
    // The one behind the gate is the only one that a release cannot have reached.
    assert_eq!(loopback.record().of("1").next().unwrap().ending, None);
    assert_eq!(
        control(&loopback, "/open/g", json!(null)).await.status(),
        StatusCode::NO_CONTENT
    );
    assert_eq!(
        control(&loopback, "/release", json!(null)).await.status(),
        StatusCode::NO_CONTENT
    );
    loopback.until(|record| record.now == 0).await;
    drop(bodies);
    assert_eq!(endings(&loopback.record()), [Some(Ending::Complete); 3]);
}

#[tokio::test]
async fn knobs_turn_at_run_time() {
    let loopback = Loopback::start(Config::default()).await.unwrap();
    let knobs: Value = control(
        &loopback,
        "",
        json!({ "tokens": 1, "pace": "5ms", "fault": "status:503" }),
    )
    .await
    .json()
    .await
    .unwrap();
    assert_eq!(
        (&knobs["tokens"], &knobs["pace"], &knobs["fault"]),
        (&json!(1), &json!(5), &json!("status:503"))
    );
    assert_eq!(ask(&loopback, "q").await.status(), StatusCode::SERVICE_UNAVAILABLE);
    let wrong = control(&loopback, "", json!({ "fault": null, "tokens": "many" })).await;
    assert_eq!(wrong.status(), StatusCode::BAD_REQUEST);
    assert_eq!(
        ask(&loopback, "q").await.status(),
        StatusCode::SERVICE_UNAVAILABLE,
        "all knobs or none"
    );
    control(&loopback, "", json!({ "fault": null })).await;
    assert_eq!(
        read(&ask(&loopback, "q").await.text().await.unwrap()).0,
        ["Answer to: q\n\n"]
    );
    assert_eq!(
        ask(&loopback, "[[tokens=many]]").await.status(),
        StatusCode::BAD_REQUEST
    );

    let url = format!("http://{}/control/record", loopback.addr);
    let record: Record = client().get(&url).send().await.unwrap().json().await.unwrap();
    assert_eq!(record, loopback.record());
    control(&loopback, "/reset", json!(null)).await;
    let connections = loopback.record().connections;
    assert_eq!(
        loopback.record(),
        Record {
            connections,
            ..Record::default()
        }
    );
    assert_eq!(read(&ask(&loopback, "q").await.text().await.unwrap()).0.len(), 10);
}

#[tokio::test]
async fn first_token_and_pace_are_kept() {
    let config = Config {
        first_token: Duration::from_millis(30),
        pace: Duration::from_millis(10),
        tokens: 5,
    };
    let loopback = Loopback::start(config).await.unwrap();
    ask(&loopback, "q").await.text().await.unwrap();
    let request = &loopback.record().requests[0];
    // Lower bounds only: a slow machine may take longer, never less.
    assert!(request.first_piece.unwrap() - request.began >= 30.0);
    assert!(request.ended.unwrap() - request.began >= 70.0);
}

#[tokio::test]
async fn stopping_breaks_off_what_stalls_and_closes_the_port() {
    let loopback = Loopback::start(Config::default()).await.unwrap();
    let url = loopback.base_url();
    let body = ask(&loopback, "[[fault=stall:1]]").await;
    loopback.stop().await;
    assert!(body.text().await.is_err());
    assert!(
        client()
            .get(format!("{url}/models"))
            .send()
            .await
            .unwrap_err()
            .is_connect()
    );
}
