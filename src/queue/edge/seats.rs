//! What the queue's one lock guards: the machine, and who is to be told when a ticket's state changes.

use std::{mem, task::Waker, time::Duration};

use super::{curves::Curves, few::Few, idle::Lent};
use crate::queue::{
    EventIndex, JoinError, LeaveReason, OrderKey, Policy, TicketId,
    machine::{Command, Effect, Machine, TicketState, Time, UnknownWork, ids::IdMap},
};

/// The machine and the tickets of this process.
pub(super) struct Seats {
    pub(super) machine: Machine,
    pub(super) curves: Curves,
    /// The slot that is lent.
    pub(super) lent: Option<Lent>,
    /// How often some position, count or limit has changed.
    pub(super) changes: u64,
    /// Of each ticket that waits or is parked, or has left and whose [`Ticket`](crate::queue::Ticket) has yet to learn why.
    seats: IdMap<Seat>,
}

/// What the machine does not know of a ticket.
enum Seat {
    /// Whom to wake when its wait ends, or when it is in its line again.
    Waiting(Option<Waker>),
    /// The machine has forgotten it.
    Left(LeaveReason),
}

/// What is to be done once the lock has been released. Dropping a waker may drop a task and with it a ticket, which takes
/// the lock: so even wakers that are not woken go out this way.
#[derive(Default)]
pub(super) struct Aftermath {
    pub(super) wake: Few<Waker>,
    pub(super) left: Few<(EventIndex, LeaveReason)>,
    /// Some position, count or limit has changed.
    pub(super) changed: bool,
    /// The slot that is lent is needed.
    pub(super) claimed: bool,
    pub(super) answer: Answer,
}

/// What a command has to say to its caller.
#[derive(Default)]
pub(super) struct Answer {
    /// To a ticket that wanted to be let in; several come back in one command.
    pub(super) joined: Few<Result<(TicketId, TicketState), JoinError>>,
    /// How long the slot was held that came back.
    pub(super) held: Duration,
    /// Some ticket has left its line.
    pub(super) left: bool,
    /// A ticket has changed to another line, which it may have left at once with a slot.
    pub(super) moved: bool,
    /// A ticket that was parked is in its line again, or has started.
    pub(super) resumed: bool,
}

impl Seats {
    pub(super) fn new(policy: Policy) -> Self {
        Self {
            machine: Machine::new(policy),
            curves: Curves::default(),
            lent: None,
            changes: 0,
            seats: IdMap::default(),
        }
    }

    /// Gives a command to the machine, and a new state to all whom it concerns.
    pub(super) fn apply(&mut self, now: Time, command: Command, after: &mut Aftermath) -> Result<(), UnknownWork> {
        let Self { machine, seats, .. } = self;
        machine.apply(now, command, &mut Telling { seats, after })?;
        self.changes += u64::from(after.changed);
        after.claimed |= self.lent.as_mut().is_some_and(|lent| lent.look(&self.machine));
        Ok(())
    }

    /// Where a ticket that had to wait stands. While it waits, `waker` is kept and will be woken when that changes, and the moment is
    /// returned at which it leaves as [`LeaveReason::Expired`]. What is `replaced` is to be dropped outside the lock.
    pub(super) fn look(
        &mut self,
        ticket: TicketId,
        waker: &Waker,
        replaced: &mut Option<Waker>,
    ) -> (TicketState, Option<Time>) {
        match self.machine.state_of(ticket) {
            Some(state @ (TicketState::Waiting | TicketState::Parked)) => {
                if let Some(Seat::Waiting(known)) = self.seats.get_mut(ticket)
                    && known.as_ref().is_none_or(|known| !known.will_wake(waker))
                {
                    *replaced = known.replace(waker.clone());
                }
                (state, self.machine.deadline(ticket))
            }
            Some(state) => (state, None),
            None => match self.seats.remove(ticket) {
                Some(Seat::Left(reason)) => (TicketState::Left(reason), None),
                _ => unreachable!("a ticket that is told that it has left asks no more"),
            },
        }
    }

