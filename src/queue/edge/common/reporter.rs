//! What follows from what all processes have in common, told to the one that it concerns.

use std::{
    collections::BTreeMap,
    sync::{Arc, Weak},
    task::Waker,
};

use tokio::sync::oneshot;

use super::{
    Common,
    parked::parks,
    seat::{Known, Place, Seat},
};
use crate::queue::{
    EventIndex, JoinError, LeaveReason, Owner, TicketId,
    edge::{Edge, Ticket},
    machine::{Command, Grant, Machine, TicketState},
};

/// Somebody who wants a place, until it is known whether he has it.
pub struct JoinAsk {
    job: u128,
    event: EventIndex,
    caller: oneshot::Sender<Result<Ticket, JoinError>>,
}

impl JoinAsk {
    pub(in crate::queue::edge) fn new(
        job: u128,
        event: EventIndex,
    ) -> (Self, oneshot::Receiver<Result<Ticket, JoinError>>) {
        let (caller, answer) = oneshot::channel();
        (Self { job, event, caller }, answer)
    }

    /// What the place is for.
    #[must_use]
    pub const fn job(&self) -> u128 {
        self.job
    }

    /// He does not have it.
    pub fn refuse(self, why: JoinError) {
        // One who has gone need not know.
        let _ = self.caller.send(Err(why));
    }
}

/// A ticket that this process holds, as all know it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Held {
    /// Which.
    pub ticket: TicketId,
    /// What it is for.
    pub job: u128,
    /// Whose it is.
    pub owner: Owner,
}

/// A ticket that was another process's, or is of an earlier start, and that this one is to take up.
pub type Stray = Held;

/// The way from the line of all to this process's queue. To be called by one task, in the order in which things happen.
pub struct Reporter {
    pub(super) common: Weak<Common>,
    /// Who has got a ticket is told last: by then the ticket has its slot, too, if it started at once.
    joined: Vec<(oneshot::Sender<Result<Ticket, JoinError>>, Ticket)>,
    /// Changes of pools that all have now.
    recalled: Vec<TicketId>,
}

impl Reporter {
    pub(in crate::queue::edge) fn new(common: &Arc<Common>) -> Self {
        Self {
            common: Arc::downgrade(common),
            joined: Vec::new(),
            recalled: Vec::new(),
        }
    }

    /// Somebody has got a place.
    pub fn joined(&mut self, ask: JoinAsk, ticket: TicketId, state: TicketState) {
        let JoinAsk { job, event, caller } = ask;
        let Some(common) = self.common.upgrade() else { return };
        let known = if let TicketState::Left(reason) = state {
            common.observer().left(event, reason);
            state
        } else {
            let seat = Seat::new(job, event, Place::Waiting(None));
            common.seats().map.insert_new(ticket, seat);
            TicketState::Waiting
        };
        let ticket = Ticket::new(Edge::Common(common), ticket, event, known);
        self.joined.push((caller, ticket));
    }

    /// All have that a ticket is in another pool's line, if it could be.
    pub fn recalled(&mut self, ticket: TicketId) {
        self.recalled.push(ticket);
    }

