//! A log in memory, for nodes of one process.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard},
    time::Duration,
};

use async_trait::async_trait;
use tokio::sync::Notify;

use crate::{
    nodes::{
        Batch, Beaten, Change, Database, Digest, Entry, Incarnation, Log, Number, Peer, Replica, ReplicaSnapshot,
        Reply, Told,
    },
    queue::{Policy, machine::Time},
};

/// What all nodes of a test share.
pub(crate) struct MemoryLog {
    state: Mutex<State>,
    grown: Notify,
    /// Nobody's appends are held any more.
    freed: Notify,
}

#[derive(Default)]
struct Row {
    /// What it has appended last.
    sequence: u64,
    /// How often it has been heard of, and what it had applied then.
    beats: u64,
    applied: Number,
}

struct State {
    begun: Replica,
    batches: Vec<Batch>,
    /// What all of them together say.
    now: Replica,
    /// Of those that take part.
    nodes: BTreeMap<Incarnation, Row>,
    /// It answers nobody.
    away: bool,
    /// What it appends is written once it is let go.
    held: Option<Incarnation>,
    at: i64,
}

impl MemoryLog {
    pub(crate) fn new(policy: Policy) -> Self {
        Self {
            state: Mutex::new(State {
                begun: Replica::new(policy.clone()),
                batches: Vec::new(),
                now: Replica::new(policy),
                nodes: BTreeMap::new(),
                away: false,
                held: None,
                at: 0,
            }),
            grown: Notify::new(),
            freed: Notify::new(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("nobody panics with it")
    }

    /// It is away from now on, or there again.
    pub(crate) fn set_away(&self, away: bool) {
        self.state().away = away;
    }

    /// Declares a node gone, as another one would.
    pub(crate) fn declare_gone(&self, node: Incarnation) {
        let mut state = self.state();
        let by = Incarnation(u128::MAX);
        let sequence = state.batches.len() as u64 + 1;
        state.nodes.remove(&node);
        state.write(Entry::new(by, sequence, &[Change::Gone(node)]));
        drop(state);
        self.grown.notify_waiters();
    }

    /// A standby takes over that lacks the last entry, and has others.
    pub(crate) fn forget_last(&self) {
        let mut state = self.state();
        state.batches.pop();
        let State { batches, nodes, .. } = &mut *state;
        for (node, row) in nodes {
            let own = batches.iter().filter(|batch| batch.entry.node == *node);
            row.sequence = own.map(|batch| batch.entry.sequence).max().unwrap_or_default();
        }
        state.now = state.replayed();
        let sequence = state.batches.len() as u64 + 1;
        for sequence in [sequence, sequence + 1] {
            // Of a node that there has never been.
            state.write(Entry::new(
                Incarnation(u128::MAX),
                sequence,
                &[Change::Gone(Incarnation(0))],
            ));
        }
        drop(state);
        self.grown.notify_waiters();
    }

    /// What this node appends from now on is on its way for as long as it is held.
    pub(crate) fn hold(&self, node: Incarnation) {
        self.state().held = Some(node);
    }

    /// It arrives, so much later.
    pub(crate) fn let_go_after(&self, time: Duration) {
        let mut state = self.state();
        state.held = None;
        state.at += i64::try_from(time.as_nanos()).expect("a short time");
        drop(state);
        self.freed.notify_waiters();
    }

    /// A copy of all that is in it.
    pub(crate) fn truth(&self) -> Replica {
        self.state().replica()
    }

    /// The same, only looked at: nodes that write at that moment wait no longer than that takes.
    pub(crate) fn look<T>(&self, see: impl FnOnce(&Replica) -> T) -> T {
        see(&self.state().now)
    }
}

impl State {
    fn head(&self) -> (Number, Digest) {
        let last = self.batches.last();
        last.map_or_else(Default::default, |batch| (batch.number, batch.digest))
    }

    fn write(&mut self, entry: Entry) -> Batch {
        let (number, digest) = self.head();
        self.at += 1_000_000;
        let batch = Batch::seal(number.next(), Time(self.at), entry, digest);
        self.now.apply(&batch).expect("it follows");
        self.batches.push(batch.clone());
        batch
    }

    fn replica(&self) -> Replica {
        Replica::from_snapshot(self.now.snapshot()).expect("it is one")
    }

    fn replayed(&self) -> Replica {
        let mut replica = Replica::from_snapshot(self.begun.snapshot()).expect("it is one");
        for batch in &self.batches {
            replica.apply(batch).expect("it follows");
        }
        replica
    }
}

#[async_trait]
impl Database for MemoryLog {
    async fn load(&self) -> Option<Box<Replica>> {
        let state = self.state();
        (!state.away).then(|| Box::new(state.replica()))
    }

    async fn read(&self, after: Number) -> Option<Log> {
        let state = self.state();
        let at = usize::try_from(after.0).expect("a small number");
        let digest = match at.checked_sub(1) {
            None => Some(Digest::default()),
            Some(at) => state.batches.get(at).map(|batch| batch.digest),
        };
        let batches = state.batches.get(at..).unwrap_or_default().to_vec();
        (!state.away).then_some(Log { digest, batches })
    }

    async fn append(&self, node: Incarnation, sequence: u64, changes: Vec<Change>, _: Option<Peer>) -> Reply {
        loop {
            let freed = self.freed.notified();
            if self.state().held != Some(node) {
                break;
            }
            freed.await;
        }
        let mut state = self.state();
        if state.away {
            return Reply::Away;
        }
        if matches!(changes.first(), Some(Change::Up { .. })) {
            state.nodes.entry(node).or_default();
        }
        let Some(row) = state.nodes.get_mut(&node) else {
            return Reply::Fenced;
        };
        if sequence <= row.sequence {
            return Reply::Already;
        }
        row.sequence = sequence;
        for change in &changes {
            if let Change::Gone(gone) = change {
                state.nodes.remove(gone);
            }
        }
        let batch = state.write(Entry::new(node, sequence, &changes));
        drop(state);
        self.grown.notify_waiters();
        Reply::Written(Box::new(batch))
    }

    async fn beat(&self, node: Incarnation, applied: Number) -> Beaten {
        let mut state = self.state();
        if state.away {
            return Beaten::Away;
        }
        let Some(row) = state.nodes.get_mut(&node) else {
            return Beaten::Fenced;
        };
        row.beats += 1;
        row.applied = applied;
        let others = state.nodes.iter().filter(|(other, _)| **other != node);
        let peers = others
            .map(|(node, row)| Peer {
                node: *node,
                beats: row.beats,
                applied: row.applied,
            })
            .collect();
        Beaten::Noted {
            peers,
            head: state.head(),
        }
    }

    async fn told(&self) -> Told {
        self.grown.notified().await;
        Told::Number(self.state().head().0)
    }

    async fn keep(&self, _: ReplicaSnapshot) {}
}
