//! A line that several processes keep, as one of them sees it.
//!
//! What a caller asks for happens once all have it in common, and in the order that is the same for all. What concerns only this process
//! is decided here and at once: whether somebody still waits, whom to wake, who takes a slot. A slot that comes to somebody who has left
//! meanwhile is given back.
//!
//! Locks: the one of whoever shows the line ([`CommonLine::look`]) may be held while one of these is taken, never the other way round.

mod differences;
mod names;
mod parked;
mod policy;
mod reporter;
mod seat;
mod throttles;

use std::{
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
    task::{Context, Poll, Waker},
    time::Duration,
};

use tokio::{
    sync::{Notify, mpsc},
    time::Instant,
};

pub use differences::Difference;
pub use names::Retuning;
pub use reporter::{Held, JoinAsk, Reporter, Stray};

use super::curves::Curves;
use crate::queue::{
    BackendIndex, EventIndex, InForce, JoinError, LeaveReason, Observer, OrderKey, Owner, Policy, PoolIndex, Throttle,
    TicketId, Work,
    machine::{Command, Grant, Machine, Restored, TicketState, Time, ids::IdMap},
};
pub(super) use names::Names;
use seat::{Known, Place, Seat};
use throttles::Throttles;

/// Until a longest wait that should be over by this process's count is asked about once more.
const AGAIN: Duration = Duration::from_millis(250);

/// What several processes have in common, as one of them reaches it. None of it waits.
pub trait CommonLine: Send + Sync + 'static {
    /// Shows the line as far as it is known here, and the line's time of now. Not at all, as long as nothing is known.
    fn look(&self, look: &mut dyn FnMut(&Machine, Time));
    /// Asks for a place. Answered by [`Reporter::joined`] or [`JoinAsk::refuse`].
    fn join(&self, ask: JoinAsk, work: Work, owner: Owner);
    /// Lets tickets in that the line does not have, with what each is for. Those that come to this process are found as strays.
    fn restore(&self, tickets: Vec<(u128, Restored)>);
    /// Asks for a change of a ticket of this process, which is for this job. A [`Command::Recall`] is answered by [`Reporter::recalled`], a
    /// [`Command::Resume`] by [`Reporter::resumed`] or [`Reporter::not_resumed`].
    fn change(&self, job: u128, ticket: TicketId, command: Command);
    /// Asks for a change of the line as a whole.
    fn line(&self, command: Command);
    /// Asks that a back end may have this, unless another process has said something about it after the change `known`.
    fn throttle(&self, backend: BackendIndex, throttle: Throttle, known: u64);
    /// What is in force of each back end, in the order of the policy. Nothing, as long as nothing is known.
    fn throttles(&self) -> Vec<InForce>;
    /// Asks for another policy, in place of the one before that so many have been in force. Answered by [`Reporter::retuned`] or
    /// [`Reporter::not_retuned`].
    fn retune(&self, version: u64, policy: Policy);
    /// Whether there is another process that stays, to take up what this one leaves.
    fn has_heirs(&self) -> bool;
    /// This process is to leave once it works on nothing: what comes to it goes to others.
    fn leave(&self);
    /// The same at once.
    fn leave_now(&self);
}

/// This process's part of a line that several keep.
pub(super) struct Common {
    line: OnceLock<Arc<dyn CommonLine>>,
    seats: Mutex<Seats>,
    wanted: Mutex<Wanted>,
    /// Held while a curve is computed. Never taken under another lock.
    pub(super) computing: Mutex<()>,
    pub(super) told: Notify,
    observer: Arc<dyn Observer>,
    strays: mpsc::UnboundedSender<Vec<Stray>>,
    /// Until somebody takes them up.
    found: Mutex<Option<mpsc::UnboundedReceiver<Vec<Stray>>>>,
    throttles: Mutex<Throttles>,
}

