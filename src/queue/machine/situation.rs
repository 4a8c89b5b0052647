//! What an estimate of a line is made from, copied out of the state.

use super::{
    BackendIndex, Machine, PoolIndex, Time,
    estimate::{CurveKey, NEAR, Rivals, RunningFor, Situation, Window},
    ticket::Running,
};

impl Machine {
    /// What a curve of this line made now holds for. `None`: the line starts nothing at all, so no start can be estimated.
    pub(in crate::queue) fn curve_key(&self, at: usize) -> Option<CurveKey> {
        Some(CurveKey {
            epoch: self.limits[self.lines[at].limit].epoch,
            slots: self.usable_slots(at)?,
        })
    }

    /// How many slots the line can use while other limits run what they run. 0: all slots that the overall cap leaves are with
    /// others. `None`: it starts nothing at all.
    fn usable_slots(&self, at: usize) -> Option<usize> {
        let line = &self.lines[at];
        let limit = &self.limits[line.limit];
        let most = limit.plan.limit.unwrap_or(usize::MAX);
        let cap = self.policy.max_running.unwrap_or(usize::MAX);
        // With a pool, what other pools run at its back ends makes room for this one, too.
        let (slots, here) = match line.pool {
            None => (usize::MAX, limit.running),
            Some(pool) => (self.slots_of_pool(pool), self.running_at(pool).count()),
        };
        if self.closed || most == 0 || cap == 0 || slots == 0 {
            return None;
        }
        let elsewhere = limit.running.saturating_sub(here);
        let under_cap = cap.saturating_sub(self.running.len().saturating_sub(here));
        Some(slots.min(most.saturating_sub(elsewhere)).min(under_cap))
    }

    /// `usize::MAX` is unlimited.
    fn slots_of_pool(&self, pool: PoolIndex) -> usize {
        let slots = self.pool(pool).iter().map(|backend| self.slots_on(*backend));
        slots.fold(0, usize::saturating_add)
    }

    fn slots_on(&self, backend: BackendIndex) -> usize {
        self.slots_of(backend).unwrap_or(usize::MAX)
    }

    /// What runs at the back ends of a pool, for whichever pool.
    fn running_at(&self, pool: PoolIndex) -> impl Iterator<Item = &Running> {
        let backends = self.pool(pool);
        let here = move |running: &&Running| running.backend.is_some_and(|backend| backends.contains(&backend));
        self.running.iter().filter(here)
    }

    pub(in crate::queue) fn situation(&self, at: usize, slots: usize, now: Time) -> Situation {
        match self.lines[at].pool {
            None => self.situation_of_events(at, slots, now),
            Some(pool) => self.situation_of_pool(at, pool, slots, now),
        }
    }

    fn situation_of_events(&self, at: usize, slots: usize, now: Time) -> Situation {
        let line = &self.lines[at];
        let events = &self.limits[line.limit].plan.events;
        let place_of = |event| events.iter().position(|known| *known == event);
        // Without a slot of its own, the line gets the first one that anybody gives back.
        let counted = |event| slots == 0 || place_of(event).is_some();
        let running = self.running_by_id().into_iter();
        let running = running
            .filter(|running| counted(running.work.event))
            .map(|running| RunningFor {
                service: place_of(running.work.event),
                server: 0,
                age: now.saturating_since(running.started),
            });
        let ahead = if events.len() > 1 {
            let next = line.next(NEAR).into_iter();
            next.filter_map(|placed| place_of(self.waiters[placed.key].work.event()))
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
            servers: Vec::new(),
            rivals: self.rivals(at),
        }
    }

    fn situation_of_pool(&self, at: usize, pool: PoolIndex, slots: usize, now: Time) -> Situation {
        let backends = self.pool(pool);
        let mut kinds: Vec<(PoolIndex, BackendIndex)> = backends.iter().map(|backend| (pool, *backend)).collect();
        let mut running = Vec::new();
        // Without a slot of its own, the line gets the first one that anybody gives back.
        for one in self.running_by_id() {
            let place = one.work.pool.zip(one.backend);
            let server = one
                .backend
                .and_then(|backend| backends.iter().position(|known| *known == backend));
            if server.is_none() && slots > 0 {
                continue;
            }
            let service = place.map(|place| {
                let known = kinds.iter().position(|known| *known == place);
                known.unwrap_or_else(|| {
                    kinds.push(place);
                    kinds.len() - 1
                })
            });
            running.push(RunningFor {
                service,
                server: server.unwrap_or(0),
                age: now.saturating_since(one.started),
            });
        }
        let window = |place: &(PoolIndex, BackendIndex)| self.held_at.get(place).cloned().unwrap_or_default();
        Situation {
            now,
            slots,
            running,
            windows: kinds.iter().map(window).collect::<Vec<Window>>(),
            ahead: Vec::new(),
            waiting: Vec::new(),
            servers: backends.iter().map(|backend| self.slots_on(*backend)).collect(),
            rivals: self.rivals(at),
        }
    }

    /// The tickets of other lines that could use the slots of this one.
    fn rivals(&self, at: usize) -> Rivals {
        let line = &self.lines[at];
        let limited = self.limits[line.limit].plan.limit.is_some();
        let shares_backend = |pool: PoolIndex| {
            let own = line.pool.map(|own| self.pool(own)).unwrap_or_default();
            self.pool(pool).iter().any(|backend| own.contains(backend))
        };
        let (mut tickets, mut owners) = (0, 0);
        for (other, rival) in self.lines.iter().enumerate() {
            let same_limit = limited && rival.limit == line.limit;
            if other != at && rival.waiting() > 0 && (same_limit || rival.pool.is_some_and(shares_backend)) {
                tickets += rival.waiting();
                owners += rival.owners();
            }
        }
        let share = owners as f64 / (owners + line.owners().max(1)) as f64;
        Rivals { tickets, share }
    }
}
