//! What is in force of each back end, and whose word that is.
//!
//! Nodes find out by themselves how a back end is, and may find out different things at once. So what one says counts only if no other has
//! said something that it did not know of; else it hears that first. Whoever says that a back end is out of service has the time until it is
//! tried again; whoever has the one ticket that tries it says what has come of that.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Incarnation, Number, Replica, Said};
use crate::queue::{BackendIndex, InForce, Teller, Throttle, TicketId, machine::Command};

/// What is in force of one back end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Throttled {
    throttle: Throttle,
    /// `None`: nobody's that still takes part.
    by: Option<Incarnation>,
    /// The entry since which it is.
    set: Number,
    /// The last entry in which that changed without a word of the node whose it is: whoever has heard of that one has heard all that it did not
    /// say itself.
    unsaid: Number,
    /// The ticket that tries it, if the line has started it as the one that does.
    probe: Option<TicketId>,
}

impl Throttled {
    fn as_seen_by(self, node: Incarnation) -> InForce {
        InForce {
            throttle: self.throttle,
            by: match self.by {
                None => Teller::Nobody,
                Some(by) if by == node && self.probe.is_some() => Teller::Line,
                Some(by) if by == node => Teller::This,
                Some(_) => Teller::Other,
            },
            set: self.set.0,
        }
    }
}

/// That of all back ends. One of which nothing has been said is not in it.
#[derive(Default)]
pub(super) struct Throttles(BTreeMap<BackendIndex, Throttled>);

impl Throttles {
    fn of(&self, backend: BackendIndex) -> Throttled {
        self.0.get(&backend).copied().unwrap_or_default()
    }

    pub(super) fn all(&self) -> Vec<(BackendIndex, Throttled)> {
        self.0
            .iter()
            .map(|(backend, throttled)| (*backend, *throttled))
            .collect()
    }

    pub(super) fn from_all(all: Vec<(BackendIndex, Throttled)>) -> Self {
        Self(all.into_iter().collect())
    }

    /// A node that has heard what was in force up to entry `known` says something else, in entry `at`. `false`: it has not heard all.
    fn say(&mut self, node: Incarnation, backend: BackendIndex, throttle: Throttle, known: u64, at: Number) -> bool {
        let before = self.of(backend);
        let unsaid = if before.by == Some(node) {
            before.unsaid
        } else {
            before.set
        };
        if known < unsaid.0 {
            return false;
        }
        self.put(backend, throttle, Some(node), None, at);
        if let Some(throttled) = self.0.get_mut(&backend) {
            throttled.unsaid = unsaid;
        }
        true
    }

    /// A ticket has started at a back end that was to be tried: it is the one that does, and its node says what has come of it.
    /// `false`: nobody tries that back end.
    fn tries(&mut self, backend: BackendIndex, ticket: TicketId, node: Option<Incarnation>, at: Number) -> bool {
        let wanted = matches!(self.of(backend).throttle, Throttle::Probe(_));
        if wanted {
            self.put(backend, Throttle::Probing, node, Some(ticket), at);
        }
        wanted
    }

    /// A ticket does not run any more. If it was to try a back end, and nothing has been said of what came of it, another one is to.
    fn stops(&mut self, ticket: TicketId, at: Number) -> Option<BackendIndex> {
        let mut all = self.0.iter();
        let tried = all.find(|(_, throttled)| throttled.probe == Some(ticket))?;
        let backend = *tried.0;
        self.try_again(backend, at);
        Some(backend)
    }

    /// A node is gone. What it was to have tried again is tried again now: returns those back ends. Limits that it has found out
    /// still hold.
    fn forget(&mut self, gone: Incarnation, at: Number) -> Vec<BackendIndex> {
        let its = |(_, throttled): &(BackendIndex, Throttled)| throttled.by == Some(gone);
        let mut tried = Vec::new();
        for (backend, throttled) in self.all().into_iter().filter(its) {
            match throttled.throttle {
                Throttle::Out(_) | Throttle::Probing => {
                    self.try_again(backend, at);
                    tried.push(backend);
                }
                same @ (Throttle::Free | Throttle::Found(_) | Throttle::Probe(_)) => {
                    self.put(backend, same, None, None, at);
                }
            }
        }
        tried
    }