/// The tickets of this process.
pub(super) struct Seats {
    map: IdMap<Seat>,
    /// How often some position, count or limit may have changed.
    changes: u64,
    /// This process is about to leave: whoever comes is taken up by another one, if there is one.
    closed: bool,
    /// It takes nobody in any more.
    over: bool,
}

/// The policy that this process wants, beside that of all.
struct Wanted {
    /// As this process counts.
    policy: Policy,
    /// Why it is not in force yet; `None`: it is, or nothing is to be done about it.
    why: Option<Retuning>,
    /// It has been asked for.
    asked: bool,
    names: Names,
    /// The policy of all that the names were made for, by its number.
    version: Option<u64>,
    /// Whether that is what this process's operator has set.
    agrees: bool,
    curves: Curves,
    /// What is shown as long as nothing is known.
    blank: Machine,
}

impl Common {
    pub(super) fn new(policy: Policy, observer: Arc<dyn Observer>) -> Self {
        let (strays, found) = mpsc::unbounded_channel();
        Self {
            line: OnceLock::new(),
            seats: Mutex::new(Seats {
                map: IdMap::default(),
                changes: 0,
                closed: false,
                over: false,
            }),
            wanted: Mutex::new(Wanted {
                blank: Machine::new(policy.clone()),
                policy,
                why: None,
                asked: false,
                names: Names::SAME,
                version: None,
                agrees: true,
                curves: Curves::default(),
            }),
            computing: Mutex::new(()),
            told: Notify::new(),
            observer,
            strays,
            found: Mutex::new(Some(found)),
            throttles: Mutex::default(),
        }
    }

    pub(super) fn connect(&self, line: Arc<dyn CommonLine>) {
        // Nobody else does.
        let _ = self.line.set(line);
    }

    /// Both are locked for a few steps that neither wait nor call out, so they cannot be poisoned by a caller's panic.
    fn seats(&self) -> MutexGuard<'_, Seats> {
        self.seats.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wanted(&self) -> MutexGuard<'_, Wanted> {
        self.wanted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Nothing is asked before there is a line.
    fn line(&self, ask: impl FnOnce(&dyn CommonLine)) {
        if let Some(line) = self.line.get() {
            ask(&**line);
        }
    }

    pub(super) fn with<T>(&self, look: impl FnOnce(&Machine, &mut Curves, Time, &Names) -> T) -> T {
        let mut look = Some(look);
        let mut shown = None;
        self.line(|line| {
            line.look(&mut |machine, now| {
                let Wanted { curves, names, .. } = &mut *self.wanted();
                shown = look.take().map(|look| look(machine, curves, now, names));
            });
        });
        match (shown, look) {
            (Some(shown), _) => shown,
            (None, Some(look)) => {
                let Wanted { blank, curves, .. } = &mut *self.wanted();
                look(blank, curves, Time::default(), &Names::SAME)
            }
            (None, None) => unreachable!("what has looked has seen something"),
        }
    }

    /// The same for those who want nothing but the line.
    fn show<T>(&self, look: impl FnOnce(&Machine) -> T) -> T {
        self.with(|machine, _, _, _| look(machine))
    }

    pub(super) fn observer(&self) -> &dyn Observer {
        &*self.observer
    }

    pub(super) fn changes(&self) -> u64 {
        self.seats().changes
    }

    pub(super) fn order_key(&self, ticket: TicketId) -> Option<OrderKey> {
        self.show(|machine| match machine.state_of(ticket)? {
            TicketState::Waiting => machine.order_key(ticket),
            TicketState::Running(grant) => Some(grant.order),
            TicketState::Parked | TicketState::Left(_) => None,
        })
    }

    /// Asks for a place, once all know the pool.
    pub(super) async fn join(&self, ask: JoinAsk, work: Work, owner: Owner) -> Result<(), JoinError> {
        let there = self.work_there(work).await?;
        // One that could not get in is not asked for: a crowd at a full line is no burden to all.
        if let Some(why) = self.show(|machine| machine.would_refuse(there, owner)) {
            return Err(why);
        }
        self.line(|line| line.join(ask, there, owner));
        Ok(())
    }

