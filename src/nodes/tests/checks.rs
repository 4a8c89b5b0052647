//! What has to hold.

use std::collections::BTreeMap;

use super::{
    database::Outcome,
    world::{NODES, World},
};
use crate::{
    nodes::{Change, Number, Replica},
    queue::{
        Owner, TicketId,
        machine::{Command, Time},
    },
};

impl World<'_> {
    /// Never more than the limit, by those that live. What a process had begun that is stopped counts as long as its lease holds.
    pub(super) fn check_limit(&self) {
        let now = self.now;
        let live = self.places.iter().flatten().filter(|process| {
            let clock = Time(now.0 + process.skew);
            !process.stopped || process.node.lease().holds(clock)
        });
        let works: usize = live.map(|process| process.works.len()).sum();
        if works > self.limit && now > self.unsure {
            self.fail(&format!("{works} are worked on, {} may be", self.limit));
        }
    }

    /// Whoever is at a number knows the same.
    pub(super) fn check_copy(&self, place: usize) {
        let replica = self.places[place].as_ref().and_then(|process| process.node.replica());
        if let Some(replica) = replica.filter(|replica| !self.database.agrees(replica)) {
            self.fail(&format!("{place} knows something else at {:?}", replica.applied()));
        }
    }

    /// Nobody's first ticket moves back, but behind one that comes back.
    pub(super) fn check_firsts(&mut self) {
        let truth = self.database.truth();
        let log = self.database.read(Number(self.database.head_number().0 - 1));
        let changes = log
            .batches
            .iter()
            .flat_map(|batch| batch.changes().expect("it can be read"));
        let changes: Vec<Change> = changes.collect();
        let resumes = |change: &Change| matches!(change, Change::Ticket(_, Command::Resume { .. }));
        let returns = changes.iter().any(|change| {
            // One that resumes takes the place of its owner's first, and may have left it to that one with what follows in the batch.
            let among_others = changes.len() > 1 && resumes(change);
            let pauses = match change {
                Change::Ticket(_, Command::Resume { ticket }) => self.paused.contains(ticket),
                _ => false,
            };
            let starts_back = matches!(change, Change::Gone(_) | Change::Ticket(_, Command::StartBack { .. }));
            among_others || pauses || starts_back
        });
        let mut firsts = BTreeMap::<Owner, (u64, TicketId)>::new();
        for (ticket, owner) in truth.owners() {
            if let Some((_, standing)) = truth.machine().standing(ticket) {
                let first = firsts.entry(owner).or_insert((standing.position, ticket));
                *first = (*first).min((standing.position, ticket));
            }
        }
        let firsts: BTreeMap<TicketId, u64> = firsts
            .into_values()
            .map(|(position, ticket)| (ticket, position))
            .collect();
        for (ticket, position) in &firsts {
            let before = self.firsts.get(ticket);
            if !returns && before.is_some_and(|before| position > before) {
                self.fail(&format!("{ticket:?} has moved back to {position}"));
            }
        }
        self.firsts = firsts;
    }

    pub(super) fn is_over(&self) -> bool {
        let head = self.database.truth().digest();
        let caught_up = self.places.iter().all(|process| {
            let replica = process.as_ref().and_then(|process| process.node.replica());
            replica.is_some_and(|replica| replica.digest() == head)
        });
        caught_up && self.database.truth().tickets().next().is_none() && self.only_the_living()
    }

    /// Whether those that take part, and those that have a row, are the processes that are there.
    fn only_the_living(&self) -> bool {
        let living = |node| {
            let mut living = self.places.iter().flatten();
            living.any(|process| process.node.incarnation() == node)
        };
        self.database.truth().nodes().all(living) && self.database.rows().all(living)
    }

    pub(super) fn check_end(&mut self) {
        let head = self.database.truth().digest();
        for place in 0..NODES {
            let replica = self.places[place].as_ref().and_then(|process| process.node.replica());
            if replica.map(Replica::digest) != Some(head) {
                self.fail(&format!("{place} has not caught up"));
            }
        }
        if !self.only_the_living() {
            self.fail("somebody takes part for ever who is dead");
        }
        if let Some((ticket, job)) = self.database.truth().tickets().next() {
            self.fail(&format!("{job:?} is in line for ever, as {ticket:?}"));
        }
        for (job, outcome) in self.database.accepted() {
            match outcome {
                Some(Outcome::Answered(_)) => self.seen.note("answered"),
                Some(Outcome::Cancelled) => self.seen.note("taken back"),
                None => self.fail(&format!("{job:?} has no outcome")),
            }
        }
    }
}
