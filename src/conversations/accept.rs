//! Taking a new turn in: stored, and its sender and its pages told.
//!
//! Where one process keeps the line, a turn has its place before it is stored ([`Conversations::accept`]). Where several do, both go to the database
//! together, mostly as one change ([`Conversations::accept_and_join`]).

use std::sync::Arc;

use futures_util::future::join;
use tracing::{info, warn};

use super::{
    Conversations, TurnGuards, TurnTask,
    in_flight::{Entered, InFlight, Shown},
};
use crate::{
    clock::now_ms,
    jobs,
    queue::{BackendIndex, JoinError, OrderKey, PoolIndex},
    sessions::Claim,
    store::{StoreError, TurnRecord},
    wire::{Event, FeedEvent, TurnState, Versions},
};

/// A message could not be stored.
pub(super) struct NotAccepted;

impl Conversations {
    /// Stores a turn with its place in the order, then tells its sender and every page of the session, with the answer as far as it is.
    /// Returns where it stands among its versions, which are looked up unless they are known.
    /// The message was not accepted if this fails, and the sender knows.
    pub(super) async fn accept(
        &self,
        task: &mut TurnTask,
        key: Option<OrderKey>,
        in_flight: &InFlight,
        look_up: bool,
    ) -> Result<Versions, NotAccepted> {
        match self.store(task, key, look_up).await {
            Ok(versions) => task.versions = versions,
            Err(fault) => {
                in_flight.refuse(fault.into());
                return Err(NotAccepted);
            }
        }
        self.tell_accepted(task, in_flight);
        Ok(task.versions)
    }

    /// Tells the sender of a turn that is stored, and every page of the session.
    fn tell_accepted(&self, task: &mut TurnTask, in_flight: &InFlight) {
        info!(
            bytes = task.turn.message.len(),
            files = task.turn.files.len(),
            "turn accepted"
        );
        let shown = in_flight.shown();
        self.announce(task, shown);
        if task.chooses {
            task.session.journal().append(FeedEvent::Chosen {
                conversation: task.conversation.id,
                choice: (*task.choice).clone(),
            });
        }
        in_flight.accepted(task.turn.id, task.turn.conversation);
    }

    /// Stores a turn; returns where it stands among its versions.
    pub(super) async fn store(
        &self,
        task: &TurnTask,
        key: Option<OrderKey>,
        look_up: bool,
    ) -> Result<Versions, StoreError> {
        let choice = task.chooses.then(|| (*task.choice).clone());
        let (conversation, turn) = (task.conversation.clone(), task.turn.clone());
        self.deps.store.accept(conversation, turn, key, choice).await?;
        if look_up {
            self.versions(&task.turn).await
        } else {
            Ok(task.versions)
        }
    }

    /// Where a turn that is stored stands among its versions.
    async fn versions(&self, turn: &TurnRecord) -> Result<Versions, StoreError> {
        let step = self.deps.store.turn(turn.owner, turn.id).await?;
        Ok(step.map(|step| step.versions).unwrap_or_default())
    }

    /// Takes a new turn through in a line that several processes keep: it is stored and asks for its place at once. Should the process end when it is stored
    /// and has no place yet, others put it into the line; likewise should it not become known in time whether it has one, as where the database goes away. A line
    /// that is full by the time that it gets there, though there was room when it was looked at, leaves the turn with that for its outcome.
    pub(super) async fn accept_and_join(
        self,
        mut task: TurnTask,
        (claim, entered): (Claim, Entered),
        (pool, prefers): (Option<PoolIndex>, Option<BackendIndex>),
        look_up: bool,
    ) {
        let in_flight = Arc::clone(&entered.in_flight);
        let (session, id) = (Arc::clone(&task.session), task.turn.id);
        let choice = task.chooses.then(|| (*task.choice).clone());
        let (conversation, turn) = (task.conversation.clone(), task.turn.clone());
        let storing = self.deps.store.accept_to_join(conversation, turn, choice);
        let joining = async {
            let joined = jobs::join(&self.deps.queue, (id.0, task.turn.owner), jobs::work(pool, prefers)).await;
            joined.map(|ticket| session.seat(&self.deps.queue, ticket, Event::Chat, Some(id)))
        };
        // Polled in this order: what is stored is on its way before its entry is.
        let (stored, joined) = join(storing, joining).await;
        if let Err(fault) = stored {
            if let Ok(place) = joined {
                place.withdraw();
            }
            in_flight.refuse(fault.into());
            return;
        }
        if look_up {
            let versions = self.versions(&task.turn).await;
            task.versions = versions.unwrap_or_else(|fault| {
                warn!(%fault, "the versions of a turn could not be read");
                task.versions
            });
        }
        // Nobody else sets it: the turn was entered by this call.
        let _ = in_flight.conversation.set(task.turn.conversation);
        // Dropped last, once the conversation has been given back.
        let next = self.goes_on(&session, task.turn.owner, task.turn.conversation);
        match joined {
            Ok(place) => {
                let _ = in_flight.ticket.set(place.id());
                let mut guards = TurnGuards {
                    claim,
                    entered,
                    place,
                    _next: next,
                };
                self.tell_accepted(&mut task, &in_flight);
                let permit = guards.place.granted();
                self.run(task, guards, permit).await;
            }
            Err(why @ (JoinError::Closed | JoinError::Away)) => {
                self.tell_accepted(&mut task, &in_flight);
                info!(?why, "turn accepted, and its place in the line is not known yet");
                // It may have one by now, which is found to be nobody's; or it is missed, here or where its session is at home then.
                drop((claim, entered));
                self.adrift.notify_one();
                drop(next);
            }
            Err(why) => {
                self.tell_accepted(&mut task, &in_flight);
                self.without_place(task, (claim, entered), why).await;
                drop(next);
            }
        }
    }

    /// Ends a turn that is stored and has no place in the line.
    async fn without_place(&self, mut task: TurnTask, (claim, entered): (Claim, Entered), why: JoinError) {
        task.turn.state = TurnState::Failed { reason: why.into() };
        task.turn.ended_at = Some(now_ms());
        info!(?why, "turn accepted, and has no place in the line");
        let kept = self.keep(task.turn.clone()).await;
        let pending = (!kept).then(|| self.pending.enter(&task.turn));
        // Given back before the page hears of it: it may send its next message in the same instant.
        drop((claim, entered));
        self.announce(&mut task, Shown::default());
        if let Some(pending) = pending {
            self.retry(pending).await;
        }
    }
}
