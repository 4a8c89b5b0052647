//! One request, as those see it who follow it.

mod follower;

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use bytes::Bytes;
pub use follower::Follower;
use tokio::{
    sync::{Notify, futures::Notified},
    time::{Instant, sleep_until},
};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{Again, ProgramFault, Source, kept::Look, registry::Registry};
use crate::{
    jobs::Overflow,
    queue::{LeaveReason, OrderKey, Owner, Queue, Standing, TicketId},
    wire::Usage,
};

/// The longest answer, in bytes of the format that programs speak: some hundred thousand tokens in a stream.
const MAX_ANSWER: usize = 96 * 1024 * 1024;

/// An answer that has come to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Done {
    /// The end of a stream, or the whole answer.
    pub last: Bytes,
    /// Tokens taken.
    pub usage: Usage,
}

/// What happens to a request, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// It stands in the line: [`Follower::standing`] says where.
    Waiting,
    /// It has a slot.
    Started,
    /// Some events of a streamed answer, whole.
    Events(Bytes),
    /// It is over.
    Over(Result<Done, ProgramFault>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Joining,
    Waiting,
    Started,
}

struct State {
    phase: Phase,
    ticket: Option<TicketId>,
    /// Where it stood in the order when it was placed.
    key: Option<OrderKey>,
    /// How often it has begun anew here, after something of its answer had been shown.
    round: u32,
    events: Vec<Bytes>,
    /// Of all events together.
    bytes: usize,
    over: Option<Result<Done, ProgramFault>>,
    /// The same of one that is kept, as long as its end is being stored.
    answered: Option<Result<Done, ProgramFault>>,
    followers: usize,
    /// How many of those are other requests, which are like it.
    sharers: usize,
    /// It goes on for other requests alone: for its own program it has been ended.
    dismissed: bool,
    /// Where its answer comes from, if it was not made for it.
    source: Option<Source>,
    /// How many of these do not ask when it starts.
    heedless: usize,
    /// Since when there has been no follower.
    alone_since: Option<Instant>,
    /// Somebody has been given some of a streamed answer, and asks for it no more.
    begun: bool,
    /// Somebody has been given the end.
    taken: bool,
}

impl State {
    /// What has come of it, whether or not that is stored.
    const fn end(&self) -> Option<&Result<Done, ProgramFault>> {
        match &self.over {
            Some(over) => Some(over),
            None => self.answered.as_ref(),
        }
    }
}

/// One request. Its task makes it go on, followers see how.
pub(super) struct Job {
    id: Uuid,
    owner: Owner,
    streams: bool,
    again: Option<Again>,
    /// It goes on whether or not anybody follows it.
    kept: bool,
    queue: Queue,
    cancel: CancellationToken,
    state: Mutex<State>,
    /// For followers.
    changed: Notify,
    /// For the task: followers have come or gone.
    moved: Notify,
}

impl fmt::Debug for Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Job").field("id", &self.id).finish_non_exhaustive()
    }
}

impl Job {
    pub(super) fn new(id: Uuid, owner: Owner, streams: bool, again: Option<Again>, queue: Queue) -> Arc<Self> {
        Arc::new(Self::made(id, owner, streams, again, queue))
    }

    /// One that is kept: nobody need follow it, and only other requests do.
    pub(super) fn kept(id: Uuid, owner: Owner, streams: bool, queue: Queue) -> Arc<Self> {
        Arc::new(Self {
            kept: true,
            ..Self::made(id, owner, streams, None, queue)
        })
    }

    fn made(id: Uuid, owner: Owner, streams: bool, again: Option<Again>, queue: Queue) -> Self {
        Self {
            id,
            owner,
            streams,
            again,
            kept: false,
            queue,
            cancel: CancellationToken::new(),
            state: Mutex::new(State {
                phase: Phase::Joining,
                ticket: None,
                key: None,
                round: 0,
                events: Vec::new(),
                bytes: 0,
                over: None,
                answered: None,
                followers: 0,
                sharers: 0,
                dismissed: false,
                source: None,
                heedless: 0,
                alone_since: None,
                begun: false,
                taken: false,
            }),
            changed: Notify::new(),
            moved: Notify::new(),
        }
    }

    pub(super) const fn id(&self) -> Uuid {
        self.id
    }

