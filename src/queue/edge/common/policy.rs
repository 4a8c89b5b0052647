//! The policy that this process wants, and that of all.

use super::{
    Common, Wanted,
    differences::{Difference, differences},
    names::{Names, Retuning, merged},
};
use crate::queue::{BackendIndex, Policy};

impl Common {
    /// This process wants another policy. What it wanted before and has not got yet is part of it.
    pub(in crate::queue::edge) fn retune(&self, policy: Policy, why: Retuning) {
        let known = self.show(|machine| machine.policy().clone());
        let mut wanted = self.wanted();
        wanted.policy = policy;
        wanted.why = wanted.why.max(Some(why));
        let version = wanted.version;
        if let Some(version) = version {
            wanted.see(&known, version);
        }
        drop(wanted);
        self.ask_for_policy(&known);
    }

    /// Takes note of the policy of all, where it is another one.
    pub(super) fn look_at_policy(&self, policy: &Policy, version: u64) {
        let mut wanted = self.wanted();
        if wanted.version == Some(version) {
            return;
        }
        wanted.see(policy, version);
        drop(wanted);
        self.ask_for_policy(policy);
    }

    /// Another process's policy came first.
    pub(super) fn retune_again(&self, policy: &Policy, version: u64) {
        let mut wanted = self.wanted();
        wanted.asked = false;
        wanted.see(policy, version);
        drop(wanted);
        self.ask_for_policy(policy);
    }

    /// What was asked for is in force.
    pub(super) fn retuned(&self) {
        let mut wanted = self.wanted();
        wanted.asked = false;
    }

    /// Asks for what this process wants, if that is not so already; one at a time.
    fn ask_for_policy(&self, there: &Policy) {
        if self.line.get().is_none() {
            return;
        }
        let mut wanted = self.wanted();
        let (Some(why), Some(version), false) = (wanted.why, wanted.version, wanted.asked) else {
            return;
        };
        let merged = merged(there, &wanted.policy, why);
        if merged == *there {
            wanted.why = None;
            return;
        }
        wanted.asked = true;
        drop(wanted);
        self.line(|line| line.retune(version, merged));
    }

    /// What of the policy of all is not as this process's operator has set it.
    pub(in crate::queue::edge) fn differences(&self) -> Vec<Difference> {
        if self.wanted().agrees {
            return Vec::new();
        }
        let there = self.show(|machine| machine.policy().clone());
        differences(&there, &self.wanted().policy)
    }

    /// Whether there is nothing of that.
    pub(in crate::queue::edge) fn agrees(&self) -> bool {
        self.wanted().agrees
    }
}

impl Wanted {
    /// Where a back end of this process is in the policy of all. `None`: not there yet, or nothing is known of that policy.
    pub(super) fn backend_there(&self, backend: BackendIndex) -> Option<BackendIndex> {
        self.version?;
        self.names.backend_there(backend)
    }

    /// The other way round.
    pub(super) fn backend_here(&self, backend: BackendIndex) -> Option<BackendIndex> {
        self.version?;
        self.names.backend_here(backend)
    }

    fn see(&mut self, there: &Policy, version: u64) {
        self.names = Names::between(&self.policy, there);
        self.version = Some(version);
        self.agrees = differences(there, &self.policy).is_empty();
    }
}
