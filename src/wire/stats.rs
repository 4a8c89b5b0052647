//! What the stats tab shows.

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
    /// Its value, keys and secrets hidden.
    pub value: String,
    /// Where it came from: `environment`, `.env` or `default`.
    pub source: String,
    /// What else there is to say: that `.env` has another value, which the environment wins over, or which needs a restart.
    pub note: Option<String>,
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
