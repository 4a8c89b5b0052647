//! The journal: the record that a session's feed is read from.
//!
//! Events state values ("this turn is now so", "this block is now that"), so a later event on the same subject
//! makes the earlier one needless, and a replay after any number is whole without it.

mod memory;
mod shelf;

use tokio::sync::watch;

pub(crate) use memory::MemoryJournal;
pub(crate) use shelf::Journals;

use crate::wire::{FeedEvent, FeedPosition};

/// What came after a number.
#[derive(Clone, Debug, PartialEq)]
pub enum Replay {
    /// Every event after the number, in order, but for those that a later one has replaced.
    Events(Vec<(u64, FeedEvent)>),
    /// The number is of another epoch, or too old: ask for the values themselves, then follow from here.
    TooOld(FeedPosition),
}

/// One session's journal. The one in use keeps it in memory; another (Redis streams) would be a file beside it.
pub trait Journal: Send + Sync {
    /// Appends an event and wakes those who follow. Returns its number.
    fn append(&self, event: FeedEvent) -> u64;
    /// Wakes those who follow, although nothing has come: something that is not in the journal has changed.
    fn wake(&self);
    /// Where it is now.
    fn position(&self) -> FeedPosition;
    /// What came after `position`.
    fn after(&self, position: FeedPosition) -> Replay;
    /// The number of the last event, for those who follow: subscribe before you read.
    fn follow(&self) -> watch::Receiver<u64>;
}
