//! Those who have waited as long as they may leave.

use super::{Effect, Machine, Time};
use crate::queue::LeaveReason;

impl Machine {
    /// Those whose time is over leave. Every change that lets in or starts does this first, so that nobody starts late, or takes
    /// up room, because a timer has yet to fire.
    pub(super) fn expire(&mut self, now: Time, effects: &mut impl Extend<Effect>) {
        if self.policy.max_wait.is_none() {
            return;
        }
        for at in 0..self.lines.len() {
            while let Some(oldest) = self.lines[at]
                .oldest()
                .filter(|key| self.is_due(self.waiters[*key].joined, now))
            {
                self.leave(oldest, LeaveReason::Expired, effects);
            }
        }
    }

    /// When a ticket has to have started.
    pub(super) fn deadline_of(&self, joined: Time) -> Option<Time> {
        joined.checked_add(self.policy.max_wait?)
    }

    pub(super) fn is_due(&self, joined: Time, now: Time) -> bool {
        self.deadline_of(joined).is_some_and(|deadline| deadline <= now)
    }
}
