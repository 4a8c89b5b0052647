//! Another policy comes into force.

use std::collections::{BTreeMap, VecDeque};

use super::{
    Effect, Limit, Machine, Time,
    arena::Key,
    backend::Backend,
    estimate::Window,
    line::{Line, Placed},
};
use crate::queue::{BackendPolicy, EventIndex, Owner, Policy, PoolIndex, PoolPolicy, policy::LimitPlan};

/// The lines of before.
struct Old {
    limits: Vec<Limit>,
    lines: Vec<Option<Line>>,
}

impl Machine {
    /// Puts `policy` in force.
    ///
    /// Where only limits, pools and back ends change, lines stay as they are. Where the order changes, or which events share a limit, the
    /// waiting are given new places, everybody in the order of before:
    /// - a line that stands by itself after a split keeps the order that its tickets had among themselves;
    /// - lines that become one are merged head by head, the one that has waited longest first;
    /// - `fair` then deals the rounds out in that order, so an owner's first ticket can only move up;
    /// - `fifo` leaves everybody where they are, and plain arrival counts for those who come later. (Going back to plain
    ///   arrival would move firsts back.)
    ///
    /// What runs counts against the limit that its event belongs to now, also where that has no slot for it: then nobody starts
    /// there until enough have ended. The same goes for back ends.
    pub(super) fn retune(&mut self, mut policy: Policy, now: Time, effects: &mut impl Extend<Effect>) {
        self.keep_places(&mut policy);
        self.windows.resize(policy.events.len(), Window::default());
        self.waiting.resize(policy.events.len(), 0);
        self.backends.resize(policy.backends.len(), Backend::default());

        let reordered = policy.order != self.policy.order;
        let deadlines_moved = policy.max_wait != self.policy.max_wait;
        let plan = policy.plan();
        self.policy = policy;
        self.rearrange(plan, reordered);
        self.touch_all();
        effects.extend([Effect::Retuned { deadlines_moved }]);
        self.start_waiting(now, effects);
    }

    /// Tickets and callers know events, pools and back ends by their places, so none of them can go away.
    fn keep_places(&mut self, policy: &mut Policy) {
        let old = &mut self.policy;
        for (event, old) in policy.events.iter_mut().zip(&old.events) {
            event.pooled |= old.pooled;
        }
        let known = policy.events.len();
        policy.events.extend(old.events.drain(..).skip(known));
        let known = policy.pools.len();
        let gone = old.pools.drain(..).skip(known);
        policy.pools.extend(gone.map(|pool| PoolPolicy {
            backends: Vec::new(),
            ..pool
        }));
        policy.drop_unknown_backends();
        let known = policy.backends.len();
        let gone = old.backends.drain(..).skip(known);
        policy.backends.extend(gone.map(|backend| BackendPolicy {
            limit: Some(0),
            ..backend
        }));
    }

    /// Makes the limits of `plan` and their lines, with nobody in them but those who run.
    pub(super) fn lay_out(&mut self, plan: Vec<LimitPlan>) {
        let order = self.policy.order;
        self.line_of = vec![0; self.policy.events.len()];
        self.lines.clear();
        for (limit, plan) in plan.iter().enumerate() {
            for EventIndex(event) in &plan.events {
                self.line_of[*event] = self.lines.len();
            }
            self.lines.push(Line::new(limit, None, order));
            if plan.has_lines_of_pools() {
                let pools = (0..).map(PoolIndex).take(self.policy.pools.len());
                self.lines.extend(pools.map(|pool| Line::new(limit, Some(pool), order)));
            }
        }
        self.limits = plan.into_iter().map(Limit::new).collect();
        for running in self.running.iter() {
            let at = self.at(running.work);
            let limit = self.lines[at].limit;
            self.lines[at].running += 1;
            self.limits[limit].running += 1;
        }
    }

    fn rearrange(&mut self, plan: Vec<LimitPlan>, reordered: bool) {
        let mut old = Old {
            limits: std::mem::take(&mut self.limits),
            lines: std::mem::take(&mut self.lines).into_iter().map(Some).collect(),
        };
        // What runs keeps its place, which is lower than any that is dealt from here on.
        let admitted = old.lines.iter().flatten().map(Line::admitted).max().unwrap_or_default();
        self.lay_out(plan);
        let mut new = Vec::new();
        for at in 0..self.lines.len() {
            let same = if reordered { None } else { old.take_same(self, at) };
            match same {
                Some(mut line) => {
                    Line {
                        limit: line.limit,
                        running: line.running,
                        ..
                    } = self.lines[at];
                    self.lines[at] = line;
                }
                None => new.push(at),
            }
        }
        let parted: Vec<Vec<Placed>> = old
            .lines
            .iter()
            .flatten()
            .map(|line| line.next(line.waiting()))
            .collect();
        for at in new {
            self.lines[at].resume(admitted);
            let mut parts: Vec<VecDeque<_>> = parted.iter().map(|order| self.part_of(at, order)).collect();
            let mut merged: Vec<_> = std::iter::from_fn(|| self.pop_longest(&mut parts)).collect();
            self.sort_within_owners(&mut merged);
            for (owner, key) in &merged {
                self.arrivals += 1;
                self.lines[at].push(*key, *owner, self.arrivals, &mut self.waiters);
                self.go_on_with_story(at, *key, None);
            }
            let keys = merged.into_iter().map(|(_, key)| key).collect();
            self.lines[at].enter_all_by_age(keys, &mut self.waiters);
        }
    }

    /// Those of an old line who now belong to the line at `at`.
    fn part_of(&self, at: usize, order: &[Placed]) -> VecDeque<(Owner, Key)> {
        order
            .iter()
            .map(|placed| (placed.owner, placed.key))
            .filter(|(_, key)| self.at(self.waiters[*key].work.work()) == at)
            .collect()
    }

    fn pop_longest(&self, parts: &mut [VecDeque<(Owner, Key)>]) -> Option<(Owner, Key)> {
        let longest = parts
            .iter_mut()
            .filter(|part| !part.is_empty())
            .min_by_key(|part| part.front().map(|(_, key)| self.waiters[*key].age()))?;
        longest.pop_front()
    }

    /// Two lines may bring an owner's tickets together out of their own order; an owner's tickets start as they came.
    fn sort_within_owners(&self, order: &mut [(Owner, Key)]) {
        let mut of_owner = BTreeMap::<Owner, Vec<Key>>::new();
        for (owner, key) in order.iter() {
            of_owner.entry(*owner).or_default().push(*key);
        }
        for tickets in of_owner.values_mut() {
            tickets.sort_unstable_by_key(|key| std::cmp::Reverse(self.waiters[*key].precedence()));
        }
        for (owner, key) in order {
            if let Some(first) = of_owner.get_mut(owner).and_then(Vec::pop) {
                *key = first;
            }
        }
    }
}

impl Old {
    /// The line of before that had the tickets of the line at `at`, and no others.
    fn take_same(&mut self, machine: &Machine, at: usize) -> Option<Line> {
        let Line { limit, pool, .. } = machine.lines[at];
        let events = &machine.limits[limit].plan.events;
        let same = |line: &&mut Option<Line>| {
            line.as_ref()
                .is_some_and(|line| line.pool == pool && self.limits[line.limit].plan.events == *events)
        };
        self.lines.iter_mut().find(same)?.take()
    }
}
