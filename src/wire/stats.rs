//! What the stats tab shows.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::LineView;

/// Two percentiles of a duration, in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Percentiles {
    /// The median.
    pub p50: f64,
    /// 95 of 100 were at most this.
    pub p95: f64,
}

/// One limit's figures since the start.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LimitRow {
    /// The line as it is now.
    pub line: LineView,
    /// How long its longest-waiting ticket has waited, in seconds.
    pub longest_wait: Option<f64>,
    /// Waits of those that started; `None` before the first.
    pub wait: Option<Percentiles>,
    /// How long slots were held; `None` before the first.
    pub service: Option<Percentiles>,
    /// Ended well.
    pub done: u64,
    /// Ended with a fault.
    pub failed: u64,
    /// Not let into the line.
    pub refused: u64,
    /// Ended by their owners.
    pub cancelled: u64,
    /// Waited or ran too long, or their browser stayed away.
    pub expired: u64,
}

/// One point of the charts: an instant, all limits together by name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sample {
    /// Seconds before now.
    pub ago: f64,
    /// Running, by limit, in the order of [`StatsView::limits`].
    pub running: Vec<u64>,
    /// Waiting, likewise.
    pub waiting: Vec<u64>,
    /// Turns that ended since the last sample.
    pub done: u64,
    /// Sessions in memory.
    pub sessions: u64,
    /// Memory of this process, in bytes; `None` where the system does not tell.
    pub memory: Option<u64>,
}

/// One setting in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SettingRow {
    /// The variable.
    pub name: String,
    /// Its value, as the principal who asks may see it.
    pub value: SettingValue,
    /// Where it came from.
    pub source: SettingSource,
    /// What else there is to say.
    pub note: Option<SettingNote>,
}

/// A value, or what stands in its place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SettingValue {
    /// As it was written.
    Text(String),
    /// There is one, which the principal who asks may not see.
    Set,
    /// There is none.
    Unset,
    /// A secret.
    Hidden,
}

impl fmt::Display for SettingValue {
    /// As the log has it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Text(text) => text,
            Self::Set => "(set)",
            Self::Unset => "(unset)",
            Self::Hidden => "(hidden)",
        })
    }
}

/// Where a value came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SettingSource {
    /// The environment.
    Environment,
    /// The file `.env`.
    DotEnv,
    /// Nowhere: it is the default.
    Default,
}

impl SettingSource {
    /// Its name, as the log has it: also that of a case of the messages that speak of it, but for the file's.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Environment => "environment",
            Self::DotEnv => ".env",
            Self::Default => "default",
        }
    }
}

/// What there is to say of a value that `.env` would change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SettingNote {
    /// The environment has another one, and wins.
    EnvironmentWins {
        /// The line of `.env`.
        line: u64,
    },
    /// It cannot change while the server runs.
    NeedsRestart {
        /// What it will be then; `None` where the principal who asks may not see it.
        then: Option<SettingValue>,
    },
}

/// An edit of the settings that was not taken over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BadEdit {
    /// When it was read, in milliseconds since the Unix epoch.
    pub at: u64,
    /// What is wrong, in lines.
    pub message: String,
}

/// The whole stats tab.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StatsView {
    /// A row a limit.
    pub limits: Vec<LimitRow>,
    /// The last 15 minutes, oldest first, at most one point per 5 s.
    pub samples: Vec<Sample>,
    /// Sessions in memory.
    pub sessions: u64,
    /// Browsers connected to a feed now.
    pub connected: u64,
    /// Memory of this process, in bytes; `None` where the system does not tell.
    pub memory: Option<u64>,
    /// How long this server has run, in seconds.
    pub uptime: f64,
    /// The model that answers.
    pub model: String,
    /// Anteroom's version.
    pub version: String,
    /// The settings in force.
    pub settings: Vec<SettingRow>,
    /// When they last changed, in milliseconds since the Unix epoch; `None`: not since the start.
    pub settings_changed_at: Option<u64>,
    /// The last edit, if it was a bad one: it changed nothing, and stands here until it is mended.
    pub bad_edit: Option<BadEdit>,
}
