//! What becomes of a ticket whose attempt has failed.

use std::time::Duration;

use tokio::time::Instant;

use super::{
    Backends,
    breaker::{Gate, Strike},
    directory::Directory,
    lock,
};
use crate::{
    agents::AgentError,
    queue::{BackendIndex, PoolIndex},
    settings::ModelName,
};

/// The pause before a request is first made again; it doubles with each.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
/// The longest such pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// Whose fault it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Blame {
    /// The server's: another one, or this one a little later, may do better.
    Server(Strike),
    /// The settings', which whoever runs the site has to mend.
    Operator,
    /// The question's: it would be refused again.
    Question,
    /// The model has come to an end, and had said nothing.
    Nobody,
}

impl AgentError {
    /// Whose fault it is.
    pub(super) const fn blame(&self) -> Blame {
        match self {
            Self::Unreachable | Self::OutOfService | Self::HungUp => Blame::Server(Strike::Away),
            Self::RateLimited { retry_after } | Self::Overloaded { retry_after, .. } => Blame::Server(Strike::Busy {
                retry_after: *retry_after,
            }),
            Self::ServerFault { .. } | Self::Stalled | Self::CutOff | Self::InvalidResponse => {
                Blame::Server(Strike::Failed)
            }
            Self::Unauthorized | Self::UnknownModel { .. } | Self::Redirected { .. } => Blame::Operator,
            Self::Rejected { .. } | Self::TooLong | Self::VisionUnsupported | Self::ToolsUnsupported => Blame::Question,
            Self::Empty | Self::Spent | Self::Filtered | Self::CallsTooLarge => Blame::Nobody,
        }
    }

    /// Whether the server has done nothing for the question. One that hung up may have choked on it.
    const fn was_unavailable(&self) -> bool {
        matches!(
            self,
            Self::Unreachable | Self::OutOfService | Self::RateLimited { .. } | Self::Overloaded { .. }
        )
    }
}

/// What one turn has been through. It is made as the turn joins the line.
#[derive(Clone, Copy, Debug)]
pub struct Tries {
    /// Requests that were made again, of those that count.
    retries: u32,
    pub(super) since: Instant,
    fell_back: bool,
    sees: bool,
}

impl Tries {
    /// Nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self {
            retries: 0,
            since: Instant::now(),
            fell_back: false,
            sees: false,
        }
    }

    /// Of a question with pictures, which no model that is known to read none answers in place of another.
    #[must_use]
    pub const fn seeing(mut self, sees: bool) -> Self {
        self.sees = sees;
        self
    }
}

impl Tries {
    /// The fallback has been asked, or is about to be.
    pub fn fall_back(&mut self) {
        self.fell_back = true;
        self.retries = 0;
    }

    /// Whether the fallback may still be asked.
    pub(super) const fn may_fall_back(&self) -> bool {
        !self.fell_back
    }

    /// Whether whoever answers has to read pictures.
    pub(super) const fn has_to_see(&self) -> bool {
        self.sees
    }
}

impl Default for Tries {
    fn default() -> Self {
        Self::new()
    }
}

/// What becomes of a ticket whose attempt has failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The turn has failed with that error.
    Final,
    /// To be asked again at the same back end, which alone is in service, after this pause. The slot is given back meanwhile, and the ticket
    /// starts from the front of its line then.
    Again {
        /// How long.
        pause: Duration,
    },
    /// The same, and another back end of the pool may have it.
    Elsewhere {
        /// How long.
        pause: Duration,
    },
    /// To give its slot back and wait at the front of its line: no back end of the pool is in service. [`Backends::trouble`] says why, and
    /// [`Backends::gave_up`] when it has waited for long enough.
    Wait,
    /// To give its slot back and be answered by another model, in the line of that one's pool.
    Fallback {
        /// The model.
        model: ModelName,
        /// Its pool.
        pool: PoolIndex,
    },
}

impl Backends {
    /// The time of a job ran out at a back end that had brought nothing: it may send signs of life for ever. Like any other fault it counts
    /// against that one; the job has had its time.
    pub fn ran_out(&self, backend: BackendIndex) {
        let directory = self.directory();
        let Some(backend) = directory.backend(backend) else {
            return;
        };
        let now = Instant::now();
        lock(&backend.known).ran_out(now, rand::random_range(0.0..=1.0));
        tracing::warn!(
            backend = backend.settings.name,
            "the model server had brought nothing when the time for the answer was over"
        );
        self.tell(backend.index, now);
    }

