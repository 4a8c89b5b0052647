//! Another policy comes into force.

use std::collections::{BTreeMap, VecDeque};

use super::{
    Effect, Machine, Time,
    arena::Key,
    estimate::Window,
    line::{Line, Placed},
};
use crate::queue::{EventIndex, Owner, Policy, policy::LinePlan};

impl Machine {
    /// Puts `policy` in force.
    ///
    /// Where only limits change, lines stay as they are. Where the order changes, or which events share a line, the waiting are
    /// given new places, everybody in the order of before:
    /// - a line that stands by itself after a split keeps the order that its tickets had among themselves;
    /// - lines that become one are merged head by head, the one that has waited longest first, the rule that
    ///   [`Policy::max_running`] chooses by;
    /// - `fair` then deals the rounds out in that order, so an owner's first ticket can only move up;
    /// - `fifo` leaves everybody where they are, and plain arrival counts for those who come later. (Going back to plain
    ///   arrival would move firsts back.)
    ///
    /// What runs counts against the limit that its event belongs to now, also where that has no slot for it: then nobody starts
    /// there until enough have ended.
    pub(super) fn retune(&mut self, mut policy: Policy, now: Time, effects: &mut impl Extend<Effect>) {
        // An event cannot go away while tickets and callers know it by its place.
        policy
            .events
            .extend(self.policy.events.drain(..).skip(policy.events.len()));
        self.windows.resize(policy.events.len(), Window::default());
        self.waiting.resize(policy.events.len(), 0);

        let plan = policy.plan();
        let reordered = policy.order != self.policy.order;
        let deadlines_moved = policy.max_wait != self.policy.max_wait;
        self.policy = policy;
        if reordered || !self.same_sharing(&plan) {
            self.rearrange(plan);
        } else {
            for (at, plan) in plan.into_iter().enumerate() {
                self.lines[at].plan = plan;
                self.touch(at);
            }
        }
        effects.extend([Effect::Retuned { deadlines_moved }]);
        self.start_waiting(now, effects);
    }

    fn same_sharing(&self, plan: &[LinePlan]) -> bool {
        self.lines.len() == plan.len()
            && self
                .lines
                .iter()
                .zip(plan)
                .all(|(line, plan)| line.plan.events == plan.events)
    }

    /// Makes the lines of `plan`, with nobody in them but those who run.
    pub(super) fn lay_out(&mut self, plan: Vec<LinePlan>) {
        self.line_of = vec![0; self.policy.events.len()];
        for (at, line) in plan.iter().enumerate() {
            for EventIndex(event) in &line.events {
                self.line_of[*event] = at;
            }
        }
        self.lines = plan
            .into_iter()
            .map(|plan| Line::new(plan, self.policy.order))
            .collect();
        for running in self.running.iter() {
            self.lines[self.line_of[running.event.0]].running += 1;
        }
    }

    fn rearrange(&mut self, plan: Vec<LinePlan>) {
        let old: Vec<Vec<Placed>> = self.lines.iter().map(|line| line.next(line.waiting())).collect();
        // What runs keeps its place, which is lower than any that is dealt from here on.
        let admitted = self.lines.iter().map(Line::admitted).max().unwrap_or_default();
        self.lay_out(plan);
        for at in 0..self.lines.len() {
            self.lines[at].resume(admitted);
            let mut parts: Vec<VecDeque<_>> = old.iter().map(|order| self.part_of(at, order)).collect();
            let mut merged: Vec<_> = std::iter::from_fn(|| self.pop_longest(&mut parts)).collect();
            self.sort_within_owners(&mut merged);
            for (owner, key) in &merged {
                self.arrivals += 1;
                self.lines[at].push(*key, *owner, self.arrivals, &mut self.waiters);
            }
            let keys = merged.into_iter().map(|(_, key)| key).collect();
            self.lines[at].enter_all_by_age(keys, &mut self.waiters);
            self.touch(at);
        }
    }

    /// Those of an old line who now belong to the line at `at`.
    fn part_of(&self, at: usize, order: &[Placed]) -> VecDeque<(Owner, Key)> {
        order
            .iter()
            .map(|placed| (placed.owner, placed.key))
            .filter(|(_, key)| self.line_of[self.waiters[*key].event.0] == at)
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
            tickets.sort_unstable_by_key(|key| std::cmp::Reverse(self.waiters[*key].id));
        }
        for (owner, key) in order {
            if let Some(first) = of_owner.get_mut(owner).and_then(Vec::pop) {
                *key = first;
            }
        }
    }
}
