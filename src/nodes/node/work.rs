//! What a node works on.

use std::collections::{BTreeMap, BTreeSet};

use super::{Leaving, Node, Output, Stage, Working};
use crate::{
    nodes::Change,
    queue::{
        TicketId,
        machine::{Command, Time},
    },
};

/// Something that this node works on.
#[derive(Clone, Copy)]
pub(super) struct Local {
    pub(super) working: Working,
    /// Its work is over, and the log is to be told.
    pub(super) over: bool,
}

impl Node {
    /// Begins what the log says that this node works on, and ends what it does not; without a lease, everything.
    pub(super) fn work(&mut self, now: Time, out: &mut Vec<Output>) {
        let holds = self.lease.holds(now) && self.leaving != Some(Leaving::Now);
        // While the copy is built anew, what is worked on goes on.
        let Some(replica) = self.replica.as_ref().filter(|_| holds) else {
            // Work that is over stays known, so that it is not done twice before the log says so.
            self.working.retain(|ticket, local| {
                let stays = holds || local.over;
                if !stays {
                    out.push(Output::Halt(*ticket));
                }
                stays
            });
            return;
        };
        let due: BTreeMap<TicketId, Working> = replica.working(self.me).collect();
        self.working.retain(|ticket, local| {
            let stays = due.get(ticket).is_some_and(|due| due.start == local.working.start);
            if !stays && !local.over {
                out.push(Output::Halt(*ticket));
            }
            stays
        });
        for (ticket, working) in due {
            self.working.entry(ticket).or_insert_with(|| {
                out.push(Output::Work(ticket, working));
                Local { working, over: false }
            });
        }
    }

    /// Has the log say that it leaves, and once that is to be at once, that it has left.
    pub(super) fn say_leave(&mut self) {
        if self.leaving.is_none() || self.stage != Stage::Member {
            return;
        }
        let works = self.working.values().any(|local| !local.over);
        let next = match self.said {
            None => Change::Leaving,
            // In this order: whatever is under way may still begin something.
            Some(Change::Leaving)
                if self.leaving == Some(Leaving::Now)
                    && !works
                    && self.flying.is_none()
                    && self.gathered.is_empty() =>
            {
                Change::Gone(self.me)
            }
            Some(_) => return,
        };
        self.gathered.push_back((None, next.clone(), None));
        self.said = Some(next);
    }

    /// Work that is over here and in the log is not, and about which nothing is under way: the log has forgotten it, and it is done again.
    pub(super) fn forget_what_is_over(&mut self) {
        let flying = self.flying.iter().flat_map(|flying| &flying.changes);
        let flying = flying.map(|(_, change)| change);
        let asked = self.gathered.iter().map(|(_, change, _)| change);
        let told: BTreeSet<TicketId> = flying.chain(asked).filter_map(ends).collect();
        self.working
            .retain(|ticket, local| !local.over || told.contains(ticket));
    }
}

/// The ticket whose work a change ends on this node.
pub(super) const fn ends(change: &Change) -> Option<TicketId> {
    match change {
        Change::Ticket(
            _,
            Command::Release { ticket, .. }
            | Command::StartBack { ticket }
            | Command::Park { ticket }
            | Command::Pause { ticket }
            | Command::Recall { ticket, .. },
        ) => Some(*ticket),
        _ => None,
    }
}