    /// Why somebody would not get in now; `None`: they would, or it is not known yet.
    pub(super) fn would_refuse(&self, work: Work, owner: Owner) -> Option<JoinError> {
        if self.is_closed() {
            return Some(JoinError::Closed);
        }
        let there = self.wanted().names.work_there(work)?;
        self.show(|machine| machine.would_refuse(there, owner))
    }

    /// What a ticket is for, in the words of all, once they know its pool.
    async fn work_there(&self, work: Work) -> Result<Work, JoinError> {
        loop {
            // Before the look, so that no change falls between the two.
            let told = self.told.notified();
            if self.is_closed() {
                return Err(JoinError::Closed);
            }
            if let Some(there) = self.wanted().names.work_there(work) {
                return Ok(there);
            }
            told.await;
        }
    }

    fn is_closed(&self) -> bool {
        let (closed, over) = {
            let seats = self.seats();
            (seats.closed, seats.over)
        };
        over || closed && !self.line.get().is_some_and(|line| line.has_heirs())
    }

    /// Lets tickets in that the line does not have.
    pub(super) async fn recover(&self, mut tickets: Vec<(u128, Restored)>) -> Result<(), JoinError> {
        for (_, ticket) in &mut tickets {
            ticket.work = self.work_there(ticket.work).await?;
        }
        self.line(|line| line.restore(tickets));
        Ok(())
    }

    /// The slot of a ticket that has one, once.
    pub(super) fn granted(&self, ticket: TicketId) -> Option<Grant> {
        let mut seats = self.seats();
        let seat = seats.map.get_mut(ticket)?;
        seat.take_slot()
    }

    pub(super) fn look(&self, ticket: TicketId, waker: &Waker) -> (TicketState, Option<Instant>) {
        // A waker that is replaced may be the last hold on a task, and its drop may come back to this lock: after it.
        let mut replaced = None;
        let state = self.seats().look(ticket, waker, &mut replaced);
        drop(replaced);
        let deadline = matches!(state, TicketState::Waiting)
            .then(|| self.deadline(ticket))
            .flatten();
        (state, deadline)
    }

    /// When a ticket leaves because it has waited too long, by this process's clock.
    fn deadline(&self, ticket: TicketId) -> Option<Instant> {
        let left = self.with(|machine, _, now, _| Some(machine.deadline(ticket)?.saturating_since(now)))?;
        // By the line's clock it may not be over yet.
        Instant::now().checked_add(left.max(AGAIN))
    }

    pub(super) fn expire(&self) {
        self.line(|line| line.line(Command::Expire));
    }

    /// Takes a ticket out that waits here, or is parked. `false`: it is not.
    pub(super) fn leave(&self, ticket: TicketId, reason: LeaveReason) -> bool {
        let mut seats = self.seats();
        let Some(seat) = seats.map.get_mut(ticket) else {
            return false;
        };
        let (Place::Waiting(waker) | Place::Parked(waker)) = &mut seat.place else {
            return false;
        };
        let (waker, job) = (waker.take(), seat.job);
        seat.place = Place::Left(reason, Known::Asked);
        drop(seats);
        self.line(|line| line.change(job, ticket, Command::Leave { ticket, reason }));
        waker.into_iter().for_each(Waker::wake);
        true
    }

