//! The whole state, as something that can be kept, sent and compared.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{
    Machine, Time,
    arena::Key,
    estimate::Window,
    ticket::{Record, Running},
};
use crate::queue::{EventIndex, OrderKey, Owner, Policy, TicketId};

/// All that a [`Machine`] is. Two machines with equal snapshots answer every command alike.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    policy: Policy,
    closed: bool,
    tickets: u64,
    arrivals: u64,
    epochs: u64,
    /// By event.
    windows: Vec<Window>,
    lines: Vec<LineSnapshot>,
    /// In the order of their ids.
    running: Vec<Running>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct LineSnapshot {
    admitted: u64,
    epoch: u64,
    /// In the order in which they will start.
    waiting: Vec<WaitingTicket>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct WaitingTicket {
    id: TicketId,
    event: EventIndex,
    owner: Owner,
    joined: Time,
    order: OrderKey,
}

/// Why a [`Snapshot`] is none that a machine has made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SnapshotError {
    /// It has other lines or events than follow from its policy.
    #[error("the lines or the events are not those of the policy")]
    Lines,
    /// This ticket is there twice, has an id that has not been given yet, or waits in a line or in a place that it cannot have.
    #[error("ticket {} cannot be where it is", .0.0)]
    Ticket(TicketId),
}

impl Machine {
    /// The whole state. Costs a copy of everything.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        let waiting = |at: usize| {
            let line = &self.lines[at];
            let placed = line.next(line.waiting()).into_iter();
            placed.map(|placed| {
                let waiter = &self.waiters[placed.key];
                WaitingTicket {
                    id: waiter.id,
                    event: waiter.event,
                    owner: placed.owner,
                    joined: waiter.joined,
                    order: placed.order,
                }
            })
        };
        let lines = self.lines.iter().enumerate().map(|(at, line)| LineSnapshot {
            admitted: line.admitted(),
            epoch: line.epoch,
            waiting: waiting(at).collect(),
        });
        Snapshot {
            policy: self.policy.clone(),
            closed: self.closed,
            tickets: self.tickets,
            arrivals: self.arrivals,
            epochs: self.epochs,
            windows: self.windows.clone(),
            lines: lines.collect(),
            running: self.running_by_id(),
        }
    }

    /// A machine in the state of a snapshot.
    ///
    /// # Errors
    /// [`SnapshotError`], if no machine can have made it.
    pub fn from_snapshot(snapshot: Snapshot) -> Result<Self, SnapshotError> {
        let mut machine = Self::new(snapshot.policy);
        let known = snapshot.windows.len() == machine.windows.len() && snapshot.windows.iter().all(Window::is_sound);
        if !known || snapshot.lines.len() != machine.lines.len() {
            return Err(SnapshotError::Lines);
        }
        machine.closed = snapshot.closed;
        machine.tickets = snapshot.tickets;
        machine.arrivals = snapshot.arrivals;
        machine.epochs = snapshot.epochs;
        machine.windows = snapshot.windows;
        for running in snapshot.running {
            machine.put_running(running)?;
        }
        for (at, line) in snapshot.lines.into_iter().enumerate() {
            machine.lines[at].resume(line.admitted);
            machine.lines[at].epoch = line.epoch;
            machine.put_waiting(at, &line.waiting)?;
        }
        Ok(machine)
    }

    fn put_running(&mut self, running: Running) -> Result<(), SnapshotError> {
        let fault = SnapshotError::Ticket(running.id);
        let at = self.line_of(running.event).map_err(|_| fault)?;
        if running.id.0 > self.tickets || self.state_of(running.id).is_some() {
            return Err(fault);
        }
        self.lines[at].running += 1;
        let key = self.running.insert(running);
        self.by_id.insert_new(running.id, Record::Running(key));
        Ok(())
    }

    fn put_waiting(&mut self, at: usize, waiting: &[WaitingTicket]) -> Result<(), SnapshotError> {
        let mut keys: Vec<Key> = Vec::with_capacity(waiting.len());
        let mut last = None;
        // An owner's places belong to its tickets in the order of their ids.
        let mut last_of = BTreeMap::<Owner, TicketId>::new();
        for ticket in waiting {
            let known = ticket.id.0 > self.tickets || self.state_of(ticket.id).is_some();
            let in_order = last.replace(ticket.order).is_none_or(|last| last < ticket.order)
                && last_of
                    .insert(ticket.owner, ticket.id)
                    .is_none_or(|last| last < ticket.id);
            if known || !in_order || self.line_of(ticket.event) != Ok(at) {
                return Err(SnapshotError::Ticket(ticket.id));
            }
            let key = self.add_waiter(ticket.id, ticket.event, ticket.joined);
            self.lines[at].put(key, ticket.owner, ticket.order, &mut self.waiters);
            keys.push(key);
        }
        self.lines[at].enter_all_by_age(keys, &mut self.waiters);
        Ok(())
    }
}
