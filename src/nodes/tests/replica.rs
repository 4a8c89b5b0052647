//! The copy by itself.

use std::collections::BTreeMap;

use crate::{
    nodes::{Batch, Change, Digest, Diverged, Entry, Incarnation, Job, Number, Replica, Said},
    queue::{
        EventIndex, EventPolicy, Owner, Policy, TicketId,
        machine::{Command, SnapshotError, TicketState, Time},
    },
};

pub(super) const A: Incarnation = Incarnation(1);
pub(super) const B: Incarnation = Incarnation(2);
pub(super) const C: Incarnation = Incarnation(3);

pub(super) fn policy(limit: usize) -> Policy {
    Policy::new([EventPolicy::new("chat", limit)])
}

pub(super) fn join(job: u128, owner: u128) -> Change {
    Change::Join {
        job: Job(job),
        work: EventIndex(0).into(),
        owner: Owner(owner),
        joined: None,
    }
}

/// A copy from the written form of a snapshot.
pub(super) fn from_written(written: &str) -> Result<Replica, SnapshotError> {
    Replica::from_snapshot(serde_json::from_str(written).expect("it can be read"))
}

/// A log, and a copy that follows it.
pub(super) struct Log {
    pub(super) replica: Replica,
    sequences: BTreeMap<Incarnation, u64>,
}

impl Log {
    pub(super) fn new(limit: usize) -> Self {
        Self::under(policy(limit))
    }

    pub(super) fn under(policy: Policy) -> Self {
        Self {
            replica: Replica::new(policy),
            sequences: BTreeMap::new(),
        }
    }

    /// What would follow.
    pub(super) fn next(&mut self, node: Incarnation, changes: &[Change]) -> Batch {
        let sequence = self.sequences.entry(node).or_default();
        *sequence += 1;
        let entry = Entry::new(node, *sequence, changes);
        Batch::seal(self.replica.applied().next(), Time(0), entry, self.replica.digest())
    }

    pub(super) fn append(&mut self, node: Incarnation, changes: &[Change]) -> Vec<Said> {
        let batch = self.next(node, changes);
        self.replica.apply(&batch).expect("it follows")
    }

    pub(super) fn state(&self, ticket: u64) -> Option<TicketState> {
        self.replica.machine().state_of(TicketId(ticket))
    }

    pub(super) fn works(&self, node: Incarnation) -> Vec<u64> {
        self.replica.working(node).map(|(ticket, _)| ticket.0).collect()
    }

    fn holder(&self, ticket: u64) -> Option<Incarnation> {
        self.replica.holder(TicketId(ticket)).and_then(|(_, node)| node)
    }
}

pub(super) fn release(job: u128, ticket: u64) -> Change {
    let ticket = TicketId(ticket);
    Change::Ticket(Job(job), Command::Release { ticket, worked: true })
}

#[test]
fn what_nobody_holds_goes_to_the_next_that_comes() {
    let mut log = Log::new(1);
    log.append(A, &[Change::Up { address: None }, join(1, 1), join(2, 2)]);
    log.append(A, &[Change::Gone(A)]);
    assert_eq!((log.holder(1), log.holder(2)), (None, None));
    log.append(B, &[Change::Up { address: None }]);
    assert_eq!((log.holder(1), log.holder(2)), (Some(B), Some(B)));
    assert_eq!(log.works(B), [1]);
}

fn park(job: u128, ticket: u64) -> Change {
    let ticket = TicketId(ticket);
    Change::Ticket(Job(job), Command::Park { ticket })
}

fn resume(job: u128, ticket: u64) -> Change {
    let ticket = TicketId(ticket);
    Change::Ticket(Job(job), Command::Resume { ticket })
}