    /// A ticket of this process has a slot.
    pub fn started(&mut self, held: Held, grant: Grant) {
        let Some(common) = self.common.upgrade() else { return };
        let (grant, ticket) = (common.grant_here(grant), held.ticket);
        let event = common.show(|machine| machine.work_of(ticket).map(|work| work.event));
        let mut seats = common.seats();
        let Some(seat) = seats.map.get_mut(ticket) else {
            // It was over here, and that has been lost on the way.
            if let Some(event) = event {
                let seat = Seat::new(held.job, event, Place::Stray(Some(grant)));
                seats.map.insert_new(ticket, seat);
                drop(seats);
                common.find_strays(vec![held]);
            }
            return;
        };
        match &mut seat.place {
            Place::Waiting(waker) => {
                let waker = waker.take();
                if seat.recalls > 0 {
                    seat.place = Place::Granted(grant, waker);
                } else {
                    seat.place = Place::Granted(grant, None);
                    drop(seats);
                    waker.into_iter().for_each(Waker::wake);
                }
            }
            // That it is parked has been lost on the way.
            Place::Parked(_) => {
                let (job, paused) = (seat.job, seat.paused);
                drop(seats);
                common.line(|line| line.change(job, ticket, parks(ticket, paused)));
            }
            Place::Stray(slot) => *slot = Some(grant),
            Place::Granted(slot, _) => *slot = grant,
            Place::Working(work) => work.again = Some(grant),
            // It had left before it could know of its slot.
            Place::Left(reason, _) | Place::Dropped(reason) => {
                let (job, event, reason) = (seat.job, seat.event, *reason);
                if let Place::Left(_, known) = &mut seat.place {
                    *known = Known::ByAll;
                } else {
                    drop(seats.map.remove(ticket));
                }
                drop(seats);
                let worked = false;
                common.line(|line| line.change(job, ticket, Command::Release { ticket, worked }));
                common.observer().left(event, reason);
            }
        }
    }

    /// Work on a ticket is to be ended, and what it has brought to be dropped.
    pub fn halted(&mut self, ticket: TicketId) {
        let Some(common) = self.common.upgrade() else { return };
        let mut seats = common.seats();
        let Some(seat) = seats.map.get_mut(ticket) else { return };
        let waker = seat.halt();
        drop(seats);
        waker.into_iter().for_each(Waker::wake);
    }

    /// A ticket of this process has left without starting.
    pub fn left(&mut self, ticket: TicketId, reason: LeaveReason) {
        let Some(common) = self.common.upgrade() else { return };
        let mut seats = common.seats();
        let Some(seat) = seats.map.get_mut(ticket) else { return };
        let event = seat.event;
        let mut woken = None;
        match &mut seat.place {
            Place::Waiting(waker) | Place::Parked(waker) => {
                woken = waker.take();
                seat.place = Place::Left(reason, Known::ByAll);
            }
            Place::Left(_, known) => *known = Known::ByAll,
            Place::Stray(_) | Place::Dropped(_) => drop(seats.map.remove(ticket)),
            // It was taken out of a slot that its holder had yet to take, and its time was over by then. No other word follows.
            Place::Granted(_, waker) => {
                woken = waker.take();
                seat.place = Place::Left(reason, Known::ByAll);
            }
            // It has started, as far as this process has been told: another word follows.
            Place::Working(_) => return,
        }
        drop(seats);
        woken.into_iter().for_each(Waker::wake);
        common.observer().left(event, reason);
    }

    /// Other tickets may be this process's than before: `held` are those that are now. Those that are new to it are to be taken up.
    pub fn passed_on(&mut self, machine: &Machine, held: impl Iterator<Item = Held>) {
        let Some(common) = self.common.upgrade() else { return };
        let held: BTreeMap<TicketId, Held> = held.map(|held| (held.ticket, held)).collect();
        let mut seats = common.seats();
        let mut woken = Vec::new();
        seats.map.retain(|ticket, seat| {
            if held.contains_key(&ticket) {
                return true;
            }
            seat.lose(&mut woken)
        });
        let (new, known): (Vec<Held>, Vec<Held>) = held
            .into_values()
            .partition(|held| seats.map.get(held.ticket).is_none());
        for held in &new {
            if let Some(work) = machine.work_of(held.ticket) {
                let seat = Seat::new(held.job, work.event, Place::Stray(None));
                seats.map.insert_new(held.ticket, seat);
            }
        }
        // That these resume has been lost with the end of the log.
        let parked = |held: &Held| machine.state_of(held.ticket) == Some(TicketState::Parked);
        let resuming: Vec<Held> = known
            .into_iter()
            .filter(|held| parked(held) && seats.waiting(held.ticket).is_some())
            .collect();
        drop(seats);
        woken.into_iter().for_each(Waker::wake);
        for Held { ticket, job, .. } in resuming {
            common.line(|line| line.change(job, ticket, Command::Resume { ticket }));
        }
        common.find_strays(new);
    }

