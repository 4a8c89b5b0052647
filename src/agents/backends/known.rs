//! What is known of one back end while the process runs.

use std::time::Duration;

use tokio::time::Instant;

use super::{
    auto::{Auto, Kind, Started},
    breaker::{Began, Breaker, Gate, Strike},
    meter::Meter,
    verdict::Blame,
};
use crate::{
    agents::{AgentError, Answered, providers::Listed},
    wire::Reason,
};

/// What the queue, and those who wait, were told of a back end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Told {
    /// How many tickets it may have for now; the outer `None`: the queue has not been told anything yet.
    pub(super) cap: Option<Option<usize>>,
    /// Whether it is out of service.
    pub(super) out: bool,
    /// When that may change by itself.
    pub(super) until: Option<Instant>,
}

/// What is known of one back end. It outlasts edits of the settings.
#[derive(Debug, Default)]
pub(super) struct Known {
    pub(super) breaker: Breaker,
    pub(super) auto: Auto,
    pub(super) meter: Meter,
    /// Attempts under way.
    pub(super) running: usize,
    pub(super) told: Told,
    /// Whether the queue knows it.
    pub(super) settled: bool,
    /// Since when nothing good has come of it, if it is out of service or was tried again in vain.
    pub(super) failing_since: Option<Instant>,
    /// Why, for those who wait.
    pub(super) trouble: Option<Reason>,
    /// What the operator has to mend, as it was last told.
    pub(super) misfit: Option<&'static str>,
    /// The models that it has said it has.
    pub(super) listed: Option<Vec<Listed>>,
    /// Whether it failed to say so when it was last asked.
    pub(super) mute: bool,
}

/// An attempt, as each part of what is known of its back end sees it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Attempt {
    began: Began,
    started: Started,
    pub(super) at: Instant,
    pub(super) first: Option<Instant>,
}

impl Known {
    /// An attempt begins; `None`: the back end went out of service after the ticket had got its slot, and is not to be asked.
    pub(super) fn begin(&mut self, kind: Kind, now: Instant) -> Option<Attempt> {
        if !matches!(self.breaker.gate(now), Gate::Free | Gate::Probe) {
            return None;
        }
        self.running += 1;
        Some(Attempt {
            began: self.breaker.begin(now),
            started: self.auto.start(kind, self.running),
            at: now,
            first: None,
        })
    }

    /// The first part of its answer has come.
    pub(super) fn shown(&mut self, attempt: &mut Attempt, now: Instant) {
        let took = now - attempt.at;
        attempt.first = Some(now);
        self.breaker.shown(attempt.began);
        self.auto.shown(attempt.started, took, now);
        self.meter.shown(took);
        self.works(attempt);
    }

    /// From when on it is late; `None`: that says nothing.
    pub(super) fn late_at(&self, attempt: &Attempt) -> Option<Instant> {
        Some(attempt.at + self.auto.late_after(attempt.started)?)
    }

    /// The first part is late.
    pub(super) fn late(&mut self, attempt: &Attempt, now: Instant) {
        self.auto.late(attempt.started, now);
    }

    /// Its answer has come to its end.
    pub(super) fn answered(&mut self, attempt: &Attempt, answered: Answered, now: Instant) {
        self.running = self.running.saturating_sub(1);
        self.breaker.answered(attempt.began);
        let took = attempt.first.map_or(Duration::ZERO, |first| now - first);
        self.meter.answered(answered.usage, took);
        self.misfit = None;
        self.works(attempt);
    }

    /// What began before the trouble is no sign of its end.
    fn works(&mut self, attempt: &Attempt) {
        if self.failing_since.is_none_or(|since| since <= attempt.at) {
            self.failing_since = None;
            self.trouble = None;
        }
    }

    /// It has failed. `auto`: the limit is found out, so that a refusal may show it.
    pub(super) fn failed(&mut self, attempt: &Attempt, error: &AgentError, auto: bool, now: Instant, jitter: f64) {
        self.running = self.running.saturating_sub(1);
        self.meter.failed(error.kind());
        let strike = match error.blame() {
            Blame::Server(strike) => strike,
            // The server has done its part.
            Blame::Nobody => {
                self.breaker.answered(attempt.began);
                self.works(attempt);
                return;
            }
            Blame::Operator | Blame::Question => {
                self.breaker.left(attempt.began);
                return;
            }
        };
        if matches!(strike, Strike::Busy { .. }) {
            self.auto.refused(attempt.started, now);
        }
        match strike {
            // With one fewer, it has what it can do.
            Strike::Busy { retry_after: None } if auto && self.running > 0 => self.breaker.left(attempt.began),
            strike => self.breaker.failed(attempt.began, strike, now, jitter),
        }
        if self.is_out(now) {
            self.failing_since = self.failing_since.or(Some(now));
            self.trouble = Some(error.reason());
        }
    }

    /// It was given up.
    pub(super) fn left(&mut self, attempt: &Attempt) {
        self.running = self.running.saturating_sub(1);
        self.breaker.left(attempt.began);
    }

    /// Whether no ticket may start there now.
    pub(super) fn is_out(&self, now: Instant) -> bool {
        !matches!(self.breaker.gate(now), Gate::Free | Gate::Probe)
    }

    /// What those have to hear who go by it.
    pub(super) fn news(&self, auto: bool, now: Instant) -> Told {
        let gate = self.breaker.gate(now);
        let own = auto.then(|| self.auto.limit());
        let cap = match gate {
            Gate::Free => own,
            // One beside those from before it opened, should some still be there.
            Gate::Probe => Some(self.running + 1),
            Gate::Probing | Gate::Shut { .. } => Some(0),
        };
        Told {
            cap: Some(cap),
            out: self.is_out(now),
            until: self.until(now),
        }
    }

    /// When it will be tried again, if it is out of service and nobody tries.
    pub(super) fn until(&self, now: Instant) -> Option<Instant> {
        match self.breaker.gate(now) {
            Gate::Shut { until, .. } => Some(until),
            Gate::Free | Gate::Probe | Gate::Probing => None,
        }
    }
}
