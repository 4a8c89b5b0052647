//! The proof: a million random operations, carried out on the queue and on a model of plain lists, and compared after each.
//!
//! Several runs, so that they use several cores: each draws another kind of visit, and has to have seen what it is for.
//! `PROPTEST_CASES` makes each of them at least that many cases long.
//!
//! A failing case is kept: proptest writes its seed into `proptest-regressions/queue/tests/property.txt`, which belongs
//! into the repository and is tried first in every run. A seed brings its case back only as long as these strategies stay
//! as they are; so write what the failure prints, shrunk to a few steps, as a test of its own in `rules.rs` too.

use std::{cell::RefCell, time::Duration};

use proptest::{
    prelude::*,
    sample::Index,
    test_runner::{Config, FileFailurePersistence, TestRunner},
};
use tokio::time::advance;

use super::{
    pair::{Drift, Edit, Ending, Pair, Step},
    support::{policy, shared},
    tally::{Kind, Tally},
};
use crate::queue::{BackendIndex, BackendPolicy, Balance, LeaveReason, Order, Outcome, Policy, PoolPolicy};

/// Cases between two looks at whether there were enough.
const BATCH: u32 = 500;
/// How often each kind of thing has to have happened in a run that is for it.
const OFTEN: usize = 200;

/// What the visits of a run are like.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shape {
    steps: usize,
    owners: u128,
    limits: (usize, usize),
    /// Chances of the steps, relative to each other.
    join: u32,
    advance: u32,
    retune: u32,
    /// The bounds on the line and on an owner are in force this often, and the longest wait.
    bounds: f64,
    longest_wait: f64,
}

pub(super) fn any_policy(shape: &Shape) -> impl Strategy<Value = Policy> + use<> {
    let limit = || prop_oneof![8 => (shape.limits.0..=shape.limits.1).prop_map(Some), 1 => Just(None)];
    let id = || prop_oneof![3 => Just(None), 2 => Just(Some("gpu")), 1 => Just(Some("a"))];
    let bounds = (
        prop::option::of(1..6_usize),
        prop::option::weighted(shape.bounds, 0..9_usize),
        prop::option::weighted(shape.bounds, 1..5_usize),
        prop::option::weighted(shape.longest_wait, (1..4_000_u64).prop_map(Duration::from_millis)),
    );
    let switches = (
        prop::bool::weighted(0.8),
        prop::bool::weighted(0.9),
        prop_oneof![7 => Just(Order::Fair), 3 => Just(Order::Fifo)],
    );
    (
        [limit(), limit(), limit()],
        [id(), id(), id()],
        switches,
        bounds,
        any_pools(),
    )
        .prop_map(|(limits, ids, switches, bounds, (pools, backends, balance))| {
            let (concurrent, queue, order) = switches;
            let (max_running, max_size, max_waiting_per_owner, max_wait) = bounds;
            let mut policy = shared(policy(&[1, 1, 1]), &ids);
            for (event, limit) in policy.events.iter_mut().zip(limits) {
                event.limit = limit;
            }
            policy.events[2].pooled = true;
            Policy {
                pools,
                backends,
                balance,
                concurrent,
                queue,
                order,
                max_running,
                max_size,
                max_waiting_per_owner,
                max_wait,
                ..policy
            }
        })
}

/// Pools of the work of the last event, and their back ends.
pub(super) const POOLS: u32 = 3;
pub(super) const BACKENDS: u32 = 3;
/// Back ends that come while a visit goes on make it so many at most.
pub(super) const MOST_BACKENDS: u32 = 6;

/// How many a back end may have for now: none, one, any number, or as many as its limit says.
pub(super) fn any_cap() -> impl Strategy<Value = Option<usize>> {
    prop_oneof![
        2 => Just(Some(0)),
        2 => Just(Some(1)),
        3 => (2..=1000_usize).prop_map(Some),
        3 => (2..8_usize).prop_map(Some),
        4 => Just(None),
    ]
}

