//! The whole state, as something that can be kept, sent and compared.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{
    Machine, Time, Wait,
    arena::Key,
    backend::Backend,
    estimate::Window,
    park::Parked,
    ticket::{Record, Running},
    waiter::{Precedence, Waiter},
    work::Packed,
};
use crate::queue::{BackendIndex, OrderKey, Owner, Policy, PoolIndex, TicketId, Work};

/// All that a [`Machine`] is. Two machines with equal snapshots answer every command alike.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    policy: Policy,
    closed: bool,
    tickets: u64,
    arrivals: u64,
    choices: u64,
    epochs: u64,
    /// By event.
    windows: Vec<Window>,
    /// By pool and back end.
    held_at: Vec<((PoolIndex, BackendIndex), Window)>,
    backends: Vec<Backend>,
    /// Whose turn has been in this round.
    turns: Vec<Owner>,
    /// By limit.
    limit_epochs: Vec<u64>,
    lines: Vec<LineSnapshot>,
    /// In the order of their ids.
    running: Vec<Running>,
    /// In the order of their ids.
    #[serde(default)]
    parked: Vec<Parked>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct LineSnapshot {
    admitted: u64,
    /// In the order in which they will start.
    waiting: Vec<WaitingTicket>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct WaitingTicket {
    id: TicketId,
    work: Work,
    avoids: Option<BackendIndex>,
    owner: Owner,
    joined: Time,
    order: OrderKey,
    /// What its wait has been like so far.
    wait: Option<Wait>,
    /// It has been parked before.
    #[serde(default)]
    resumed: bool,
}

/// Why a [`Snapshot`] is none that a machine has made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SnapshotError {
    /// It has other lines, events or back ends than follow from its policy.
    #[error("the lines, the events or the back ends are not those of the policy")]
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
            placed.map(move |placed| {
                let waiter = &self.waiters[placed.key];
                WaitingTicket {
                    id: waiter.id,
                    work: waiter.work.work(),
                    avoids: waiter.work.avoids(),
                    owner: placed.owner,
                    joined: waiter.joined,
                    order: placed.order,
                    wait: self.wait_of(at, placed.key, waiter.id),
                    resumed: waiter.resumed,
                }
            })
        };
        let lines = self.lines.iter().enumerate().map(|(at, line)| LineSnapshot {
            admitted: line.admitted(),
            waiting: waiting(at).collect(),
        });
        Snapshot {
            policy: self.policy.clone(),
            closed: self.closed,
            tickets: self.tickets,
            arrivals: self.arrivals,
            choices: self.choices,
            epochs: self.epochs,
            windows: self.windows.clone(),
            held_at: self
                .held_at
                .iter()
                .map(|(place, window)| (*place, window.clone()))
                .collect(),
            backends: self.backends.clone(),
            turns: self.turns.owners(),
            limit_epochs: self.limits.iter().map(|limit| limit.epoch).collect(),
            lines: lines.collect(),
            running: self.running_by_id(),
            parked: self.parked.values().copied().collect(),
        }
    }

    /// A machine in the state of a snapshot.
    ///
    /// # Errors
    /// [`SnapshotError`], if no machine can have made it.
    pub fn from_snapshot(snapshot: Snapshot) -> Result<Self, SnapshotError> {
        let mut machine = Self::new(snapshot.policy);
        let windows = || {
            snapshot
                .windows
                .iter()
                .chain(snapshot.held_at.iter().map(|(_, window)| window))
        };
        let known = snapshot.windows.len() == machine.windows.len()
            && windows().all(Window::is_sound)
            && snapshot.backends.len() == machine.backends.len()
            && snapshot.limit_epochs.len() == machine.limits.len()
            && snapshot.lines.len() == machine.lines.len();
        if !known {
            return Err(SnapshotError::Lines);
        }
        machine.closed = snapshot.closed;
        machine.tickets = snapshot.tickets;
        machine.arrivals = snapshot.arrivals;
        machine.choices = snapshot.choices;
        machine.epochs = snapshot.epochs;
        machine.windows = snapshot.windows;
        machine.held_at = snapshot.held_at.into_iter().collect();
        machine.backends = snapshot.backends.clone();
        machine.backends.iter_mut().for_each(|backend| backend.running = 0);
        machine.turns.restore(&snapshot.turns);
        for (limit, epoch) in machine.limits.iter_mut().zip(snapshot.limit_epochs) {
            limit.epoch = epoch;
        }
        for running in snapshot.running {
            machine.put_running(running)?;
        }
        for parked in snapshot.parked {
            let known = parked.id.0 > machine.tickets || machine.state_of(parked.id).is_some();
            if known || machine.line_of(parked.work).is_err() {
                return Err(SnapshotError::Ticket(parked.id));
            }
            machine.put_parked(parked);
        }
        if machine.backends != snapshot.backends {
            return Err(SnapshotError::Lines);
        }
        for (at, line) in snapshot.lines.into_iter().enumerate() {
            machine.lines[at].resume(line.admitted);
            machine.put_waiting(at, &line.waiting)?;
        }
        Ok(machine)
    }

    fn put_running(&mut self, running: Running) -> Result<(), SnapshotError> {
        let fault = SnapshotError::Ticket(running.id);
        let at = self.line_of(running.work).map_err(|_| fault)?;
        let backend = running.backend.map(|backend| self.backends.get_mut(backend.0 as usize));
        let placed = backend.map(|backend| backend.map(|backend| backend.running += 1).is_some());
        if placed == Some(false) || placed.is_some() != running.work.pool.is_some() {
            return Err(fault);
        }
        if running.id.0 > self.tickets || self.state_of(running.id).is_some() {
            return Err(fault);
        }
        let limit = self.lines[at].limit;
        self.limits[limit].running += 1;
        self.lines[at].running += 1;
        let key = self.running.insert(running);
        self.by_id.insert_new(running.id, Record::Running(key));
        Ok(())
    }

    fn put_waiting(&mut self, at: usize, waiting: &[WaitingTicket]) -> Result<(), SnapshotError> {
        let mut keys: Vec<Key> = Vec::with_capacity(waiting.len());
        let mut last = None;
        // An owner's places belong to its tickets in their order.
        let mut last_of = BTreeMap::<Owner, Precedence>::new();
        for ticket in waiting {
            let known = ticket.id.0 > self.tickets || self.state_of(ticket.id).is_some();
            let precedence = Precedence::new(ticket.id, ticket.resumed);
            let in_order = last.replace(ticket.order).is_none_or(|last| last < ticket.order)
                && last_of
                    .insert(ticket.owner, precedence)
                    .is_none_or(|last| last < precedence);
            if known || !in_order || self.line_of(ticket.work) != Ok(at) {
                return Err(SnapshotError::Ticket(ticket.id));
            }
            let work = Packed::new(ticket.work, ticket.avoids);
            let key = self.add_waiter(Waiter::new(ticket.id, work, ticket.joined).resumed(ticket.resumed));
            self.lines[at].put(key, ticket.owner, ticket.order, &mut self.waiters);
            self.go_on_with_story(at, key, ticket.wait);
            keys.push(key);
        }
        self.lines[at].enter_all_by_age(keys, &mut self.waiters);
        Ok(())
    }
}
