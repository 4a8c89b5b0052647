//! How the servers are, for operators.

use std::time::Duration;

use super::error::Trouble;

/// How a server is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerView {
    /// Its name.
    pub name: String,
    /// `stdio` or `http`.
    pub transport: &'static str,
    /// Whether it is connected.
    pub state: ServerState,
    /// How many tools it has; `None`: it has not been asked yet.
    pub tools: Option<usize>,
    /// Calls that are running.
    pub running: usize,
}

/// Whether a server is connected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ServerState {
    /// It is not, and nobody needs it.
    Idle,
    /// It is about to be.
    Connecting,
    /// It is.
    Connected,
    /// It has failed.
    OutOfService {
        /// How.
        trouble: Trouble,
        /// When it first failed, in milliseconds since 1970.
        since: u64,
        /// When whoever needs it tries it again.
        again_in: Duration,
    },
}
