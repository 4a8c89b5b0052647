//! What goes wrong with tools.

use thiserror::Error;

/// Most characters that are kept of what a server says of an error.
const LONGEST: usize = 1000;

/// Why a call has no result.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ToolError {
    /// There is no such tool, or no such server, any more.
    #[error("there is no such tool")]
    NotThere,
    /// It is another one than the one that was offered: its description or its arguments have changed.
    #[error("the tool has changed since it was offered")]
    Changed,
    /// Its server is out of service.
    #[error("its server is out of service: {0}")]
    Unreachable(Trouble),
    /// Its server, or the connection to it, ended during the call.
    #[error("its server ended during the call")]
    Died,
    /// It took longer than it may.
    #[error("it took longer than {seconds} s")]
    TimedOut {
        /// How long it may take.
        seconds: u64,
    },
    /// What it returned is larger than a message may be.
    #[error("it returned more than {bytes} bytes")]
    TooLarge {
        /// Most bytes of a message.
        bytes: usize,
    },
    /// The server does not take these arguments; its words.
    #[error("the server does not take these arguments: {0}")]
    BadArguments(String),
    /// The server refused the call; its words.
    #[error("the server refused: {0}")]
    Refused(String),
    /// Its server does not take the key that it was called with.
    #[error("the server does not take the key that it was called with")]
    Unauthorized,
    /// It can only go on after a question to a person, or to a model, which is not done for servers here.
    #[error("the server wants to ask somebody first")]
    WantsInput,
    /// The server does not keep to the protocol.
    #[error("the server does not keep to the protocol: {0}")]
    Protocol(String),
}

impl ToolError {
    /// A name for it, for metrics and for pages.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotThere => "not_there",
            Self::Changed => "changed",
            Self::Unreachable(_) => "unreachable",
            Self::Died => "died",
            Self::TimedOut { .. } => "timed_out",
            Self::TooLarge { .. } => "too_large",
            Self::BadArguments(_) => "bad_arguments",
            Self::Refused(_) => "refused",
            Self::Unauthorized => "unauthorized",
            Self::WantsInput => "wants_input",
            Self::Protocol(_) => "protocol",
        }
    }
}

/// Why a server is out of service.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Trouble {
    /// Its program cannot be started.
    #[error("its program cannot be started")]
    CannotStart,
    /// Its program has ended, or its connection.
    #[error("it has ended{}", code.map(|code| format!(" with {code}")).unwrap_or_default())]
    Ended {
        /// What the program returned, where there is one and it was not ended by a signal.
        code: Option<i32>,
    },
    /// It was not ready in time.
    #[error("it was not ready within {seconds} s")]
    TooSlow {
        /// How long it may take.
        seconds: u64,
    },
    /// Nothing answers at its address.
    #[error("nothing answers at its address")]
    NoAnswer,
    /// It wants to know who asks: a key is missing, or is not taken.
    #[error("it wants another key, or one at all")]
    Unauthorized,
    /// It wants something of each person's own, and this one has given nothing.
    #[error("it wants a key of each person's own")]
    Wanted,
    /// The same; what this one has given cannot be read any more.
    #[error("it wants a key of each person's own, and the one that was given cannot be read any more")]
    Unreadable,
    /// As many connections of people's own as there may be are in use.
    #[error("as many people as may be are using connections of their own")]
    Full,
    /// It leads to another server.
    #[error("it leads to another address, which is not followed")]
    Redirected,
    /// It answers with an error; its words.
    #[error("it refused: {0}")]
    Refused(String),
    /// It does not speak the protocol, or not a version of it that is spoken here.
    #[error("it does not keep to the protocol: {0}")]
    Protocol(String),
    /// Anteroom ends.
    #[error("Anteroom ends")]
    Closing,
}

impl Trouble {
    /// A name for it, for pages.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::CannotStart => "cannot_start",
            Self::Ended { .. } => "ended",
            Self::TooSlow { .. } => "too_slow",
            Self::NoAnswer => "no_answer",
            Self::Unauthorized => "unauthorized",
            Self::Wanted => "wanted",
            Self::Unreadable => "unreadable",
            Self::Full => "full",
            Self::Redirected => "redirected",
            Self::Refused(_) => "refused",
            Self::Protocol(_) => "protocol",
            Self::Closing => "closing",
        }
    }
}

/// What a server said, on one line of bounded length.
pub(super) fn said(text: &str) -> String {
    let plain = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    let mut short: String = plain.take(LONGEST).collect();
    if text.chars().nth(LONGEST).is_some() {
        short.push('…');
    }
    short
}
