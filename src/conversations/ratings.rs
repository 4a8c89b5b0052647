//! What readers think of answers: kept with each, and counted for the operator.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use super::Conversations;
use crate::{
    queue::Owner,
    sessions::Session,
    store::StoreError,
    wire::{FeedEvent, TurnId},
};

/// How many answers were called good, and how many were not, since the start. What is taken back stays counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Ratings {
    pub good: u64,
    pub bad: u64,
}

/// The same, counted by everybody.
#[derive(Debug, Default)]
pub(super) struct Counted {
    good: AtomicU64,
    bad: AtomicU64,
}

impl Conversations {
    /// Keeps what a reader thinks of an answer; `None`: nothing any more. `false`: there is no such turn of this owner, or it is not over.
    ///
    /// # Errors
    /// [`StoreError`]; nothing has changed then.
    pub async fn rate(
        &self,
        owner: Owner,
        session: &Arc<Session>,
        id: TurnId,
        good: Option<bool>,
    ) -> Result<bool, StoreError> {
        let Some(mut turn) = self.turn(owner, id).await?.filter(|turn| turn.state.is_over()) else {
            return Ok(false);
        };
        if turn.good == good {
            return Ok(true);
        }
        self.deps.store.rate(owner, id, good).await?;
        match good {
            Some(true) => self.ratings.good.fetch_add(1, Ordering::Relaxed),
            Some(false) => self.ratings.bad.fetch_add(1, Ordering::Relaxed),
            None => 0,
        };
        turn.good = good;
        session.journal().append(FeedEvent::Turn(Box::new(turn)));
        Ok(true)
    }

    /// How many answers were called what since the start.
    #[must_use]
    pub(crate) fn ratings(&self) -> Ratings {
        Ratings {
            good: self.ratings.good.load(Ordering::Relaxed),
            bad: self.ratings.bad.load(Ordering::Relaxed),
        }
    }
}
