//! How much all journals keep together: what the quietest ones keep makes room.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
};

use uuid::Uuid;

use super::{Journal, Journals, MemoryJournal};

/// Most bytes that all journals keep together, roughly. A page that asks for what has gone loads the conversation again,
/// which is one request.
const MOST_BYTES: i64 = 64 * 1024 * 1024;

/// The journals of all sessions, in memory. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct MemoryJournals(Arc<Shelf>);

#[derive(Debug)]
struct Shelf {
    most: i64,
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    /// The sum of all changes that were reported: below what is kept for the moment in which two report at once.
    bytes: i64,
    /// The number of the next append, all journals together.
    next: u64,
    /// MemoryJournals that keep something, by their last append: the quietest first.
    by_last: BTreeMap<u64, Weak<MemoryJournal>>,
}

impl Journals for MemoryJournals {
    /// A new one each time: what a session that left memory had told is nowhere.
    fn journal_of(&self, _session: Uuid) -> Arc<dyn Journal> {
        self.open()
    }
}

impl Default for MemoryJournals {
    fn default() -> Self {
        Self::with_room_for(MOST_BYTES)
    }
}

impl MemoryJournals {
    /// MemoryJournals that keep at most so many bytes together.
    pub(super) fn with_room_for(most: i64) -> Self {
        let kept = Mutex::default();
        Self(Arc::new(Shelf { most, kept }))
    }

    /// A new and empty journal, with an epoch of its own.
    #[must_use]
    pub(crate) fn open(&self) -> Arc<MemoryJournal> {
        Arc::new_cyclic(|own| MemoryJournal::new(self.clone(), own.clone()))
    }

    /// A panic while the lock was held leaves numbers that are still right, so a poisoned lock is used on.
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that a journal keeps `change` bytes more, or fewer, after an append; `last` is the number of its append before.
    /// Returns the number of this one. Where there is no room, the quietest ones forget what they keep.
    ///
    /// No journal's own lock may be held: those that have to forget take theirs.
    pub(super) fn appended(&self, journal: &Weak<MemoryJournal>, last: Option<u64>, change: i64) -> u64 {
        let mut kept = self.kept();
        kept.bytes += change;
        if let Some(last) = last {
            kept.by_last.remove(&last);
        }
        kept.next += 1;
        let number = kept.next;
        kept.by_last.insert(number, journal.clone());
        while kept.bytes > self.0.most && kept.by_last.len() > 1 {
            let quietest = kept.by_last.pop_first().and_then(|(_, journal)| journal.upgrade());
            // Given back meanwhile: should this be the last handle of that journal, it leaves the shelf as it is dropped.
            drop(kept);
            let forgotten = quietest.map_or(0, |journal| journal.forget());
            kept = self.kept();
            kept.bytes -= forgotten;
        }
        number
    }

    /// Notes that a journal has gone with what it kept.
    pub(super) fn left(&self, last: Option<u64>, bytes: i64) {
        let mut kept = self.kept();
        kept.bytes -= bytes;
        if let Some(last) = last {
            kept.by_last.remove(&last);
        }
    }

    /// Bytes that all keep together.
    #[cfg(test)]
    pub(super) fn bytes(&self) -> i64 {
        self.kept().bytes
    }
}
