//! What is kept of the line for the charts: a minute at a time, in the store, so that a restart leaves the curves as they were.

use super::{Gauges, points::MINUTE};
use crate::store::Minute;

/// Counts since the start of the process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counted {
    pub(super) started: u64,
    pub(super) waited_ms: u64,
    pub(super) ended: u64,
}

impl Counted {
    pub(super) const fn since(self, before: Self) -> Self {
        Self {
            started: self.started.saturating_sub(before.started),
            waited_ms: self.waited_ms.saturating_sub(before.waited_ms),
            ended: self.ended.saturating_sub(before.ended),
        }
    }
}

impl Gauges {
    /// How it is, with what was counted meanwhile, as a minute that has no begin yet.
    pub(super) fn piece(&self, counted: Counted) -> Minute {
        let nodes = self.nodes.as_ref();
        Minute {
            node: nodes.map(|nodes| format!("{:?}", nodes.me)).unwrap_or_default(),
            at: 0,
            // Slots are those of limits, which lines have in common; tickets wait in one line each.
            running: self.limits.iter().map(|limit| limit.running as u64).sum(),
            waiting: self.lines.iter().map(|line| line.state.waiting as u64).sum(),
            started: counted.started,
            waited_ms: counted.waited_ms,
            ended: counted.ended,
            sessions: self.sessions,
            memory: self.memory,
        }
    }
}

/// The minute that is going on.
#[derive(Debug, Default)]
pub(super) struct Going {
    minute: Option<Minute>,
    /// What had been counted at its begin.
    before: Counted,
}

impl Going {
    /// Takes a look at the line into its minute. The one before, once there is a later one.
    pub(super) fn look(&mut self, gauges: &Gauges, counted: Counted, now: u64) -> Option<Minute> {
        let at = now - now % MINUTE;
        // A clock that was put back goes on with the minute that it is in.
        let over = self.minute.as_ref().is_some_and(|minute| at > minute.at);
        let done = if over { self.close(counted) } else { None };
        let seen = gauges.piece(Counted::default());
        let minute = self.minute.get_or_insert(Minute { at, ..seen.clone() });
        minute.running = minute.running.max(seen.running);
        minute.waiting = minute.waiting.max(seen.waiting);
        (minute.sessions, minute.memory) = (seen.sessions, seen.memory);
        done
    }

    /// What there is of the minute: all of it, or its part where the process ends.
    pub(super) fn close(&mut self, counted: Counted) -> Option<Minute> {
        let minute = self.minute.take()?;
        let counted = counted.since(std::mem::replace(&mut self.before, counted));
        Some(Minute {
            started: counted.started,
            waited_ms: counted.waited_ms,
            ended: counted.ended,
            ..minute
        })
    }
}
