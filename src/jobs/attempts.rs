//! A job's attempts: at the back end whose slot it has, again there, or from the front of its line at another one.

use std::time::Duration;

use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::{Ending, Worked};
use crate::{
    agents::{AgentError, Backends, Tries, Verdict},
    queue::{BackendIndex, PoolIndex},
    settings::ModelName,
};

/// What a job learns while it has a slot.
#[derive(Debug)]
pub(crate) struct Course {
    /// What it has been through at the back ends.
    pub(crate) tries: Tries,
    /// The model that is to answer in place of its own.
    pub(crate) instead: Option<(ModelName, PoolIndex)>,
}

impl Course {
    /// From here on.
    pub(crate) const fn new(tries: Tries) -> Self {
        Self { tries, instead: None }
    }
}

/// Who can be asked several times.
pub(crate) trait Attempt {
    /// Why it fails.
    type Fault;

    /// Asks once.
    fn ask(&mut self) -> impl Future<Output = Ending<Self::Fault>>;

    /// The fault as a back end is judged by it; `None`: it was none of theirs.
    fn blame(fault: &Self::Fault) -> Option<&AgentError>;

    /// Whether somebody has had anything of an answer, so that no other one may follow.
    fn has_shown(&self) -> bool;

    /// Whether this model could answer in place of its own.
    fn may_be_asked_of(&self, model: &ModelName) -> bool;
}

/// Has a job's work done at a back end, as often as that makes sense there.
pub(crate) async fn attempts<A: Attempt>(
    backends: &Backends,
    (model, backend): (&ModelName, BackendIndex),
    attempt: &mut A,
    course: &mut Course,
    (cancelled, stopped): (&CancellationToken, &CancellationToken),
) -> Worked<A::Fault> {
    loop {
        let ending = attempt.ask().await;
        if matches!(ending, Ending::Expired) && !attempt.has_shown() {
            backends.ran_out(backend);
        }
        let Ending::Failed(fault) = &ending else {
            return Worked::Over(ending);
        };
        let Some(error) = A::blame(fault) else {
            return Worked::Over(ending);
        };
        let verdict = backends.verdict(model, backend, error, attempt.has_shown(), &mut course.tries);
        let (pause, back) = match verdict {
            Verdict::Final => return Worked::Over(ending),
            Verdict::Again { pause } => (pause, false),
            Verdict::Elsewhere { pause } => (pause, true),
            Verdict::Wait => return Worked::Back,
            Verdict::Fallback { model, pool } => {
                if !attempt.may_be_asked_of(&model) {
                    return Worked::Over(ending);
                }
                course.instead = Some((model, pool));
                return Worked::Back;
            }
        };
        if let Some(ended) = wait(pause, cancelled, stopped).await {
            return Worked::Over(ended);
        }
        if back {
            return Worked::Back;
        }
    }
}

/// Waits, unless nobody wants the answer any more.
async fn wait<F>(pause: Duration, cancelled: &CancellationToken, stopped: &CancellationToken) -> Option<Ending<F>> {
    tokio::select! {
        biased;
        () = cancelled.cancelled() => Some(Ending::Cancelled),
        () = stopped.cancelled() => Some(Ending::Stopped),
        () = sleep(pause) => None,
    }
}
