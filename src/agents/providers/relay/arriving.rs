//! A response as it arrives: piece by piece, and several at once where they come faster than that.
//!
//! To pass a piece on wakes its reader and writes to a connection, which costs many times what is done with the piece itself. Where there is so
//! much to do that several have arrived by the time the first is looked at, they are passed on together.

use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt as _;
use reqwest::Response;
use tokio::{task::yield_now, time::Instant};

use crate::alarm::Alarm;

/// Pieces that follow others so soon are looked for. It is as long as a busy server may take to come back to a connection of which it has taken one
/// piece of several; hardly any model writes so fast.
const BURST: Duration = Duration::from_millis(10);

/// A piece of the body; `None`: its end.
type Piece = reqwest::Result<Option<Bytes>>;

/// See the module.
#[derive(Debug)]
pub(super) struct Arriving {
    response: Response,
    /// The longest silence.
    stall: Duration,
    silence: Alarm,
    /// The next one, if it has been looked for already.
    next: Option<Piece>,
    /// When something was last passed on.
    last: Option<Instant>,
    /// Some came right behind another since then.
    joined: bool,
    /// The same of the time before.
    was_joined: bool,
}

impl Arriving {
    /// The body of a response, from which something has to come each time before `stall` is over.
    pub(super) fn new(response: Response, stall: Duration) -> Self {
        Self {
            response,
            stall,
            silence: Alarm::after(stall),
            next: None,
            last: None,
            joined: false,
            was_joined: false,
        }
    }

    /// The next piece; `None`: it went silent. Cancel-safe.
    pub(super) async fn next(&mut self) -> Option<Piece> {
        match self.next.take() {
            Some(next) => Some(next),
            None => self.silence.within(self.stall, self.response.chunk()).await,
        }
    }

    /// Whether the next one has arrived right behind the last. It is looked for where the last came so soon after others that there may be one.
    /// Cancel-safe.
    pub(super) async fn more(&mut self) -> bool {
        let is_burst = || self.last.is_some_and(|last| last.elapsed() < BURST);
        if !(self.joined || self.was_joined || is_burst()) {
            return false;
        }
        // Whoever reads the connection hands over one piece at a time, and has to run in between.
        yield_now().await;
        self.next = self.response.chunk().now_or_never();
        self.joined |= self.next.is_some();
        self.next.is_some()
    }

    /// Everything so far is passed on now.
    pub(super) fn passed_on(&mut self) {
        self.last = Some(Instant::now());
        self.was_joined = std::mem::take(&mut self.joined);
    }
}

#[cfg(test)]
mod tests;
