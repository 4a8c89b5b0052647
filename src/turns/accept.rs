//! Taking a message in, up to the moment it is the server's.

use std::sync::Arc;

use tokio::sync::oneshot;
use tracing::{Instrument as _, info};

use super::{OnItsWay, SendError, Turns, live::Entered, title::title, turn_span};
use crate::{
    clock::now_ms,
    queue::Ticket,
    sessions::{Claim, Session},
    status,
    store::{ConversationRecord, StoreError, TurnRecord},
    wire::{
        ConversationId, Event, FileId, FileView, MAX_FILES_PER_MESSAGE, MAX_MESSAGE_BYTES, SendRequest, Sent, TurnId,
        TurnState, Versions,
    },
};

impl Turns {
    /// Accepts a message: stored, in the line, owned by the server once this has returned. Sending the same turn
    /// again returns where it is and changes nothing.
    ///
    /// Cancel-safe: dropped before it returns, the message is either accepted whole or not at all.
    ///
    /// # Errors
    /// [`SendError`]; nothing has changed then.
    pub async fn send(&self, session: &Arc<Session>, request: SendRequest) -> Result<Sent, SendError> {
        session.presence().touch();
        let store = &self.parts.store;
        // Entered before looking, so that of two that come at once only one finds nothing.
        let entered = self.live.enter(session.id(), request.turn);
        if let Some(known) = store.turn(session.id(), request.turn).await? {
            return Ok(self.sent(session, &known.turn));
        }
        let entered = entered.ok_or(SendError::ConversationBusy)?;
        check(&request)?;
        let files = self.files(session, &request.files).await?;
        let id = request.conversation.unwrap_or_else(ConversationId::new);
        // Claimed before looking, so that what is shown last stays so.
        let claim = session.claim(id).ok_or(SendError::ConversationBusy)?;
        let (title, parent) = match request.conversation {
            Some(id) => {
                let known = store.conversation(session.id(), id).await?;
                let known = known.ok_or(SendError::UnknownConversation)?;
                let parent = match request.instead_of {
                    Some(other) => self.turn_of(session, id, other).await?.parent,
                    None => Some(known.head),
                };
                (known.title, parent)
            }
            None => (title(&request.text, &files), None),
        };
        let turn = self.new_turn(session, request.turn, id, parent, request.text, files);
        self.enqueue(session, title, turn, claim, entered).await
    }

    /// Answers a turn that is over once more. One that has an answer, or is followed by others, keeps what it has: the new
    /// answer belongs to another version of it, the turn `new`. One that came to nothing is answered in place.
    ///
    /// # Errors
    /// [`SendError`]; nothing has changed then.
    pub async fn again(&self, session: &Arc<Session>, id: TurnId, new: TurnId) -> Result<Sent, SendError> {
        session.presence().touch();
        let store = &self.parts.store;
        let entered = self.live.enter(session.id(), new);
        if let Some(known) = store.turn(session.id(), new).await? {
            return Ok(self.sent(session, &known.turn));
        }
        let entered = entered.ok_or(SendError::ConversationBusy)?;
        let known = store.turn(session.id(), id).await?.ok_or(SendError::UnknownTurn)?.turn;
        let claim = session.claim(known.conversation).ok_or(SendError::ConversationBusy)?;
        let conversation = store.conversation(session.id(), known.conversation).await?;
        let conversation = conversation.ok_or(SendError::UnknownConversation)?;
        let (id, entered) = if known.answer.is_empty() && conversation.head == id {
            let entered = self.live.enter(session.id(), id).ok_or(SendError::ConversationBusy)?;
            (id, entered)
        } else {
            (new, entered)
        };
        let TurnRecord {
            conversation: its,
            parent,
            message,
            files,
            ..
        } = known;
        let turn = self.new_turn(session, id, its, parent, message, files);
        self.enqueue(session, conversation.title, turn, claim, entered).await
    }

    fn new_turn(
        &self,
        session: &Session,
        id: TurnId,
        conversation: ConversationId,
        parent: Option<TurnId>,
        message: String,
        files: Vec<FileView>,
    ) -> TurnRecord {
        TurnRecord {
            id,
            session: session.id(),
            conversation,
            parent,
            message,
            files,
            state: TurnState::Waiting,
            answer: String::new(),
            model: self.parts.agents.model(),
            usage: None,
            accepted_at: now_ms(),
            started_at: None,
            ended_at: None,
            attempts: 0,
        }
    }

    /// A turn of this conversation.
    async fn turn_of(
        &self,
        session: &Session,
        conversation: ConversationId,
        id: TurnId,
    ) -> Result<TurnRecord, SendError> {
        let known = self.parts.store.turn(session.id(), id).await?;
        let known = known.filter(|step| step.turn.conversation == conversation);
        Ok(known.ok_or(SendError::UnknownTurn)?.turn)
    }

