//! The slot: held for as long as the work takes, and free before anything else happens.

use std::time::Duration;

use futures_util::future::{Either, select};
use tokio::{task::yield_now, time::sleep};
use tracing::info;

use super::Ending;
use crate::queue::{Ended, Outcome, Permit, Queue};

/// How long a model server takes to read a request, generously.
const ASKING: Duration = Duration::from_millis(1);

/// A job whose work is over.
pub(crate) struct Ran<F, T, B> {
    /// How it ended.
    pub ending: Ending<F>,
    /// Its slot, which is free again. It is counted when this is dropped.
    pub ended: Ended,
    /// What came of the beginning, or the rest of that.
    pub beginning: Either<T, B>,
}

/// Does `work` in a slot, and `beginning` beside it: what has to be told or kept of the start, which the model need not wait for. The slot is
/// free as soon as the work is over, whether or not the beginning is.
///
/// Dropped before its end, the slot is free and both are stopped.
///
/// # Errors
/// That of the beginning, if it comes first: the work has been stopped then, and counts as never accepted.
pub(crate) async fn run<F, T, E, B>(
    queue: &Queue,
    permit: Permit,
    work: impl Future<Output = Ending<F>> + Unpin,
    beginning: B,
) -> Result<Ran<F, T, B>, E>
where
    B: Future<Output = Result<T, E>> + Unpin,
{
    let (ending, beginning) = match select(work, beginning).await {
        Either::Left((ending, rest)) => (ending, Either::Right(rest)),
        Either::Right((Ok(begun), work)) => (work.await, Either::Left(begun)),
        Either::Right((Err(refused), _work)) => {
            permit.withdraw();
            return Err(refused);
        }
    };
    let outcome = ending.outcome();
    let ended = permit.free(outcome);
    model_first(queue).await;
    info!(?outcome, "job ended");
    Ok(Ran {
        ending,
        ended,
        beginning,
    })
}

/// A slot stands empty until the model has been asked: that comes before the log, the pages and the disk. While somebody
/// waits, a model server that has to share the machine's cores also gets the time to read its request.
pub(crate) async fn model_first(queue: &Queue) {
    if queue.waiting() > 0 {
        sleep(ASKING).await;
    } else {
        yield_now().await;
    }
}

impl<F> Ending<F> {
    /// How it counts.
    #[must_use]
    pub(crate) const fn outcome(&self) -> Outcome {
        match self {
            Self::Done(_) | Self::Incomplete(..) => Outcome::Done,
            Self::Failed(_) | Self::Panicked | Self::Overflow => Outcome::Failed,
            Self::Cancelled | Self::Stopped => Outcome::Cancelled,
            Self::Expired => Outcome::Expired,
        }
    }
}
