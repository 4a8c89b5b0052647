//! Turns of another node, or of an earlier start: taken up where their session is at home now.

use std::{collections::HashMap, time::Duration};

use futures_util::future::join_all;
use tokio::time::sleep;
use tracing::{error, info, warn};

use super::{Conversations, resume::MAX_ATTEMPTS};
use crate::{
    clock::now_ms,
    jobs,
    queue::{
        Owner, Stray,
        machine::{Restored, Time},
    },
    sessions::Sessions,
    settings::ModelName,
    store::{StoreError, Unfinished},
    wire::TurnState,
};

/// Between two tries to read what has to be taken up.
const AGAIN: Duration = Duration::from_millis(500);

/// How often a turn is tried to be claimed that is to go on here, and the pause between two tries.
const CLAIMS: u32 = 100;
const BETWEEN_CLAIMS: Duration = Duration::from_millis(50);

/// Turns that are not over, and may not be in the line.
pub(crate) struct Missing {
    turns: Vec<Unfinished>,
}

impl Conversations {
    /// Takes up what strays are for. One whose turn is over, or has never been accepted, leaves the line.
    ///
    /// `among_others`: some that held them may still be at work, and about to store what they took in.
    pub(crate) async fn take_up_strays(&self, sessions: &Sessions, strays: Vec<Stray>, among_others: bool) {
        let mut open: HashMap<u128, Stray> = strays.into_iter().map(|stray| (stray.job, stray)).collect();
        // A turn that a node was about to store when it began to leave is there a moment later.
        for last in [!among_others, true] {
            let mut unfinished = self.unfinished_turns().await;
            unfinished.retain(|one| open.contains_key(&one.turn.turn.id.0.as_u128()));
            self.make_room_for(models_of(&unfinished));
            let count = unfinished.len();
            let known = unfinished.into_iter().filter_map(|one| {
                let stray = open.remove(&one.turn.turn.id.0.as_u128())?;
                Some(self.take_up_stray(sessions, stray, one))
            });
            // One that has to wait for something holds up no other.
            join_all(known.collect::<Vec<_>>()).await;
            if count > 0 {
                info!(turns = count, "turns are taken up here");
            }
            if last || open.is_empty() {
                break;
            }
            sleep(AGAIN).await;
        }
        for stray in open.into_values() {
            // Dropped, it leaves the line.
            drop(self.deps.queue.take_up(stray.ticket));
        }
    }

    async fn take_up_stray(&self, sessions: &Sessions, stray: Stray, unfinished: Unfinished) {
        let Some(ticket) = self.deps.queue.take_up(stray.ticket) else {
            return;
        };
        if unfinished.turn.turn.owner != stray.owner {
            return;
        }
        if unfinished.turn.turn.attempts >= MAX_ATTEMPTS {
            self.give_up(unfinished.turn).await;
            return;
        }
        // A task of before may still be ending here, or somebody be asking whether the turn has been accepted.
        for _ in 0..CLAIMS {
            if let Some(claimed) = self.claim_for(sessions, &unfinished) {
                // What has ended here meanwhile is over.
                if self.is_over(&unfinished).await {
                    return;
                }
                self.take_up_claimed(claimed, unfinished, ticket);
                return;
            }
            sleep(BETWEEN_CLAIMS).await;
        }
        error!(turn = %unfinished.turn.turn.id, "a turn was not taken up: its conversation has another");
    }

    /// Whether a turn has ended since it was read. One that cannot be read has not, as far as is known.
    async fn is_over(&self, unfinished: &Unfinished) -> bool {
        let turn = &unfinished.turn.turn;
        let known = self.deps.store.turn(turn.owner, turn.id).await;
        known.is_ok_and(|known| known.is_none_or(|known| known.turn.state.is_over()))
    }

    /// All turns that are not over, as soon as the store says which.
    async fn unfinished_turns(&self) -> Vec<Unfinished> {
        loop {
            match self.deps.store.unfinished().await {
                Ok(unfinished) => return unfinished,
                Err(StoreError::Closed) => return Vec::new(),
                Err(error) => {
                    warn!(%error, "turns that are to be taken up cannot be read yet");
                    sleep(AGAIN).await;
                }
            }
        }
    }

    /// Turns that are not over and that nobody has on this node, for which `is_wanted` says that they are to be in the line: a site that has
    /// been moved here has some, and one whose outcome could not be stored before its node ended.
    ///
    /// # Errors
    /// [`StoreError`].
    pub(crate) async fn missing(&self, is_wanted: impl Fn(Owner) -> bool) -> Result<Missing, StoreError> {
        let mut turns = self.deps.store.unfinished().await?;
        turns.retain(|one| {
            let turn = &one.turn.turn;
            is_wanted(turn.owner) && self.in_flight.find(turn.owner, turn.id).is_none()
        });
        Ok(Missing { turns })
    }

    /// What the line has to be told of missing turns to have them. `now` is its time.
    pub(crate) fn restored(&self, missing: Missing, now: Time) -> Vec<(u128, Restored)> {
        self.make_room_for(models_of(&missing.turns));
        let wall = now_ms();
        let restored = missing.turns.into_iter().map(|one| {
            let turn = &one.turn.turn;
            let waited = Duration::from_millis(wall.saturating_sub(turn.accepted_at));
            let ticket = Restored {
                work: jobs::work(self.deps.agents.pool(&turn.model), None),
                owner: turn.owner,
                joined: now.saturating_sub(waited),
                key: one.key,
                ran: turn.state == TurnState::Running,
                parked: turn.has_open_steps(),
            };
            (turn.id.0.as_u128(), ticket)
        });
        restored.collect()
    }
}

impl Missing {
    /// Which.
    pub(crate) fn jobs(&self) -> impl Iterator<Item = (Owner, u128)> + '_ {
        let turns = self.turns.iter().map(|one| &one.turn.turn);
        turns.map(|turn| (turn.owner, turn.id.0.as_u128()))
    }

    /// Leaves those out that are not so.
    pub(crate) fn retain(&mut self, is: impl Fn(u128) -> bool) {
        self.turns.retain(|one| is(one.turn.turn.id.0.as_u128()));
    }

    /// How many.
    pub(crate) fn len(&self) -> usize {
        self.turns.len()
    }
}

fn models_of(unfinished: &[Unfinished]) -> Vec<ModelName> {
    let models = unfinished.iter().map(|one| ModelName::of_id(&one.turn.turn.model));
    models.flatten().collect()
}
