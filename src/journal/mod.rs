//! The journal: the record that a session's feed is read from.
//!
//! Events state values ("this turn is now so", "this block is now that"), so a later event on the same subject
//! makes the earlier one needless, and a replay after any number is whole without it.

mod memory;
mod shelf;

use std::sync::Arc;

use tokio::sync::watch;
use uuid::Uuid;

use memory::MemoryJournal;
pub(crate) use shelf::MemoryJournals;

use crate::wire::{FeedEvent, FeedPosition};

/// What came after a number.
#[derive(Clone, Debug, PartialEq)]
pub enum Replay {
    /// Every event after the number, in order, but for those that a later one has replaced.
    Events(Vec<(u64, FeedEvent)>),
    /// The number is of another epoch, or too old: ask for the values themselves, then follow from here.
    TooOld(FeedPosition),
}

/// One session's journal. The one in use keeps it in memory; another would be a file beside it.
///
/// Nothing here waits: `append` is called while an answer streams, `wake` where something is dropped. One that is kept elsewhere (Redis
/// streams) can stay so as long as one process at a time has the session: it numbers and compacts here, and sends on in a task of its own,
/// so that `append` returns before the event is kept. Its epoch has to be kept with its events, and both have to be here before
/// [`Journals::journal_of`] returns. Only where several processes append to one session's do `append`, `position` and `after` have to become
/// async; `follow` is then fed by what the others have told.
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

/// Where sessions get their journals from: the engine says which.
pub trait Journals: Send + Sync {
    /// The journal of the session of this name, which has just come into memory. Called with the list of sessions locked: one that has to
    /// fetch something first needs that to be done before.
    fn journal_of(&self, session: Uuid) -> Arc<dyn Journal>;
}
