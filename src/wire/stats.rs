//! What the stats tab shows, for whoever draws it. Of this only [`Span`] goes over the wire: pages are sent what was drawn.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Event;

/// Two percentiles: of a duration in seconds, unless told.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Percentiles {
    /// The median.
    pub p50: f64,
    /// 95 of 100 were at most this.
    pub p95: f64,
}

/// A limit, or the line of one model where a limit has several.
#[derive(Clone, Debug, PartialEq)]
pub struct LimitRow {
    /// The limit's name: its `concurrency_id`, or the event's name.
    pub name: String,
    /// The model whose line this is, by its id; `None`: it is the limit, with all its lines.
    pub model: Option<String>,
    /// The events that share the limit.
    pub events: Vec<Event>,
    /// Slots in use. Lines may have slots in common, so those of several do not add up.
    pub running: u64,
    /// Slots there are; `None` is unlimited.
    pub limit: Option<u64>,
    /// Tickets that wait.
    pub waiting: u64,
    /// Tickets that have given their slot back for a while and are in no line. Counted for the limit alone.
    pub parked: u64,
    /// How long its longest-waiting ticket has waited, in seconds.
    pub longest_wait: Option<f64>,
    /// What was counted since the start; `None`: it is counted for the limit alone.
    pub counts: Option<LimitCounts>,
}

/// What is counted of a limit.
#[derive(Clone, Debug, PartialEq)]
pub struct LimitCounts {
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

/// How a back end is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health {
    /// It takes tickets.
    Ready,
    /// It has said that it takes no more for now, and is left alone.
    Cooling,
    /// It has failed, and is left alone.
    Out,
    /// It has failed; one ticket shows whether it works again.
    Trying,
    /// It finishes what it runs, and gets no more.
    Draining,
}

impl Health {
    /// Every one.
    pub const ALL: [Self; 5] = [Self::Ready, Self::Cooling, Self::Out, Self::Trying, Self::Draining];

    /// Its name, as the metrics have it: also that of a case of the message that speaks of it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Cooling => "cooling",
            Self::Out => "out",
            Self::Trying => "trying",
            Self::Draining => "draining",
        }
    }
}

/// One back end, since the start. Neither its address nor its key is told to anybody.
#[derive(Clone, Debug, PartialEq)]
pub struct BackendRow {
    /// Its name.
    pub name: String,
    /// The place of its models.
    pub place: String,
    /// How it is.
    pub health: Health,
    /// How long it is left alone, in whole seconds; `None`: it is not, or only another node knows.
    pub seconds: Option<f64>,
    /// Why it is left alone, where another node has found that: the name of a case of the message that says so.
    pub outage: Option<String>,
    /// Tickets that it has.
    pub running: u64,
    /// How many it may have now; `None` is unlimited.
    pub limit: Option<u64>,
    /// Whether that is found out while it runs.
    pub auto: bool,
    /// From the request to the first part of the answer, of the latest answers; `None` before the first.
    pub first_part: Option<Percentiles>,
    /// Tokens a second, likewise.
    pub speed: Option<Percentiles>,
    /// Answers that came to their end.
    pub answers: u64,
    /// Requests that failed here and were made again, here or elsewhere.
    pub retries: u64,
    /// Requests that failed, by the name of the fault.
    pub faults: Vec<(String, u64)>,
    /// What has to be mended, by the name of the fault: for the operator alone.
    pub misfit: Option<String>,
}

/// One model, since the start.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelRow {
    /// Its id.
    pub model: String,
    /// Answers that came to their end.
    pub answers: u64,
    /// Tokens read.
    pub input: u64,
    /// Tokens written.
    pub output: u64,
    /// In whatever the prices are counted; `None`: there are none.
    pub cost: Option<f64>,
}

/// How a node is, as the one that tells of it knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NodeState {
    /// It takes part in the line.
    TakesPart,
    /// It is about to end, and takes in nothing more.
    Leaving,
    /// Nothing has been heard of it for a while.
    Silent,
    /// It does not keep up with the log.
    Behind,
    /// It has not reached the database for too long to work.
    CutOff,
}

impl NodeState {
    /// Its name, as `/health` has it: also that of a case of the message that speaks of it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::TakesPart => "takes_part",
            Self::Leaving => "leaving",
            Self::Silent => "silent",
            Self::Behind => "behind",
            Self::CutOff => "cut_off",
        }
    }
}

