//! The kinds of work that go through the queue.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A kind of work with a limit of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// A turn with the agent.
    Chat,
    /// Taking a file in.
    FileUpload,
    /// Making the figures of the stats tab.
    StatsRefresh,
    /// Making the records of the logs tab.
    LogsRefresh,
    /// Using a tool that a model has asked for.
    Tool,
}

impl Event {
    /// Every event, in the order of the stats tab.
    pub const ALL: [Self; 5] = [
        Self::Chat,
        Self::FileUpload,
        Self::StatsRefresh,
        Self::LogsRefresh,
        Self::Tool,
    ];

    /// Whether its work is done by model servers.
    #[must_use]
    pub const fn is_for_backends(self) -> bool {
        matches!(self, Self::Chat)
    }

    /// The name used in settings, logs and metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Chat => "chat",
            Self::FileUpload => "file_upload",
            Self::StatsRefresh => "stats_refresh",
            Self::LogsRefresh => "logs_refresh",
            Self::Tool => "tool",
        }
    }

    /// The place of this event in [`Event::ALL`]; the queue knows events by it.
    #[must_use]
    pub const fn index(self) -> usize {
        self as usize
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
