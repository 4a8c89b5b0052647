//! One turn's task: from its place in the line to its stored outcome.

use std::{panic::AssertUnwindSafe, pin::pin, sync::Arc, time::Duration};

use futures_util::{
    FutureExt as _,
    future::{Either, select},
};
use tokio::{task::yield_now, time::sleep};
use tracing::{error, info, warn};

use super::{
    OnItsWay, Turns,
    accept::NotAccepted,
    answer::Ending,
    live::{Entered, Live},
};
use crate::{
    clock::now_ms,
    markdown,
    queue::{Ended, LeaveReason, Outcome, Permit, Ticket},
    sessions::{Claim, Registered, Session},
    store::TurnRecord,
    waiting,
    wire::{FeedEvent, TurnState},
};

/// How long a model server takes to read a request, generously.
const ASKING: Duration = Duration::from_millis(1);

/// What a turn holds of its session until it is over.
pub(super) type Holds = (Claim, Entered, Registered);

impl Turns {
    /// Waits in the line, answers, stores. Dropped before its end (only when the process ends), it leaves the line or
    /// frees its slot, and the store still has the turn as unfinished: the next start takes it up.
    pub(super) async fn run(self, mut way: OnItsWay, ticket: Ticket, holds: Holds) {
        let patience = || self.parts.settings.borrow().abandon_after;
        let cancelled = holds.1.live.cancel.cancelled();
        let permit = match waiting::admitted(&self.parts.queue, ticket, &way.session, patience, cancelled).await {
            Ok(permit) => permit,
            // It waits on, in the store.
            Err(LeaveReason::Closed) => return,
            Err(left) => {
                info!(?left, "turn left the line");
                self.moved_up(&way.session).await;
                way.turn.state = self.left(left);
                way.turn.ended_at = Some(now_ms());
                self.over(way, holds).await;
                return;
            }
        };
        begin(&mut way.turn);
        let (mut beginning, session) = (way.clone(), Arc::clone(&way.session));
        let told = async {
            self.model_first().await;
            // Something of the answer may be there already.
            let blocks = holds.1.live.blocks().clone();
            self.announce(&mut beginning, blocks);
            info!(waited_ms = permit.waited().as_millis(), "turn started");
            self.keep(beginning.turn).await
        };
        let answer = self.answer_or_panic(&session, &mut way.turn, &holds.1.live);
        // Should the disk be slow, the end of the answer need not wait for it.
        let ending = alongside(answer, told).await;
        let over = self.settle(&mut way.turn, ending, permit).await.is_some();
        self.end(way, over, holds).await;
    }

    /// The same for a turn that found a free slot. The model is asked while the turn is being stored; nobody is told that it is
    /// accepted before it is. Should it not be, the model is stopped and the slot is free again.
    pub(super) async fn run_at_once(self, mut way: OnItsWay, permit: Permit, holds: Holds, look_up: bool) {
        begin(&mut way.turn);
        let waited_ms = permit.waited().as_millis();
        // Stored as it begins, so that its start need not be stored a second time.
        let (mut beginning, live, session) = (way.clone(), Arc::clone(&holds.1.live), Arc::clone(&way.session));
        let key = Some(permit.order_key());
        let accepted = Box::pin(async {
            let accepted = self.accept(&mut beginning, key, &live, look_up).await;
            if accepted.is_ok() {
                info!(waited_ms, "turn started");
            }
            accepted
        });
        let answer = Box::pin(self.answer_or_panic(&session, &mut way.turn, &live));
        let (ending, accepting) = match select(answer, accepted).await {
            Either::Left((ending, accepting)) => (ending, Either::Left(accepting)),
            Either::Right((Ok(versions), answer)) => (answer.await, Either::Right(versions)),
            Either::Right((Err(NotAccepted), _answer)) => {
                permit.withdraw();
                return;
            }
        };
        let ended = self.settle(&mut way.turn, ending, permit).await;
        way.versions = match accepting {
            Either::Left(accepting) => match accepting.await {
                Ok(versions) => versions,
                Err(NotAccepted) => {
                    if let Some(ended) = ended {
                        ended.withdraw();
                    }
                    return;
                }
            },
            Either::Right(versions) => versions,
        };
        let over = ended.is_some();
        // Counted before anybody hears of it.
        drop(ended);
        self.end(way, over, holds).await;
    }

    /// Answers a turn; a panic of the agent is an ending, too.
    async fn answer_or_panic(&self, session: &Session, turn: &mut TurnRecord, live: &Live) -> Ending {
        let answer = AssertUnwindSafe(self.answer(session, turn, live)).catch_unwind();
        answer.await.unwrap_or_else(|panic| {
            error!(panic = panic_text(&*panic), "the agent panicked");
            Ending::Failed("Anteroom made a mistake while answering, and has noted it. Try again.".into())
        })
    }

