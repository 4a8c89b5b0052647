//! A queue of this process alone: the lock, and what is done before and after it.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::Waker,
    time::Duration,
};

use tokio::{sync::Notify, time::Instant};

use super::{
    clock::Clock,
    seats::{Aftermath, Answer, Seats},
};
use crate::queue::{
    EventIndex, LeaveReason, Observer, Policy, TicketId,
    machine::{Command, TicketState, UnknownWork},
};

/// Why some commands cannot fail.
const NO_WORK: &str = "a command that names no work is carried out";

/// What all clones of a queue, its tickets and its permits share.
pub(super) struct Local {
    /// The queue's only synchronisation. Whatever is decided is decided within one section of it, in which a ticket also
    /// leaves its waker, so no interleaving can lose a wake-up or see a half-made change, and there is no protocol of our
    /// own for a model checker to explore.
    seats: Mutex<Seats>,
    /// Held while a curve is computed. Never taken under the other lock.
    pub(super) computing: Mutex<()>,
    pub(super) clock: Clock,
    /// Those who follow the changes, which [`Seats`] counts.
    pub(super) told: Notify,
    /// Those who wait for the slot that is lent to be claimed, or to be given back.
    pub(super) lent: Notify,
    observer: Arc<dyn Observer>,
}

impl Local {
    pub(super) fn new(policy: Policy, observer: Arc<dyn Observer>) -> Self {
        Self {
            seats: Mutex::new(Seats::new(policy)),
            computing: Mutex::new(()),
            clock: Clock::new(),
            told: Notify::new(),
            lent: Notify::new(),
            observer,
        }
    }

    /// The lock. It is held for a few steps that neither wait nor call out, so it cannot be poisoned by a caller's panic.
    pub(super) fn lock(&self) -> MutexGuard<'_, Seats> {
        self.seats.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Carries out a command under the lock, and what comes of it after the lock.
    pub(super) fn apply(&self, command: Command) -> Result<Answer, UnknownWork> {
        let now = self.clock.now();
        self.change(|seats, after| seats.apply(now, command, after))
    }

    fn change(
        &self,
        change: impl FnOnce(&mut Seats, &mut Aftermath) -> Result<(), UnknownWork>,
    ) -> Result<Answer, UnknownWork> {
        let mut after = Aftermath::default();
        change(&mut self.lock(), &mut after)?;
        // Watchers of the line first: tokio runs next what was woken last, which is to be the ticket that starts.
        if after.changed {
            self.told.notify_waiters();
        }
        if after.claimed {
            self.lent.notify_waiters();
        }
        after.wake.for_each(Waker::wake);
        after.left.for_each(|(event, how)| self.observer.left(event, how));
        Ok(after.answer)
    }

    pub(super) fn observer(&self) -> &dyn Observer {
        &*self.observer
    }

    /// Frees a slot. Returns how long it was held.
    pub(super) fn free(&self, ticket: TicketId, worked: bool) -> Duration {
        let answer = self.apply(Command::Release { ticket, worked });
        answer.expect(NO_WORK).held
    }

    /// A running ticket goes back to its line.
    pub(super) fn start_back(&self, ticket: TicketId) {
        self.apply(Command::StartBack { ticket }).expect(NO_WORK);
    }

    /// A running ticket is in no line for a while.
    pub(super) fn park(&self, ticket: TicketId) {
        self.apply(Command::Park { ticket }).expect(NO_WORK);
    }

    /// A running ticket is in no line until it may go on from where it stood.
    pub(super) fn pause(&self, ticket: TicketId) {
        self.apply(Command::Pause { ticket }).expect(NO_WORK);
    }

    /// And comes back to its line. `false`: it was not parked.
    pub(super) fn resume(&self, ticket: TicketId) -> bool {
        self.apply(Command::Resume { ticket }).expect(NO_WORK).resumed
    }

    /// A ticket is dropped before it learnt how its wait ended.
    pub(super) fn drop_ticket(&self, ticket: TicketId, event: EventIndex, how: LeaveReason) {
        let now = self.clock.now();
        let dropped = self.change(|seats, after| seats.drop_ticket(ticket, event, how, now, after));
        dropped.expect(NO_WORK);
    }

    /// A timer has seen `deadline` pass.
    pub(super) fn expire(&self, deadline: Option<Instant>) {
        let now = self.clock.now();
        let now = deadline.map_or(now, |deadline| self.clock.time(deadline).max(now));
        let expired = self.change(|seats, after| seats.apply(now, Command::Expire, after));
        expired.expect(NO_WORK);
    }

    /// Where a ticket that had to wait stands; while it waits, `waker` will be woken when that changes, and the moment is returned at
    /// which its longest wait is over.
    pub(super) fn look(&self, ticket: TicketId, waker: &Waker) -> (TicketState, Option<Instant>) {
        // A waker that is replaced may be the last hold on a task, and its drop may come back to this lock: after it.
        let mut replaced = None;
        let (state, deadline) = self.lock().look(ticket, waker, &mut replaced);
        drop(replaced);
        (state, deadline.and_then(|deadline| self.clock.instant(deadline)))
    }
}