fn any_edit() -> impl Strategy<Value = Edit> {
    let limit = || prop_oneof![4 => (1..4_usize).prop_map(Some), 1 => Just(None)];
    prop_oneof![
        3 => (0..POOLS, 0..MOST_BACKENDS, limit())
            .prop_map(|(pool, backend, limit)| Edit::Come { pool, backend, limit }),
        1 => (0..POOLS, limit()).prop_map(|(pool, limit)| Edit::New { pool, limit }),
        2 => (0..MOST_BACKENDS).prop_map(Edit::Drain),
        2 => (0..POOLS, 0..MOST_BACKENDS).prop_map(|(pool, backend)| Edit::Go { pool, backend }),
    ]
}

fn any_pools() -> impl Strategy<Value = (Vec<PoolPolicy>, Vec<BackendPolicy>, Balance)> {
    let pool = prop::sample::subsequence((0..BACKENDS).collect::<Vec<_>>(), 0..=BACKENDS as usize);
    let pool = pool.prop_map(|backends| PoolPolicy {
        name: "pool".to_owned(),
        backends: backends.into_iter().map(BackendIndex).collect(),
    });
    let limit = prop_oneof![6 => (0..3_usize).prop_map(Some), 1 => Just(None)];
    let backend = (limit, 1..4_u32).prop_map(|(limit, weight)| BackendPolicy {
        name: "backend".to_owned(),
        limit,
        weight,
    });
    let balance = prop_oneof![
        2 => Just(Balance::LeastLoaded),
        1 => Just(Balance::RoundRobin),
        1 => Just(Balance::Weighted),
    ];
    let pools = prop::collection::vec(pool, POOLS as usize);
    (pools, prop::collection::vec(backend, BACKENDS as usize), balance)
}

fn any_step(shape: &Shape) -> impl Strategy<Value = Step> + use<> {
    let which = any::<Index>;
    let how = prop_oneof![Just(LeaveReason::Cancelled), Just(LeaveReason::Abandoned)];
    let earlier = prop_oneof![9 => Just(0), 1 => 0..3_000_i64];
    let ending = prop_oneof![
        4 => Just(Ending::Word(Outcome::Done)),
        1 => Just(Ending::Word(Outcome::Cancelled)),
        1 => Just(Ending::Word(Outcome::Expired)),
        1 => Just(Ending::Word(Outcome::Failed)),
        2 => Just(Ending::Dropped),
        2 => Just(Ending::Panic),
    ];
    // Boxed, or each step would be as large as a policy.
    let retune = any_policy(shape)
        .prop_map(|policy| Step::Retune(Box::new(policy)))
        .boxed();
    prop_oneof![
        shape.join => (0..4_usize, prop::option::weighted(0.9, 0..POOLS), prop::option::of(0..BACKENDS), 0..shape.owners, earlier)
            .prop_map(|(event, pool, prefers, owner, earlier)| Step::Join { event: event.min(2), pool, prefers, owner, earlier }),
        300 => which().prop_map(Step::Ask),
        100 => which().prop_map(Step::Drop),
        100 => (which(), how).prop_map(|(ticket, how)| Step::Leave(ticket, how)),
        300 => (which(), ending).prop_map(|(permit, ending)| Step::Release(permit, ending)),
        140 => which().prop_map(Step::StartBack),
        150 => which().prop_map(Step::Park),
        80 => which().prop_map(Step::Pause),
        60 => which().prop_map(Step::SetAside),
        200 => which().prop_map(Step::Resume),
        40 => (which(), 0..POOLS).prop_map(|(ticket, pool)| Step::ChangePool(ticket, pool)),
        60 => (0..MOST_BACKENDS, any_cap()).prop_map(|(backend, cap)| Step::Throttle(backend, cap)),
        20 => (0..MOST_BACKENDS).prop_map(Step::Probe),
        60 => (0..MOST_BACKENDS, prop_oneof![Just(Drift::Up), Just(Drift::Down)])
            .prop_map(|(backend, drift)| Step::Drift(backend, drift)),
        60 => any_edit().prop_map(Step::Edit),
        shape.advance => (1..900_u64).prop_map(Step::Advance),
        shape.retune => retune,
        20 => which().prop_map(Step::Read),
        2 => Just(Step::Close),
    ]
}