/// One node that takes part in the line.
#[derive(Clone, Debug, PartialEq)]
pub struct NodeRow {
    /// Its name, as the logs have it.
    pub name: String,
    /// It is the one that tells this.
    pub this: bool,
    /// Where the others reach it: for the operator alone.
    pub address: Option<String>,
    /// How it is.
    pub state: NodeState,
    /// How long it has been silent, in whole seconds; `None`: it is not.
    pub seconds: Option<f64>,
    /// Tickets that it works on.
    pub running: u64,
    /// The last entry of the log that it had applied when it was last heard of; `None`: it has not been yet.
    pub applied: Option<u64>,
    /// How many entries it lacked then that had been there for a while; 0: it keeps up.
    pub lag: u64,
}

/// One server of tools.
#[derive(Clone, Debug, PartialEq)]
pub struct ToolServerRow {
    /// Its name.
    pub name: String,
    /// How it is: the name of a case of the message that says so.
    pub state: String,
    /// How long it has been out of service, in whole seconds.
    pub seconds: f64,
    /// Why it is, likewise.
    pub trouble: Option<String>,
    /// How many tools it has; `None`: that is not known yet.
    pub tools: Option<u64>,
    /// Calls that are running.
    pub running: u64,
}

/// What the charts show.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Span {
    /// The last 15 minutes.
    Quarter,
    /// The last 24 hours.
    Day,
    /// The last seven days.
    Week,
}

impl Span {
    /// Every one.
    pub const ALL: [Self; 3] = [Self::Quarter, Self::Day, Self::Week];

    /// That of a case of the message that names it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Quarter => "quarter",
            Self::Day => "day",
            Self::Week => "week",
        }
    }
}

/// Tasks, and what programs are told of them: what there is of those who are at home at the node that tells this, and what it has counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TaskRow {
    /// They wait for other tasks.
    pub blocked: u64,
    /// They stand behind the line.
    pub held: u64,
    /// They are in it.
    pub waiting: u64,
    /// They are being answered.
    pub running: u64,
    /// They have a result.
    pub done: u64,
    /// They have come to nothing.
    pub failed: u64,
    /// Their owners have ended them.
    pub cancelled: u64,
    /// Messages that programs have taken.
    pub told: u64,
    /// Messages that are still to be told.
    pub outbox: u64,
    /// Messages that were given up.
    pub given_up: u64,
}

/// One setting in force.
#[derive(Clone, Debug, PartialEq, Eq)]
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
#[derive(Clone, Debug, PartialEq, Eq)]
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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
#[derive(Clone, Debug, PartialEq, Eq)]
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
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadEdit {
    /// When it was read, in milliseconds since the Unix epoch.
    pub at: u64,
    /// What is wrong, in lines.
    pub message: String,
}

/// The whole stats tab.
#[derive(Clone, Debug, PartialEq)]
pub struct StatsView {
    /// A row a limit, and below it a row for each of its lines if they are several.
    pub limits: Vec<LimitRow>,
    /// A row a back end, in the order of the settings.
    pub backends: Vec<BackendRow>,
    /// A row a model that is offered or has answered.
    pub models: Vec<ModelRow>,
    /// A row a node, the one that tells this first; none where it keeps its line alone.
    pub nodes: Vec<NodeRow>,
    /// A row a server of tools: for the operator alone.
    pub tools: Vec<ToolServerRow>,
    /// Tasks; `None`: there have been none.
    pub tasks: Option<TaskRow>,
    /// How many keys of programs let somebody in: for the operator alone, who is led to them.
    pub keys: Option<u64>,
    /// Sessions in memory.
    pub sessions: u64,
    /// Browsers connected to a feed now.
    pub connected: u64,
    /// Memory of this process, in bytes; `None` where the system does not tell.
    pub memory: Option<u64>,
    /// Answers that readers have called good since the start.
    pub good: u64,
    /// Those that they have called bad.
    pub bad: u64,
    /// How long this server has run, in seconds.
    pub uptime: f64,
    /// The model that answers.
    pub model: String,
    /// Anteroom's version.
    pub version: String,
    /// The settings in force.
    pub settings: Vec<SettingRow>,
    /// What this node's settings have otherwise than what is in force on all nodes: variables, names of back ends and models. For the operator
    /// alone.
    pub settings_differ: Vec<String>,
    /// When they last changed, in milliseconds since the Unix epoch; `None`: not since the start.
    pub settings_changed_at: Option<u64>,
    /// The last edit, if it was a bad one: it changed nothing, and stands here until it is mended.
    pub bad_edit: Option<BadEdit>,
}
