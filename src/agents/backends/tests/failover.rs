//! Turns over HTTP, by whatever goes wrong on their way.

use anteroom_loopback::{Config, Loopback};

use super::*;

async fn loopback() -> Loopback {
    Loopback::start(Config {
        tokens: 3,
        ..Config::default()
    })
    .await
    .unwrap()
}

async fn two() -> ([Loopback; 2], Site) {
    let servers = [loopback().await, loopback().await];
    let [one, two] = [0, 1].map(|at| backend(["one", "two"][at], &servers[at].base_url()));
    let site = Site::start(loaded(catalog(vec![one, two], &["m@gpu"])));
    (servers, site)
}

async fn one(retries: u32) -> (Loopback, Site) {
    let server = loopback().await;
    let mut loaded = loaded(catalog(vec![backend("one", &server.base_url())], &["m@gpu"]));
    loaded.settings.model_retries = retries;
    (server, Site::start(loaded))
}

#[tokio::test]
async fn what_may_pass_is_asked_again() {
    for fault in [
        "status:500 times=2",
        "status:502 times=2",
        "status:429 times=2",
        "status:503 times=2",
        "close times=2",
        "end times=2",
        "error times=2",
        "garbage times=2",
    ] {
        let (server, site) = one(2).await;
        let message = format!("[[fault={fault} retry_after=1ms tokens=1]]{fault}");
        let (answer, _) = site.turn(&message).await;
        assert_eq!(answer, Ok(format!("Answer to: {fault}\n\n")));
        assert_eq!(server.record().of(fault).count(), 3, "{fault}");
    }
}

#[tokio::test]
async fn what_will_not_pass_is_not_asked_again() {
    for (fault, requests) in [
        ("status:401", 1),
        ("status:404", 1),
        ("status:400", 1),
        ("empty", 1),
        // A piece has been shown.
        ("close:1", 1),
        ("error:1", 1),
        // Once again is all.
        ("status:500", 2),
    ] {
        let (server, site) = one(1).await;
        let (answer, went) = site.turn(&format!("[[fault={fault}]]{fault}")).await;
        assert!(answer.is_err(), "{fault}");
        assert_eq!(
            (server.record().of(fault).count(), went.len()),
            (requests, requests),
            "{fault}"
        );
    }
}

#[tokio::test]
async fn one_that_dies_is_a_moment_for_the_first_and_nothing_for_the_next() {
    let ([first, second], site) = two().await;
    first.stop().await;
    let (answer, went) = site.turn("q").await;
    answer.unwrap();
    assert_eq!(went, ["one", "two"]);
    let (answer, went) = site.turn("q").await;
    answer.unwrap();
    assert_eq!(went, ["two"]);
    assert_eq!(second.record().requests.len(), 2);
}

#[tokio::test]
async fn one_that_comes_back_is_probed_by_a_single_turn() {
    let (server, site) = one(2).await;
    server.kill().await.unwrap();
    let turns = {
        let site = site.clone();
        tokio::spawn(async move { site.turns(5, "q").await })
    };
    let pool = site.backends().pool(&model("m@gpu")).unwrap();
    let mut changes = site.backends().changes();
    while site.backends().trouble(pool).is_none() {
        changes.changed().await.unwrap();
    }
    server.set("after", "0").unwrap();
    server.hold(true);
    server.revive().await.unwrap();
    server.until(|record| record.now == 1).await;
    let trouble = site.backends().trouble(pool).unwrap();
    assert_eq!((trouble.reason, trouble.until), (Reason::ModelUnreachable, None));
    assert_eq!(site.queue.waiting(), 4, "everybody else waits for what becomes of it");
    // Its first piece is enough: then there are two slots again.
    server.set("after", "1").unwrap();
    server.release_one();
    server.until(|record| record.requests.len() == 3).await;
    server.hold(false);
    for (answer, _) in turns.await.unwrap() {
        answer.unwrap();
    }
    assert_eq!(server.record().requests.len(), 5);
}

#[tokio::test]
async fn whatever_one_does_before_its_first_word_another_answers() {
    for fault in [
        "reset",
        "close",
        "end",
        "error",
        "garbage",
        "loading",
        "status:429",
        "status:500",
        "status:502",
        "status:503",
    ] {
        let ([bad, good], site) = two().await;
        bad.set("fault", fault).unwrap();
        for (answer, went) in site.turns(12, "q").await {
            assert_eq!(
                answer.as_deref(),
                Ok("Answer to: q\n\nword1 word2 "),
                "{fault}: {went:?}"
            );
        }
        assert_eq!(good.record().requests.len(), 12, "{fault}");
        assert!(bad.record().requests.len() <= 6, "{fault}: it was left alone");
    }
}

