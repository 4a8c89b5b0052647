//! Who takes part, who gets what a node has left, and where owners are at home.

use std::collections::BTreeSet;

use super::{Incarnation, Replica};
use crate::queue::{
    Owner, TicketId,
    machine::{Command, TicketState},
};

impl Replica {
    /// Where an owner is at home: with the node that holds the oldest of its tickets, or else with the one that they would be passed on to.
    /// `None`: nobody is there that stays.
    #[must_use]
    pub fn home(&self, owner: Owner) -> Option<Incarnation> {
        let oldest = self.of_owner.get(&owner).and_then(BTreeSet::first);
        let holder = oldest.and_then(|ticket| self.held.get(ticket)?.node);
        holder.or_else(|| self.heir(owner))
    }

    /// The same for a node that is about to say that it leaves: an owner stays there only for as long as it works for that owner.
    #[must_use]
    pub fn home_without(&self, owner: Owner, leaving: Incarnation) -> Option<Incarnation> {
        let home = self.home(owner);
        if home != Some(leaving) || self.works_for(owner, leaving) {
            return home;
        }
        let staying = self
            .nodes
            .iter()
            .filter(|(node, part)| !part.leaving && **node != leaving);
        heir(owner, staying.map(|(node, _)| *node))
    }

    /// Whether a node works on something for an owner.
    pub(super) fn works_for(&self, owner: Owner, node: Incarnation) -> bool {
        let tickets = self.of_owner.get(&owner).into_iter().flatten();
        let working = self.working.get(&node);
        tickets
            .into_iter()
            .any(|ticket| working.is_some_and(|working| working.contains_key(ticket)))
    }

    pub(super) fn up(&mut self, node: Incarnation, address: Option<String>) {
        self.nodes.entry(node).or_default().address = address;
        self.news.moved = true;
        let orphans = self.held.iter().filter(|(_, held)| held.node.is_none());
        let orphans: Vec<TicketId> = orphans.map(|(ticket, _)| *ticket).collect();
        self.pass_on(&orphans);
    }

    pub(super) fn leaving(&mut self, node: Incarnation) {
        let Some(part) = self.nodes.get_mut(&node) else { return };
        part.leaving = true;
        self.news.moved = true;
        let owners: BTreeSet<Owner> = self.held_by(node).map(|(_, _, owner)| owner).collect();
        for owner in owners {
            self.pass_on_owner(node, owner);
        }
    }

    /// Passes an owner's tickets on that a node which leaves holds, once it works on none of them: whoever follows them moves once.
    pub(super) fn pass_on_owner(&mut self, node: Incarnation, owner: Owner) {
        let tickets = self.of_owner.get(&owner).into_iter().flatten().copied();
        let tickets: Vec<TicketId> = tickets
            .filter(|ticket| self.held.get(ticket).is_some_and(|held| held.node == Some(node)))
            .collect();
        if !self.works_for(owner, node) {
            self.pass_on(&tickets);
        }
    }

    pub(super) fn gone(&mut self, gone: Incarnation) {
        if self.nodes.remove(&gone).is_none() {
            return;
        }
        self.news.moved = true;
        let left = self.held.iter().filter(|(_, held)| held.node == Some(gone));
        let left: Vec<TicketId> = left.map(|(ticket, _)| *ticket).collect();
        let started = self.working.remove(&gone).unwrap_or_default();
        // First all of them, so that none starts for a node that is gone.
        self.pass_on(&left);
        for ticket in started.into_keys() {
            self.command(Command::StartBack { ticket }, None);
        }
        self.forget_throttles_of(gone);
    }

    /// Gives tickets to nodes that take part.
    pub(super) fn pass_on(&mut self, tickets: &[TicketId]) {
        self.news.passed_on = true;
        for ticket in tickets {
            let Some(mut held) = self.held.get(ticket).copied() else {
                continue;
            };
            held.node = self.heir(held.owner);
            self.held.insert(*ticket, held);
            let state = self.machine.state_of(*ticket);
            if let Some(TicketState::Running(grant)) = state {
                self.note_start(*ticket, held, grant);
            }
        }
    }

    /// Who gets what a node has left; `None`: nobody is there that stays.
    pub(super) fn heir(&self, owner: Owner) -> Option<Incarnation> {
        let staying = self.nodes.iter().filter(|(_, part)| !part.leaving);
        heir(owner, staying.map(|(node, _)| *node))
    }
}

/// One of these nodes: for each owner the same on all nodes, evenly over them, and the same again whoever else
/// comes or goes (the highest random weight; Thaler and Ravishankar 1998).
fn heir(owner: Owner, nodes: impl Iterator<Item = Incarnation>) -> Option<Incarnation> {
    let mixed = |node: &Incarnation| {
        // The finaliser of SplitMix64, on each half.
        let halves = owner.0 ^ node.0.rotate_left(64);
        let [high, low] = [(halves >> 64) as u64, halves as u64].map(|half| {
            let half = (half ^ (half >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            let half = (half ^ (half >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            half ^ (half >> 31)
        });
        (
            high.wrapping_add(low.rotate_left(32))
                .wrapping_mul(0x9e37_79b9_7f4a_7c15),
            *node,
        )
    };
    nodes.max_by_key(mixed)
}
