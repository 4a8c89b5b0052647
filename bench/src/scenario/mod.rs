//! What is measured, one file a scenario.

mod restart;

use crate::{figures::Measure, system::Places};

/// A scenario.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scenario {
    Restart,
}

impl Scenario {
    /// All, in the order of the report.
    pub(crate) const ALL: [Self; 1] = [Self::Restart];

    /// The name on the command line.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Restart => "restart",
        }
    }

    /// What happens in it, for the report.
    pub(crate) const fn about(self) -> &'static str {
        match self {
            Self::Restart => "The server is killed (SIGKILL) with 10,000 turns waiting, and started again",
        }
    }

    /// One round with Anteroom.
    pub(crate) async fn anteroom(self, places: &Places) -> anyhow::Result<Vec<Measure>> {
        match self {
            Self::Restart => restart::run(places).await,
        }
    }
}
