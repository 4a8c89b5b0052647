//! After a restart: turns that were not over are back in the line.

use std::{sync::Arc, time::Duration};

use tokio::time::Instant;
use tracing::{Instrument as _, error, info, warn};

use super::{Conversations, Deps, TurnGuards, TurnTask, attempts::tries_of, in_flight::Entered, path::Path, turn_span};
use crate::{
    accounts::browser_of,
    clock::now_ms,
    jobs,
    queue::{RestoredTicket, Retuning, Ticket},
    sessions::{Claim, Session, Sessions},
    settings::ModelName,
    store::{Step, StoreError, Unfinished},
    wire::{Event, Reason, TurnState},
};

/// How often an answer is begun. One that takes the whole server down each time must not do so for ever.
pub(super) const MAX_ATTEMPTS: u32 = 10;

/// A turn that goes on here, and nowhere else.
pub(super) struct Claimed {
    session: Arc<Session>,
    claim: Claim,
    entered: Entered,
}

impl Conversations {
    /// Puts every turn that was not over when the server ended back into the line: in their order, which those that ran
    /// come first in, and with their deadlines. To be called once, before anybody is served. Returns how many there were.
    ///
    /// # Errors
    /// [`StoreError`]: nothing was taken up then.
    pub async fn resume(&self, sessions: &Sessions) -> Result<usize, StoreError> {
        let (unfinished, given_up): (Vec<_>, Vec<_>) = self
            .deps
            .store
            .unfinished()
            .await?
            .into_iter()
            .partition(|unfinished| unfinished.turn.turn.attempts < MAX_ATTEMPTS);
        for Unfinished { turn, .. } in given_up {
            self.give_up(turn).await;
        }
        let models = unfinished
            .iter()
            .filter_map(|one| ModelName::of_id(&one.turn.turn.model));
        self.make_room_for(models.collect());
        let (here, wall) = (Instant::now(), now_ms());
        let returning: Vec<RestoredTicket> = unfinished
            .iter()
            .map(|unfinished| RestoredTicket {
                work: jobs::work(self.deps.agents.pool(&unfinished.turn.turn.model), None),
                owner: unfinished.turn.turn.owner,
                joined: before(here, wall.saturating_sub(unfinished.turn.turn.accepted_at)),
                key: unfinished.key,
                ran: unfinished.turn.turn.state == TurnState::Running,
                parked: unfinished.turn.turn.has_open_steps(),
            })
            .collect();
        let tickets = self.deps.queue.restore(&returning);
        let count = tickets.len();
        // Places last. Only those that were not known, or that another order counted by, are new; nobody can move up before the
        // tasks below begin.
        let new = unfinished.iter().zip(&tickets).filter_map(|(unfinished, ticket)| {
            let turn = &unfinished.turn.turn;
            let key = ticket.order_key().filter(|key| unfinished.key != Some(*key))?;
            Some((turn.owner, turn.id, key))
        });
        self.reorder(new.collect()).await;
        for (unfinished, ticket) in unfinished.into_iter().zip(tickets) {
            self.take_up(sessions, unfinished, ticket);
        }
        if count > 0 {
            info!(turns = count, "turns of before the restart are back in the line");
        }
        Ok(count)
    }

    /// Turns may wait for a model that is not offered any more: until another one is chosen.
    pub(super) fn make_room_for(&self, models: Vec<ModelName>) {
        if models.is_empty() {
            return;
        }
        let Deps {
            backends,
            queue,
            settings,
            ..
        } = &*self.deps;
        let room = backends.keep_places_for(models);
        room.unwrap_or_else(|fault| error!(%fault, "models of before the restart have no line of their own"));
        queue.propose(backends.fill(settings.borrow().policy.clone()), Retuning::Discovered);
    }

    fn take_up(&self, sessions: &Sessions, unfinished: Unfinished, ticket: Ticket) {
        let Some(claimed) = self.claim_for(sessions, &unfinished) else {
            // Two turns of one conversation never wait at once, unless somebody has edited the database.
            error!(turn = %unfinished.turn.turn.id, "a turn was not taken up: its conversation has another");
            return;
        };
        self.take_up_claimed(claimed, unfinished, ticket);
    }

    /// Claims a turn's conversation for it, and lists it. `None`: something of it is on its way here.
    pub(super) fn claim_for(&self, sessions: &Sessions, unfinished: &Unfinished) -> Option<Claimed> {
        let turn = &unfinished.turn.turn;
        let session = sessions.open(browser_of(turn.owner));
        let claim = session.claim(unfinished.conversation.id)?;
        let entered = self.in_flight.enter(turn.owner, turn.id).ok()?;
        Some(Claimed {
            session,
            claim,
            entered,
        })
    }

    /// Has a turn go on that is claimed.
    pub(super) fn take_up_claimed(&self, claimed: Claimed, unfinished: Unfinished, ticket: Ticket) {
        let Claimed {
            session,
            claim,
            entered,
        } = claimed;
        let Unfinished {
            conversation,
            choice,
            turn: Step { mut turn, versions },
            ..
        } = unfinished;
        let place = session.seat(&self.deps.queue, ticket, Event::Chat, Some(turn.id));
        // Nobody else sets it: the turn was entered just now.
        let _ = entered.in_flight.ticket.set(place.id());
        let _ = entered.in_flight.conversation.set(conversation.id);
        entered.in_flight.accepted(turn.id, conversation.id);
        // One that has used tools has begun, whatever it waits for.
        if turn.steps.is_empty() {
            turn.state = TurnState::Waiting;
            turn.started_at = None;
        }
        let span = turn_span(&session, turn.id);
        let next = self.goes_on(&session, turn.owner, conversation.id);
        let tries = tries_of(&turn);
        let task = TurnTask {
            session,
            conversation,
            turn,
            versions,
            choice: Arc::new(choice),
            chooses: false,
            // It may be one that somebody wants another answer of; nothing is kept yet in any case.
            again: true,
            key: None,
            tries,
            returned: false,
            path: Path::new(),
        };
        let guards = TurnGuards {
            claim,
            entered,
            place,
            _next: next,
        };
        self.tasks
            .spawn(self.clone().wait_and_run(task, guards).instrument(span));
    }

    pub(super) async fn give_up(&self, step: Step) {
        let mut turn = step.turn;
        warn!(turn = %turn.id, attempts = turn.attempts, "a turn is not answered again: the server ended each time");
        turn.state = TurnState::Failed {
            reason: Reason::GivenUp,
        };
        turn.ended_at = Some(now_ms());
        self.keep(turn).await;
    }
}

/// The instant so many milliseconds before another; the earliest there is, where the machine has not run for so long.
fn before(instant: Instant, ms: u64) -> Instant {
    let mut age = Duration::from_millis(ms);
    loop {
        match instant.checked_sub(age) {
            Some(before) => return before,
            None => age /= 2,
        }
    }
}