    /// Those that are to be tried, and that nobody tries yet.
    fn untried(&self) -> Vec<BackendIndex> {
        let untried = self
            .0
            .iter()
            .filter(|(_, throttled)| matches!(throttled.throttle, Throttle::Probe(_)));
        untried.map(|(backend, _)| *backend).collect()
    }

    fn try_again(&mut self, backend: BackendIndex, at: Number) {
        self.put(backend, Throttle::Probe(1), None, None, at);
    }

    fn put(
        &mut self,
        backend: BackendIndex,
        throttle: Throttle,
        by: Option<Incarnation>,
        probe: Option<TicketId>,
        set: Number,
    ) {
        let throttled = Throttled {
            throttle,
            by,
            set,
            unsaid: set,
            probe,
        };
        self.0.insert(backend, throttled);
    }
}

impl Replica {
    /// What is in force of each back end, in the order of the policy, as a node sees it.
    #[must_use]
    pub fn throttles(&self, node: Incarnation) -> Vec<InForce> {
        let all = (0..).map(BackendIndex).zip(self.machine.backends());
        all.map(|(backend, _)| self.throttles.of(backend).as_seen_by(node))
            .collect()
    }

    pub(super) fn throttle(
        &mut self,
        node: Incarnation,
        backend: BackendIndex,
        throttle: Throttle,
        known: u64,
    ) -> Said {
        let is_there = self.running_on(backend).is_some();
        if !is_there || !self.throttles.say(node, backend, throttle, known, self.applied) {
            return Said::Void;
        }
        self.put_throttle_in_force(backend);
        Said::Done
    }

    pub(super) fn forget_throttles_of(&mut self, gone: Incarnation) {
        self.news.throttled = true;
        for backend in self.throttles.forget(gone, self.applied) {
            self.put_throttle_in_force(backend);
        }
    }

    /// Has the machine go by what is in force of a back end.
    fn put_throttle_in_force(&mut self, backend: BackendIndex) {
        self.news.throttled = true;
        let cap = match self.throttles.of(backend).throttle {
            // All nodes count the same here, whoever has said it.
            Throttle::Probe(_) => self.running_on(backend).map(|running| running + 1),
            throttle => throttle.cap(),
        };
        self.command(Command::Throttle { backend, cap }, None);
    }

    /// How many tickets a back end has; `None`: there is no such one.
    fn running_on(&self, BackendIndex(at): BackendIndex) -> Option<usize> {
        let at = usize::try_from(at).ok()?;
        self.machine.backends().nth(at).map(|backend| backend.running)
    }

    /// Of tickets that have started, and of those that do not run any more, some may be those that try a back end.
    pub(super) fn look_at_probes(&mut self, started: Vec<(BackendIndex, TicketId)>, stopped: &[TicketId]) {
        // In this order: one that comes back may start again at once, to try another one.
        let tried = stopped
            .iter()
            .filter_map(|ticket| self.throttles.stops(*ticket, self.applied));
        let tried: Vec<BackendIndex> = tried.collect();
        for (backend, ticket) in started {
            let node = self.held.get(&ticket).and_then(|held| held.node);
            if self.throttles.tries(backend, ticket, node, self.applied) {
                self.put_throttle_in_force(backend);
            }
        }
        for backend in tried {
            self.put_throttle_in_force(backend);
        }
        // With fewer from before, more than one would have room.
        if !stopped.is_empty() {
            for backend in self.throttles.untried() {
                self.put_throttle_in_force(backend);
            }
        }
    }
}