    pub(super) const fn owner(&self) -> Owner {
        self.owner
    }

    pub(super) const fn again(&self) -> Option<&Again> {
        self.again.as_ref()
    }

    pub(super) const fn cancelled(&self) -> &CancellationToken {
        &self.cancel
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.lock());
        self.changed.notify_waiters();
    }

    /// It has a place, or a slot at once.
    pub(super) fn placed(&self, ticket: TicketId, started: bool) {
        let key = self.queue.order_key(ticket);
        let is_asked = {
            let mut state = self.lock();
            state.key = key;
            state.ticket = Some(ticket);
            state.phase = if started { Phase::Started } else { Phase::Waiting };
            state.followers == 0 || state.heedless < state.followers
        };
        // Whoever waits for the answer alone would be woken, on another core perhaps, just before the model is asked.
        if is_asked || !started {
            self.changed.notify_waiters();
        }
    }

    pub(super) fn started(&self) {
        if self.lock().phase != Phase::Started {
            self.change(|state| state.phase = Phase::Started);
        }
    }

    pub(super) fn waits_again(&self) {
        self.change(|state| state.phase = Phase::Waiting);
    }

    /// What has been shown of its answer is dropped: it begins anew.
    pub(super) fn begin_again(&self) {
        self.change(|state| {
            state.events.clear();
            state.bytes = 0;
            state.round += 1;
        });
    }

    pub(super) fn round(&self) -> u32 {
        self.lock().round
    }

    pub(super) fn has_slot(&self) -> bool {
        let state = self.lock();
        state.phase == Phase::Started && state.over.is_none()
    }

    /// All events so far.
    pub(super) fn events(&self) -> Vec<Bytes> {
        self.lock().events.clone()
    }

    /// Where it stood in the order when it was placed, where that is known.
    pub(super) fn key(&self) -> Option<OrderKey> {
        self.lock().key
    }

    /// Where it stands; `None`: it does not wait.
    pub(super) fn standing(&self) -> Option<Standing> {
        let ticket = self.lock().ticket?;
        self.queue.standing(ticket)
    }

    /// Hears of the next change from the moment on at which this is called.
    pub(super) fn changed(&self) -> Notified<'_> {
        self.changed.notified()
    }

    /// How it is, with the events that come after the first `from` of that round; all of them where it is another one by now. What its owner has
    /// ended is over and says nothing more, though it may go on for others.
    pub(super) fn look(&self, round: u32, from: usize) -> Look {
        let state = self.lock();
        let from = if state.round == round { from } else { 0 };
        let events = state.events.get(from..).filter(|_| !state.dismissed);
        Look {
            round: state.round,
            has_slot: state.phase == Phase::Started,
            events: events.unwrap_or_default().to_vec(),
            from,
            over: state.over.is_some() || state.dismissed,
        }
    }

    /// Puts in some events; `false`: there is no room for more.
    pub(super) fn put(&self, events: Bytes) -> bool {
        let mut has_room = true;
        self.change(|state| {
            state.bytes += events.len();
            state.events.push(events);
            has_room = state.bytes <= MAX_ANSWER;
        });
        has_room
    }

    /// Whether an answer may be so long.
    pub(super) const fn has_room(&self, bytes: usize) -> Result<(), Overflow> {
        if bytes <= MAX_ANSWER { Ok(()) } else { Err(Overflow) }
    }

    /// Whether there are events.
    pub(super) fn has_shown(&self) -> bool {
        !self.lock().events.is_empty()
    }

    /// What it has been told of another one's answer is dropped. Nobody has seen that.
    pub(super) fn drop_events(&self) {
        self.change(|state| {
            state.events.clear();
            state.bytes = 0;
        });
    }

    /// It is one that is kept, and has come to its end. Other requests that follow it need not wait until that is stored.
    pub(super) fn answered(&self, how: Result<Done, ProgramFault>) {
        self.change(|state| state.answered = Some(how));
    }

    pub(super) fn over(&self, how: Result<Done, ProgramFault>) {
        self.change(|state| state.over = Some(how));
    }

    /// Where its answer comes from, if it was not made for it.
    pub(super) fn source(&self) -> Option<Source> {
        self.lock().source
    }

    /// Its answer comes from there.
    pub(super) fn comes_from(&self, source: Option<Source>) {
        self.lock().source = source;
    }

    /// It is given the events of an answer that is kept.
    pub(super) fn give(&self, events: &[Bytes]) {
        self.change(|state| {
            state.source = Some(Source::Kept);
            state.phase = Phase::Started;
            state.events = events.to_vec();
            state.bytes = events.iter().map(Bytes::len).sum();
        });
    }

    /// Whether nothing comes of it any more.
    pub(super) fn has_failed(&self) -> bool {
        self.cancel.is_cancelled() || matches!(self.lock().end(), Some(Err(_)))
    }

    /// Whether it goes on for other requests alone.
    pub(super) fn is_dismissed(&self) -> bool {
        self.lock().dismissed
    }

    /// Whether its own program wants it no more.
    pub(super) fn is_unwanted(&self) -> bool {
        self.lock().dismissed || self.cancel.is_cancelled()
    }

    /// Ends it for its owner: out of the line at once, or stopped. Where other requests follow it, it goes on for those.
    pub(super) fn cancel(&self) {
        let mut shared = false;
        self.change(|state| {
            shared = state.sharers > 0 && state.end().is_none();
            state.dismissed |= shared;
        });
        if !shared {
            self.end();
        }
    }

    fn end(&self) {
        self.cancel.cancel();
        // Those behind move up now, not when its task gets to run.
        let ticket = self.lock().ticket;
        if let Some(ticket) = ticket {
            self.queue.leave(ticket, LeaveReason::Cancelled);
        }
    }

    /// Whether it has come to its end.
    pub(super) fn is_over(&self) -> bool {
        self.lock().over.is_some()
    }

    /// Its place in the line, or the slot that it has.
    pub(super) fn ticket(&self) -> Option<TicketId> {
        let state = self.lock();
        state.ticket.filter(|_| state.over.is_none())
    }

    /// How many bytes it takes to keep its answer; `None`: nobody may ask for that again.
    pub(super) fn worth_keeping(&self) -> Option<usize> {
        let state = self.lock();
        let Some(Ok(done)) = &state.over else { return None };
        // Once somebody has it all, only who has named it by a key may ask for it once more.
        let is_named = self.again.as_ref().is_some_and(|again| again.key.is_some());
        let is_wanted = self.may_be_repeated(&state) && (is_named || !state.taken);
        is_wanted.then_some(state.bytes + done.last.len())
    }

    fn may_be_repeated(&self, state: &State) -> bool {
        self.again
            .as_ref()
            .is_some_and(|again| again.resumes || !(self.streams && state.begun))
    }

    /// Whether its program has gone without its answer, and may come back for it.
    pub(super) fn is_missed(&self) -> bool {
        let state = self.lock();
        state.followers == 0 && !state.taken && self.may_be_repeated(&state)
    }

    /// Somebody follows it from the beginning; `None`: it has been given up.
    pub(super) fn follow(self: &Arc<Self>, registry: &Arc<Registry>) -> Option<Follower> {
        if self.lock().dismissed {
            return None;
        }
        self.followed(registry, false)
    }

    /// The same for another request, which wants the same answer.
    pub(super) fn share(self: &Arc<Self>, registry: &Arc<Registry>) -> Option<Follower> {
        self.followed(registry, true)
    }

    fn followed(self: &Arc<Self>, registry: &Arc<Registry>, shares: bool) -> Option<Follower> {
        let mut state = self.lock();
        if self.cancel.is_cancelled() || matches!(state.end(), Some(Err(_))) {
            return None;
        }
        state.followers += 1;
        state.sharers += usize::from(shares);
        state.alone_since = None;
        let round = state.round;
        drop(state);
        self.moved.notify_waiters();
        Some(Follower::new(Arc::clone(self), Arc::clone(registry), shares, round))
    }

    /// Over once nobody has followed it for as long as `patience` says. Cancel-safe.
    pub(super) async fn forsaken(&self, patience: impl Fn() -> Option<Duration>) {
        loop {
            let moved = self.moved.notified();
            let alone_since = self.lock().alone_since;
            match alone_since.zip(patience()) {
                None => moved.await,
                Some((since, longest)) => tokio::select! {
                    () = moved => {}
                    () = sleep_until(since + longest) => return,
                },
            }
        }
    }
}