#[test]
fn a_parked_ticket_goes_to_another_node_as_it_is_and_resumes_there() {
    let mut log = Log::new(1);
    log.append(B, &[Change::Up { address: None }]);
    log.append(A, &[Change::Up { address: None }, join(1, 1), join(2, 2)]);
    assert_eq!(log.append(A, &[park(1, 1)]), [Said::Done]);
    assert_eq!((log.works(A), log.state(1)), (vec![2], Some(TicketState::Parked)));
    assert_eq!(log.append(B, &[resume(1, 1)]), [Said::Void], "it is not that node's");
    assert_eq!(log.append(A, &[resume(2, 1)]), [Said::Void], "nor for that job");
    assert_eq!(log.append(A, &[join(1, 1)]), [Said::Void], "it has its place");
    let mut copy = from_written(&serde_json::to_string(&log.replica.snapshot()).expect("it can be written"))
        .expect("a machine has made it");
    let batch = log.next(B, &[Change::Gone(A)]);
    assert_eq!(copy.apply(&batch), log.replica.apply(&batch));
    assert_eq!(copy.snapshot(), log.replica.snapshot());
    assert_eq!((log.holder(1), log.state(1)), (Some(B), Some(TicketState::Parked)));
    assert_eq!(log.works(B), [2], "what ran begins again");
    log.append(B, &[resume(1, 1)]);
    assert_eq!(log.state(1), Some(TicketState::Waiting));
    log.append(B, &[release(2, 2)]);
    assert_eq!(log.works(B), [1]);
}

/// What a version before this one has kept says nothing of parked tickets.
#[test]
fn a_snapshot_of_before_is_read() {
    let mut log = Log::new(1);
    log.append(A, &[Change::Up { address: None }, join(1, 1), join(2, 2)]);
    let mut written = serde_json::to_value(log.replica.snapshot()).expect("it can be written");
    let line = written["line"].as_object_mut().expect("it is there");
    line.remove("parked").expect("it is new");
    let running = line["running"][0].as_object_mut().expect("one runs");
    running.remove("resumed").expect("it is new");
    let waiting = line["lines"][0]["waiting"][0].as_object_mut().expect("one waits");
    waiting.remove("resumed").expect("it is new");
    let copy = from_written(&written.to_string()).expect("the version before has made it");
    assert_eq!(copy.snapshot(), log.replica.snapshot());
}

#[test]
fn what_ran_on_a_node_that_is_gone_waits_where_there_are_fewer_slots_now() {
    let mut log = Log::new(2);
    log.append(B, &[Change::Up { address: None }]);
    log.append(A, &[Change::Up { address: None }, join(1, 1), join(2, 2)]);
    log.append(
        A,
        &[Change::Retune {
            version: 0,
            policy: Box::new(policy(1)),
        }],
    );
    assert_eq!(log.works(A), [1, 2]);
    log.append(B, &[Change::Gone(A)]);
    assert_eq!(log.works(B), [1]);
    assert_eq!(log.state(2), Some(TicketState::Waiting));
    assert_eq!(log.append(B, &[release(1, 1)]), [Said::Done]);
    assert_eq!(log.works(B), [2]);
}

#[test]
fn a_job_has_one_place_whoever_asks_for_it() {
    let mut log = Log::new(1);
    log.append(A, &[Change::Up { address: None }, join(1, 1), join(2, 2)]);
    log.append(B, &[Change::Up { address: None }]);
    assert_eq!(log.append(B, &[join(2, 2)]), [Said::Void]);
    assert_eq!(log.holder(2), Some(A));
    // Another owner's is another one.
    assert!(matches!(log.append(B, &[join(2, 3)])[..], [Said::Joined(..)]));
    log.append(A, &[release(1, 1), release(2, 2)]);
    assert!(
        matches!(log.append(B, &[join(2, 2)])[..], [Said::Joined(..)]),
        "it is asked for once more"
    );
}

