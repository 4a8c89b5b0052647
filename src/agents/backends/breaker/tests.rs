//! Each rule by itself, and all of them whatever happens.

use proptest::prelude::*;

use super::*;

const SECOND: Duration = Duration::from_secs(1);
const BUSY: Strike = Strike::Busy { retry_after: None };

/// Fails once, with no jitter.
fn fail(breaker: &mut Breaker, strike: Strike, now: Instant) {
    let began = breaker.begin(now);
    breaker.failed(began, strike, now, 0.0);
}

fn open_until(until: Instant) -> Gate {
    Gate::Shut { until, cools: false }
}

#[test]
fn nobody_there_opens_it_at_once_and_other_faults_after_three_in_a_row() {
    let now = Instant::now();
    let mut breaker = Breaker::default();
    fail(&mut breaker, Strike::Away, now);
    assert_eq!(breaker.gate(now), open_until(now + SECOND));

    let mut breaker = Breaker::default();
    for _ in 0..2 {
        fail(&mut breaker, Strike::Failed, now);
    }
    let began = breaker.begin(now);
    breaker.answered(began);
    for _ in 0..2 {
        fail(&mut breaker, Strike::Failed, now);
        assert_eq!(breaker.gate(now), Gate::Free, "an answer came between");
    }
    fail(&mut breaker, Strike::Failed, now);
    assert_eq!(breaker.gate(now), open_until(now + SECOND));
}

#[test]
fn its_pause_doubles_with_each_probe_that_fails_until_one_is_answered() {
    let mut now = Instant::now();
    let mut breaker = Breaker::default();
    fail(&mut breaker, Strike::Away, now);
    for length in [1, 2, 4, 8, 16, 30, 30] {
        let until = now + length * SECOND;
        assert_eq!(breaker.gate(until - Duration::from_millis(1)), open_until(until));
        now = until;
        assert_eq!(breaker.gate(now), Gate::Probe);
        fail(&mut breaker, Strike::Failed, now);
    }
    now += 30 * SECOND;
    let probe = breaker.begin(now);
    assert_eq!(breaker.gate(now), Gate::Probing);
    breaker.shown(probe);
    assert_eq!(
        breaker.gate(now),
        Gate::Free,
        "others need not wait for the answer's end"
    );
    breaker.failed(probe, Strike::Failed, now, 0.0);
    assert_eq!(
        breaker.gate(now),
        open_until(now + 30 * SECOND),
        "a beginning alone forgives nothing"
    );
    now += 30 * SECOND;
    let probe = breaker.begin(now);
    breaker.answered(probe);
    fail(&mut breaker, Strike::Away, now);
    assert_eq!(breaker.gate(now), open_until(now + SECOND));
}

#[test]
fn what_began_before_it_opened_neither_closes_it_nor_makes_its_pause_longer() {
    let now = Instant::now();
    let mut breaker = Breaker::default();
    let early = [(); 4].map(|()| breaker.begin(now));
    fail(&mut breaker, Strike::Away, now);
    let open = breaker.gate(now);
    breaker.failed(early[0], Strike::Away, now, 0.0);
    breaker.shown(early[1]);
    breaker.answered(early[1]);
    assert_eq!(breaker.gate(now), open);
    let later = now + SECOND;
    let probe = breaker.begin(later);
    breaker.left(early[2]);
    breaker.failed(early[3], Strike::Failed, later, 0.0);
    assert_eq!(breaker.gate(later), Gate::Probing);
    breaker.answered(probe);
    assert_eq!(breaker.gate(later), Gate::Free);
}

#[test]
fn a_probe_that_shows_nothing_leaves_its_place_to_the_next() {
    let now = Instant::now();
    let mut breaker = Breaker::default();
    fail(&mut breaker, Strike::Away, now);
    let later = now + SECOND;
    let probe = breaker.begin(later);
    breaker.left(probe);
    assert_eq!(breaker.gate(later), Gate::Probe);
    // It is there, and loads its model.
    fail(&mut breaker, BUSY, later);
    let cools = Gate::Shut {
        until: later + SECOND,
        cools: true,
    };
    assert_eq!(breaker.gate(later), cools);
    assert_eq!(breaker.gate(later + SECOND), Gate::Probe);
}

#[test]
fn it_cools_for_as_long_as_it_asks_and_no_longer_for_being_asked_by_many() {
    let now = Instant::now();
    let mut breaker = Breaker::default();
    let many = [(); 5].map(|()| breaker.begin(now));
    let asks = |seconds| Strike::Busy {
        retry_after: Some(seconds * SECOND),
    };
    for began in &many[..3] {
        breaker.failed(*began, BUSY, now, 0.0);
    }
    assert_eq!(breaker.gate(now + SECOND), Gate::Free, "all of it is back at once");
    breaker.failed(many[3], asks(3), now, 0.0);
    breaker.failed(many[4], asks(2), now, 0.0);
    let cools = Gate::Shut {
        until: now + 3 * SECOND,
        cools: true,
    };
    assert_eq!(breaker.gate(now), cools);
    let later = now + 3 * SECOND;
    fail(&mut breaker, BUSY, later);
    assert_eq!(
        breaker.gate(later + 2 * SECOND - Duration::from_millis(1)),
        Gate::Shut {
            until: later + 2 * SECOND,
            cools: true
        }
    );
    // A number without sense is no reason to panic, nor to leave it alone for ever.
    let mut breaker = Breaker::default();
    fail(
        &mut breaker,
        Strike::Busy {
            retry_after: Some(Duration::MAX),
        },
        now,
    );
    assert_eq!(breaker.gate(now + LONGEST_COOLING), Gate::Free);
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Begin,
    Shown(usize),
    Answered(usize),
    Failed(usize, Strike, f64),
    Left(usize),
    Wait(u64),
    Renew,
    HearOut(bool),
    HearProbing,
    HearHalfOpen,
    HearWorks,
}

