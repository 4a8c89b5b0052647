//! How many tasks are where, and what has become of those that this process has ended.

use std::sync::atomic::{AtomicU64, Ordering};

use super::Tasks;
use crate::store::TaskState;

/// What there is right now of those who are at home here, and what was counted from the start of the process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct TaskFigures {
    /// They wait for other tasks.
    pub(crate) blocked: u64,
    /// They stand behind the line.
    pub(crate) held: u64,
    /// They are in it.
    pub(crate) waiting: u64,
    /// They are being answered.
    pub(crate) running: u64,
    /// They have got a result.
    pub(crate) done: u64,
    /// They have come to nothing.
    pub(crate) failed: u64,
    /// Their owners have ended them.
    pub(crate) cancelled: u64,
    /// Messages that programs have taken.
    pub(crate) told: u64,
    /// Attempts at which one was not taken.
    pub(crate) untaken: u64,
    /// Messages that were given up.
    pub(crate) given_up: u64,
    /// Messages that are still to be told, of all nodes, when somebody last looked.
    pub(crate) outbox: u64,
}

/// What is counted.
#[derive(Debug, Default)]
pub(super) struct Counts {
    done: AtomicU64,
    failed: AtomicU64,
    cancelled: AtomicU64,
    told: AtomicU64,
    untaken: AtomicU64,
    given_up: AtomicU64,
    outbox: AtomicU64,
}

impl Counts {
    /// Some tasks have ended.
    pub(super) fn ended(&self, how: TaskState, count: usize) {
        let counter = match how {
            TaskState::Done => &self.done,
            TaskState::Failed => &self.failed,
            TaskState::Cancelled => &self.cancelled,
            TaskState::Open | TaskState::Running => return,
        };
        counter.fetch_add(count as u64, Ordering::Relaxed);
    }

    /// A program was told something.
    pub(super) fn told(&self) {
        self.told.fetch_add(1, Ordering::Relaxed);
    }

    /// A program was not told something: it will be, or `given_up`.
    pub(super) fn untaken(&self, given_up: bool) {
        self.untaken.fetch_add(1, Ordering::Relaxed);
        self.given_up.fetch_add(u64::from(given_up), Ordering::Relaxed);
    }

    /// So much is still to be told.
    pub(super) fn outbox(&self, count: u64) {
        self.outbox.store(count, Ordering::Relaxed);
    }
}

impl Tasks {
    /// How many are where. Each owner's are of a moment of their own.
    pub(crate) fn figures(&self) -> TaskFigures {
        let Counts {
            done,
            failed,
            cancelled,
            told,
            untaken,
            given_up,
            outbox,
        } = &self.inner.counts;
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let mut figures = TaskFigures {
            done: read(done),
            failed: read(failed),
            cancelled: read(cancelled),
            told: read(told),
            untaken: read(untaken),
            given_up: read(given_up),
            outbox: read(outbox),
            ..TaskFigures::default()
        };
        let feeds: Vec<_> = self.feeds().values().cloned().collect();
        for feed in feeds {
            feed.count(&mut figures);
        }
        figures
    }
}