#[test]
fn a_ticket_is_told_what_to_do_by_its_node_alone_and_for_its_job_alone() {
    let mut log = Log::new(1);
    log.append(B, &[Change::Up { address: None }]);
    log.append(A, &[Change::Up { address: None }, join(1, 1)]);
    let before = log.replica.machine().snapshot();
    assert_eq!(log.append(B, &[release(1, 1)]), [Said::Void]);
    assert_eq!(log.append(A, &[release(2, 1)]), [Said::Void]);
    let around = Command::Release {
        ticket: TicketId(1),
        worked: true,
    };
    assert_eq!(log.append(A, &[Change::Line(around)]), [Said::Void]);
    assert_eq!(log.replica.machine().snapshot(), before);
    assert_eq!(log.append(A, &[release(1, 1)]), [Said::Done]);
}

#[test]
fn a_node_that_leaves_keeps_what_it_works_on_and_gets_nothing_more() {
    let mut log = Log::new(1);
    log.append(B, &[Change::Up { address: None }]);
    log.append(
        A,
        &[Change::Up { address: None }, join(1, 1), join(2, 2), Change::Leaving],
    );
    assert_eq!((log.holder(1), log.holder(2)), (Some(A), Some(B)));
    log.append(A, &[join(3, 3)]);
    assert_eq!(log.holder(3), Some(B));
    log.append(A, &[release(1, 1), Change::Gone(A)]);
    assert_eq!(log.works(B), [2]);
}

#[test]
fn what_a_node_leaves_is_spread_and_nothing_else_moves() {
    let mut log = Log::new(1);
    log.append(A, &[Change::Up { address: None }]);
    log.append(B, &[Change::Up { address: None }]);
    log.append(C, &[Change::Up { address: None }]);
    let joins: Vec<Change> = (1..=900).map(|job| join(job, job << 70 | job)).collect();
    log.append(A, &joins[..450]);
    log.append(B, &joins[450..]);
    log.append(C, &[Change::Gone(A)]);
    let held = |log: &Log, node| (1..=450).filter(|ticket| log.holder(*ticket) == Some(node)).count();
    let (to_b, to_c) = (held(&log, B), held(&log, C));
    assert_eq!(to_b + to_c, 450);
    assert!(to_b.min(to_c) > 180, "{to_b} and {to_c}");
    assert!((451..=900).all(|ticket| log.holder(ticket) == Some(B)));
}

#[test]
fn what_does_not_follow_changes_nothing() {
    let mut log = Log::new(1);
    log.append(A, &[Change::Up { address: None }]);
    let before = log.replica.snapshot();
    let good = log.next(A, &[join(1, 1)]);
    let mut later = good.clone();
    later.number = Number(3);
    let mut other = good.clone();
    other.digest = Digest::default();
    let mut changed = good.clone();
    changed.entry.payload[2] ^= 1;
    for batch in [later, other, changed] {
        assert!(matches!(log.replica.apply(&batch), Err(Diverged::NotNext { .. })));
    }
    let mut newer = good.entry.clone();
    newer.payload = b"[{\"Nothing\":\"that is known\"}]".to_vec();
    let newer = Batch::seal(good.number, good.at, newer, log.replica.digest());
    assert!(matches!(log.replica.apply(&newer), Err(Diverged::Unreadable(_))));
    assert_eq!(log.replica.snapshot(), before);
    assert!(log.replica.apply(&good).is_ok());
}

#[test]
fn a_copy_from_a_snapshot_goes_on_the_same() {
    let mut log = Log::new(1);
    log.append(B, &[Change::Up { address: None }]);
    log.append(A, &[Change::Up { address: None }, join(1, 1), join(2, 2), join(3, 3)]);
    let written = serde_json::to_string(&log.replica.snapshot()).expect("it can be written");
    let mut copy = from_written(&written).expect("a machine has made it");
    assert_eq!(copy.snapshot(), log.replica.snapshot());
    let batch = log.next(B, &[Change::Gone(A)]);
    assert_eq!(copy.apply(&batch), log.replica.apply(&batch));
    assert_eq!(copy.snapshot(), log.replica.snapshot());
    let spoilt = written.replace("\"running\":[{\"id\":1,", "\"running\":[{\"id\":9,");
    assert_ne!(spoilt, written);
    assert!(from_written(&spoilt).is_err());
}
