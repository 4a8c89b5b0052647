//! The proof that the machine is deterministic: a random run is logged, and a machine that is given the log, from the beginning or from a
//! snapshot in the middle, sees the same effects and comes to the same state.

use std::{cell::RefCell, collections::BTreeMap};

use proptest::{
    prelude::*,
    sample::Index,
    test_runner::{Config, TestRunner},
};
use serde::{Serialize, de::DeserializeOwned};

use super::property::{BACKENDS, MIXED, POOLS, any_cap, any_policy};
use crate::queue::{
    BackendIndex, EventIndex, LeaveReason, OrderKey, Owner, Policy, PoolIndex, StartRange, TicketId, Work,
    machine::{Command, Effect, Machine, Restored, Snapshot, SnapshotError, Time, estimate::Curve},
};

/// Commands between two comparisons of the whole state.
const EVERY: usize = 5;
/// How often each effect has to have been seen.
const OFTEN: usize = 200;
/// Batches of runs after which it is no bad luck that an effect has been seen less often.
const BATCHES: usize = 8;

/// A command, as long as it is not known which tickets there are.
#[derive(Clone, Debug)]
enum Step {
    Join {
        work: Work,
        owner: u128,
        /// Milliseconds by which it joined earlier.
        earlier: i64,
    },
    Restore(Vec<Restored>),
    Leave(Which, LeaveReason),
    Release(Which, bool),
    StartBack(Which),
    Park(Which),
    Pause(Which),
    Resume(Which),
    ChangePool(Which, u32),
    Throttle(u32, Option<usize>),
    Expire,
    Retune(Box<Policy>),
    Close,
}

/// A ticket that waits, runs or is parked, or any that there has ever been and one more.
#[derive(Clone, Debug)]
enum Which {
    Live(Index),
    Any(Index),
}

impl Which {
    fn of(&self, machine: &Machine, given: u64) -> TicketId {
        let live: Vec<_> = (1..=given)
            .map(TicketId)
            .filter(|ticket| machine.state_of(*ticket).is_some())
            .collect();
        match self {
            Self::Live(which) if !live.is_empty() => live[which.index(live.len())],
            Self::Live(which) | Self::Any(which) => TicketId(which.index(given as usize + 2) as u64),
        }
    }
}

/// Only the last event has its work done by back ends.
fn any_work() -> impl Strategy<Value = Work> {
    let place = (prop::option::weighted(0.9, 0..POOLS), prop::option::of(0..BACKENDS));
    (0..4_usize, place).prop_map(|(event, (pool, prefers))| match event {
        0 | 1 => EventIndex(event).into(),
        _ => Work {
            event: EventIndex(2),
            pool: pool.map(PoolIndex),
            prefers: prefers.map(BackendIndex),
        },
    })
}

fn any_step() -> impl Strategy<Value = Step> {
    let which = || {
        prop_oneof![
            9 => any::<Index>().prop_map(Which::Live),
            1 => any::<Index>().prop_map(Which::Any),
        ]
    };
    let reason = prop_oneof![
        Just(LeaveReason::Cancelled),
        Just(LeaveReason::Abandoned),
        Just(LeaveReason::Withdrawn)
    ];
    let key = prop::option::of((0..30_u64, 0..60_u64).prop_map(|(tag, arrival)| OrderKey { tag, arrival }));
    let restored = (
        any_work(),
        0..5_u128,
        -9_000..0_i64,
        key,
        any::<bool>(),
        prop::bool::weighted(0.2),
    )
        .prop_map(|(work, owner, joined, key, ran, parked)| Restored {
            work,
            owner: Owner(owner),
            joined: Time(joined * MS),
            key,
            ran,
            parked,
        });
    prop_oneof![
        400 => (any_work(), 0..5_u128, prop_oneof![4 => Just(0), 1 => 0..3_000_i64])
            .prop_map(|(work, owner, earlier)| Step::Join { work, owner, earlier }),
        8 => prop::collection::vec(restored, 0..12).prop_map(Step::Restore),
        60 => (which(), reason).prop_map(|(which, reason)| Step::Leave(which, reason)),
        200 => (which(), any::<bool>()).prop_map(|(which, worked)| Step::Release(which, worked)),
        60 => which().prop_map(Step::StartBack),
        120 => which().prop_map(Step::Park),
        60 => which().prop_map(Step::Pause),
        160 => which().prop_map(Step::Resume),
        140 => (which(), 0..POOLS).prop_map(|(which, pool)| Step::ChangePool(which, pool)),
        30 => (0..BACKENDS, any_cap()).prop_map(|(backend, cap)| Step::Throttle(backend, cap)),
        20 => Just(Step::Expire),
        25 => any_policy(&MIXED).prop_map(|policy| Step::Retune(Box::new(policy))).boxed(),
        1 => Just(Step::Close),
    ]
}

/// Nanoseconds in a millisecond.
const MS: i64 = 1_000_000;

