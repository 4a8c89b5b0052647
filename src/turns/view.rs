//! Turns and conversations, as their owner's browser shows them.

use super::Turns;
use crate::{
    markdown,
    sessions::{Session, SessionId},
    store::{ConversationRecord, StoreError, TurnRecord},
    wire::{ConversationId, ConversationSummary, ConversationView, FeedEvent, FeedPosition, TurnView},
};

impl Turns {
    /// Tells every open page of the session how a turn and its conversation are now.
    pub(super) fn announce(
        &self,
        session: &Session,
        conversation: &ConversationRecord,
        turn: &TurnRecord,
        blocks: Vec<String>,
    ) {
        let journal = session.journal();
        journal.append(FeedEvent::Turn(Box::new(view(turn.clone(), blocks))));
        let busy = session.is_conversation_busy(conversation.id);
        journal.append(FeedEvent::Conversation(summary(conversation, busy)));
    }

    /// A session's conversations, the last used first. `session` is the one in memory, if it is.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn conversations(
        &self,
        id: SessionId,
        session: Option<&Session>,
    ) -> Result<Vec<ConversationSummary>, StoreError> {
        let records = self.parts.store.conversations(id).await?;
        let busy = |id| session.is_some_and(|session| session.is_conversation_busy(id));
        Ok(records.iter().map(|record| summary(record, busy(record.id))).collect())
    }

    /// One conversation of a session with all its turns; `None` where it has none of this id.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn conversation(
        &self,
        id: SessionId,
        session: Option<&Session>,
        conversation: ConversationId,
        feed: FeedPosition,
    ) -> Result<Option<ConversationView>, StoreError> {
        let Some(record) = self.parts.store.conversation(id, conversation).await? else {
            return Ok(None);
        };
        let turns = self.parts.store.turns(id, conversation).await?;
        let live: Vec<Option<Vec<String>>> = turns
            .iter()
            .map(|turn| {
                let live = (!turn.state.is_over()).then(|| self.live.find(id, turn.id))?;
                Some(live.map(|live| live.blocks().clone()).unwrap_or_default())
            })
            .collect();
        // Rendering a long conversation takes a while that the async threads must not wait.
        let rendered = tokio::task::spawn_blocking(move || {
            turns
                .into_iter()
                .zip(live)
                .map(|(turn, live)| {
                    let blocks = live.unwrap_or_else(|| markdown::render(&turn.answer));
                    view(turn, blocks)
                })
                .collect()
        });
        let turns = rendered.await.map_err(|error| StoreError(error.to_string()))?;
        let busy = session.is_some_and(|session| session.is_conversation_busy(conversation));
        Ok(Some(ConversationView {
            summary: summary(&record, busy),
            turns,
            feed,
        }))
    }
}

fn summary(record: &ConversationRecord, busy: bool) -> ConversationSummary {
    ConversationSummary {
        id: record.id,
        title: record.title.clone(),
        updated_at: record.updated_at,
        busy,
    }
}

fn view(turn: TurnRecord, blocks: Vec<String>) -> TurnView {
    TurnView {
        id: turn.id,
        conversation: turn.conversation,
        message: turn.message,
        files: turn.files,
        state: turn.state,
        answer: turn.answer,
        blocks,
        model: turn.model,
        usage: turn.usage,
        accepted_at: turn.accepted_at,
        started_at: turn.started_at,
        ended_at: turn.ended_at,
    }
}
