//! Who is in service, what the queue is told of it, and what those who wait are.

use super::*;

fn pool(backends: &Backends) -> PoolIndex {
    backends.pool(&model("m@gpu")).unwrap()
}

/// Has pauses end while a test runs.
fn kept(backends: Backends) -> Arc<Backends> {
    let backends = Arc::new(backends);
    let keeper = Arc::clone(&backends);
    tokio::spawn(async move { keeper.keep(CancellationToken::new()).await });
    backends
}

#[tokio::test(start_paused = true)]
async fn the_queue_is_told_before_the_ticket_goes_back() {
    let backends = Backends::new(&settings(pair())).unwrap();
    let caps = governed(&backends);
    assert_eq!((cap(&caps, ONE), cap(&caps, TWO)), (None, None));
    fail(&backends, ONE, &REFUSED);
    assert_eq!((cap(&caps, ONE), cap(&caps, TWO)), (Some(0), None));
    fail(&backends, TWO, &busy(None));
    assert_eq!(cap(&caps, TWO), Some(0));
}

#[tokio::test(start_paused = true)]
async fn one_single_probe_shows_whether_it_works_again() {
    let backends = kept(Backends::new(&settings(pair())).unwrap());
    let caps = governed(&backends);
    // One from before still has its answer coming.
    let early = backends.begin(&mut asks(ONE)).unwrap();
    early.shown();
    fail(&backends, ONE, &REFUSED);
    sleep(Duration::from_secs(2)).await;
    assert_eq!(cap(&caps, ONE), Some(2), "one beside the one from before");
    let probe = backends.begin(&mut asks(ONE)).unwrap();
    assert_eq!(cap(&caps, ONE), Some(0));
    assert_eq!(backends.begin(&mut asks(ONE)).err(), Some(AgentError::OutOfService));
    drop(probe);
    assert_eq!(cap(&caps, ONE), Some(2), "it was given up, and another may try");
    early.answered(Answered::default());
    assert_eq!(cap(&caps, ONE), Some(1));
    let probe = backends.begin(&mut asks(ONE)).unwrap();
    probe.shown();
    assert_eq!(cap(&caps, ONE), None);
}

#[tokio::test(start_paused = true)]
async fn trouble_is_told_while_nobody_of_a_pool_is_in_service() {
    let backends = kept(Backends::new(&settings(pair())).unwrap());
    let _caps = governed(&backends);
    let mut changes = backends.changes();
    fail(&backends, ONE, &REFUSED);
    assert_eq!(backends.trouble(pool(&backends)), None);
    fail(&backends, TWO, &busy(Some(Duration::from_secs(60))));
    let trouble = backends.trouble(pool(&backends)).unwrap();
    assert_eq!(trouble.reason, Reason::ModelUnreachable, "that one comes first");
    let until = trouble.until.unwrap() - Instant::now();
    assert!(
        until >= Duration::from_secs(1) && until <= Duration::from_millis(1250),
        "{until:?}"
    );
    changes.borrow_and_update();
    changes.changed().await.unwrap();
    assert_eq!(backends.trouble(pool(&backends)), None, "one may try");
    let probe = backends.begin(&mut asks(ONE)).unwrap();
    let trouble = backends.trouble(pool(&backends)).unwrap();
    assert_eq!((trouble.reason, trouble.until), (Reason::ModelUnreachable, None));
    changes.borrow_and_update();
    probe.shown();
    assert!(changes.has_changed().unwrap());
    assert_eq!(backends.trouble(pool(&backends)), None);
}

