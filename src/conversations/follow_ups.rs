//! Messages that stand behind another one of their conversation: set there, changed, withdrawn, held, let go again.
//!
//! They are not in the line: a conversation has one turn in it at a time. Once the one before is answered, the first of them joins, under the
//! same id, as any message of its owner; where the one before came to nothing, they are held until their owner says what is to become of them. What
//! lets them go, and tells the pages, is in `going_on`.

use std::sync::Arc;

use super::{Conversations, SendError, in_flight::Acceptance, prepare::check, send::Entry};
use crate::{
    clock::now_ms,
    queue::Owner,
    sessions::Session,
    store::{Added, StoreError},
    wire::{ConversationId, FollowUp, MAX_FOLLOW_UPS, MAX_MESSAGE_BYTES, SendRequest, Sent, TurnId, is_blank},
};

impl Conversations {
    /// Accepts a message as [`Conversations::send`] does; where one of its conversation is on its way or stands before it, it is kept behind
    /// that one.
    ///
    /// Cancel-safe: dropped before it returns, the message is either accepted whole or not at all.
    ///
    /// # Errors
    /// [`SendError`]; nothing has changed then.
    pub async fn send_behind(
        &self,
        owner: Owner,
        session: &Arc<Session>,
        request: SendRequest,
    ) -> Result<Sent, SendError> {
        let Some(conversation) = request.conversation.filter(|_| request.instead_of.is_none()) else {
            return self.send(owner, session, request).await;
        };
        let behind = |turn| Sent {
            turn,
            conversation,
            place: None,
            behind: true,
        };
        let waiting = self.deps.store.follow_ups(owner, conversation).await?;
        if waiting.iter().any(|one| one.id == request.turn) {
            return Ok(behind(request.turn));
        }
        // Those that are held wait for their owner, not for this conversation.
        if waiting.iter().all(|one| one.held.is_some()) {
            match self.send(owner, session, request.clone()).await {
                Err(SendError::ConversationBusy) => {}
                sent => return sent,
            }
        }
        session.presence().touch();
        // Listed while it is stored, so that nobody else takes it in or begins it meanwhile.
        let entered = match self.enter(owner, request.turn).await? {
            Entry::New(entered) => entered,
            Entry::Known(sent) => return Ok(sent),
        };
        let turn = request.turn;
        match self.set_behind(owner, conversation, request).await {
            Ok(()) => {
                drop(entered);
                self.go_on(session, owner, conversation, super::going_on::Why::Changed);
                Ok(behind(turn))
            }
            Err(refusal) => Err(entered.refuse(refusal)),
        }
    }

    async fn set_behind(
        &self,
        owner: Owner,
        conversation: ConversationId,
        request: SendRequest,
    ) -> Result<(), SendError> {
        check(&request)?;
        let files = self.files(owner, &request.files).await?;
        let follow_up = FollowUp {
            id: request.turn,
            message: request.text,
            files,
            at: now_ms(),
            held: None,
        };
        let store = &self.deps.store;
        let added = store.add_follow_up(owner, conversation, follow_up, MAX_FOLLOW_UPS);
        match added.await? {
            Added::Kept => Ok(()),
            Added::TooMany => Err(SendError::TooManyBehind),
            Added::NoConversation => Err(SendError::UnknownConversation),
        }
    }

    /// Puts a message in other words that has not begun: one that stands behind another, or one that waits in the line, which keeps its place.
    ///
    /// # Errors
    /// [`SendError`]: [`SendError::Begun`] where it does not wait any more. Nothing has changed then.
    pub async fn reword(&self, owner: Owner, session: &Arc<Session>, id: TurnId, text: &str) -> Result<(), SendError> {
        session.presence().touch();
        if is_blank(text) {
            return Err(SendError::Empty);
        }
        if text.len() > MAX_MESSAGE_BYTES {
            return Err(SendError::TooLong(text.len()));
        }
        let store = &self.deps.store;
        loop {
            let live = match self.in_flight.enter(owner, id) {
                Ok(entered) => {
                    // Listed until it is stored: it cannot begin in the words of before meanwhile.
                    let reworded = store.reword_follow_up(owner, id, text).await;
                    drop(entered);
                    let conversation = reworded?.ok_or(SendError::Begun)?;
                    self.go_on(session, owner, conversation, super::going_on::Why::Changed);
                    return Ok(());
                }
                Err(live) => live,
            };
            if let Acceptance::Accepted { turn, .. } = live.decided().await {
                let waits = || {
                    let ticket = live.ticket.get().filter(|_| live.steps.len() == 0);
                    ticket.is_some_and(|ticket| self.deps.queue.order_key(*ticket).is_some())
                };
                // Stored first. Should it begin in this moment, what it begins with is stored once more.
                if !waits() || !store.reword(owner, turn, text).await? || !live.reword(text, waits) {
                    return Err(SendError::Begun);
                }
                return Ok(());
            }
        }
    }

    /// Takes a message out that stands behind another one. `false`: it does not stand there any more.
    ///
    /// # Errors
    /// [`StoreError`]; nothing has changed then.
    pub async fn withdraw(&self, owner: Owner, session: &Arc<Session>, id: TurnId) -> Result<bool, StoreError> {
        session.presence().touch();
        loop {
            match self.in_flight.enter(owner, id) {
                Ok(entered) => {
                    let withdrawn = self.deps.store.withdraw_follow_up(owner, id).await;
                    drop(entered);
                    let conversation = withdrawn?;
                    if let Some(conversation) = conversation {
                        self.go_on(session, owner, conversation, super::going_on::Why::Changed);
                    }
                    return Ok(conversation.is_some());
                }
                Err(live) => {
                    if matches!(live.decided().await, Acceptance::Accepted { .. }) {
                        return Ok(false);
                    }
                }
            }
        }
    }

    /// Lets the messages go that are held in a conversation, one after the other, whatever came of the one before the first.
    ///
    /// # Errors
    /// [`StoreError`]; nothing has changed then.
    pub async fn release(
        &self,
        owner: Owner,
        session: &Arc<Session>,
        conversation: ConversationId,
    ) -> Result<(), StoreError> {
        session.presence().touch();
        self.deps.store.hold_follow_ups(owner, conversation, None).await?;
        self.go_on(session, owner, conversation, super::going_on::Why::Released);
        Ok(())
    }
}
