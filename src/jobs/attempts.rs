//! A job's attempts: one a slot. What is to be asked again goes back to the front of its line, for another back end or the same.

use std::time::Duration;

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

/// Has a job's work done at a back end, once. A pause before it is done again is spent without the slot, which others may use.
pub(crate) async fn attempt<A: Attempt>(
    backends: &Backends,
    (model, backend): (&ModelName, BackendIndex),
    attempt: &mut A,
    course: &mut Course,
) -> Worked<A::Fault> {
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
    let at_once = Duration::ZERO;
    match backends.verdict(model, backend, error, attempt.has_shown(), &mut course.tries) {
        Verdict::Final => Worked::Over(ending),
        Verdict::Again { pause } | Verdict::Elsewhere { pause } => Worked::Back { pause },
        Verdict::Wait => Worked::Back { pause: at_once },
        Verdict::Fallback { model, .. } if !attempt.may_be_asked_of(&model) => Worked::Over(ending),
        Verdict::Fallback { model, pool } => {
            course.instead = Some((model, pool));
            Worked::Back { pause: at_once }
        }
    }
}
