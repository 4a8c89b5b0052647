//! A request until its answer begins: so long the status of the answer is open, so that a fault can have its own.

use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use super::place::Place;
use crate::{client::Asked, programs::Step};

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
    // An answer that has not begun looks the same, whether its request has started or is about to.
    asked.heed_no_start();
    let mut joined: Option<Place> = None;
    loop {
        let step = match timeout_at(until, asked.next()).await {
            Ok(Step::Started) => {
                joined.get_or_insert_default();
                continue;
            }
            Ok(Step::Waiting) => {
                let place = Place::of(asked.standing());
                joined.get_or_insert(place);
                if patient {
                    continue;
                }
                None
            }
            Ok(step) => Some(step),
            Err(_) => None,
        };
        let place = joined.unwrap_or_default();
        return Begun { place, step };
    }
}
