//! One turn's task: from its place in the line to its stored outcome.

use std::{panic::AssertUnwindSafe, sync::Arc, time::Duration};

use futures_util::FutureExt as _;
use tracing::{error, info, warn};

use super::{Turns, answer::Ending, live::Entered};
use crate::{
    clock::now_ms,
    markdown,
    queue::{Left, Outcome, Permit, Ticket},
    sessions::{Claim, Registered, Session},
    store::{ConversationRecord, TurnRecord},
    waiting,
    wire::TurnState,
};

/// What a turn holds of its session until it is over.
type Holds = (Claim, Entered, Registered);

impl Turns {
    /// Waits in the line, answers, stores. `before` is the turn as it was, if it had an answer that this one is to
    /// replace. Dropped before its end (only when the process ends), it leaves the line or frees its slot, and a store
    /// that lasts still has the turn as unfinished.
    pub(super) async fn run(
        self,
        session: Arc<Session>,
        conversation: ConversationRecord,
        mut turn: TurnRecord,
        before: Option<TurnRecord>,
        ticket: Ticket,
        holds: Holds,
    ) {
        let patience = || self.parts.settings.borrow().abandon_after;
        let cancelled = holds.1.live.cancel.cancelled();
        let permit = match waiting::admitted(&self.parts.queue, ticket, &session, patience, cancelled).await {
            Ok(permit) => permit,
            Err(Left::Closed) if self.parts.store.lasts() => return,
            Err(left) => {
                info!(?left, "turn left the line");
                match before.filter(|before| !before.answer.is_empty()) {
                    // Nothing has replaced the answer it had.
                    Some(before) => turn = before,
                    None => {
                        turn.state = self.left(left);
                        turn.ended_at = Some(now_ms());
                    }
                }
                self.keep(&turn).await;
                self.tell_over(&session, &conversation, &turn, holds).await;
                return;
            }
        };
        info!(waited_ms = permit.waited().as_millis(), "turn started");
        turn.state = TurnState::Running;
        turn.started_at = Some(now_ms());
        self.keep(&turn).await;
        self.announce(&session, &conversation, &turn, Vec::new());

        let answer = AssertUnwindSafe(self.answer(&session, &mut turn, &holds.1.live));
        let ending = answer.catch_unwind().await.unwrap_or_else(|panic| {
            error!(panic = panic_text(&*panic), "the agent panicked");
            Ending::Failed("Anteroom made a mistake while answering, and has noted it. Try again.".into())
        });
        self.end(&session, &conversation, turn, ending, permit, holds).await;
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
        conversation: &ConversationRecord,
        mut turn: TurnRecord,
        ending: Ending,
        permit: Permit,
        holds: Holds,
    ) {
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
        turn.ended_at = Some(now_ms());
        if outcome == Outcome::Done {
            // Stored before the slot is free: whoever comes next may rely on it.
            self.keep(&turn).await;
            permit.finish(outcome);
        } else {
            // Whoever waits should not wait for our disk.
            permit.finish(outcome);
            self.keep(&turn).await;
        }
        info!(?outcome, bytes = turn.answer.len(), "turn ended");
        self.tell_over(session, conversation, &turn, holds).await;
    }

    /// Tells the pages how a turn has ended.
    async fn tell_over(&self, session: &Session, conversation: &ConversationRecord, turn: &TurnRecord, holds: Holds) {
        let answer = turn.answer.clone();
        // Highlighting a long answer takes a while that the async threads must not wait.
        let rendered = tokio::task::spawn_blocking(move || markdown::render(&answer)).await;
        let blocks = rendered.unwrap_or_else(|fault| {
            error!(%fault, "an answer could not be rendered");
            holds.1.live.blocks().clone()
        });
        // Given back before the page hears of it: it may send its next message in the same instant.
        drop(holds);
        self.announce(session, conversation, turn, blocks);
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

/// What a panic said, if it said it in words.
fn panic_text(panic: &(dyn std::any::Any + Send)) -> &str {
    let owned = panic.downcast_ref::<String>().map(String::as_str);
    owned
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("(no words)")
}
