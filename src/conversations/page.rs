//! A growing answer, as the pages of its session see it.

use std::time::Duration;

use tokio::time::Instant;
use tracing::error;

use super::in_flight::{Before, InFlight};
use crate::{
    agents::{AgentError, Notice, Part},
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
/// Most that is kept of what a model thinks, in bytes. An answer does not end for that: the rest of the thoughts is left out.
const MAX_REASONING: usize = 1024 * 1024;
/// Stands between what is said in two rounds of an answer.
const BETWEEN: &str = "\n\n";
/// Stands where thoughts are left out.
const LEFT_OUT: &str = "\n\n…\n";

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

/// Shows an answer's text block by block, and what the model thinks beside it.
pub(super) struct Page<'a> {
    session: &'a Session,
    turn: TurnId,
    conversation: ConversationId,
    in_flight: &'a InFlight,
    stream: markdown::Stream,
    /// Bytes of text so far.
    length: usize,
    thinking: Thinking,
    /// What other rounds of the answer have left.
    before: Before,
    /// Whether there is something that is not shown yet.
    dirty: bool,
    /// When to show it, at the earliest.
    next: Instant,
}

/// What the model thinks, as it grows.
#[derive(Default)]
struct Thinking {
    stream: markdown::Stream,
    /// Bytes so far.
    length: usize,
    /// Whether something was said since it last thought: what comes then is a paragraph of its own.
    interrupted: bool,
}

impl Thinking {
    /// What there is to add of the next piece.
    fn take(&mut self, piece: String) -> String {
        if self.length >= MAX_REASONING {
            return String::new();
        }
        let mut added = piece;
        if std::mem::take(&mut self.interrupted) && self.length > 0 {
            added.insert_str(0, "\n\n");
        }
        if self.length + added.len() > MAX_REASONING {
            added.truncate(added.floor_char_boundary(MAX_REASONING - self.length));
            self.length = MAX_REASONING;
            added.push_str(LEFT_OUT);
        } else {
            self.length += added.len();
        }
        self.stream.push(&added);
        added
    }
}

impl<'a> Page<'a> {
    pub(super) fn new(session: &'a Session, turn: &TurnRecord, in_flight: &'a InFlight) -> Self {
        let before = in_flight.begin_attempt();
        Self {
            session,
            turn: turn.id,
            conversation: turn.conversation,
            in_flight,
            stream: markdown::Stream::default(),
            length: before.text,
            thinking: Thinking {
                length: before.reasoning,
                interrupted: before.reasoning > 0,
                ..Thinking::default()
            },
            before,
            dirty: false,
            next: Instant::now(),
        }
    }
}

impl Page<'_> {
    fn say(&mut self, text: &str) -> Result<(), Overflow> {
        if self.length + text.len() > MAX_ANSWER {
            return Err(Overflow);
        }
        // What is said in another round is a paragraph of its own.
        if self.before.text > 0 && self.length == self.before.text && !text.is_empty() {
            self.in_flight.add_text(BETWEEN);
            self.length += BETWEEN.len();
        }
        self.length += text.len();
        self.stream.push(text);
        self.in_flight.add_text(text);
        self.thinking.interrupted = true;
        Ok(())
    }
}

impl Reader for Page<'_> {
    /// Only what is said and thought is kept and shown.
    fn take(&mut self, part: Part) -> Result<(), Overflow> {
        match part {
            Part::Text(text) => self.say(&text)?,
            Part::Reasoning(text) => {
                let added = self.thinking.take(text);
                self.in_flight.add_reasoning(&added);
            }
            Part::Notice(Notice::Trimmed(turns)) => {
                self.in_flight.set_trimmed(turns);
                return Ok(());
            }
            Part::Notice(Notice::PicturesLeftOut) => {
                self.in_flight.leave_pictures_out();
                return Ok(());
            }
            Part::ToolCall(call) => {
                self.in_flight.add_call(call);
                return Ok(());
            }
            Part::ToolResult(_) | Part::Notice(Notice::ToolsLeftOut) => return Ok(()),
        }
        self.dirty = true;
        Ok(())
    }

    fn due(&self) -> Option<Instant> {
        self.dirty.then_some(self.next)
    }

    fn pass_on(&mut self) {
        self.dirty = false;
        let (turn, conversation, journal) = (self.turn, self.conversation, self.session.journal());
        for (index, html) in self.thinking.stream.changes() {
            let index = self.before.thoughts + index;
            self.in_flight.set_thought(index, html.clone());
            journal.append(FeedEvent::Thought {
                turn,
                conversation,
                index,
                html,
            });
        }
        for (index, html) in self.stream.changes() {
            let index = self.before.blocks + index;
            self.in_flight.set_block(index, html.clone());
            journal.append(FeedEvent::Block {
                turn,
                conversation,
                index,
                html,
            });
        }
        let open = self.stream.open_len() + self.thinking.stream.open_len();
        let slower = u32::try_from(open / BYTES_A_PACE).unwrap_or(u32::MAX);
        self.next = Instant::now() + PACE.saturating_mul(slower.saturating_add(1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thoughts_have_an_end_that_is_shown_and_a_whole_character() {
        let mut thinking = Thinking::default();
        let mut kept = thinking.take("x".repeat(MAX_REASONING - 1));
        kept += &thinking.take("\u{fc}and more".into());
        kept += &thinking.take("and more".into());
        assert_eq!(kept.trim_start_matches('x'), LEFT_OUT);
        assert_eq!(kept.len(), MAX_REASONING - 1 + LEFT_OUT.len());
    }

    #[test]
    fn what_is_thought_after_something_was_said_is_a_paragraph_of_its_own() {
        let mut thinking = Thinking {
            interrupted: true,
            ..Thinking::default()
        };
        assert_eq!(thinking.take("first".into()), "first", "nothing came before it");
        assert_eq!(thinking.take(", still".into()), ", still");
        thinking.interrupted = true;
        assert_eq!(thinking.take("later".into()), "\n\nlater");
    }
}