    /// Back ends may have something else for now, or are others: under this policy, before which so many have been in force. To be followed by
    /// [`Reporter::throttled`].
    pub fn policy(&mut self, machine: &Machine, policies: u64) {
        if let Some(common) = self.common.upgrade() {
            common.look_at_policy(machine.policy(), policies);
        }
    }

    /// The same, told to whoever throttles back ends here. To be called with nothing locked. `lost`: what this process has said of one may have
    /// been lost.
    pub fn throttled(&mut self, lost: bool) {
        if let Some(common) = self.common.upgrade() {
            common.tell_throttles(|_| lost);
        }
    }

    /// The line has changed, and all that comes of it has been told.
    pub fn changed(&mut self, machine: &Machine, policies: u64) {
        let Some(common) = self.common.upgrade() else { return };
        common.look_at_policy(machine.policy(), policies);
        let mut woken = Vec::new();
        let mut seats = common.seats();
        seats.changes += 1;
        for ticket in self.recalled.drain(..) {
            if let Some(seat) = seats.map.get_mut(ticket) {
                woken.extend(seat.recalled());
            }
        }
        drop(seats);
        common.told.notify_waiters();
        woken.into_iter().for_each(Waker::wake);
        for (caller, ticket) in self.joined.drain(..) {
            // One who has gone gives the place back: his ticket is dropped.
            drop(caller.send(Ok(ticket)));
        }
    }

    /// What was asked has not been carried out, or may not have been: another process had the policy changed before.
    pub fn not_retuned(&mut self, machine: &Machine, policies: u64) {
        if let Some(common) = self.common.upgrade() {
            common.retune_again(machine.policy(), policies);
        }
    }

    /// A policy that was asked for is in force.
    pub fn retuned(&mut self) {
        if let Some(common) = self.common.upgrade() {
            common.retuned();
        }
    }

    /// This process has no part in the line any more: all that it works on is to be ended, and nobody waits here.
    pub fn over(&mut self) {
        let Some(common) = self.common.upgrade() else { return };
        self.joined.clear();
        let mut woken = Vec::new();
        let mut seats = common.seats();
        seats.closed = true;
        seats.over = true;
        seats.changes += 1;
        seats.map.retain(|_, seat| seat.lose(&mut woken));
        drop(seats);
        common.told.notify_waiters();
        woken.into_iter().for_each(Waker::wake);
    }
}

impl Seat {
    /// It is not this process's any more. `false`: nobody need hear of it.
    fn lose(&mut self, woken: &mut Vec<Waker>) -> bool {
        match &mut self.place {
            Place::Stray(_) | Place::Dropped(_) => false,
            Place::Waiting(waker) | Place::Parked(waker) => {
                woken.extend(waker.take());
                self.place = Place::Left(LeaveReason::Closed, Known::ByAll);
                true
            }
            Place::Granted(_, waker) => {
                woken.extend(waker.take());
                self.place = Place::Left(LeaveReason::Closed, Known::ByAll);
                true
            }
            Place::Left(_, known) => {
                *known = Known::ByAll;
                true
            }
            Place::Working(work) => {
                work.halted = true;
                work.lost = true;
                work.again = None;
                woken.extend(work.waker.take());
                true
            }
        }
    }

    fn halt(&mut self) -> Option<Waker> {
        match &mut self.place {
            Place::Stray(slot) => {
                *slot = None;
                None
            }
            Place::Granted(_, waker) => {
                self.place = Place::Waiting(waker.take());
                None
            }
            Place::Working(work) => {
                work.halted = true;
                work.again = None;
                work.waker.take()
            }
            Place::Waiting(_) | Place::Parked(_) | Place::Left(..) | Place::Dropped(_) => None,
        }
    }

    /// A change of its pool is known to all. Whom to wake, if it has a slot that may be taken now.
    fn recalled(&mut self) -> Option<Waker> {
        self.recalls = self.recalls.saturating_sub(1);
        if self.recalls > 0 {
            return None;
        }
        self.wanted = None;
        match &mut self.place {
            Place::Granted(_, waker) => waker.take(),
            _ => None,
        }
    }
}