    /// What becomes of a ticket whose attempt at a back end has failed. `shown`: there was text or reasoning, which people have read.
    /// `tries` are counted on.
    pub fn verdict(
        &self,
        model: &ModelName,
        backend: BackendIndex,
        error: &AgentError,
        shown: bool,
        tries: &mut Tries,
    ) -> Verdict {
        let blame = error.blame();
        if shown || matches!(blame, Blame::Question | Blame::Nobody) {
            return Verdict::Final;
        }
        let directory = self.directory();
        let now = Instant::now();
        let (verdict, counts) = match (blame, directory.pool_of(model)) {
            (Blame::Server(_), Some(pool)) => {
                let service = Service::of(&directory, pool, backend, now);
                decide(&directory, &service, error, tries, now)
            }
            // No back end of this model would do better, or there is none any more.
            _ => (Verdict::Final, false),
        };
        let helpless = matches!(verdict, Verdict::Final | Verdict::Wait);
        if let Some((model, pool)) = directory.fallback(model, tries, now).filter(|_| helpless) {
            tries.fall_back();
            tracing::warn!(%model, "the fallback is asked");
            return Verdict::Fallback { model, pool };
        }
        tries.retries += u32::from(counts);
        let asked = *error != AgentError::OutOfService && verdict != Verdict::Final;
        if let Some(backend) = directory.backend(backend).filter(|_| asked) {
            lock(&backend.known).meter.retries += 1;
        }
        match &verdict {
            Verdict::Final => {
                tracing::error!(%model, kind = error.kind(), retries = tries.retries, "the model did not answer");
            }
            Verdict::Wait => tracing::info!(%model, "the turn waits for a back end of its model"),
            verdict => tracing::info!(%model, retry = tries.retries, ?verdict, "the question is asked again"),
        }
        verdict
    }
}

/// What becomes of a ticket, and whether that is a retry which counts.
fn decide(
    directory: &Directory,
    service: &Service,
    error: &AgentError,
    tries: &Tries,
    now: Instant,
) -> (Verdict, bool) {
    let at_once = Verdict::Elsewhere { pause: Duration::ZERO };
    if error.was_unavailable() {
        // It has not been asked, as it were: that was no try. Each has cost a back end its service, so they come to an end.
        let next = if service.others() {
            now
        } else {
            service.next.unwrap_or(now)
        };
        let gives_up = directory.gives_up_at(service.pool, tries);
        let verdict = match gives_up {
            Some(at) if at <= next => Verdict::Final,
            _ if service.others() => at_once,
            _ => Verdict::Wait,
        };
        return (verdict, false);
    }
    // Where it works for nobody while another one does, the question is not to blame; whoever is first in line would be tried there time
    // and again. But one that hung up may have choked on it.
    let counts = service.this || !service.ready || *error == AgentError::HungUp;
    if counts && tries.retries >= directory.bounds.retries {
        return (Verdict::Final, false);
    }
    let pause = backoff(tries.retries);
    let verdict = match (service.this, service.others()) {
        (true, false) => Verdict::Again { pause },
        (true, true) => Verdict::Elsewhere { pause },
        (false, true) => at_once,
        (false, false) => Verdict::Wait,
    };
    (verdict, counts)
}

/// Who is in service beside the back end that has failed.
struct Service {
    pool: PoolIndex,
    /// That one still is.
    this: bool,
    /// Another one is, for all that is known.
    ready: bool,
    /// Another one may be tried.
    half_open: bool,
    /// When the first of those that are not is tried again.
    next: Option<Instant>,
}

impl Service {
    fn of(directory: &Directory, pool: PoolIndex, failed: BackendIndex, now: Instant) -> Self {
        let mut service = Self {
            pool,
            this: false,
            ready: false,
            half_open: false,
            next: None,
        };
        for backend in directory.backends_of_pool(pool) {
            let known = lock(&backend.known);
            match known.breaker.gate(now) {
                Gate::Shut { until, .. } => {
                    service.next = service.next.into_iter().chain([until]).min();
                }
                Gate::Probing | Gate::Elsewhere => {}
                Gate::Free | Gate::Probe if backend.index == failed => service.this = true,
                Gate::Free => service.ready = true,
                Gate::Probe => service.half_open = true,
            }
        }
        service
    }

    /// Whether another one takes a ticket.
    const fn others(&self) -> bool {
        self.ready || self.half_open
    }
}

/// Twice as long each time, less a random part: requests that failed together do not come back together.
fn backoff(retry: u32) -> Duration {
    let full = FIRST_PAUSE
        .saturating_mul(2_u32.saturating_pow(retry))
        .min(LONGEST_PAUSE);
    full.mul_f64(rand::random_range(0.5..=1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest() {
        for (retry, full) in [(0, 250), (1, 500), (2, 1000), (5, 8000), (6, 10_000), (1000, 10_000)] {
            let full = Duration::from_millis(full);
            let pause = backoff(retry);
            assert!(pause >= full / 2 && pause <= full, "{retry}: {pause:?}");
        }
    }
}