impl Step {
    fn command(self, machine: &Machine, given: u64, now: Time) -> Command {
        match self {
            Self::Join { work, owner, earlier } => Command::Join {
                work,
                owner: Owner(owner),
                joined: Time(now.0 - earlier * MS),
            },
            Self::Restore(tickets) => Command::Restore(tickets),
            Self::Leave(which, reason) => Command::Leave {
                ticket: which.of(machine, given),
                reason,
            },
            Self::Release(which, worked) => Command::Release {
                ticket: which.of(machine, given),
                worked,
            },
            Self::StartBack(which) => Command::StartBack {
                ticket: which.of(machine, given),
            },
            Self::Park(which) => Command::Park {
                ticket: which.of(machine, given),
            },
            Self::Pause(which) => Command::Pause {
                ticket: which.of(machine, given),
            },
            Self::Resume(which) => Command::Resume {
                ticket: which.of(machine, given),
            },
            Self::ChangePool(which, pool) => Command::ChangePool {
                ticket: which.of(machine, given),
                pool: PoolIndex(pool),
            },
            Self::Throttle(backend, cap) => Command::Throttle {
                backend: BackendIndex(backend),
                cap,
            },
            Self::Expire => Command::Expire,
            Self::Retune(policy) => Command::Retune(policy),
            Self::Close => Command::Close,
        }
    }
}

/// All that shows, besides the state itself: the lines, and what is estimated of them.
fn shown(machine: &Machine, now: Time) -> Vec<(String, Option<StartRange>)> {
    let lines = (0..machine.line_count()).map(|at| {
        let key = machine.curve_key(at);
        let curve = key.map(|key| Curve::new(&machine.situation(at, key.slots, now)));
        let start = curve.and_then(|curve| curve.start(1, now));
        (format!("{:?} {key:?}", machine.line(at, now)), start)
    });
    lines.collect()
}

fn through_json<T: Serialize + DeserializeOwned>(value: &T) -> T {
    serde_json::from_str(&serde_json::to_string(value).unwrap()).unwrap()
}

/// What a run has come to: the log, what came of each entry, and the whole state at some of them.
struct Run {
    log: Vec<(Time, Command)>,
    effects: Vec<Vec<Effect>>,
    snapshots: Vec<(usize, Snapshot)>,
    last: Vec<(String, Option<StartRange>)>,
}

fn run(policy: &Policy, steps: Vec<(Step, i64)>) -> Run {
    let mut machine = Machine::new(policy.clone());
    let mut run = Run {
        log: Vec::new(),
        effects: Vec::new(),
        snapshots: vec![(0, machine.snapshot())],
        last: Vec::new(),
    };
    let (mut now, mut given) = (Time(0), 0);
    for (step, passed) in steps {
        now.0 += passed * MS;
        let command = step.command(&machine, given, now);
        let mut effects = Vec::new();
        // The ticket of an event without back ends cannot change to a pool.
        let known = machine.apply(now, command.clone(), &mut effects);
        assert!(known.is_ok() || (matches!(command, Command::ChangePool { .. }) && effects.is_empty()));
        given += effects
            .iter()
            .filter(|effect| matches!(effect, Effect::Joined { .. }))
            .count() as u64;
        run.log.push((now, command));
        run.effects.push(effects);
        if run.log.len().is_multiple_of(EVERY) {
            run.snapshots.push((run.log.len(), machine.snapshot()));
        }
    }
    run.snapshots.push((run.log.len(), machine.snapshot()));
    run.last = shown(&machine, now);
    run
}

/// Applies what follows in the log after so many entries, and compares all along.
fn follow(run: &Run, log: &[(Time, Command)], mut machine: Machine, from: usize) {
    let mut snapshots = run.snapshots.iter().filter(|(at, _)| *at > from).peekable();
    for (at, (now, command)) in log.iter().enumerate().skip(from) {
        let mut effects = Vec::new();
        let _known = machine.apply(*now, command.clone(), &mut effects);
        assert_eq!(effects, run.effects[at], "the effects of entry {at}: {command:?}");
        while let Some((_, snapshot)) = snapshots.next_if(|(after, _)| *after == at + 1) {
            assert_eq!(machine.snapshot(), *snapshot, "the state after entry {at}: {command:?}");
        }
    }
    assert!(snapshots.next().is_none());
    let last = log.last().map_or(Time(0), |(now, _)| *now);
    assert_eq!(shown(&machine, last), run.last);
}

#[test]
fn the_same_commands_give_the_same_state() {
    let config = || Config {
        failure_persistence: None,
        ..Config::default()
    };
    let steps = prop::collection::vec((any_step(), prop_oneof![9 => 0..600_i64, 1 => -100..0_i64]), 1..120);
    let runs = (any_policy(&MIXED), steps, any::<Index>());
    let seen = RefCell::new(BTreeMap::<&str, usize>::new());
    let mut batches = 0;
    // What is rare is seen more or less often by chance: the runs go on until there was enough of it.
    while batches == 0 || (batches < BATCHES && !often(&seen.borrow())) {
        let outcome = TestRunner::new(config()).run(&runs, |(policy, steps, middle)| {
            let run = run(&policy, steps);
            let log = through_json(&run.log);
            assert_eq!(log, run.log);
            follow(&run, &log, Machine::new(policy), 0);
            let (from, snapshot) = &run.snapshots[middle.index(run.snapshots.len())];
            let copy = Machine::from_snapshot(through_json(snapshot)).unwrap();
            assert_eq!(copy.snapshot(), *snapshot);
            follow(&run, &log, copy, *from);
            for effect in run.effects.iter().flatten() {
                *seen.borrow_mut().entry(name(effect)).or_default() += 1;
            }
            Ok(())
        });
        if let Err(failure) = outcome {
            panic!("{failure}");
        }
        batches += 1;
    }
    let seen = seen.into_inner();
    assert!(often(&seen), "this proves too little: {seen:?}");
}