#[tokio::test]
async fn one_that_is_silent_is_given_up_and_another_answers() {
    for fault in ["hang", "stall"] {
        let (silent, good) = (loopback().await, loopback().await);
        silent.set("fault", fault).unwrap();
        let both = [("silent", &silent), ("good", &good)].map(|(name, server)| backend(name, &server.base_url()));
        let mut loaded = loaded(catalog(both.to_vec(), &["m@gpu"]));
        loaded.settings.model_stall_timeout = Duration::from_secs(1);
        let (answer, went) = Site::start(loaded).turn("q").await;
        answer.unwrap();
        assert_eq!(went, ["silent", "good"], "{fault}");
    }
}

#[tokio::test]
async fn no_server_gets_more_than_it_takes() {
    let servers = [loopback().await, loopback().await];
    let [first, second] = &servers;
    let both = servers
        .each_ref()
        .map(|server| backend(&server.addr.to_string(), &server.base_url()));
    let mut loaded = loaded(catalog(both.to_vec(), &["m@gpu"]));
    // One in three fails there, also of those that are asked a second time.
    loaded.settings.model_retries = 10;
    let site = Site::start(loaded);
    for server in [first, second] {
        server.set("limit", "2").unwrap();
        server.set("first_token", "3ms").unwrap();
    }
    second.set("fault", "status:500").unwrap();
    second.set("every", "3").unwrap();
    for (answer, _) in site.turns(40, "q").await {
        answer.unwrap();
    }
    assert_eq!((first.record().beyond_limit(), second.record().beyond_limit()), (0, 0));
}

#[tokio::test]
async fn a_limit_that_is_found_out_costs_the_turns_nothing() {
    let server = loopback().await;
    for (knob, value) in [
        ("limit", "3"),
        ("retry_after", "none"),
        ("first_token", "50ms"),
        ("pace", "30ms"),
    ] {
        server.set(knob, value).unwrap();
    }
    let auto = BackendSettings {
        limit: BackendLimit::Auto,
        ..backend("one", &server.base_url())
    };
    let site = Site::start(loaded(catalog(vec![auto], &["m@gpu"])));
    // Until the server has been asked for one more than it takes.
    while server.record().beyond_limit() == 0 {
        for (answer, _) in site.turns(12, "q").await {
            answer.unwrap();
        }
    }
    let [found] = site.queue.backends()[..] else {
        unreachable!()
    };
    assert_eq!(found.limit, Some(3), "{found:?}");
    assert_eq!(server.record().beyond_limit(), 1, "those after it were kept within");
}

#[tokio::test]
async fn one_that_refuses_is_left_alone_for_as_long_as_it_asks() {
    let ([first, second], site) = two().await;
    first.set("fault", "status:429").unwrap();
    first.set("retry_after", "60m").unwrap();
    for _ in 0..5 {
        site.turn("q").await.0.unwrap();
    }
    assert_eq!((first.record().requests.len(), second.record().requests.len()), (1, 5));
    assert!(matches!(
        site.backends().figures().backends[0].health,
        Health::Cooling(_)
    ));
}

#[tokio::test]
async fn reasoning_and_text_are_not_said_twice() {
    let ([first, second], site) = two().await;
    first.set("fault", "close:2").unwrap();
    let (answer, went) = site.turn("q").await;
    assert_eq!((answer, went), (Err(AgentError::CutOff), vec!["one".to_owned()]));
    assert!(second.record().requests.is_empty());
    assert_eq!(site.backends().figures().backends[0].faults, [("cut_off", 1)]);
}

#[tokio::test]
async fn the_fallback_answers_at_once() {
    let (dead, live) = (loopback().await, loopback().await);
    let mut cloud = backend("cloud", &live.base_url());
    (cloud.pool, cloud.models) = ("cloud".to_owned(), None);
    let mut all = catalog(vec![backend("one", &dead.base_url()), cloud], &["m@gpu"]);
    all.fallback = Some(model("small@cloud"));
    let site = Site::start(loaded(all));
    dead.stop().await;
    let (answer, went) = site.turn("q").await;
    answer.unwrap();
    assert_eq!(went, ["one", "cloud"]);
    assert_eq!(live.record().requests[0].model, "small");
}