fn step() -> impl Strategy<Value = Step> {
    let retry_after = prop_oneof![Just(None), (0..40_000_u64).prop_map(Some)];
    let busy = retry_after.prop_map(|ms| Strike::Busy {
        retry_after: ms.map(Duration::from_millis),
    });
    let strike = prop_oneof![busy, Just(Strike::Away), Just(Strike::Failed)];
    prop_oneof![
        6 => Just(Step::Begin),
        2 => any::<usize>().prop_map(Step::Shown),
        2 => any::<usize>().prop_map(Step::Answered),
        6 => (any::<usize>(), strike, 0.0..=1.0).prop_map(|(which, strike, jitter)| Step::Failed(which, strike, jitter)),
        1 => any::<usize>().prop_map(Step::Left),
        4 => (1..40_000_u64).prop_map(Step::Wait),
        1 => Just(Step::Renew),
        1 => any::<bool>().prop_map(Step::HearOut),
        1 => Just(Step::HearProbing),
        1 => Just(Step::HearHalfOpen),
        3 => Just(Step::HearWorks),
    ]
}

proptest! {
    #[test]
    fn it_keeps_its_promises_whatever_happens(steps in proptest::collection::vec(step(), 1..200)) {
        let mut now = Instant::now();
        let mut breaker = Breaker::default();
        let mut under_way: Vec<Began> = Vec::new();
        for step in steps {
            let before = breaker.gate(now);
            let pick = |which: usize, of: &[Began]| (!of.is_empty()).then(|| which % of.len());
            match step {
                Step::Begin => under_way.push(breaker.begin(now)),
                Step::Wait(ms) => {
                    now += Duration::from_millis(ms);
                    if let Gate::Shut { until, .. } = before {
                        let shut = matches!(breaker.gate(now), Gate::Shut { .. });
                        prop_assert_eq!(shut, now < until, "shut until its time, and no longer");
                    } else {
                        prop_assert_eq!(breaker.gate(now), before);
                    }
                }
                Step::Renew => {
                    breaker.renew();
                    prop_assert_eq!(breaker.gate(now), Gate::Free);
                }
                Step::HearOut(cools) => {
                    breaker.hear_out(cools, now);
                    prop_assert_eq!(breaker.gate(now), Gate::Elsewhere);
                }
                Step::HearProbing => {
                    breaker.hear_probing();
                    prop_assert_eq!(breaker.gate(now), Gate::Elsewhere);
                }
                Step::HearHalfOpen => {
                    breaker.hear_half_open(now);
                    let gate = breaker.gate(now);
                    let cools = matches!(gate, Gate::Shut { cools: true, .. });
                    prop_assert!(cools || matches!(gate, Gate::Probe | Gate::Probing), "{gate:?}");
                }
                Step::HearWorks => {
                    let cooled = breaker.elsewhere == Some(true);
                    breaker.hear_works(now);
                    let gate = breaker.gate(now);
                    let free = matches!(gate, Gate::Free | Gate::Shut { cools: true, .. });
                    prop_assert!(free || cooled, "{gate:?}");
                }
                Step::Shown(which) => if let Some(which) = pick(which, &under_way) {
                    breaker.shown(under_way[which]);
                },
                Step::Answered(which) => if let Some(which) = pick(which, &under_way) {
                    let began = under_way.swap_remove(which);
                    let speaks = began.openings == breaker.openings;
                    breaker.answered(began);
                    let free = matches!(
                        breaker.gate(now),
                        Gate::Free | Gate::Shut { cools: true, .. } | Gate::Elsewhere
                    );
                    prop_assert!(!speaks || free, "an answer closes it");
                    prop_assert!(speaks || breaker.gate(now) == before, "an old answer does not");
                },
                Step::Failed(which, strike, jitter) => if let Some(which) = pick(which, &under_way) {
                    let began = under_way.swap_remove(which);
                    let openings = breaker.openings;
                    let forgiven = breaker.healed.is_some_and(|since| now >= since + LONGEST);
                    let in_a_row = if forgiven { 0 } else { breaker.opened_in_a_row };
                    breaker.failed(began, strike, now, jitter);
                    if breaker.openings > openings {
                        prop_assert_eq!(began.openings, openings);
                        let full = FIRST.saturating_mul(2_u32.saturating_pow(in_a_row)).min(LONGEST);
                        let Circuit::Open(until) = breaker.circuit else {
                            return Err(TestCaseError::fail("it has opened"));
                        };
                        prop_assert!(until >= now + full && until <= now + full.mul_f64(1.0 + JITTER));
                    }
                    if strike == Strike::Away && before == Gate::Free && began.openings == openings {
                        let shut = matches!(breaker.gate(now), Gate::Shut { cools: false, .. });
                        prop_assert!(shut);
                    }
                },
                Step::Left(which) => if let Some(which) = pick(which, &under_way) {
                    breaker.left(under_way.swap_remove(which));
                },
            }
            let probes = under_way.iter().filter(|began| began.probe && began.openings == breaker.openings);
            match breaker.gate(now) {
                Gate::Probing => prop_assert_eq!(probes.count(), 1, "one probe at a time, and it is there"),
                Gate::Probe => prop_assert_eq!(probes.count(), 0),
                Gate::Free | Gate::Shut { .. } | Gate::Elsewhere => {}
            }
            prop_assert!(breaker.faults < IN_A_ROW);
        }
    }
}
