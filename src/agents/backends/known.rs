//! What is known of one back end while the process runs.

use std::time::Duration;

use tokio::time::Instant;

use super::{
    auto::{Auto, Kind, Started},
    breaker::{Began, Breaker, Gate, Strike},
    meter::Meter,
    toolless::Toolless,
    verdict::Blame,
};
use crate::{
    agents::{AgentError, Answered, providers::Listed},
    queue::{InForce, Outage, Teller, Throttle},
    wire::Reason,
};

/// What the queue, and those who wait, were told of a back end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Told {
    /// How many tickets it may have for now; `None`: the queue has not been told anything yet. In a queue that several nodes keep, what was
    /// heard last is what was told last.
    pub(super) throttle: Option<Throttle>,
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
    /// What was last heard to be in force, where several nodes keep the queue.
    pub(super) heard: Option<InForce>,
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
    /// Those that take no tools.
    pub(super) toolless: Toolless,
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
    /// An attempt begins; `None`: the back end went out of service after the ticket had got its slot, and is not to be asked. `everywhere`:
    /// how many tickets it has on all nodes, this one included, where there are several.
    pub(super) fn begin(&mut self, kind: Kind, everywhere: Option<usize>, now: Instant) -> Option<Attempt> {
        if !matches!(self.breaker.gate(now), Gate::Free | Gate::Probe) {
            return None;
        }
        self.running += 1;
        Some(Attempt {
            began: self.breaker.begin(now),
            started: self.auto.start(
                kind,
                self.running.max(everywhere.unwrap_or_default()),
                everywhere.is_some(),
            ),
            at: now,
            first: None,
        })
    }

    /// The first part of its answer has come.
    pub(super) fn shown(&mut self, attempt: &mut Attempt, now: Instant) {
        let took = now - attempt.at;
        attempt.first = Some(now);
        self.breaker.shown(attempt.began);
        self.auto.shown(&mut attempt.started, took, self.running, now);
        self.meter.shown(took);
        self.works(attempt);
    }

    /// From when on it is late; `None`: that says nothing.
    pub(super) fn late_at(&self, attempt: &Attempt) -> Option<Instant> {
        Some(attempt.at + self.auto.late_after(attempt.started)?)
    }

    /// The first part is late.
    pub(super) fn late(&mut self, attempt: &mut Attempt, now: Instant) {
        self.auto.late(&mut attempt.started, self.running, now);
    }

    /// Its answer has come to its end.
    pub(super) fn answered(&mut self, attempt: &mut Attempt, answered: Answered, now: Instant) {
        self.ends(attempt);
        self.breaker.answered(attempt.began);
        let took = attempt.first.map_or(Duration::ZERO, |first| now - first);
        self.meter.answered(answered.usage, took);
        self.misfit = None;
        self.works(attempt);
    }

    /// It is under way no more.
    fn ends(&mut self, attempt: &mut Attempt) {
        self.running = self.running.saturating_sub(1);
        self.auto.over(&mut attempt.started);
    }

    /// What began before the trouble is no sign of its end.
    fn works(&mut self, attempt: &Attempt) {
        if self.failing_since.is_none_or(|since| since <= attempt.at) {
            self.failing_since = None;
            self.trouble = None;
        }
    }

    /// It has failed. `auto`: the limit is found out, so that a refusal may show it. `everywhere`: as when one begins.
    pub(super) fn failed(
        &mut self,
        attempt: &mut Attempt,
        error: &AgentError,
        auto: bool,
        everywhere: Option<usize>,
        now: Instant,
        jitter: f64,
    ) {
        self.ends(attempt);
        let others = self.running.max(everywhere.map_or(0, |all| all.saturating_sub(1)));
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
            Strike::Busy { retry_after: None } if auto && others > 0 => self.breaker.left(attempt.began),
            strike => self.breaker.failed(attempt.began, strike, now, jitter),
        }
        if self.is_out(now) {
            self.failing_since = self.failing_since.or(Some(now));
            self.trouble = Some(error.reason());
        }
    }

    /// The time of an attempt, which has been given up since, ran out before anything had come of it.
    pub(super) fn ran_out(&mut self, now: Instant, jitter: f64) {
        let error = AgentError::Stalled;
        self.meter.failed(error.kind());
        if self.is_out(now) {
            return;
        }
        let began = self.breaker.begin(now);
        self.breaker.failed(began, Strike::Failed, now, jitter);
        if self.is_out(now) {
            self.failing_since = self.failing_since.or(Some(now));
            self.trouble = Some(error.reason());
        }
    }

    /// It was given up.
    pub(super) fn left(&mut self, attempt: &mut Attempt) {
        self.ends(attempt);
        self.breaker.left(attempt.began);
    }

    /// Whether no ticket may start there now.
    pub(super) fn is_out(&self, now: Instant) -> bool {
        !matches!(self.breaker.gate(now), Gate::Free | Gate::Probe)
    }

    /// What those have to hear who go by it. `shared`: several nodes keep the queue.
    pub(super) fn news(&self, auto: bool, shared: bool, now: Instant) -> Told {
        let throttle = match self.breaker.gate(now) {
            Gate::Free if auto => Throttle::Found(self.auto.limit()),
            // What another node finds out is not this one's to end.
            Gate::Free => self.found_elsewhere().unwrap_or(Throttle::Free),
            // If that ticket shows nothing, the line has another one try.
            Gate::Probe if self.is_to_try() => Throttle::Probing,
            Gate::Probe if shared => Throttle::Probe(1),
            // One beside those from before it opened, should some still be there.
            Gate::Probe => Throttle::Probe(self.running + 1),
            Gate::Probing => Throttle::Probing,
            Gate::Shut { cools, .. } => Throttle::Out(self.outage(cools)),
            Gate::Elsewhere => self.told.throttle.unwrap_or_default(),
        };
        Told {
            throttle: Some(throttle),
            out: self.is_out(now),
            until: self.until(now),
        }
    }

    /// When it will be tried again, if it is out of service and nobody tries.
    pub(super) fn until(&self, now: Instant) -> Option<Instant> {
        match self.breaker.gate(now) {
            Gate::Shut { until, .. } => Some(until),
            Gate::Free | Gate::Probe | Gate::Probing | Gate::Elsewhere => None,
        }
    }

    /// Whether the line has given this node the ticket that tries it.
    fn is_to_try(&self) -> bool {
        self.heard
            .is_some_and(|heard| (heard.throttle, heard.by) == (Throttle::Probing, Teller::Line))
    }

    fn found_elsewhere(&self) -> Option<Throttle> {
        let heard = self.heard.filter(|heard| heard.by == Teller::Other)?;
        matches!(heard.throttle, Throttle::Found(_)).then_some(heard.throttle)
    }

    /// Why it is out of service, where another node has found that; `None` while one of its tickets tries it.
    pub(super) fn out_elsewhere(&self) -> Option<Outage> {
        match self.heard?.throttle {
            Throttle::Out(outage) => Some(outage),
            _ => None,
        }
    }

    /// What is wrong with it, as other nodes are told.
    fn outage(&self, cools: bool) -> Outage {
        match (cools, &self.trouble) {
            (true, Some(Reason::ModelOverloaded)) => Outage::Overloaded,
            (true, _) => Outage::RateLimited,
            (false, Some(Reason::ModelUnreachable)) => Outage::Away,
            (false, _) => Outage::Failing,
        }
    }

    /// Takes in what is in force of it in a queue that several nodes keep. Whatever this node knows otherwise is news then.
    pub(super) fn hear(&mut self, in_force: InForce, now: Instant) {
        let before = self.heard.replace(in_force);
        self.told.throttle = Some(in_force.throttle);
        if before == Some(in_force) {
            return;
        }
        let was_out = before.is_some_and(|before| !matches!(before.throttle, Throttle::Free | Throttle::Found(_)));
        match (in_force.throttle, in_force.by) {
            // It has gone on since it said so.
            (_, Teller::This) => return,
            (Throttle::Probing, Teller::Line) | (Throttle::Probe(_), _) => self.breaker.hear_half_open(now),
            (Throttle::Probing, _) => self.breaker.hear_probing(),
            (Throttle::Out(outage), _) => {
                self.breaker.hear_out(outage.cools(), now);
                // This node may know it more exactly.
                if self.trouble.is_none() || self.outage(outage.cools()) != outage {
                    self.trouble = Some(reason(outage));
                }
            }
            (Throttle::Free | Throttle::Found(_), _) if was_out => self.breaker.hear_works(now),
            (Throttle::Free | Throttle::Found(_), _) => {}
        }
        if let Throttle::Found(limit) = in_force.throttle {
            self.auto.hear(limit, now);
        }
        match self.breaker.gate(now) {
            Gate::Free if was_out => (self.failing_since, self.trouble) = (None, None),
            Gate::Free | Gate::Probe => {}
            Gate::Probing | Gate::Shut { .. } | Gate::Elsewhere => drop(self.failing_since.get_or_insert(now)),
        }
    }
}

/// Another node knows it exactly.
const fn reason(outage: Outage) -> Reason {
    match outage {
        Outage::Away => Reason::ModelUnreachable,
        Outage::Failing => Reason::ModelCutOff,
        Outage::RateLimited => Reason::ModelRateLimited,
        Outage::Overloaded => Reason::ModelOverloaded,
    }
}
