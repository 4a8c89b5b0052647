//! How many requests a back end takes at once, found out while it runs (`limit = "auto"`). Time is handed in.
//!
//! One more where the limit was reached and answers went well; one fewer where the server refused, or where the first part
//! of an answer took far longer than it usually does for a question of that length, as it does where the server has a line of its own. Only
//! attempts that began under the limit of now say anything about it, so a burst of refusals counts once, and each step is tried
//! before the next.

use std::{collections::HashMap, time::Duration};

use tokio::time::Instant;

/// No limit of the settings is higher.
const MOST: usize = 1000;
/// After a drop the limit stays where it is for this long.
const COOL_DOWN: Duration = Duration::from_secs(10);
/// The shortest time between two steps up: what runs at once must have had time to show itself.
const STEP: Duration = Duration::from_millis(500);
/// A first part is far later than usual when it takes so many times as long, and this much more: what is short varies more.
const FAR: f64 = 2.0;
const FAR_SECONDS: f64 = 0.2;
/// Most kinds of question that are told apart.
const MOST_KINDS: usize = 4096;

/// What a question has in common with others that usually take as long.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Kind {
    /// Which model is asked.
    pub(super) model: u32,
    /// How long the question is, in powers of two.
    pub(super) length: u32,
}

impl Kind {
    /// A question of so many bytes. Short ones take no time that could be told apart.
    pub(super) fn new(model: u32, bytes: u64) -> Self {
        Self {
            model,
            length: bytes.max(1024).ilog2(),
        }
    }
}

/// One attempt, as it began.
#[derive(Clone, Copy, Debug)]
pub(super) struct Started {
    kind: Kind,
    /// How often the limit had moved.
    moves: u64,
    /// How many ran, this one included.
    running: usize,
    /// Whether the limit was reached with it.
    reached: bool,
}

/// The limit of one back end.
#[derive(Clone, Debug)]
pub(super) struct Auto {
    limit: usize,
    moves: u64,
    /// The limit does not grow before.
    next: Option<Instant>,
    /// How long the first part usually takes, in seconds.
    usual: HashMap<Kind, f64>,
}

impl Default for Auto {
    /// One at a time.
    fn default() -> Self {
        Self {
            limit: 1,
            moves: 0,
            next: None,
            usual: HashMap::new(),
        }
    }
}

impl Auto {
    /// How many there may be now.
    pub(super) const fn limit(&self) -> usize {
        self.limit
    }

    /// An attempt begins, of `running` at once.
    pub(super) const fn start(&self, kind: Kind, running: usize) -> Started {
        Started {
            kind,
            moves: self.moves,
            running,
            reached: running >= self.limit,
        }
    }

    /// The first part of an answer has come, `took` after the attempt began.
    pub(super) fn shown(&mut self, started: Started, took: Duration, now: Instant) {
        let took = took.as_secs_f64();
        let usual = self.usual.get(&started.kind).copied();
        let alone = started.running == 1;
        // Alone, it waits for nobody: that is what it takes.
        let slow = !alone && usual.is_some_and(|usual| took > FAR * usual + FAR_SECONDS);
        self.learn(started.kind, usual, took, alone, slow);
        if started.moves != self.moves {
            return;
        }
        if slow {
            self.lower(self.limit - 1, now);
        } else if started.reached && usual.is_some() && self.limit < MOST && self.next.is_none_or(|next| now >= next) {
            self.limit += 1;
            self.moves += 1;
            self.next = Some(now + STEP);
        }
    }

    /// The server has refused an attempt because it has too much to do.
    pub(super) fn refused(&mut self, started: Started, now: Instant) {
        if started.moves == self.moves {
            // Where fewer ran than might have, it takes fewer than ran.
            self.lower((self.limit - 1).min(started.running.saturating_sub(1)), now);
        }
    }

    fn lower(&mut self, limit: usize, now: Instant) {
        self.limit = limit.max(1);
        self.moves += 1;
        self.next = Some(now + COOL_DOWN);
    }

    /// What is usual follows quick answers at once and slow ones hardly, so that it stays what the server does without a line of its own; but
    /// one that has become slower for good is known in the end.
    fn learn(&mut self, kind: Kind, usual: Option<f64>, took: f64, alone: bool, slow: bool) {
        let Some(usual) = usual else {
            if self.usual.len() < MOST_KINDS {
                self.usual.insert(kind, took);
            }
            return;
        };
        let weight = match (took < usual, alone, slow) {
            (true, ..) => 0.5,
            (false, true, _) => 0.3,
            (false, false, false) => 0.02,
            (false, false, true) => 0.01,
        };
        self.usual.insert(kind, usual + weight * (took - usual));
    }
}

#[cfg(test)]
mod tests;
