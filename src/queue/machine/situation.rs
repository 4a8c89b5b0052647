//! What an estimate of a line is made from, copied out of the state.

use super::{
    Machine, Time,
    estimate::{CurveKey, NEAR, RunningFor, Situation},
};

impl Machine {
    /// What a curve of this line made now holds for. `None`: the line starts nothing at all, so no start can be estimated.
    pub(in crate::queue) fn curve_key(&self, at: usize) -> Option<CurveKey> {
        Some(CurveKey {
            epoch: self.lines[at].epoch,
            slots: self.usable_slots(at)?,
        })
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

    pub(in crate::queue) fn situation(&self, at: usize, slots: usize, now: Time) -> Situation {
        let line = &self.lines[at];
        let events = &line.plan.events;
        let place_of = |event| events.iter().position(|known| *known == event);
        // Without a slot of its own, the line gets the first one that anybody gives back.
        let counted = |event| slots == 0 || place_of(event).is_some();
        let running = self
            .running_by_id()
            .into_iter()
            .filter(|running| counted(running.event))
            .map(|running| RunningFor {
                service: place_of(running.event),
                age: now.saturating_since(running.started),
            });
        let ahead = if events.len() > 1 {
            let next = line.next(NEAR).into_iter();
            next.filter_map(|placed| place_of(self.waiters[placed.key].event))
                .collect()
        } else {
            Vec::new()
        };
        Situation {
            now,
            slots,
            running: running.collect(),
            windows: events.iter().map(|event| self.windows[event.0].clone()).collect(),
            ahead,
            waiting: events.iter().map(|event| self.waiting[event.0]).collect(),
        }
    }
}
