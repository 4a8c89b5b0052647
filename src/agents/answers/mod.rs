//! Whole answers that are kept for a while, each under the question that it answers. Knows no conversation, and no line.
//!
//! Bounded by bytes, in memory alone: a restart forgets them. Both bounds, size and time, may change at any moment, which is why age is looked
//! at here and not by the cache.

mod key;

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use quick_cache::{OptionsBuilder, Weighter, sync::Cache};
use tokio::time::Instant;

pub use self::key::AnswerKey;
use crate::{
    queue::Owner,
    wire::{TurnNotice, Usage},
};

/// How many answers the tables have room for at first; they grow.
const EXPECTED: usize = 256;
/// Bytes that an answer takes beside its text: its key, its place in the tables, the rest of the record. Generous.
const OVERHEAD: u64 = 256;

/// A whole answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeptAnswer {
    /// What was said.
    pub text: String,
    /// What the model thought before and between.
    pub reasoning: String,
    /// How long it thought before its first words, in milliseconds.
    pub thought_ms: Option<u64>,
    /// Turns that the model could not be told of.
    pub trimmed: Option<u32>,
    /// What of documents the model was told.
    pub excerpts: Vec<TurnNotice>,
    /// Tokens taken when it was made.
    pub usage: Usage,
    /// The answer to a program's request, as it was sent, in place of all of the above but the tokens: its events, and its end or the whole of it.
    pub events: Vec<Bytes>,
    /// See `events`.
    pub last: Bytes,
}

/// What `/metrics` tells of the kept answers. The first two count from the start of the process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AnswerFigures {
    /// Questions that a kept answer was given to.
    pub hits: u64,
    /// Questions that were looked for in vain, and asked.
    pub misses: u64,
    /// Answers kept now.
    pub entries: u64,
    /// Bytes that they take, about.
    pub bytes: u64,
}

/// The answers that are kept.
#[derive(Debug)]
pub struct KeptAnswers {
    kept: Cache<AnswerKey, Kept, ByBytes>,
    hits: AtomicU64,
    misses: AtomicU64,
}

#[derive(Clone, Debug)]
struct Kept {
    answer: Arc<KeptAnswer>,
    /// Who asked, also where everybody may have it: it goes when they want all of theirs deleted.
    owner: Owner,
    since: Instant,
}

#[derive(Clone, Debug)]
struct ByBytes;

impl Weighter<AnswerKey, Kept> for ByBytes {
    fn weight(&self, _: &AnswerKey, kept: &Kept) -> u64 {
        let KeptAnswer {
            text,
            reasoning,
            excerpts,
            events,
            last,
            ..
        } = &*kept.answer;
        let sent: usize = events.iter().map(Bytes::len).sum();
        (text.len() + reasoning.len() + sent + last.len()) as u64
            + OVERHEAD * (1 + excerpts.len() as u64 + events.len() as u64)
    }
}

impl Default for KeptAnswers {
    /// Keeps nothing, until there is a size.
    fn default() -> Self {
        // One shard: each would have a part of the size for itself, and refuse an answer that is longer than that.
        let options = OptionsBuilder::new()
            .shards(1)
            .estimated_items_capacity(EXPECTED)
            .weight_capacity(0)
            .build()
            .expect("everything that has to be told is told");
        Self {
            kept: Cache::with_options(
                options,
                ByBytes,
                quick_cache::DefaultHashBuilder::default(),
                quick_cache::sync::DefaultLifecycle::default(),
            ),
            hits: AtomicU64::new(0),
            misses: AtomicU64::new(0),
        }
    }
}

impl KeptAnswers {
    /// Most bytes from now on; `None`: nothing is kept. What has no room any more goes at once.
    pub fn set_size(&self, bytes: Option<u64>) {
        self.kept.set_capacity(bytes.unwrap_or(0));
        if bytes.is_none() {
            self.kept.clear();
        }
    }

    /// The answer to this question, where one is kept that is younger than `ttl`.
    #[must_use]
    pub fn get(&self, key: &AnswerKey, ttl: Duration) -> Option<Arc<KeptAnswer>> {
        let kept = self.kept.get(key)?;
        (kept.since.elapsed() < ttl).then_some(kept.answer)
    }

    /// Keeps an answer for this owner in place of what is kept under its key. One that is longer than all that may be kept is not.
    pub fn keep(&self, key: AnswerKey, owner: Owner, answer: Arc<KeptAnswer>) {
        let since = Instant::now();
        self.kept.insert(key, Kept { answer, owner, since });
    }

    /// Forgets one answer.
    pub fn remove(&self, key: &AnswerKey) {
        self.kept.remove(key);
    }

    /// Forgets all that was kept for an owner, also what others may have.
    pub fn forget(&self, owner: Owner) {
        self.kept.retain(|_, kept| kept.owner != owner);
    }

    /// Gives back the memory of what is too old. Looks at every answer, so not to be called often.
    pub fn expire(&self, ttl: Duration) {
        self.kept.retain(|_, kept| kept.since.elapsed() < ttl);
    }

    /// Counts a question that was given a kept answer.
    pub fn count_hit(&self) {
        self.hits.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts one that was asked.
    pub fn count_miss(&self) {
        self.misses.fetch_add(1, Ordering::Relaxed);
    }

    /// How it does.
    #[must_use]
    pub fn figures(&self) -> AnswerFigures {
        AnswerFigures {
            hits: self.hits.load(Ordering::Relaxed),
            misses: self.misses.load(Ordering::Relaxed),
            entries: self.kept.len() as u64,
            bytes: self.kept.weight(),
        }
    }
}

#[cfg(test)]
mod tests;
