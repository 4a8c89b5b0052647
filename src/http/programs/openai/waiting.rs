//! A request until its answer begins: so long the status of the answer is open, so that a fault can have its own.

use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use super::{Asked, place::Place};
use crate::programs::Step;

/// After so long without an answer its head is sent, so that whatever stands in between knows that somebody is there.
pub(super) const OPEN: Duration = Duration::from_secs(10);

/// What has begun an answer.
pub(super) struct Begun {
    /// Where the request stood when it joined.
    pub(super) place: Place,
    /// What happened then; `None`: nothing has, and it waits, or has been waited for long enough.
    pub(super) step: Option<Step>,
}

/// Waits for the beginning. `patient`: also while it stands in the line.
pub(super) async fn begun(asked: &mut Asked, patient: bool) -> Begun {
    let until = Instant::now() + OPEN;
    let mut place = Place::default();
    loop {
        match timeout_at(until, asked.follower.next()).await {
            Err(_) => return Begun { place, step: None },
            Ok(Step::Started) => {}
            Ok(Step::Waiting) => {
                place = Place::of(asked.follower.standing());
                if !patient {
                    return Begun { place, step: None };
                }
            }
            Ok(step) => {
                return Begun {
                    place,
                    step: Some(step),
                };
            }
        }
    }
}
