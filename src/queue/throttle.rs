//! What a back end may have for now, and why: as processes that keep one queue tell each other.

use serde::{Deserialize, Serialize};

/// How many tickets a back end may have for now, whatever its limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Throttle {
    /// As many as its limit says.
    #[default]
    Free,
    /// So many: that is what it takes at once, as has been found out.
    Found(usize),
    /// None: it is out of service.
    Out(Outage),
    /// So many: one beside those that it has from before, to see whether it works again. Processes that keep one queue count that by the
    /// queue itself.
    Probe(usize),
    /// None, while that one is on its way.
    Probing,
}

/// Why a back end is out of service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outage {
    /// Nobody is there.
    Away,
    /// It does not do what it should.
    Failing,
    /// It has asked for a pause: it gets too many requests.
    RateLimited,
    /// It has too much to do for now.
    Overloaded,
}

impl Outage {
    /// Its name, as pages have it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Away => "away",
            Self::Failing => "failing",
            Self::RateLimited => "rate_limited",
            Self::Overloaded => "overloaded",
        }
    }

    /// Whether it only cools: that is no fault, and it is over with its time.
    #[must_use]
    pub const fn cools(self) -> bool {
        matches!(self, Self::RateLimited | Self::Overloaded)
    }
}

impl Throttle {
    /// The number alone; `None`: as many as its limit says.
    #[must_use]
    pub const fn cap(self) -> Option<usize> {
        match self {
            Self::Free => None,
            Self::Found(most) | Self::Probe(most) => Some(most),
            Self::Out(_) | Self::Probing => Some(0),
        }
    }
}

/// What is in force of a back end in a queue that several processes keep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InForce {
    /// What it may have.
    pub throttle: Throttle,
    /// Whose word that is.
    pub by: Teller,
    /// The change of the queue that has put it in force. Whoever says something else names it: of two that do so at once, only the first is heard.
    pub set: u64,
}

/// Who has said what a back end may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Teller {
    /// This process.
    This,
    /// Another one.
    Other,
    /// The line, which has given this process the ticket that tries the back end.
    Line,
    /// Nobody that is still there.
    Nobody,
}