    /// What the owner is told of a ticket that never started.
    fn left(&self, left: LeaveReason) -> TurnState {
        let settings = self.parts.settings.borrow();
        match left {
            LeaveReason::Cancelled => TurnState::Cancelled,
            LeaveReason::Expired => TurnState::Expired {
                reason: format!(
                    "No slot became free within {}. Try again when the line is shorter.",
                    words(settings.policy.max_wait)
                ),
            },
            LeaveReason::Abandoned => TurnState::Expired {
                reason: format!(
                    "This page was away for more than {}, so its message left the line. Send it again.",
                    words(settings.abandon_after)
                ),
            },
            // Not for good: see `run`. One that was withdrawn was never accepted.
            LeaveReason::Closed | LeaveReason::Withdrawn => TurnState::Waiting,
        }
    }

    /// Frees the slot and says in the turn how it ended. `None`: it is not over, the next start of the server takes it up.
    async fn settle(&self, turn: &mut TurnRecord, ending: Ending, permit: Permit) -> Option<Ended> {
        let (outcome, state) = match ending {
            Ending::Done => (Outcome::Done, TurnState::Done),
            Ending::Incomplete(cause) => (Outcome::Done, TurnState::Incomplete { cause }),
            Ending::Cancelled => (Outcome::Cancelled, TurnState::Cancelled),
            Ending::Expired => {
                let reason = format!(
                    "The answer took longer than {}, so it was stopped. Ask for less at once, or try again.",
                    words(self.parts.settings.borrow().chat_timeout)
                );
                (Outcome::Expired, TurnState::Expired { reason })
            }
            Ending::Failed(reason) => (Outcome::Failed, TurnState::Failed { reason }),
            Ending::Stopped => {
                info!("turn stopped by the end of the server; it runs again after the next start");
                // That was no fault of its own.
                turn.attempts = turn.attempts.saturating_sub(1);
                turn.answer.clear();
                return None;
            }
        };
        turn.state = state;
        turn.ended_at = Some(now_ms());
        // Whoever waits should not wait for our disk. The next turn of this conversation does: its claim is held until then.
        let ended = permit.free(outcome);
        self.model_first().await;
        info!(?outcome, bytes = turn.answer.len(), "turn ended");
        Some(ended)
    }

    /// A slot stands empty until the model has been asked: that comes before the log, the pages and the disk. While somebody
    /// waits, a model server that has to share the machine's cores also gets the time to read its request.
    async fn model_first(&self) {
        if self.parts.queue.waiting() > 0 {
            sleep(ASKING).await;
        } else {
            yield_now().await;
        }
    }

    /// Stores a turn that runs no more.
    async fn end(&self, way: OnItsWay, over: bool, holds: Holds) {
        if over {
            self.over(way, holds).await;
        } else {
            self.keep(way.turn).await;
        }
    }

    /// Stores how a turn has ended, then tells the pages.
    pub(super) async fn over(&self, mut way: OnItsWay, holds: Holds) {
        let kept = self.keep(way.turn.clone()).await;
        // What was deleted or shown otherwise must not wait for the disk: listed before the claim is given back.
        let owed = (!kept).then(|| self.owed.enter(&way.turn));
        let answer = way.turn.answer.clone();
        // Highlighting a long answer takes a while that the async threads must not wait.
        let rendered = tokio::task::spawn_blocking(move || markdown::render(&answer)).await;
        let blocks = rendered.unwrap_or_else(|fault| {
            error!(%fault, "an answer could not be rendered");
            holds.1.live.blocks().clone()
        });
        way.take_new_title();
        let head = self.show_answered(&way).await;
        // Given back before the page hears of it: it may send its next message in the same instant.
        drop(holds);
        self.announce(&mut way, blocks);
        if let Some(head) = head {
            let conversation = way.turn.conversation;
            way.session.journal().append(FeedEvent::Version { conversation, head });
        }
        if let Some(owed) = owed {
            self.pay(owed).await;
        }
    }

    /// Stores how a turn is. A fault is logged: the turn itself goes on.
    pub(super) async fn keep(&self, turn: TurnRecord) -> bool {
        let running = turn.state == TurnState::Running;
        match self.parts.store.update(turn).await {
            Ok(()) => true,
            Err(error) if running => {
                warn!(%error, "the start of a turn could not be stored");
                false
            }
            Err(error) => {
                error!(%error, "the outcome of a turn could not be stored yet");
                false
            }
        }
    }
}

/// Marks a turn as begun.
fn begin(turn: &mut TurnRecord) {
    turn.state = TurnState::Running;
    turn.started_at = Some(now_ms());
    turn.attempts += 1;
}

/// Does `work`, and lets `aside` go on meanwhile; what is not done of that when the work is over, is dropped.
async fn alongside<T>(work: impl Future<Output = T>, aside: impl Future<Output = bool>) -> T {
    match select(pin!(work), pin!(aside)).await {
        Either::Left((done, _)) => done,
        Either::Right((_, work)) => work.await,
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
