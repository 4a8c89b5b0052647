//! What is counted of calls.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use tokio::time::Instant;

use super::{error::ToolError, output::ToolOutput};
use crate::agents::Durations;

/// What has become of the calls since the start.
#[derive(Clone, Debug, Default)]
pub struct ToolFigures {
    /// How many, by their server and what came of them: `done`, `failed` where the tool says so, `cancelled` where nobody waited any more, else
    /// [`ToolError::code`].
    pub calls: BTreeMap<(String, &'static str), u64>,
    /// How long they took, by their server.
    pub seconds: BTreeMap<String, Durations>,
}

/// Counts calls.
#[derive(Debug, Default)]
pub(super) struct Meter(Mutex<ToolFigures>);

/// A call, which is counted when this is dropped.
pub(super) struct Counted<'m> {
    meter: &'m Meter,
    server: &'m str,
    since: Instant,
    outcome: &'static str,
}

impl Meter {
    pub(super) fn figures(&self) -> ToolFigures {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn begin<'m>(&'m self, server: &'m str) -> Counted<'m> {
        Counted {
            meter: self,
            server,
            since: Instant::now(),
            outcome: "cancelled",
        }
    }
}

impl Counted<'_> {
    pub(super) const fn ends(&mut self, result: &Result<ToolOutput, ToolError>) {
        self.outcome = match result {
            Ok(output) if output.failed => "failed",
            Ok(_) => "done",
            Err(error) => error.code(),
        };
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        let mut figures = self.meter.0.lock().unwrap_or_else(PoisonError::into_inner);
        let calls = figures.calls.entry((self.server.to_owned(), self.outcome));
        *calls.or_default() += 1;
        let seconds = figures.seconds.entry(self.server.to_owned()).or_default();
        seconds.add(self.since.elapsed().as_secs_f64());
    }
}
