//! What is done to both.

use super::*;

/// One thing that somebody does.
#[derive(Clone, Debug)]
pub(in crate::queue::tests) enum Step {
    /// `earlier`: milliseconds by which it comes back later than it first joined.
    Join {
        event: usize,
        pool: Option<u32>,
        prefers: Option<u32>,
        owner: u128,
        earlier: i64,
    },
    /// The ticket asks whether it has been admitted.
    Ask(Index),
    /// The ticket is dropped, wherever it is.
    Drop(Index),
    /// Somebody takes it out of its line.
    Leave(Index, LeaveReason),
    Release(Index, Ending),
    /// The back end of a running ticket has failed.
    StartBack(Index),
    /// A running ticket gives its slot back for a while.
    Park(Index),
    /// A running ticket gives its slot back until it may go on from where it stood.
    Pause(Index),
    /// A waiting one leaves its line for a while, or gives back the slot that it has not taken.
    SetAside(Index),
    /// A parked one comes back, or one that is not parked is told to.
    Resume(Index),
    /// The ticket goes to another pool's line.
    ChangePool(Index, u32),
    /// A back end may have so many for now.
    Throttle(u32, Option<usize>),
    /// One more than it has, to see whether it works again.
    Probe(u32),
    /// One more than it may have for now, or one fewer, but at least one: a limit that moves by itself.
    Drift(u32, Drift),
    /// The operator does something about one back end.
    Edit(Edit),
    /// Milliseconds.
    Advance(u64),
    Retune(Box<Policy>),
    /// Somebody reads an estimate.
    Read(Index),
    Close,
}

/// Which way a limit moves.
#[derive(Clone, Copy, Debug)]
pub(in crate::queue::tests) enum Drift {
    Up,
    Down,
}

/// What an operator does about one back end, of those that there are by then.
#[derive(Clone, Copy, Debug)]
pub(in crate::queue::tests) enum Edit {
    /// A pool gets it, with this limit.
    Come {
        pool: u32,
        backend: u32,
        limit: Option<usize>,
    },
    /// A pool gets one that there has never been.
    New { pool: u32, limit: Option<usize> },
    /// It gets no more tickets.
    Drain(u32),
    /// A pool has it no more.
    Go { pool: u32, backend: u32 },
}

impl Edit {
    /// The policy with it. `None`: it changes nothing, or there are as many as may be.
    pub(super) fn of(self, mut policy: Policy) -> Option<Policy> {
        let before = policy.clone();
        let known = policy.backends.len() as u32;
        match self {
            Self::Come { pool, backend, limit } => {
                let backend = BackendIndex(backend % known);
                policy.backends[backend.0 as usize].limit = limit;
                let backends = &mut policy.pools[pool as usize].backends;
                if !backends.contains(&backend) {
                    backends.push(backend);
                }
            }
            Self::New { pool, limit } if known < MOST_BACKENDS => {
                policy.backends.push(BackendPolicy {
                    name: format!("backend {known}"),
                    limit,
                    weight: 1,
                });
                policy.pools[pool as usize].backends.push(BackendIndex(known));
            }
            Self::New { .. } => {}
            Self::Drain(backend) => policy.backends[(backend % known) as usize].limit = Some(0),
            Self::Go { pool, backend } => {
                let gone = BackendIndex(backend % known);
                policy.pools[pool as usize].backends.retain(|backend| *backend != gone);
            }
        }
        (policy != before).then_some(policy)
    }
}

/// How a permit comes back.
#[derive(Clone, Copy, Debug)]
pub(in crate::queue::tests) enum Ending {
    Word(Outcome),
    Dropped,
    Panic,
}