    /// The place in the order of a ticket that has not learnt yet how its wait ended.
    pub(super) fn order_key(&self, ticket: TicketId) -> Option<OrderKey> {
        match self.machine.state_of(ticket)? {
            TicketState::Waiting => self.machine.order_key(ticket),
            TicketState::Running(grant) => Some(grant.order),
            TicketState::Parked | TicketState::Left(_) => None,
        }
    }

    /// A ticket is dropped before it learnt how its wait ended.
    pub(super) fn drop_ticket(
        &mut self,
        ticket: TicketId,
        event: EventIndex,
        reason: LeaveReason,
        now: Time,
        after: &mut Aftermath,
    ) -> Result<(), UnknownWork> {
        match self.machine.state_of(ticket) {
            Some(TicketState::Running(_)) => {
                after.left.push((event, reason));
                return self.apply(now, Command::Release { ticket, worked: false }, after);
            }
            Some(_) => self.apply(now, Command::Leave { ticket, reason }, after)?,
            None => {}
        }
        self.seats.remove(ticket);
        Ok(())
    }
}

/// Whom the effects of a command concern is told of them at once.
struct Telling<'a> {
    seats: &'a mut IdMap<Seat>,
    after: &'a mut Aftermath,
}

impl Extend<Effect> for Telling<'_> {
    fn extend<T: IntoIterator<Item = Effect>>(&mut self, effects: T) {
        effects.into_iter().for_each(|effect| self.tell(effect));
    }
}

impl Telling<'_> {
    fn tell(&mut self, effect: Effect) {
        let Self { seats, after } = self;
        after.changed |= effect.changes_lines();
        match effect {
            Effect::Joined { ticket, state, .. } => {
                if matches!(state, TicketState::Waiting | TicketState::Parked) {
                    seats.insert_new(ticket, Seat::Waiting(None));
                }
                after.answer.joined.push(Ok((ticket, state)));
            }
            Effect::Returned { ticket } => seats.insert_new(ticket, Seat::Waiting(None)),
            Effect::Parked { ticket } => {
                // One that has waited has its seat.
                if seats.get(ticket).is_none() {
                    seats.insert_new(ticket, Seat::Waiting(None));
                }
            }
            Effect::Resumed { ticket } => {
                after.answer.resumed = true;
                // From now on its longest wait counts: it sets its timer when it looks again.
                if let Some(Seat::Waiting(waker)) = seats.get_mut(ticket) {
                    waker.take().into_iter().for_each(|waker| after.wake.push(waker));
                }
            }
            Effect::Moved { .. } => after.answer.moved = true,
            Effect::Refused { why, .. } => after.answer.joined.push(Err(why)),
            Effect::Started { ticket, .. } => {
                wake(seats.remove(ticket), after);
            }
            Effect::Left { ticket, event, reason } => {
                match seats.get_mut(ticket) {
                    Some(seat) => wake(Some(mem::replace(seat, Seat::Left(reason))), after),
                    // It was running, and was to come back to a queue that has been closed.
                    None => seats.insert_new(ticket, Seat::Left(reason)),
                }
                after.left.push((event, reason));
                after.answer.left = true;
            }
            Effect::Released { held, .. } => after.answer.held = held,
            Effect::Retuned { deadlines_moved: true } => {
                // They set their timers when they look again.
                for seat in seats.values_mut() {
                    if let Seat::Waiting(waker) = seat {
                        waker.take().into_iter().for_each(|waker| after.wake.push(waker));
                    }
                }
            }
            Effect::Retuned { deadlines_moved: false } | Effect::Throttled | Effect::Closed => {}
        }
    }
}

fn wake(seat: Option<Seat>, after: &mut Aftermath) {
    if let Some(Seat::Waiting(Some(waker))) = seat {
        after.wake.push(waker);
    }
}
