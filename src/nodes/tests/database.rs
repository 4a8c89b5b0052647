//! What stands in for PostgreSQL: transactions one after the other, a clock of its own, and a memory that may lose its end.

use std::collections::{BTreeMap, VecDeque};

use super::replica::from_written;
use crate::{
    nodes::{
        Batch, Beaten, Change, Digest, Entry, Incarnation, Job, Log, Number, Peer, Replica, ReplicaSnapshot, Reply,
    },
    queue::{
        Policy,
        machine::{Command, Time},
    },
};

/// A snapshot is kept every so many batches, and the log before it is trimmed.
const EVERY: u64 = 24;
/// Copies are compared at every so many numbers.
const COMPARED: u64 = 4;
/// Transactions that a standby may lack.
const BEHIND: usize = 6;

/// How a job ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Answered(Incarnation),
    Cancelled,
}

#[derive(Clone)]
struct Row {
    /// Where it was started.
    place: usize,
    beats: u64,
    applied: Number,
    sequence: u64,
}

/// All that a commit changes.
#[derive(Clone)]
struct Tables {
    log: Vec<Batch>,
    /// Of what has been trimmed.
    snapshot: ReplicaSnapshot,
    /// Nodes that have not been declared gone.
    rows: BTreeMap<Incarnation, Row>,
    accepted: BTreeMap<Job, Option<Outcome>>,
}

pub(crate) struct Database {
    tables: Tables,
    /// What a standby may have.
    before: VecDeque<Tables>,
    /// The copy that is true: what each node has to agree with at its number.
    truth: Replica,
    states: BTreeMap<Digest, ReplicaSnapshot>,
    pub(crate) away: bool,
    /// How far its clock has been put forward or back.
    pub(crate) jumped: i64,
    /// Whether a standby may take over.
    keeps: bool,
}

impl Database {
    pub(crate) fn new(policy: &Policy, keeps: bool) -> Self {
        let truth = Replica::new(policy.clone());
        let snapshot = truth.snapshot();
        Self {
            tables: Tables {
                log: Vec::new(),
                snapshot: snapshot.clone(),
                rows: BTreeMap::new(),
                accepted: BTreeMap::new(),
            },
            before: VecDeque::new(),
            states: BTreeMap::from([(truth.digest(), snapshot)]),
            truth,
            away: false,
            jumped: 0,
            keeps,
        }
    }

    pub(crate) fn truth(&self) -> &Replica {
        &self.truth
    }

    /// Whether a copy is what the log says up to its number.
    pub(crate) fn agrees(&self, replica: &Replica) -> bool {
        let compared = replica.applied().0.is_multiple_of(COMPARED);
        let state = self.states.get(&replica.digest());
        !compared || state.is_some_and(|state| *state == replica.snapshot())
    }

    pub(crate) fn accepted(&self) -> &BTreeMap<Job, Option<Outcome>> {
        &self.tables.accepted
    }

    fn clock(&self, now: Time) -> Time {
        Time(now.0 + self.jumped)
    }

    /// A process is started, and has a row from then on. What was started at this place before has ended, and has none any more; the log
    /// hears nothing of that. Returns how many there were.
    pub(crate) fn register(&mut self, node: Incarnation, place: usize) -> usize {
        self.remember();
        let rows = &mut self.tables.rows;
        let before = rows.len();
        rows.retain(|_, row| row.place != place);
        let taken = before - rows.len();
        let row = Row {
            place,
            beats: 0,
            applied: Number(0),
            sequence: 0,
        };
        rows.insert(node, row);
        taken
    }

