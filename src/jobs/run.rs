//! The slot: held for as long as the work takes, and free before anything else happens.

use std::{convert::Infallible, fmt, pin::pin, time::Duration};

use futures_util::future::{Either, select};
use tokio::{task::yield_now, time::sleep};
use tokio_util::sync::CancellationToken;
use tracing::info;

use super::Ending;
use crate::queue::{Ended, Outcome, Permit, Queue, Slot, Ticket};

/// How long a model server takes to read a request, generously.
const ASKING: Duration = Duration::from_millis(1);

/// What becomes of a job's work. `P`: what there is to say of work that may wait for something else in between.
#[derive(Debug)]
pub(crate) enum Worked<F, P = Infallible> {
    /// It has ended.
    Over(Ending<F>),
    /// Its back end has failed before there was any result: it is to start again from the front of its line.
    Back {
        /// Not before that: until then it has no slot and is in no line.
        pause: Duration,
    },
    /// It has ended for whoever began it, and goes on for others, who take the slot.
    HandedOn(Ending<F>, Heir),
    /// It has come to a point from which on it needs no slot for a while.
    Parks(P),
}

/// Who takes the slot of work that goes on for others.
pub(crate) struct Heir(pub(crate) Box<dyn FnOnce(Slot) + Send>);

impl fmt::Debug for Heir {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Heir")
    }
}

/// A job that has its slot no more.
pub(crate) struct Ran<F, T, B, P = Infallible> {
    /// What became of it.
    pub left: Left<F, P>,
    /// What came of the beginning, or the rest of that.
    pub beginning: Either<T, B>,
}

/// How a job has left its slot, which is free again.
pub(crate) enum Left<F, P = Infallible> {
    /// It has ended so. It is counted when the second is dropped. (The slot may have an [heir](Worked::HandedOn).)
    Over(Ending<F>, Ended),
    /// It is in its line again, or will be after a [pause](paused).
    Back(Ticket),
    /// It waits for something else, and its ticket is parked.
    Parked(Ticket, P),
    /// It was stopped, because another process may have it by now. What it has brought is to be dropped.
    Halted(Ticket),
}

/// Does `work` in a slot, and `beginning` beside it: what has to be told or kept of the start, which the model need not wait for. The slot is
/// free as soon as the work is over, whether or not the beginning is.
///
/// Dropped before its end, the slot is free and both are stopped.
///
/// # Errors
/// That of the beginning, if it comes first: the work has been stopped then, and counts as never accepted.
pub(crate) async fn run<F, P, T, E, B>(
    queue: &Queue,
    permit: Permit,
    work: impl Future<Output = Worked<F, P>> + Unpin,
    beginning: B,
) -> Result<Ran<F, T, B, P>, E>
where
    B: Future<Output = Result<T, E>> + Unpin,
{
    let selected = {
        let work = pin!(async {
            permit.cleared().await;
            tokio::select! {
                biased;
                worked = work => Some(worked),
                () = permit.halted() => None,
            }
        });
        match select(work, beginning).await {
            Either::Left((worked, rest)) => Ok((worked, Either::Right(rest))),
            Either::Right((Ok(begun), work)) => Ok((work.await, Either::Left(begun))),
            Either::Right((Err(refused), _work)) => Err(refused),
        }
    };
    let (worked, beginning) = match selected {
        Ok(selected) => selected,
        Err(refused) => {
            permit.withdraw();
            return Err(refused);
        }
    };
    let left = match worked {
        Some(Worked::Over(ending)) => {
            let outcome = ending.outcome();
            // Nobody gets the slot at once where nobody waits.
            let is_wanted = queue.waiting() > 0;
            let ended = permit.free(outcome);
            // Where several processes keep the line, the slot is free once the outcome is stored.
            if is_wanted && !queue.is_common() {
                model_first(queue).await;
            }
            info!(?outcome, "job ended");
            Left::Over(ending, ended)
        }
        Some(Worked::HandedOn(ending, Heir(take))) => {
            let outcome = ending.outcome();
            let (ended, slot) = permit.hand_on(outcome);
            take(slot);
            info!(?outcome, "job ended, and goes on for others");
            Left::Over(ending, ended)
        }
        Some(Worked::Back { pause }) => Left::Back(permit.start_back_after(pause)),
        Some(Worked::Parks(why)) => {
            let parked = permit.park();
            model_first(queue).await;
            Left::Parked(parked, why)
        }
        None => Left::Halted(permit.set_aside()),
    };
    Ok(Ran { left, beginning })
}

/// Waits until the pause of a ticket that has come [back](Left::Back) is over, or until nobody wants it to go on. Cancel-safe.
pub(crate) async fn paused(ticket: &mut Ticket, cancelled: &CancellationToken, stopped: &CancellationToken) {
    tokio::select! {
        biased;
        () = cancelled.cancelled() => {}
        () = stopped.cancelled() => {}
        () = ticket.paused() => {}
    }
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
