//! The answer: from the agent's pieces to the journal.

use std::time::Duration;

use tokio::{
    sync::mpsc,
    time::{Instant, sleep_until},
};
use tracing::{error, warn};

use super::{Turns, live::Live};
use crate::{
    agents::{AgentError, Answered},
    markdown,
    sessions::Session,
    store::{StoreError, TurnRecord},
    wire::{FeedEvent, Incomplete, is_blank},
};

/// Pieces that may wait for us. A model that is faster than that is slowed down.
const PIECES: usize = 64;
/// Shortest time between two looks of the page at a growing answer: faster than anybody reads.
const PACE: Duration = Duration::from_millis(40);
/// The open block is sent anew each time, so a long one is sent less often: bytes that add one more [`PACE`].
const BYTES_A_PACE: usize = 4 * 1024;
/// Longest answer that is kept, in bytes. A model that runs wild is stopped there.
const MAX_ANSWER: usize = 4 * 1024 * 1024;

/// How an answer ended.
pub(super) enum Ending {
    /// Whole.
    Done,
    /// Before its time, though nothing failed.
    Incomplete(Incomplete),
    /// With a fault; the sentence is for the person.
    Failed(String),
    /// By its owner.
    Cancelled,
    /// By `CHAT_TIMEOUT`.
    Expired,
    /// By the end of the server.
    Stopped,
}

impl Turns {
    /// Has the session's agent answer `turn`, and puts the answer into it, into the journal and into `live` as it
    /// grows. However it ends, the agent has been dropped by then, and with it its request to the model server.
    pub(super) async fn answer(&self, session: &Session, turn: &mut TurnRecord, live: &Live) -> Ending {
        let mut page = Page {
            session,
            turn,
            live,
            stream: markdown::Stream::default(),
            dirty: false,
        };
        match self.stream(&mut page).await {
            Ending::Done if is_blank(&page.turn.answer) => Ending::Failed(AgentError::of_silence(None).to_string()),
            Ending::Incomplete(cause) if is_blank(&page.turn.answer) => {
                Ending::Failed(AgentError::of_silence(Some(cause)).to_string())
            }
            ending => ending,
        }
    }

    async fn stream(&self, page: &mut Page<'_>) -> Ending {
        let deadline = self
            .parts
            .settings
            .borrow()
            .chat_timeout
            .map(|limit| Instant::now() + limit);
        let (pieces, mut read) = mpsc::channel(PIECES);
        // Dropping the future is what stops the agent; the token only lets it stop in good order when it likes to.
        let cancel = page.live.cancel.child_token();
        let (session, asked) = (page.session, page.turn.clone());
        let mut work = Box::pin(async move {
            let question = self.question(&asked).await.map_err(Fault::History)?;
            let agent = session.agent(&*self.parts.agents);
            agent.answer(question, pieces, cancel).await.map_err(Fault::Agent)
        });
        let mut result = None;
        let mut open = true;
        let mut look = Instant::now();
        while open || result.is_none() {
            tokio::select! {
                biased;
                () = page.live.cancel.cancelled() => return Ending::Cancelled,
                () = self.stop.cancelled() => return Ending::Stopped,
                () = sleep_until(deadline.unwrap_or(look)), if deadline.is_some() => return Ending::Expired,
                () = sleep_until(look), if page.dirty => look = page.show(),
                piece = read.recv(), if open => match piece {
                    Some(piece) if page.turn.answer.len() + piece.len() > MAX_ANSWER => {
                        return Ending::Failed("The answer grew without end, so it was stopped.".into());
                    }
                    Some(piece) => page.add(&piece),
                    None => open = false,
                },
                ended = &mut work, if result.is_none() => result = Some(ended),
            }
        }
        match result {
            Some(Ok(Answered { usage, incomplete })) => {
                page.turn.usage = Some(usage);
                incomplete.map_or(Ending::Done, Ending::Incomplete)
            }
            Some(Err(Fault::Agent(fault))) => {
                log_fault(&fault);
                Ending::Failed(fault.to_string())
            }
            Some(Err(Fault::History(fault))) => {
                error!(%fault, "the history of a turn could not be read");
                Ending::Failed("This conversation cannot be read at the moment. Try again.".into())
            }
            None => Ending::Stopped,
        }
    }
}

/// Why there was no (whole) answer.
enum Fault {
    History(StoreError),
    Agent(AgentError),
}

/// A growing answer, as the pages of its session see it.
struct Page<'a> {
    session: &'a Session,
    turn: &'a mut TurnRecord,
    live: &'a Live,
    stream: markdown::Stream,
    dirty: bool,
}

impl Page<'_> {
    fn add(&mut self, piece: &str) {
        self.turn.answer.push_str(piece);
        self.stream.push(piece);
        self.dirty = true;
    }

    /// Shows what has changed; returns when to look again.
    fn show(&mut self) -> Instant {
        self.dirty = false;
        let changes = self.stream.changes();
        for (index, html) in changes {
            self.live.set_block(index, html.clone());
            self.session.journal().append(FeedEvent::Block {
                turn: self.turn.id,
                conversation: self.turn.conversation,
                index,
                html,
            });
        }
        let slower = u32::try_from(self.stream.open_len() / BYTES_A_PACE).unwrap_or(u32::MAX);
        Instant::now() + PACE.saturating_mul(slower.saturating_add(1))
    }
}

fn log_fault(fault: &AgentError) {
    match fault {
        AgentError::Blind | AgentError::Filtered | AgentError::Rejected { .. } | AgentError::Spent => {
            warn!(?fault, "the model server did not take the turn");
        }
        _ => error!(?fault, "the model server failed"),
    }
}