    /// A ticket is dropped before it learnt how its wait ended.
    pub(super) fn drop_ticket(&self, ticket: TicketId, reason: LeaveReason) {
        let mut seats = self.seats();
        let Some(seat) = seats.map.get_mut(ticket) else { return };
        let (job, event) = (seat.job, seat.event);
        match seat.place {
            Place::Waiting(_) | Place::Parked(_) | Place::Stray(None) => {
                let before = seats.replace(ticket, Place::Dropped(reason));
                drop(seats);
                drop(before);
                self.line(|line| line.change(job, ticket, Command::Leave { ticket, reason }));
            }
            Place::Granted(..) | Place::Stray(Some(_)) => {
                let seat = seats.map.remove(ticket);
                drop(seats);
                drop(seat);
                let worked = false;
                self.line(|line| line.change(job, ticket, Command::Release { ticket, worked }));
                self.observer.left(event, reason);
            }
            Place::Left(_, Known::ByAll) => drop(seats.map.remove(ticket)),
            Place::Left(reason, Known::Asked) => drop(seats.replace(ticket, Place::Dropped(reason))),
            Place::Working(_) | Place::Dropped(_) => {}
        }
    }

    /// How long a slot has been held.
    pub(super) fn held(&self, ticket: TicketId) -> Duration {
        let mut seats = self.seats();
        match seats.map.get_mut(ticket) {
            Some(Seat {
                place: Place::Working(work),
                ..
            }) => work.since.elapsed(),
            _ => Duration::ZERO,
        }
    }

    /// Gives a slot back after work, or after none.
    pub(super) fn release(&self, ticket: TicketId, worked: bool) -> Duration {
        let held = self.held(ticket);
        let seat = self.seats().map.remove(ticket);
        if let Some(Seat { job, .. }) = seat {
            self.line(|line| line.change(job, ticket, Command::Release { ticket, worked }));
        }
        held
    }

    pub(super) fn start_back(&self, ticket: TicketId) {
        let mut seats = self.seats();
        let Some(seat) = seats.map.get_mut(ticket) else { return };
        let job = seat.job;
        let before = seats.replace(ticket, Place::Waiting(None));
        drop(seats);
        drop(before);
        self.line(|line| line.change(job, ticket, Command::StartBack { ticket }));
    }

    pub(super) fn poll_halted(&self, ticket: TicketId, cx: &Context<'_>) -> Poll<()> {
        let mut seats = self.seats();
        let Some(Seat {
            place: Place::Working(work),
            ..
        }) = seats.map.get_mut(ticket)
        else {
            return Poll::Pending;
        };
        if work.halted {
            return Poll::Ready(());
        }
        let replaced = work.waker.replace(cx.waker().clone());
        drop(seats);
        drop(replaced);
        Poll::Pending
    }

    /// Work that was halted has been ended.
    pub(super) fn set_aside(&self, ticket: TicketId) {
        let mut seats = self.seats();
        let over = seats.over;
        let Some(seat) = seats.map.get_mut(ticket) else { return };
        if let Place::Working(work) = &mut seat.place {
            let next = match work.again.take() {
                Some(grant) => Place::Granted(grant, None),
                None if over || work.lost => Place::Left(LeaveReason::Closed, Known::ByAll),
                None => Place::Waiting(None),
            };
            let before = std::mem::replace(&mut seat.place, next);
            drop(seats);
            drop(before);
        }
    }

    /// The pool that a ticket is on its way to.
    pub(super) fn wanted_pool(&self, ticket: TicketId) -> Option<PoolIndex> {
        self.seats().map.get_mut(ticket)?.wanted
    }

    pub(super) fn change_pool(&self, ticket: TicketId, pool: PoolIndex) -> bool {
        let Some(there) = self.wanted().names.pool_there(pool) else {
            return false;
        };
        let mut seats = self.seats();
        let Some(seat) = seats.map.get_mut(ticket) else {
            return false;
        };
        if !matches!(seat.place, Place::Waiting(_) | Place::Parked(_)) {
            return false;
        }
        seat.wanted = Some(pool);
        seat.recalls += 1;
        let job = seat.job;
        drop(seats);
        self.line(|line| line.change(job, ticket, Command::Recall { ticket, pool: there }));
        true
    }