/// Visits of this shape until there were so many operations, and proof that what the run is for has happened often.
fn prove(name: &'static str, shape: &Shape, operations: usize, often: &[Kind]) {
    let config = Config {
        cases: BATCH,
        max_shrink_iters: 20_000,
        failure_persistence: Some(Box::new(FileFailurePersistence::SourceParallel("proptest-regressions"))),
        source_file: Some(file!()),
        test_name: Some(name),
        ..Config::default()
    };
    let visits = (
        any_policy(shape),
        prop::collection::vec(any_step(shape), 1..shape.steps),
    );
    let tally = RefCell::new(Tally::default());
    let seldom = |tally: &Tally| -> Vec<_> { often.iter().filter(|kind| tally.of(**kind) < OFTEN).collect() };
    let mut cases = 0;
    // What is rare happens more or less often by chance: the visits go on until there was enough of it.
    let enough = |tally: &Tally| {
        tally.operations >= operations && (seldom(tally).is_empty() || tally.operations >= 4 * operations)
    };
    while !enough(&tally.borrow()) || cases < Config::default().cases {
        let mut runner = TestRunner::new(config.clone());
        let outcome = runner.run(&visits, |(policy, steps)| {
            let seen = visit(policy, steps);
            tally.borrow_mut().merge(&seen);
            Ok(())
        });
        if let Err(failure) = outcome {
            panic!("{failure}\n{runner}");
        }
        cases += BATCH;
    }
    let tally = tally.into_inner();
    let seldom = seldom(&tally);
    assert!(seldom.is_empty(), "this run proves too little of {seldom:?}: {tally:?}");
}

fn visit(policy: Policy, steps: Vec<Step>) -> Tally {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    runtime.block_on(async {
        // Room before the beginning, for those that come back from earlier.
        advance(Duration::from_secs(3_600)).await;
        let mut pair = Pair::new(policy);
        for step in steps {
            pair.step(step).await;
        }
        pair.end()
    })
}

/// Everything there is.
pub(super) const MIXED: Shape = Shape {
    steps: 200,
    owners: 4,
    limits: (0, 3),
    join: 900,
    advance: 200,
    retune: 60,
    bounds: 0.3,
    longest_wait: 0.5,
};

#[test]
fn a_mixture_agrees_with_the_model() {
    prove("mixture", &MIXED, 450_000, &Kind::ALL);
}

/// Many owners behind few slots: long lines, in which people leave from the middle.
#[test]
fn long_lines_agree_with_the_model() {
    let shape = Shape {
        steps: 300,
        owners: 9,
        limits: (1, 2),
        join: 800,
        advance: 20,
        retune: 4,
        bounds: 0.02,
        longest_wait: 0.1,
    };
    let often = [
        Kind::Waited,
        Kind::Admitted,
        Kind::Cancelled,
        Kind::Abandoned,
        Kind::Panicked,
        Kind::Closed,
    ];
    prove("long lines", &shape, 70_000, &often);
}

/// An operator who never rests.
#[test]
fn restless_retuning_agrees_with_the_model() {
    let shape = Shape {
        retune: 600,
        bounds: 0.1,
        longest_wait: 0.1,
        ..MIXED
    };
    // Seldom is there a second back end that stays for long enough, or a slot that is free.
    let seldom = [Kind::StartedElsewhere, Kind::LeftParked, Kind::ResumedAtOnce];
    let often = Kind::ALL.into_iter().filter(|kind| !seldom.contains(kind));
    prove("retuning", &shape, 250_000, &often.collect::<Vec<_>>());
}

/// Short lines, short patience: most are refused, expire or are cancelled.
#[test]
fn those_who_do_not_start_agree_with_the_model() {
    let shape = Shape {
        advance: 400,
        retune: 20,
        bounds: 0.9,
        longest_wait: 0.95,
        ..MIXED
    };
    let often = [
        Kind::RefusedBusy,
        Kind::RefusedFull,
        Kind::RefusedTooManyOfYours,
        Kind::RefusedClosed,
        Kind::Expired,
        Kind::CameTooLate,
        Kind::Abandoned,
        Kind::Closed,
        Kind::LeftTooLate,
        Kind::GaveBack,
    ];
    prove("refusals", &shape, 300_000, &often);
}
