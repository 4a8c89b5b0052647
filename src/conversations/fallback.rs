//! A regenerated answer that was cancelled before it began leaves nothing to be read: what it was to replace is shown again.

use tracing::warn;

use super::{Conversations, TurnTask};
use crate::{
    store::{StoreError, TurnRecord},
    wire::{TurnId, TurnState},
};

impl Conversations {
    /// Shows the newest version of the same message that has an answer in place of a turn that its owner has taken out of the line.
    /// Returns what is shown last then, where that has changed. The conversation has to be claimed. A message that was put in other
    /// words stays: those words are its owner's, and new.
    pub(super) async fn show_answered(&self, task: &TurnTask) -> Option<TurnId> {
        let turn = &task.turn;
        let never_began = turn.state == TurnState::Cancelled && turn.started_at.is_none() && turn.answer.is_empty();
        if !never_began || task.session.is_removed(turn.conversation) {
            return None;
        }
        let shown = self.answered_version(turn, task.versions.earlier).await;
        shown.unwrap_or_else(|fault| {
            warn!(%fault, "the version before a cancelled one could not be shown");
            None
        })
    }

    async fn answered_version(
        &self,
        turn: &TurnRecord,
        mut earlier: Option<TurnId>,
    ) -> Result<Option<TurnId>, StoreError> {
        let store = &self.deps.store;
        while let Some(id) = earlier {
            let Some(mut step) = store.turn(turn.owner, id).await? else {
                return Ok(None);
            };
            self.pending.correct(&mut step.turn);
            let same_words = step.turn.message == turn.message && step.turn.files == turn.files;
            if same_words && !step.turn.answer.is_empty() {
                let head = store.newest_below(turn.owner, id).await?;
                let shown = store.show(turn.owner, turn.conversation, head).await?;
                return Ok(shown.then_some(head));
            }
            earlier = step.versions.earlier;
        }
        Ok(None)
    }
}