    /// Takes nobody in any more for itself.
    pub(super) fn close(&self) {
        self.seats().closed = true;
        self.told.notify_waiters();
        self.line(|line| line.leave());
    }

    /// What this process works on is to be ended, and to be begun again elsewhere.
    pub(super) fn leave_now(&self) {
        self.seats().over = true;
        self.line(|line| line.leave_now());
    }

    /// Takes up a ticket of before.
    pub(super) fn take_up(&self, ticket: TicketId) -> Option<EventIndex> {
        // It stays so: nobody but its holder has it resume.
        let (parked, paused) = self.show(|machine| {
            let parked = machine.state_of(ticket) == Some(TicketState::Parked);
            (parked, machine.has_paused(ticket))
        });
        let mut seats = self.seats();
        let seat = seats.map.get_mut(ticket)?;
        let Place::Stray(slot) = seat.place else { return None };
        seat.place = match slot {
            Some(grant) => Place::Granted(grant, None),
            None if parked => Place::Parked(None),
            None => Place::Waiting(None),
        };
        let event = seat.event;
        drop(seats);
        // Whoever would have ended its pause has gone.
        if paused && slot.is_none() {
            self.resume(ticket);
        }
        Some(event)
    }

    /// Where the tickets will be told that are to be taken up, once.
    pub(super) fn strays(&self) -> Option<mpsc::UnboundedReceiver<Vec<Stray>>> {
        self.found.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn find_strays(&self, strays: Vec<Stray>) {
        if !strays.is_empty() {
            // Nobody takes up anything at the end of the process.
            let _ = self.strays.send(strays);
        }
    }

    fn grant_here(&self, grant: Grant) -> Grant {
        let wanted = self.wanted();
        let backend = grant.backend.and_then(|backend| wanted.names.backend_here(backend));
        Grant { backend, ..grant }
    }
}

impl Seats {
    /// Where a ticket stands, as far as its holder may know. While it waits, `waker` is kept. What is `replaced` is to be dropped outside
    /// the lock.
    fn look(&mut self, ticket: TicketId, waker: &Waker, replaced: &mut Option<Waker>) -> TicketState {
        let Some(seat) = self.map.get_mut(ticket) else {
            return TicketState::Left(LeaveReason::Closed);
        };
        if let Some(grant) = seat.take_slot() {
            return TicketState::Running(grant);
        }
        match &mut seat.place {
            Place::Waiting(known) | Place::Granted(_, known) => {
                keep_waker(known, waker, replaced);
                TicketState::Waiting
            }
            Place::Parked(known) => {
                keep_waker(known, waker, replaced);
                TicketState::Parked
            }
            Place::Left(reason, Known::Asked) => {
                let reason = *reason;
                seat.place = Place::Dropped(reason);
                TicketState::Left(reason)
            }
            Place::Left(reason, Known::ByAll) => {
                let reason = *reason;
                drop(self.map.remove(ticket));
                TicketState::Left(reason)
            }
            Place::Stray(_) | Place::Working(_) | Place::Dropped(_) => TicketState::Left(LeaveReason::Closed),
        }
    }

    /// What a ticket is for that its holder wants to start.
    fn waiting(&mut self, ticket: TicketId) -> Option<u128> {
        let seat = self.map.get_mut(ticket)?;
        matches!(seat.place, Place::Waiting(_)).then_some(seat.job)
    }

    /// Takes a ticket's place, and leaves another one.
    fn replace(&mut self, ticket: TicketId, place: Place) -> Option<Place> {
        let seat = self.map.get_mut(ticket)?;
        Some(std::mem::replace(&mut seat.place, place))
    }
}

fn keep_waker(known: &mut Option<Waker>, waker: &Waker, replaced: &mut Option<Waker>) {
    if known.as_ref().is_none_or(|known| !known.will_wake(waker)) {
        *replaced = known.replace(waker.clone());
    }
}
