//! A whole copy, to keep and to start from.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Digest, Held, Incarnation, News, Number, Part, Replica, Throttles, Working, throttles::Throttled};
use crate::queue::{
    BackendIndex, TicketId,
    machine::{Machine, Snapshot, SnapshotError, TicketState, Time},
};

/// A whole copy, to keep and to start from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReplicaSnapshot {
    line: Snapshot,
    nodes: Vec<(Incarnation, Part)>,
    held: Vec<(TicketId, Held, Option<Number>)>,
    throttles: Vec<(BackendIndex, Throttled)>,
    applied: Number,
    digest: Digest,
    at: Time,
    policies: u64,
}

impl ReplicaSnapshot {
    /// The number of the last entry that is in it.
    #[must_use]
    pub const fn applied(&self) -> Number {
        self.applied
    }
}

impl Replica {
    /// The whole copy. Two that are equal answer every entry alike.
    #[must_use]
    pub fn snapshot(&self) -> ReplicaSnapshot {
        let start = |held: &Held, ticket| Some(self.working.get(&held.node?)?.get(ticket)?.start);
        let held = self.held.iter();
        ReplicaSnapshot {
            line: self.machine.snapshot(),
            nodes: self.nodes.iter().map(|(node, part)| (*node, part.clone())).collect(),
            held: held
                .map(|(ticket, held)| (*ticket, *held, start(held, ticket)))
                .collect(),
            throttles: self.throttles.all(),
            applied: self.applied,
            digest: self.digest,
            at: self.at,
            policies: self.policies,
        }
    }

    /// A copy from a snapshot.
    ///
    /// # Errors
    /// [`SnapshotError`], if none can have been made so.
    pub fn from_snapshot(snapshot: ReplicaSnapshot) -> Result<Self, SnapshotError> {
        let mut replica = Self {
            machine: Machine::from_snapshot(snapshot.line)?,
            nodes: snapshot.nodes.into_iter().collect(),
            held: BTreeMap::new(),
            of_owner: BTreeMap::new(),
            working: BTreeMap::new(),
            throttles: Throttles::from_all(snapshot.throttles),
            applied: snapshot.applied,
            digest: snapshot.digest,
            at: snapshot.at,
            last: None,
            policies: snapshot.policies,
            // Whoever takes it over knows nothing of who holds what.
            news: News {
                left: Vec::new(),
                passed_on: true,
                moved: true,
                throttled: true,
            },
        };
        for (ticket, held, start) in snapshot.held {
            let state = replica.machine.state_of(ticket).ok_or(SnapshotError::Ticket(ticket))?;
            if let (Some(node), TicketState::Running(grant)) = (held.node, state) {
                let start = start.ok_or(SnapshotError::Ticket(ticket))?;
                let Held { job, owner, .. } = held;
                let working = Working {
                    job,
                    owner,
                    grant,
                    start,
                };
                replica.working.entry(node).or_default().insert(ticket, working);
            }
            replica.hold(ticket, held);
        }
        Ok(replica)
    }
}
