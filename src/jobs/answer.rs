//! The answer: from the agent's parts to their reader.

use std::{panic::AssertUnwindSafe, pin::pin, time::Duration};

use futures_util::FutureExt as _;
use tokio::{
    sync::mpsc,
    time::{Instant, sleep_until},
};
use tokio_util::sync::CancellationToken;
use tracing::error;

use crate::{
    agents::{Answered, Part, Parts},
    panics,
    wire::{Incomplete, Usage},
};

/// Parts that may wait for their reader. A model that is faster than that is slowed down.
const AHEAD: usize = 64;

/// Who reads the parts of an answer as it grows. It may collect them and pass them on later.
pub(crate) trait Reader: Send {
    /// Takes in the next part.
    ///
    /// # Errors
    /// [`Overflow`]: it has no room for more, and the job ends.
    fn take(&mut self, part: Part) -> Result<(), Overflow>;

    /// When it wants to pass on what it has collected; `None`: there is nothing.
    fn due(&self) -> Option<Instant>;

    /// Passes on what it has collected.
    fn pass_on(&mut self);
}

/// An answer has grown longer than its reader keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Overflow;

/// What may end an answer before its own end.
#[derive(Debug)]
pub(crate) struct Bounds<'a> {
    /// Its owner does not want it any more.
    pub cancelled: &'a CancellationToken,
    /// The server ends.
    pub stopped: &'a CancellationToken,
    /// The longest time that it may take.
    pub timeout: Option<Duration>,
}

/// How an answer ended; `F` is why it failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Ending<F> {
    /// Whole.
    Done(Usage),
    /// Before its time, though nothing failed.
    Incomplete(Incomplete, Usage),
    /// With a fault.
    Failed(F),
    /// The agent panicked; that has been logged.
    Panicked,
    /// It grew without end.
    Overflow,
    /// By its owner.
    Cancelled,
    /// By [`Bounds::timeout`].
    Expired,
    /// By the end of the server.
    Stopped,
}

/// Has somebody answer, who is given where to put the parts and how to hear that nobody wants them any more. However it ends, the work
/// has been dropped by then, and with it its request to a model server; what `reader` has taken stands.
pub(crate) async fn answer<W, F>(
    bounds: Bounds<'_>,
    reader: &mut dyn Reader,
    ask: impl FnOnce(Parts, CancellationToken) -> W,
) -> Ending<F>
where
    W: Future<Output = Result<Answered, F>>,
{
    let reading = AssertUnwindSafe(read(bounds, reader, ask)).catch_unwind();
    reading.await.unwrap_or_else(|panic| {
        error!(panic = panics::words(&*panic), "the agent panicked");
        Ending::Panicked
    })
}

/// Has work done that passes on by itself what it brings, and so is its own reader. However it ends, it has been dropped by then.
pub(crate) async fn within<F>(bounds: Bounds<'_>, work: impl Future<Output = Ending<F>>) -> Ending<F> {
    let deadline = bounds.timeout.and_then(|limit| Instant::now().checked_add(limit));
    let late = async {
        match deadline {
            Some(deadline) => sleep_until(deadline).await,
            None => std::future::pending().await,
        }
    };
    let work = AssertUnwindSafe(work).catch_unwind();
    tokio::select! {
        biased;
        () = bounds.cancelled.cancelled() => Ending::Cancelled,
        () = bounds.stopped.cancelled() => Ending::Stopped,
        () = late => Ending::Expired,
        ended = work => ended.unwrap_or_else(|panic| {
            error!(panic = panics::words(&*panic), "work panicked");
            Ending::Panicked
        }),
    }
}

async fn read<W, F>(
    bounds: Bounds<'_>,
    reader: &mut dyn Reader,
    ask: impl FnOnce(Parts, CancellationToken) -> W,
) -> Ending<F>
where
    W: Future<Output = Result<Answered, F>>,
{
    let begun = Instant::now();
    let deadline = bounds.timeout.and_then(|limit| begun.checked_add(limit));
    // Both are set once and not with each part: to set a timer may wake the thread that keeps them.
    let mut late = pin!(sleep_until(deadline.unwrap_or(begun)));
    let mut pause = pin!(sleep_until(begun));
    let (parts, mut read) = mpsc::channel(AHEAD);
    // Dropping the work is what stops it; the token only lets it stop in good order when it likes to.
    let mut work = Box::pin(ask(parts, bounds.cancelled.child_token()));
    let mut result = None;
    let mut open = true;
    while open || result.is_none() {
        let due = reader.due();
        // A timer runs out at the next whole millisecond; what is due already is not left to one.
        let is_due = due.is_some_and(|due| due <= Instant::now());
        if let Some(due) = due.filter(|due| !is_due && pause.deadline() != *due) {
            pause.as_mut().reset(due);
        }
        tokio::select! {
            biased;
            () = bounds.cancelled.cancelled() => return Ending::Cancelled,
            () = bounds.stopped.cancelled() => return Ending::Stopped,
            () = &mut late, if deadline.is_some() => return Ending::Expired,
            () = async { if !is_due { pause.as_mut().await } }, if due.is_some() => reader.pass_on(),
            part = read.recv(), if open => match part.map(|part| reader.take(part)) {
                Some(Ok(())) => {}
                Some(Err(Overflow)) => return Ending::Overflow,
                None => open = false,
            },
            ended = &mut work, if result.is_none() => result = Some(ended),
        }
    }
    match result {
        Some(Ok(Answered {
            usage,
            incomplete: None,
        })) => Ending::Done(usage),
        Some(Ok(Answered {
            usage,
            incomplete: Some(cause),
        })) => Ending::Incomplete(cause, usage),
        Some(Err(fault)) => Ending::Failed(fault),
        // The loop goes on until there is a result.
        None => Ending::Stopped,
    }
}

#[cfg(test)]
mod tests;