/// Whether every effect has been seen often; a run is closed once at most.
fn often(seen: &BTreeMap<&str, usize>) -> bool {
    seen.len() == 12 && seen.iter().all(|(name, count)| *count >= OFTEN || *name == "closed")
}

fn name(effect: &Effect) -> &'static str {
    match effect {
        Effect::Joined { .. } => "joined",
        Effect::Refused { .. } => "refused",
        Effect::Started { .. } => "started",
        Effect::Returned { .. } => "returned",
        Effect::Parked { .. } => "parked",
        Effect::Resumed { .. } => "resumed",
        Effect::Moved { .. } => "moved",
        Effect::Throttled => "throttled",
        Effect::Left { .. } => "left",
        Effect::Released { .. } => "released",
        Effect::Retuned { .. } => "retuned",
        Effect::Closed => "closed",
    }
}

/// A machine with two lines, each with a ticket that runs and two that wait.
fn six() -> Machine {
    let mut machine = Machine::new(super::support::policy(&[1, 1]));
    for (owner, event) in [0, 0, 0, 1, 1, 1].map(EventIndex).into_iter().enumerate() {
        let owner = Owner(owner as u128);
        let joined = Time(0);
        machine
            .apply(
                Time(0),
                Command::Join {
                    work: event.into(),
                    owner,
                    joined,
                },
                &mut Vec::new(),
            )
            .unwrap();
    }
    machine
}

#[test]
fn what_no_machine_has_made_is_no_snapshot() {
    let fault = |spoil: &dyn Fn(&mut serde_json::Value)| {
        let mut value = serde_json::to_value(six().snapshot()).unwrap();
        spoil(&mut value);
        Machine::from_snapshot(serde_json::from_value(value).unwrap())
            .map(|_| ())
            .unwrap_err()
    };
    let ticket = |id| SnapshotError::Ticket(TicketId(id));
    assert_eq!(
        fault(&|value| drop(value["lines"].as_array_mut().unwrap().pop())),
        SnapshotError::Lines
    );
    assert_eq!(
        fault(&|value| drop(value["windows"].as_array_mut().unwrap().pop())),
        SnapshotError::Lines
    );
    assert_eq!(
        fault(&|value| value["windows"][0]["next"] = 64.into()),
        SnapshotError::Lines
    );
    assert_eq!(fault(&|value| value["tickets"] = 5.into()), ticket(6));
    assert_eq!(
        fault(&|value| value["running"][0]["work"]["event"] = 2.into()),
        ticket(1)
    );
    assert_eq!(fault(&|value| value["running"][1]["id"] = 1.into()), ticket(1));
    let waiting = |value: &mut serde_json::Value, at: usize| value["lines"][0]["waiting"][at].take();
    assert_eq!(
        fault(&|value| value["lines"][0]["waiting"][0]["work"]["event"] = 1.into()),
        ticket(2)
    );
    assert_eq!(
        fault(&|value| value["lines"][0]["waiting"][1]["id"] = 2.into()),
        ticket(2)
    );
    assert_eq!(
        fault(&|value| value["lines"][0]["waiting"][1]["id"] = 1.into()),
        ticket(1)
    );
    assert_eq!(
        fault(&|value| {
            let (first, second) = (waiting(value, 0), waiting(value, 1));
            value["lines"][0]["waiting"] = vec![second, first].into();
        }),
        ticket(2)
    );
    let both_are_one_owners = |value: &mut serde_json::Value| {
        let line = &mut value["lines"][0]["waiting"];
        line[0]["owner"] = 1.into();
        line[1]["owner"] = 1.into();
        line[0]["id"] = 3.into();
        line[1]["id"] = 2.into();
    };
    assert_eq!(fault(&both_are_one_owners), ticket(2));
}

#[test]
fn an_unknown_event_changes_nothing() {
    let mut machine = six();
    let before = machine.snapshot();
    let restored = |event| Restored {
        work: EventIndex(event).into(),
        owner: Owner(9),
        joined: Time(0),
        key: None,
        ran: false,
        parked: false,
    };
    let commands = [
        Command::Join {
            work: EventIndex(2).into(),
            owner: Owner(9),
            joined: Time(0),
        },
        Command::Restore(vec![restored(0), restored(2)]),
    ];
    for command in commands {
        let mut effects = Vec::new();
        assert_eq!(
            machine.apply(Time(1), command, &mut effects).unwrap_err().0,
            EventIndex(2).into()
        );
        assert!(effects.is_empty());
        assert_eq!(machine.snapshot(), before);
    }
}
