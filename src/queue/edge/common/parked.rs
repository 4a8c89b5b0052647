//! Tickets of this process that have given their slot back for a while.

use std::task::Waker;

use super::{
    Common, Reporter,
    seat::{Known, Place, Seat},
};
use crate::queue::{LeaveReason, TicketId, machine::Command};

impl Common {
    /// A ticket of this process gives its slot back for a while. One that is not its any more has left.
    pub(in crate::queue::edge) fn park(&self, ticket: TicketId) {
        self.set_parked(ticket, false);
    }

    /// The same until it may go on from where it stood.
    pub(in crate::queue::edge) fn pause(&self, ticket: TicketId) {
        self.set_parked(ticket, true);
    }

    fn set_parked(&self, ticket: TicketId, paused: bool) {
        let mut seats = self.seats();
        let over = seats.over;
        let Some(seat) = seats.map.get_mut(ticket) else { return };
        if matches!(seat.place, Place::Parked(_) | Place::Left(..) | Place::Dropped(_)) {
            return;
        }
        let job = seat.job;
        let lost = over || matches!(&seat.place, Place::Working(work) if work.lost);
        let next = if lost {
            Place::Left(LeaveReason::Closed, Known::ByAll)
        } else if let Place::Waiting(waker) | Place::Granted(_, waker) = &mut seat.place {
            Place::Parked(waker.take())
        } else {
            Place::Parked(None)
        };
        let before = std::mem::replace(&mut seat.place, next);
        seat.paused = paused;
        drop(seats);
        drop(before);
        if !lost {
            self.line(|line| line.change(job, ticket, parks(ticket, paused)));
        }
    }

    /// And comes back to its line. `false`: it is not parked here.
    pub(in crate::queue::edge) fn resume(&self, ticket: TicketId) -> bool {
        let mut seats = self.seats();
        let Some(seat) = seats.map.get_mut(ticket) else {
            return false;
        };
        let Place::Parked(waker) = &mut seat.place else {
            return false;
        };
        seat.place = Place::Waiting(waker.take());
        let job = seat.job;
        drop(seats);
        self.line(|line| line.change(job, ticket, Command::Resume { ticket }));
        true
    }

    /// Whether a ticket is parked, in the words of its holder; `None`: nobody holds it here.
    pub(in crate::queue::edge) fn is_parked_here(&self, ticket: TicketId) -> Option<bool> {
        match self.seats().map.get_mut(ticket)?.place {
            Place::Stray(_) => None,
            Place::Parked(_) => Some(true),
            _ => Some(false),
        }
    }
}

/// What parks a ticket.
pub(super) const fn parks(ticket: TicketId, paused: bool) -> Command {
    if paused {
        Command::Pause { ticket }
    } else {
        Command::Park { ticket }
    }
}

impl Reporter {
    /// All have that a ticket is in its line again, if it could be: its longest wait counts from now on.
    pub fn resumed(&mut self, ticket: TicketId) {
        let Some(common) = self.common.upgrade() else { return };
        let mut seats = common.seats();
        let waker = match seats.map.get_mut(ticket) {
            Some(Seat {
                place: Place::Waiting(waker),
                ..
            }) => waker.take(),
            _ => None,
        };
        drop(seats);
        waker.into_iter().for_each(Waker::wake);
    }

    /// It is not known whether they have. It is asked for again: where a ticket is not parked, that changes nothing.
    pub fn not_resumed(&mut self, ticket: TicketId) {
        let Some(common) = self.common.upgrade() else { return };
        let waiting = common.seats().waiting(ticket);
        if let Some(job) = waiting {
            common.line(|line| line.change(job, ticket, Command::Resume { ticket }));
        }
    }
}
