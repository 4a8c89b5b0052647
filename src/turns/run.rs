//! One turn's task: from its place in the line to its stored outcome.

use std::{sync::Arc, time::Duration};

use tracing::{error, info, warn};

use super::{Turns, answer::Ending, live::Entered};
use crate::{
    clock::now_ms,
    queue::{Left, Outcome, Permit, Ticket},
    sessions::{Claim, Registered, Session},
    store::{ConversationRecord, TurnRecord},
    wire::TurnState,
};

/// What a turn holds of its session until it is over.
type Holds = (Claim, Entered, Registered);

impl Turns {
    /// Waits in the line, answers, stores. Dropped before its end (only when the process ends), it leaves the line
    /// or frees its slot, and a store that lasts still has the turn as unfinished.
    pub(super) async fn run(
        self,
        session: Arc<Session>,
        conversation: ConversationRecord,
        mut turn: TurnRecord,
        mut ticket: Ticket,
        holds: Holds,
    ) {
        let permit = match self.wait(&session, &mut ticket, &holds.1).await {
            Ok(permit) => permit,
            Err(Left::Closed) if self.parts.store.lasts() => return,
            Err(left) => {
                info!(?left, "turn left the line");
                turn.state = self.left(left);
                self.over(&session, conversation, turn, Vec::new(), holds).await;
                return;
            }
        };
        info!(waited_ms = permit.waited().as_millis(), "turn started");
        turn.state = TurnState::Running;
        turn.started_at = Some(now_ms());
        self.keep(&turn).await;
        self.announce(&session, &conversation, &turn, Vec::new());

        let ending = self.answer(&session, &mut turn, &holds.1.live).await;
        self.end(&session, conversation, turn, ending, permit, holds).await;
    }

    /// Waits for the slot: until admitted, cancelled, too late, or nobody is there any more.
    async fn wait(&self, session: &Session, ticket: &mut Ticket, entered: &Entered) -> Result<Permit, Left> {
        let id = ticket.id();
        let admitted = tokio::select! {
            biased;
            () = entered.live.cancel.cancelled() => Err(Left::Cancelled),
            admitted = ticket.admitted() => return admitted,
            () = session.presence().gone(|| self.parts.settings.borrow().abandon_after) => Err(Left::Abandoned),
        };
        if let Err(left) = admitted {
            // It may have been admitted in this very moment: dropping the ticket gives the slot back then.
            self.parts.queue.leave(id, left);
        }
        admitted
    }

    /// What the owner is told of a ticket that never started.
    fn left(&self, left: Left) -> TurnState {
        let settings = self.parts.settings.borrow();
        match left {
            Left::Cancelled => TurnState::Cancelled,
            Left::Expired => TurnState::Expired {
                reason: format!(
                    "No slot became free within {}. Try again when the line is shorter.",
                    words(settings.policy.max_wait)
                ),
            },
            Left::Abandoned => TurnState::Expired {
                reason: format!(
                    "This page was away for more than {}, so its message left the line. Send it again.",
                    words(settings.abandon_after)
                ),
            },
            Left::Closed => TurnState::Failed {
                reason: "Anteroom was restarted before this message had its turn. Send it again.".into(),
            },
        }
    }

    /// Frees the slot and settles how the turn ended.
    async fn end(
        &self,
        session: &Session,
        conversation: ConversationRecord,
        mut turn: TurnRecord,
        ending: Ending,
        permit: Permit,
        holds: Holds,
    ) {
        let blocks = std::mem::take(&mut *holds.1.live.blocks());
        let outcome = match ending {
            Ending::Done => Outcome::Done,
            Ending::Cancelled => Outcome::Cancelled,
            Ending::Expired => Outcome::Expired,
            Ending::Failed(_) | Ending::Stopped => Outcome::Failed,
        };
        turn.state = match ending {
            Ending::Done => TurnState::Done,
            Ending::Cancelled => TurnState::Cancelled,
            Ending::Expired => TurnState::Expired {
                reason: format!(
                    "The answer took longer than {}, so it was stopped. Ask for less at once, or try again.",
                    words(self.parts.settings.borrow().chat_timeout)
                ),
            },
            Ending::Failed(reason) => TurnState::Failed { reason },
            Ending::Stopped if self.parts.store.lasts() => return,
            Ending::Stopped => TurnState::Failed {
                reason: "Anteroom was stopped before this answer was complete. Try again.".into(),
            },
        };
        if outcome == Outcome::Done {
            // Stored before the slot is free: whoever comes next may rely on it.
            self.settle(&mut turn).await;
            permit.finish(outcome);
        } else {
            // Whoever waits should not wait for our disk.
            permit.finish(outcome);
            self.settle(&mut turn).await;
        }
        info!(?outcome, bytes = turn.answer.len(), "turn ended");
        self.tell_over(session, conversation, &turn, blocks, holds);
    }

    async fn over(
        &self,
        session: &Session,
        conversation: ConversationRecord,
        mut turn: TurnRecord,
        blocks: Vec<String>,
        holds: Holds,
    ) {
        self.settle(&mut turn).await;
        self.tell_over(session, conversation, &turn, blocks, holds);
    }

    async fn settle(&self, turn: &mut TurnRecord) {
        turn.ended_at = Some(now_ms());
        self.keep(turn).await;
    }

    fn tell_over(
        &self,
        session: &Session,
        mut conversation: ConversationRecord,
        turn: &TurnRecord,
        blocks: Vec<String>,
        holds: Holds,
    ) {
        // Given back before the page hears of it: it may send its next message in the same instant.
        drop(holds);
        conversation.updated_at = turn.ended_at.unwrap_or(conversation.updated_at);
        self.announce(session, &conversation, turn, blocks);
    }

    /// Stores how the turn is. A fault is logged: the turn itself goes on.
    async fn keep(&self, turn: &TurnRecord) {
        if let Err(error) = self.parts.store.update(turn.clone()).await {
            match turn.state {
                TurnState::Running => warn!(%error, "the start of a turn could not be stored"),
                _ => error!(%error, "the outcome of a turn could not be stored"),
            }
        }
    }
}

/// A limit of time in words, for a sentence.
fn words(limit: Option<Duration>) -> String {
    let seconds = limit.map_or(0, |limit| limit.as_secs());
    match (seconds / 60, seconds % 60) {
        (0, 1) => "1 second".into(),
        (0 | 1, _) => format!("{seconds} seconds"),
        (minutes, 0) => format!("{minutes} minutes"),
        (minutes, seconds) => format!("{minutes} minutes and {seconds} seconds"),
    }
}
