//! The state's side of the estimates: it copies what they rest on, and keeps a finished curve for the next reader.

use std::{sync::Arc, time::Duration};

use tokio::time::Instant;

use super::State;
use crate::queue::{
    StartRange,
    estimate::{Curve, CurveKey, NEAR, RunningFor, Snapshot},
};

/// A question about a start, to be answered outside the lock.
pub(in crate::queue) enum Reading {
    Known(Option<StartRange>),
    /// A curve must be computed, and may be kept under the key.
    Compute {
        snapshot: Box<Snapshot>,
        key: CurveKey,
        at: usize,
        before: usize,
        now: Instant,
    },
}

impl Reading {
    pub(super) fn unknown() -> Self {
        Self::Known(None)
    }

    pub(super) fn at_once() -> Self {
        Self::Known(Some(StartRange {
            low: Duration::ZERO,
            high: Duration::ZERO,
        }))
    }
}

impl State {
    /// When the ticket would start that has `before` others before it in the line.
    pub(super) fn reading(&self, at: usize, before: usize, now: Instant) -> Reading {
        let Some(slots) = self.usable_slots(at) else {
            return Reading::unknown();
        };
        let key = CurveKey {
            epoch: self.lines[at].epoch,
            slots,
        };
        if let Some(range) = self.known_start(at, key, before, now) {
            return Reading::Known(range);
        }
        Reading::Compute {
            snapshot: Box::new(self.snapshot(at, slots, now)),
            key,
            at,
            before,
            now,
        }
    }

    /// What the last curve says of a start, if it is fresh and for `key`. (The line may be gone after a retuning.)
    pub(in crate::queue) fn known_start(
        &self,
        at: usize,
        key: CurveKey,
        before: usize,
        now: Instant,
    ) -> Option<Option<StartRange>> {
        let curve = self.curves.get(at)?.fresh(key, now)?;
        Some(curve.start(before, now))
    }

    /// Keeps a curve, unless the line has moved on meanwhile.
    pub(in crate::queue) fn keep_curve(&mut self, at: usize, key: CurveKey, curve: Arc<Curve>) {
        if self.lines.get(at).is_some_and(|line| line.epoch == key.epoch) {
            self.curves[at].keep(key, curve);
        }
    }

    /// How many slots the line can use while the others run what they run. 0: all slots that the overall cap leaves are with
    /// other lines. `None`: it starts nothing at all.
    fn usable_slots(&self, at: usize) -> Option<usize> {
        let limit = self.lines[at].plan.limit.unwrap_or(usize::MAX);
        let cap = self.policy.max_running.unwrap_or(usize::MAX);
        if self.closed || limit == 0 || cap == 0 {
            return None;
        }
        Some(limit.min(cap.saturating_sub(self.running.len() - self.lines[at].running)))
    }

    fn snapshot(&self, at: usize, slots: usize, now: Instant) -> Snapshot {
        let line = &self.lines[at];
        let events = &line.plan.events;
        let place_of = |event| events.iter().position(|known| *known == event);
        // Without a slot of its own, the line gets the first one that anybody gives back.
        let counted = |event| slots == 0 || place_of(event).is_some();
        let running = self
            .running
            .iter()
            .filter(|running| counted(running.event))
            .map(|running| RunningFor {
                service: place_of(running.event),
                age: now.saturating_duration_since(running.started),
            });
        let ahead = if events.len() > 1 {
            let next = line.next(NEAR).into_iter();
            next.filter_map(|(_, key)| place_of(self.waiters[key].event)).collect()
        } else {
            Vec::new()
        };
        Snapshot {
            now,
            slots,
            running: running.collect(),
            windows: events.iter().map(|event| self.windows[event.0].clone()).collect(),
            ahead,
            waiting: events.iter().map(|event| self.waiting[event.0]).collect(),
        }
    }
}
