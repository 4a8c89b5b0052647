//! What the logs tab shows, for whoever draws it: pages are sent what was drawn.

/// How grave a record is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Every detail.
    Trace,
    /// For finding faults.
    Debug,
    /// What happens in the ordinary way.
    Info,
    /// Something is off, and was dealt with.
    Warn,
    /// Something went wrong.
    Error,
}

/// One record.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct LogRecord {
    /// Grows; tells one record from another.
    pub number: u64,
    /// When, in milliseconds since the Unix epoch.
    pub at: u64,
    /// How grave.
    pub level: Level,
    /// The module that wrote it.
    pub target: String,
    /// What happened.
    pub message: String,
    /// Its fields, `name=value`.
    pub fields: Vec<(String, String)>,
}

/// What became of a message, for whoever sent it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Told {
    /// That of the record which says it.
    pub number: u64,
    /// When it was over, in milliseconds since the Unix epoch.
    pub at: u64,
    /// How it ended: the name of a case of the message that speaks of it.
    pub what: String,
    /// How long it waited for its slot, in milliseconds.
    pub waited: u64,
    /// How long it was being answered, in milliseconds.
    pub took: u64,
    /// Characters of its answer.
    pub characters: u64,
}

/// The whole logs tab: this session's own records and those of the server's start.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct LogsView {
    /// What the session's records say of its messages, oldest first.
    pub told: Vec<Told>,
    /// This session's records, oldest first.
    pub session: Vec<LogRecord>,
    /// The records of the server's start, oldest first.
    pub startup: Vec<LogRecord>,
    /// How many of this session's records had to make room for newer ones.
    pub dropped: u64,
}
