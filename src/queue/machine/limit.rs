//! One limit: how many tickets of all its lines run at once.

use crate::queue::policy::LimitPlan;

/// A limit, and what it has running.
pub(super) struct Limit {
    pub(super) plan: LimitPlan,
    /// Slots in use, all its lines together. After a retuning they may be more than there are; then nobody starts.
    pub(super) running: usize,
    /// Changes with everything that the estimate curves of its lines rest on.
    pub(super) epoch: u64,
}

impl Limit {
    pub(super) fn new(plan: LimitPlan) -> Self {
        Self {
            plan,
            running: 0,
            epoch: 0,
        }
    }

    /// Whether a slot is free, as far as this limit is concerned.
    pub(super) fn has_free(&self) -> bool {
        self.plan.limit.is_none_or(|limit| self.running < limit)
    }
}