#[tokio::test(start_paused = true)]
async fn what_the_question_or_the_operator_is_to_blame_for_keeps_nobody_out() {
    let backends = Backends::new(&settings(pair())).unwrap();
    let caps = governed(&backends);
    let unknown = AgentError::UnknownModel {
        model: "m@gpu".to_owned(),
    };
    for error in [
        AgentError::Unauthorized,
        unknown,
        AgentError::Rejected { status: 400 },
        AgentError::TooLong,
        AgentError::Empty,
        AgentError::Filtered,
    ] {
        for _ in 0..5 {
            fail(&backends, ONE, &error);
            let verdict = backends.verdict(&model("m@gpu"), ONE, &error, false, &mut Tries::new());
            assert_eq!(verdict, Verdict::Final, "{error}");
        }
        assert_eq!(cap(&caps, ONE), None, "{error}");
    }
    let [one, ..] = &backends.figures().backends[..] else {
        unreachable!()
    };
    assert_eq!(one.misfit, Some("unknown_model"), "the operator is told");
    answer(&backends, ONE);
    assert_eq!(backends.figures().backends[0].misfit, None);
}

#[tokio::test(start_paused = true)]
async fn verdicts_follow_from_who_else_is_in_service() {
    let backends = Backends::new(&settings(pair())).unwrap();
    let asked = model("m@gpu");
    let mut tries = Tries::new();
    let mut verdict = |backend, error: &AgentError| {
        fail(&backends, backend, error);
        backends.verdict(&asked, backend, error, false, &mut tries)
    };
    // It is still in service itself, so it is left a moment.
    assert!(matches!(verdict(ONE, &FAULT), Verdict::Elsewhere { pause } if !pause.is_zero()));
    let at_once = Verdict::Elsewhere { pause: Duration::ZERO };
    assert_eq!(verdict(ONE, &REFUSED), at_once);
    assert!(matches!(verdict(TWO, &FAULT), Verdict::Again { .. }), "it is alone now");
    // Two retries are all, as long as one is there to be asked.
    assert_eq!(verdict(TWO, &FAULT), Verdict::Final);
    // Those that were not there to be asked are no tries.
    assert_eq!(verdict(TWO, &REFUSED), Verdict::Wait);
    assert_eq!(
        backends.verdict(&asked, TWO, &REFUSED, true, &mut Tries::new()),
        Verdict::Final,
        "something was shown"
    );
    assert_eq!(
        backends.verdict(&model("gone@gpu"), TWO, &REFUSED, false, &mut Tries::new()),
        Verdict::Final
    );
}

#[tokio::test(start_paused = true)]
async fn probes_that_find_nobody_there_cost_a_turn_nothing() {
    let backends = Backends::new(&settings(pair())).unwrap();
    let asked = model("m@gpu");
    for backend in [ONE, TWO] {
        fail(&backends, backend, &REFUSED);
    }
    let mut tries = Tries::new();
    for _ in 0..10 {
        sleep(Duration::from_secs(38)).await;
        fail(&backends, ONE, &REFUSED);
        let verdict = backends.verdict(&asked, ONE, &REFUSED, false, &mut tries);
        assert_eq!(
            verdict,
            Verdict::Elsewhere { pause: Duration::ZERO },
            "the other may be tried, too"
        );
        fail(&backends, TWO, &REFUSED);
        assert_eq!(
            backends.verdict(&asked, TWO, &REFUSED, false, &mut tries),
            Verdict::Wait
        );
    }
    // A question that makes a server hang up each time must come to an end.
    for _ in 0..2 {
        sleep(Duration::from_secs(38)).await;
        fail(&backends, ONE, &AgentError::HungUp);
        backends.verdict(&asked, ONE, &AgentError::HungUp, false, &mut tries);
    }
    sleep(Duration::from_secs(38)).await;
    fail(&backends, ONE, &AgentError::HungUp);
    let verdict = backends.verdict(&asked, ONE, &AgentError::HungUp, false, &mut tries);
    assert_eq!(verdict, Verdict::Final);
}

