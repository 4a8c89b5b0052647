//! A growing answer, as the pages of its session see it.

use std::time::Duration;

use tokio::time::Instant;
use tracing::error;

use super::in_flight::InFlight;
use crate::{
    agents::{AgentError, Part},
    jobs::{Overflow, Reader},
    markdown,
    sessions::Session,
    store::{StoreError, TurnRecord},
    wire::{ConversationId, FeedEvent, Reason, TurnId},
};

/// Shortest time between two looks of the page at a growing answer: faster than anybody reads.
const PACE: Duration = Duration::from_millis(40);
/// The open block is sent again each time, so a long one is sent less often: bytes that add one more [`PACE`].
const BYTES_A_PACE: usize = 4 * 1024;
/// Longest answer that is kept, in bytes. A model that runs wild is stopped there.
const MAX_ANSWER: usize = 4 * 1024 * 1024;

/// Why there was no (whole) answer.
#[derive(Debug)]
pub(super) enum Fault {
    /// The conversation could not be read.
    History(StoreError),
    /// The agent's.
    Agent(AgentError),
}

impl Fault {
    /// For the person. What has not been logged by then is logged here.
    pub(super) fn reason(&self) -> Reason {
        match self {
            Self::History(fault) => {
                error!(%fault, "the history of a turn could not be read");
                Reason::HistoryUnreadable
            }
            // The agent has logged it.
            Self::Agent(fault) => fault.reason(),
        }
    }
}

/// Shows an answer's text block by block.
pub(super) struct Page<'a> {
    session: &'a Session,
    turn: TurnId,
    conversation: ConversationId,
    in_flight: &'a InFlight,
    stream: markdown::Stream,
    /// Bytes of text so far.
    length: usize,
    /// Whether there is something that is not shown yet.
    dirty: bool,
    /// When to show it, at the earliest.
    next: Instant,
}

impl<'a> Page<'a> {
    pub(super) fn new(session: &'a Session, turn: &TurnRecord, in_flight: &'a InFlight) -> Self {
        Self {
            session,
            turn: turn.id,
            conversation: turn.conversation,
            in_flight,
            stream: markdown::Stream::default(),
            length: 0,
            dirty: false,
            next: Instant::now(),
        }
    }
}

impl Reader for Page<'_> {
    /// Only what is said is kept and shown.
    fn take(&mut self, part: Part) -> Result<(), Overflow> {
        let text = match part {
            Part::Text(text) => text,
            Part::Reasoning(_) | Part::ToolCall { .. } | Part::ToolResult { .. } | Part::Notice(_) => return Ok(()),
        };
        if self.length + text.len() > MAX_ANSWER {
            return Err(Overflow);
        }
        self.length += text.len();
        self.stream.push(&text);
        self.in_flight.add_text(&text);
        self.dirty = true;
        Ok(())
    }

    fn due(&self) -> Option<Instant> {
        self.dirty.then_some(self.next)
    }

    fn pass_on(&mut self) {
        self.dirty = false;
        for (index, html) in self.stream.changes() {
            self.in_flight.set_block(index, html.clone());
            self.session.journal().append(FeedEvent::Block {
                turn: self.turn,
                conversation: self.conversation,
                index,
                html,
            });
        }
        let slower = u32::try_from(self.stream.open_len() / BYTES_A_PACE).unwrap_or(u32::MAX);
        self.next = Instant::now() + PACE.saturating_mul(slower.saturating_add(1));
    }
}
