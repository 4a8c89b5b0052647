//! Tasks of one batch with the same priority start in their order, whatever comes between.

use std::time::Duration;

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::{
    support::{
        Site,
        program::{Program, saying},
    },
    tasks::{ONE, accepted, asked, over, program, until},
};

fn batch(count: usize) -> Value {
    json!({ "tasks": (0..count).map(|at| json!({ "message": name(at) })).collect::<Value>() })
}

fn name(at: usize) -> String {
    format!("task {at}")
}

fn names(count: usize) -> Vec<String> {
    (0..count).map(name).collect()
}

async fn all_done(site: &Site, ids: &[String]) {
    for id in ids {
        assert_eq!(over(&program(site), id).await["state"], "done");
    }
}

/// Waits until the model has been asked so often.
async fn until_asked(site: &Site, times: usize) {
    site.model.until(|record| record.requests.len() == times).await;
}

#[tokio::test]
async fn with_one_slot_they_are_asked_one_after_the_other() {
    let site = Site::start(ONE).await;
    let ids = accepted(&program(&site), &batch(60)).await;
    all_done(&site, &ids).await;
    assert_eq!(asked(&site), names(60));
}

#[tokio::test]
async fn with_several_slots_each_that_is_free_goes_to_the_next() {
    let site = Site::start(&[("CHAT_CONCURRENCY_LIMIT", "3")]).await;
    site.model.hold(true);
    let ids = accepted(&program(&site), &batch(20)).await;
    until_asked(&site, 3).await;
    for at in 3..20 {
        site.model.release_one();
        until_asked(&site, at + 1).await;
        assert_eq!(asked(&site)[at], name(at), "{:?}", asked(&site));
    }
    let mut first = asked(&site)[..3].to_vec();
    first.sort();
    assert_eq!(first, names(3), "these start at the same moment");
    site.model.hold(false);
    all_done(&site, &ids).await;
}

#[tokio::test]
async fn what_needs_others_comes_as_soon_as_it_may_and_holds_nobody_up() {
    let site = Site::start(ONE).await;
    site.model.hold(true);
    let tasks: Vec<Value> = (0..30)
        .map(|at| match at % 3 {
            2 => json!({ "name": name(at), "message": name(at), "depends_on": [name(at - 1)] }),
            _ => json!({ "name": name(at), "message": name(at) }),
        })
        .collect();
    let ids = accepted(&program(&site), &json!({ "tasks": tasks })).await;
    let number = |question: &String| -> usize { question.trim_start_matches("task ").parse().expect("a number") };
    for turn in 0..30 {
        until_asked(&site, turn + 1).await;
        site.model.release_one();
        // Its end is stored, so what needs it may come.
        over(&program(&site), &ids[number(&asked(&site)[turn])]).await;
    }
    all_done(&site, &ids).await;
    let asked: Vec<usize> = asked(&site).iter().map(number).collect();
    let (need, free): (Vec<usize>, Vec<usize>) = asked.iter().partition(|at| **at % 3 == 2);
    assert!(free.is_sorted() && need.is_sorted(), "{asked:?}");
    for (place, at) in asked.iter().enumerate().filter(|(_, at)| **at % 3 == 2) {
        let needed = asked.iter().position(|other| *other == at - 1).expect("asked");
        // By the time at which what it needs is known to be over, the next has the slot, two are in the line, and one may be about to go into it.
        assert!((1..=5).contains(&(place - needed)), "{at}: {asked:?}");
    }
}

#[tokio::test]
async fn restarts_change_nothing() {
    let mut site = Site::start(ONE).await;
    site.model.hold(true);
    let ids = accepted(&program(&site), &batch(30)).await;
    let mut starts = 0;
    for round in 0..5 {
        // Some are answered, the next one is being asked, and its start is stored.
        for _ in 0..4 {
            starts += 1;
            until_asked(&site, starts).await;
            site.model.release_one();
        }
        starts += 1;
        until_asked(&site, starts).await;
        until(&program(&site), &ids[4 * (round + 1)], |task| task["attempts"] != 0).await;
        site.restart(Duration::ZERO).await;
        let asked_before = starts - 1;
        site.model
            .until(|record| record.requests[asked_before].ended.is_some())
            .await;
    }
    site.model.hold(false);
    all_done(&site, &ids).await;
    let mut asked = asked(&site);
    assert_eq!(asked.len(), 35, "five were asked twice");
    asked.dedup();
    assert_eq!(asked, names(30));
}

#[tokio::test]
async fn a_line_that_is_full_changes_nothing() {
    let site = Site::start(&[("CHAT_CONCURRENCY_LIMIT", "1"), ("QUEUE_MAX_SIZE", "8")]).await;
    let ids = accepted(&program(&site), &batch(40)).await;
    // Others fill what is free of the line, again and again, until all tasks are over.
    let others: Vec<_> = (0..12).map(|_| tokio::spawn(crowd(program(&site)))).collect();
    all_done(&site, &ids).await;
    for other in others {
        other.abort();
        assert!(
            other.await.is_err_and(|end| end.is_cancelled()),
            "a request of others broke"
        );
    }
    let mut tasks = asked(&site);
    tasks.retain(|question| question.starts_with("task"));
    assert_eq!(tasks, names(40));
}

/// Asks for ever.
async fn crowd(program: Program) {
    loop {
        let reply = program.ask(program.chat(&saying("other"))).await;
        assert!(
            matches!(reply.status, StatusCode::OK | StatusCode::TOO_MANY_REQUESTS),
            "{reply:?}"
        );
    }
}