#[tokio::test(start_paused = true)]
async fn to_be_a_probe_costs_a_turn_nothing_while_another_back_end_works() {
    let backends = Backends::new(&settings(pair())).unwrap();
    let asked = model("m@gpu");
    fail(&backends, ONE, &REFUSED);
    let mut tries = Tries::new();
    let at_once = Verdict::Elsewhere { pause: Duration::ZERO };
    for _ in 0..5 {
        sleep(Duration::from_secs(38)).await;
        fail(&backends, ONE, &FAULT);
        assert_eq!(backends.verdict(&asked, ONE, &FAULT, false, &mut tries), at_once);
    }
    let choked = AgentError::HungUp;
    for expected in [&at_once, &at_once, &Verdict::Final] {
        sleep(Duration::from_secs(38)).await;
        fail(&backends, ONE, &choked);
        assert_eq!(backends.verdict(&asked, ONE, &choked, false, &mut tries), *expected);
    }
}

#[tokio::test(start_paused = true)]
async fn alone_it_is_asked_again_until_it_opens() {
    let alone = catalog(vec![backend("one", NOWHERE)], &["m@gpu"]);
    let mut settings = settings(alone);
    settings.model_retries = 5;
    let backends = Backends::new(&settings).unwrap();
    let mut tries = Tries::new();
    let mut verdict = || {
        fail(&backends, ONE, &AgentError::Stalled);
        backends.verdict(&model("m@gpu"), ONE, &AgentError::Stalled, false, &mut tries)
    };
    let mut last = Duration::ZERO;
    for _ in 0..2 {
        let Verdict::Again { pause } = verdict() else {
            panic!("it is in service")
        };
        assert!(pause >= last, "{pause:?} after {last:?}");
        last = pause;
    }
    assert_eq!(verdict(), Verdict::Wait);
}