    /// Those that have not been declared gone.
    pub(crate) fn rows(&self) -> impl Iterator<Item = Incarnation> + '_ {
        self.tables.rows.keys().copied()
    }

    /// A standby may have what is there now.
    fn remember(&mut self) {
        if self.keeps {
            self.before.push_back(self.tables.clone());
        }
        if self.before.len() > BEHIND {
            self.before.pop_front();
        }
    }

    pub(crate) fn append(
        &mut self,
        now: Time,
        node: Incarnation,
        sequence: u64,
        changes: impl Iterator<Item = Change>,
        unless_heard: Option<Peer>,
    ) -> Reply {
        let clock = self.clock(now);
        let mut changes: Vec<Change> = changes.collect();
        let old = self.keeps.then(|| self.tables.clone());
        let tables = &mut self.tables;
        let still = |peer: Peer| tables.rows.get(&peer.node).is_some_and(|row| row.beats == peer.beats);
        let still = unless_heard.is_none_or(still);
        let Some(row) = tables.rows.get_mut(&node) else {
            return Reply::Fenced;
        };
        if sequence <= row.sequence {
            return Reply::Already;
        }
        if !still {
            return Reply::Nothing;
        }
        changes.retain(|change| match change {
            // One turn is accepted once, whoever sends it again.
            Change::Join { job, .. } => {
                let new = !tables.accepted.contains_key(job);
                tables.accepted.entry(*job).or_default();
                new
            }
            Change::Ticket(job, Command::Release { worked: true, .. }) => {
                let outcome = tables.accepted.entry(*job).or_default();
                *outcome = outcome.or(Some(Outcome::Answered(node)));
                true
            }
            Change::Ticket(job, Command::Leave { .. }) => {
                let outcome = tables.accepted.entry(*job).or_default();
                *outcome = outcome.or(Some(Outcome::Cancelled));
                true
            }
            // It may have no row any more, and the log shall say so all the same.
            Change::Gone(gone) => {
                tables.rows.remove(gone);
                true
            }
            _ => true,
        });
        if changes.is_empty() {
            return Reply::Nothing;
        }
        if let Some(row) = tables.rows.get_mut(&node) {
            row.sequence = sequence;
        }
        let (number, at, digest) = self.head();
        let batch = Batch::seal(
            number.next(),
            at.max(clock),
            Entry::new(node, sequence, &changes),
            digest,
        );
        self.truth.apply(&batch).expect("the log goes with itself");
        self.tables.log.push(batch.clone());
        if batch.number.0.is_multiple_of(EVERY) {
            let half = self.tables.log.len() / 2;
            self.tables.snapshot = self.truth.snapshot();
            self.tables.log.drain(..half);
        }
        if batch.number.0.is_multiple_of(COMPARED) {
            self.states.insert(batch.digest, self.truth.snapshot());
        }
        self.before.extend(old);
        if self.before.len() > BEHIND {
            self.before.pop_front();
        }
        Reply::Written(Box::new(batch))
    }

    fn head(&self) -> (Number, Time, Digest) {
        let last = self.tables.log.last();
        last.map_or((Number(0), Time(0), Digest::default()), |last| {
            (last.number, last.at, last.digest)
        })
    }

    /// The last entry of the log.
    pub(crate) fn last(&self) -> Option<Batch> {
        self.tables.log.last().cloned()
    }

    pub(crate) fn head_number(&self) -> Number {
        self.head().0
    }

    pub(crate) fn read(&self, after: Number) -> Log {
        let log = &self.tables.log;
        let at = log.iter().find(|batch| batch.number == after);
        let digest = if after == Number(0) {
            log.first()
                .is_none_or(|first| first.number == Number(1))
                .then(Digest::default)
        } else {
            at.map(|batch| batch.digest)
        };
        Log {
            digest,
            batches: log.iter().filter(|batch| batch.number > after).cloned().collect(),
        }
    }

    /// The last snapshot, through its written form, and what comes after it.
    pub(crate) fn load(&self) -> Box<Replica> {
        let written = serde_json::to_string(&self.tables.snapshot).expect("it can be written");
        let mut replica = from_written(&written).expect("a machine has made it");
        let applied = replica.applied();
        for batch in self.tables.log.iter().filter(|batch| batch.number > applied) {
            replica.apply(batch).expect("it follows");
        }
        Box::new(replica)
    }

    pub(crate) fn beat(&mut self, node: Incarnation, applied: Number) -> Beaten {
        let Some(row) = self.tables.rows.get_mut(&node) else {
            return Beaten::Fenced;
        };
        row.beats += 1;
        row.applied = applied;
        let others = self.tables.rows.iter().filter(|(other, _)| **other != node);
        Beaten::Noted {
            peers: others
                .map(|(node, row)| Peer {
                    node: *node,
                    beats: row.beats,
                    applied: row.applied,
                })
                .collect(),
            head: (self.head().0, self.head().2),
        }
    }

    /// A standby takes over that lacks the last transactions. Returns the jobs that it knows nothing of.
    pub(crate) fn fail_over(&mut self, lost: usize) -> Vec<Job> {
        let mut old = None;
        for _ in 0..lost.min(self.before.len()) {
            old = self.before.pop_back();
        }
        let Some(old) = old else { return Vec::new() };
        let forgotten = self.tables.accepted.keys();
        let forgotten = forgotten.filter(|job| !old.accepted.contains_key(job)).copied();
        let forgotten = forgotten.collect();
        self.tables = old;
        self.truth = *self.load();
        forgotten
    }
}
