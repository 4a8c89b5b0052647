//! Estimates: computed outside the lock, once for all who ask at about the same time.

use std::{
    sync::{Arc, PoisonError},
    time::Duration,
};

use super::Edge;
use crate::queue::{
    LineState, StartRange,
    machine::{
        Machine, Time,
        estimate::{Curve, CurveKey, Situation},
    },
};

/// When a ticket starts that a slot is free for.
const AT_ONCE: StartRange = StartRange {
    low: Duration::ZERO,
    high: Duration::ZERO,
};

/// By line, the last curve that was computed and what for.
#[derive(Default)]
pub(super) struct Curves(Vec<Option<(CurveKey, Arc<Curve>)>>);

/// A question about a start, to be answered outside the lock.
pub(super) enum Reading {
    Known(Option<StartRange>),
    /// A curve must be computed, and may be kept under the key.
    Compute {
        situation: Box<Situation>,
        key: CurveKey,
        at: usize,
        before: usize,
        now: Time,
    },
}

impl Curves {
    /// When the ticket would start that has `before` others before it in the line.
    pub(super) fn reading(&self, machine: &Machine, at: usize, before: usize, now: Time) -> Reading {
        let Some(key) = machine.curve_key(at) else {
            return Reading::Known(None);
        };
        if let Some(range) = self.known_start(at, key, before, now) {
            return Reading::Known(range);
        }
        Reading::Compute {
            situation: Box::new(machine.situation(at, key.slots, now)),
            key,
            at,
            before,
            now,
        }
    }

    /// One line, and its estimate as a question.
    pub(super) fn line(&self, machine: &Machine, at: usize, now: Time) -> (LineState, Reading) {
        let line = machine.line(at, now);
        let reading = match (line.newcomer as usize).checked_sub(1) {
            Some(before) => self.reading(machine, at, before, now),
            None => Reading::Known(Some(AT_ONCE)),
        };
        (line, reading)
    }

    /// What the last curve says of a start, if it is fresh and for `key`. (The line may be gone after a retuning.)
    fn known_start(&self, at: usize, key: CurveKey, before: usize, now: Time) -> Option<Option<StartRange>> {
        let (known, curve) = self.0.get(at)?.as_ref()?;
        (curve.holds(*known, key) && curve.is_fresh(now)).then(|| curve.start(before, now))
    }

    /// Keeps a curve, unless the line has moved on meanwhile and the curve does not hold any more.
    fn keep(&mut self, machine: &Machine, at: usize, key: CurveKey, curve: Arc<Curve>) {
        let lines = machine.line_count();
        if at < lines
            && machine
                .curve_key(at)
                .is_some_and(|now| now.epoch == key.epoch || curve.holds(key, now))
        {
            self.0.resize_with(lines, || None);
            self.0[at] = Some((key, curve));
        }
    }
}

impl Edge {
    /// Answers a question about a start. The lock is taken only to look for a curve that somebody else has computed meanwhile, and to
    /// keep a new one for the next reader.
    pub(super) fn estimate(&self, reading: Reading) -> Option<StartRange> {
        match reading {
            Reading::Known(range) => range,
            Reading::Compute {
                situation,
                key,
                at,
                before,
                now,
            } => {
                // After a change many ask at once, and one computation does for all.
                let _computing = self.computing().lock().unwrap_or_else(PoisonError::into_inner);
                if let Some(range) = self.with(|_, curves, _, _| curves.known_start(at, key, before, now)) {
                    return range;
                }
                let curve = Arc::new(Curve::new(&situation));
                let range = curve.start(before, now);
                self.with(|machine, curves, _, _| curves.keep(machine, at, key, curve));
                range
            }
        }
    }
}