#[tokio::test(start_paused = true)]
async fn a_turn_waits_for_a_pool_that_is_out_only_so_long() {
    let mut settings = settings(pair());
    settings.model_outage_wait = Some(Duration::from_secs(600));
    let backends = kept(Backends::new(&settings).unwrap());
    let began = Instant::now();
    let (pool, early) = (pool(&backends), Tries::new());
    let minute = Duration::from_secs(60);
    for backend in [ONE, TWO] {
        fail(&backends, backend, &REFUSED);
    }
    sleep(4 * minute).await;
    let late = Tries::new();
    // A probe that fails does not begin it anew.
    fail(&backends, ONE, &busy(None));
    assert_eq!(backends.gave_up(pool, &early).await, Reason::ModelRateLimited);
    assert_eq!(began.elapsed(), 10 * minute);
    let too_late = backends.verdict(&model("m@gpu"), ONE, &REFUSED, false, &mut early.clone());
    assert_eq!(too_late, Verdict::Final);
    // One that is answered does.
    answer(&backends, ONE);
    fail(&backends, ONE, &REFUSED);
    assert_eq!(backends.gave_up(pool, &late).await, Reason::ModelUnreachable);
    assert_eq!(began.elapsed(), 20 * minute);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_wants_to_be_left_alone_for_longer_than_a_turn_waits_is_not_waited_for() {
    let alone = catalog(vec![backend("one", NOWHERE)], &["m@gpu"]);
    let mut settings = settings(alone);
    settings.model_outage_wait = Some(Duration::from_secs(60));
    for (seconds, expected) in [(30, Verdict::Wait), (120, Verdict::Final)] {
        let backends = Backends::new(&settings).unwrap();
        let error = busy(Some(Duration::from_secs(seconds)));
        fail(&backends, ONE, &error);
        let verdict = backends.verdict(&model("m@gpu"), ONE, &error, false, &mut Tries::new());
        assert_eq!(verdict, expected);
    }
    settings.model_outage_wait = None;
    let backends = Backends::new(&settings).unwrap();
    let error = busy(Some(Duration::from_secs(1800)));
    fail(&backends, ONE, &error);
    let verdict = backends.verdict(&model("m@gpu"), ONE, &error, false, &mut Tries::new());
    assert_eq!(verdict, Verdict::Wait);
}

#[tokio::test(start_paused = true)]
async fn the_fallback_answers_where_the_model_cannot_and_the_question_could() {
    let mut with = pair();
    with.fallback = Some(model("small@cloud"));
    let mut cloud = backend("cloud", NOWHERE);
    (cloud.pool, cloud.models) = ("cloud".to_owned(), None);
    with.backends.push(cloud);
    let backends = Backends::new(&settings(with)).unwrap();
    let asked = model("m@gpu");
    let fallback = Verdict::Fallback {
        model: model("small@cloud"),
        pool: PoolIndex(1),
    };
    let refused = AgentError::Rejected { status: 400 };
    assert_eq!(
        backends.verdict(&asked, ONE, &refused, false, &mut Tries::new()),
        Verdict::Final
    );
    let misfit = backends.verdict(&asked, ONE, &AgentError::Unauthorized, false, &mut Tries::new());
    assert_eq!(misfit, fallback);
    let none = Tries::new();
    assert_eq!(
        backends.instead_of(&asked, &none),
        None,
        "it works, as far as anybody knows"
    );
    for backend in [ONE, TWO] {
        fail(&backends, backend, &REFUSED);
    }
    let cloud = Some((model("small@cloud"), PoolIndex(1)));
    assert_eq!(backends.instead_of(&asked, &none), cloud);
    assert_eq!(
        backends.instead_of(&asked, &Tries::new().seeing(true)),
        cloud,
        "it may see"
    );
    let mut tries = Tries::new();
    assert_eq!(backends.verdict(&asked, TWO, &REFUSED, false, &mut tries), fallback);
    assert_eq!(backends.instead_of(&asked, &tries), None, "it has been asked");
    let cloud = BackendIndex(2);
    fail(&backends, cloud, &REFUSED);
    let last = backends.verdict(&model("small@cloud"), cloud, &REFUSED, false, &mut tries);
    assert_eq!(last, Verdict::Wait, "there is no other");
    assert_eq!(backends.instead_of(&asked, &none), None, "it is out itself");
}

#[tokio::test(start_paused = true)]
async fn a_fallback_that_is_blind_is_not_shown_pictures() {
    let mut with = pair();
    with.fallback = Some(model("small@cloud"));
    let mut cloud = backend("cloud", NOWHERE);
    (cloud.pool, cloud.models, cloud.vision) = ("cloud".to_owned(), None, Some(false));
    with.backends.push(cloud);
    let backends = Backends::new(&settings(with)).unwrap();
    let asked = model("m@gpu");
    for backend in [ONE, TWO] {
        fail(&backends, backend, &REFUSED);
    }
    let mut seeing = Tries::new().seeing(true);
    assert_eq!(backends.instead_of(&asked, &seeing), None);
    let waits = backends.verdict(&asked, TWO, &REFUSED, false, &mut seeing);
    assert_eq!(waits, Verdict::Wait, "its own model sees, and may be back");
    assert!(backends.instead_of(&asked, &Tries::new()).is_some());
}

#[tokio::test(start_paused = true)]
async fn a_model_sees_where_all_of_its_back_ends_do() {
    for (eyes, sees) in [
        ([Some(true), Some(true)], Some(true)),
        ([Some(true), None], None),
        ([Some(true), Some(false)], Some(false)),
        ([None, Some(false)], Some(false)),
    ] {
        let mut with = pair();
        for (backend, vision) in with.backends.iter_mut().zip(eyes) {
            backend.vision = vision;
        }
        let backends = Backends::new(&settings(with)).unwrap();
        assert_eq!(backends.models()[0].vision, sees, "{eyes:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_brings_nothing_in_all_the_time_there_is_goes_out_of_service() {
    let backends = Backends::new(&settings(pair())).unwrap();
    let pool = backends.pool(&model("m@gpu")).unwrap();
    for _ in 0..3 {
        assert!(backends.figures().backends[0].faults.len() < 2);
        assert_eq!(backends.figures().backends[0].health, Health::Ready);
        backends.ran_out(ONE);
    }
    let one = &backends.figures().backends[0];
    assert!(matches!(one.health, Health::Open(_)), "{:?}", one.health);
    assert_eq!(one.faults, [("stalled", 3)]);
    assert_eq!(backends.trouble(pool), None, "the other one works");
}