    /// Joins the line, stores the turn and hands it to a task of its own.
    async fn enqueue(
        &self,
        session: &Arc<Session>,
        title: String,
        turn: TurnRecord,
        claim: Claim,
        entered: Entered,
    ) -> Result<Sent, SendError> {
        let conversation = ConversationRecord {
            id: turn.conversation,
            session: turn.session,
            title,
            updated_at: turn.accepted_at,
            head: turn.id,
        };
        // Joining comes first: a line that is full must leave no trace in the store. Should the store fail, the ticket
        // is dropped and leaves the line. Nothing is awaited between the two, so a shutdown sees both or neither.
        let ticket = self
            .parts
            .queue
            .join(
                status::index(Event::Chat),
                session.id().owner(),
                tokio::time::Instant::now(),
            )
            .map_err(SendError::Refused)?;
        // Nobody else sets it: the turn was entered by this call.
        let _ = entered.live.ticket.set(ticket.id());
        let registered = session.register(ticket.id(), Event::Chat, Some(turn.id));
        let span = turn_span(&turn);
        let (turns, session) = (self.clone(), Arc::clone(session));
        let (reply, answer) = oneshot::channel();
        let work = async move {
            let versions = match turns.store(&conversation, &turn, &ticket).await {
                Ok(versions) => versions,
                Err(fault) => {
                    // Whoever has gone meanwhile does not hear of it; the message was not accepted.
                    let _ = reply.send(Err(fault.into()));
                    return;
                }
            };
            info!(bytes = turn.message.len(), files = turn.files.len(), "turn accepted");
            let sent = turns.sent(&session, &turn);
            let mut way = OnItsWay {
                session,
                conversation,
                turn,
                versions,
            };
            turns.announce(&mut way, Vec::new()).await;
            let _ = reply.send(Ok(sent));
            turns.run(way, ticket, (claim, entered, registered)).await;
        };
        // From here on the turn's own task goes on, whether or not anybody waits for the reply.
        self.tasks.spawn(work.instrument(span));
        answer
            .await
            .unwrap_or_else(|_| Err(StoreError::Other("the turn's task ended early".into()).into()))
    }

    /// Stores a turn with its place in the order; returns where it stands among its versions.
    async fn store(
        &self,
        conversation: &ConversationRecord,
        turn: &TurnRecord,
        ticket: &Ticket,
    ) -> Result<Versions, StoreError> {
        let store = &self.parts.store;
        let key = self.parts.queue.order_key(ticket.id());
        store.accept(conversation.clone(), turn.clone(), key).await?;
        // A ticket of the same session that left meanwhile has moved this one up.
        let moved = self.parts.queue.order_key(ticket.id());
        if let Some(moved) = moved.filter(|moved| Some(*moved) != key) {
            store.reorder(vec![(turn.session, turn.id, moved)]).await?;
        }
        let step = store.turn(turn.session, turn.id).await?;
        Ok(step.map(|step| step.versions).unwrap_or_default())
    }

    /// Where a turn that was accepted is now.
    fn sent(&self, session: &Session, turn: &TurnRecord) -> Sent {
        let ticket = self
            .live
            .find(session.id(), turn.id)
            .and_then(|live| live.ticket.get().copied());
        let place = ticket.and_then(|ticket| status::place(&self.parts.queue, ticket, Event::Chat, Some(turn.id)));
        Sent {
            turn: turn.id,
            conversation: turn.conversation,
            place,
        }
    }

    async fn files(&self, session: &Session, ids: &[FileId]) -> Result<Vec<FileView>, SendError> {
        let mut files = Vec::with_capacity(ids.len());
        for &id in ids {
            files.push(
                self.parts
                    .store
                    .file(session.id(), id)
                    .await?
                    .ok_or(SendError::UnknownFile)?,
            );
        }
        Ok(files)
    }
}

fn check(request: &SendRequest) -> Result<(), SendError> {
    if request.text.trim().is_empty() && request.files.is_empty() {
        return Err(SendError::Empty);
    }
    if request.text.len() > MAX_MESSAGE_BYTES {
        return Err(SendError::TooLong(request.text.len()));
    }
    if request.files.len() > MAX_FILES_PER_MESSAGE {
        return Err(SendError::TooManyFiles(request.files.len()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blank_and_huge_messages_are_refused() {
        let request = |text: &str| SendRequest {
            turn: TurnId::new(),
            conversation: None,
            instead_of: None,
            text: text.into(),
            files: Vec::new(),
        };
        assert!(matches!(check(&request(" \n\t\u{a0}")), Err(SendError::Empty)));
        assert!(matches!(
            check(&request(&"x".repeat(1 << 20))),
            Err(SendError::TooLong(1_048_576))
        ));
        assert!(check(&request(&"x".repeat(MAX_MESSAGE_BYTES))).is_ok());
    }
}
