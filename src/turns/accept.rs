//! Taking a message in, up to the moment it is the server's.

use std::sync::Arc;

use tokio::sync::oneshot;
use tracing::{Instrument as _, info};

use super::{
    OnItsWay, SendError, Turns,
    live::{Entered, Live},
    run::Holds,
    title::title,
    turn_span,
};
use crate::{
    clock::now_ms,
    queue::{OrderKey, Ticket},
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
        // What is shown last has nothing after it yet.
        let versions = request.instead_of.is_none().then(Versions::default);
        self.enqueue(session, title, (turn, versions), claim, entered).await
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
        self.enqueue(session, conversation.title, (turn, None), claim, entered)
            .await
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

    /// Joins the line and hands the turn to a task of its own, which stores it. Its versions are looked up unless they are known.
    async fn enqueue(
        &self,
        session: &Arc<Session>,
        title: String,
        (turn, versions): (TurnRecord, Option<Versions>),
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
        let mut ticket = self
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
        let way = OnItsWay {
            session: Arc::clone(session),
            conversation,
            turn,
            versions: versions.unwrap_or_default(),
        };
        let (reply, answer) = oneshot::channel();
        let acceptance = Acceptance {
            reply,
            look_up: versions.is_none(),
        };
        let (turns, holds) = (self.clone(), (claim, entered, registered));
        // A store that has just failed is asked before the model: its answer would be for nothing.
        let permit = match self.parts.store.fault() {
            None => ticket.granted(),
            Some(_) => None,
        };
        // From here on the turn's own task goes on, whether or not anybody waits for the reply.
        match permit {
            Some(permit) => self
                .tasks
                .spawn(turns.run_at_once(way, permit, holds, acceptance).instrument(span)),
            None => self
                .tasks
                .spawn(turns.run_accepted(way, ticket, holds, acceptance).instrument(span)),
        };
        answer
            .await
            .unwrap_or_else(|_| Err(StoreError::Other("the turn's task ended early".into()).into()))
    }

    /// Accepts a turn that has to wait, and takes it through.
    async fn run_accepted(self, mut way: OnItsWay, ticket: Ticket, holds: Holds, acceptance: Acceptance) {
        let key = self.parts.queue.order_key(ticket.id());
        if self.accept(&mut way, key, &holds.1.live, acceptance).await.is_err() {
            ticket.withdraw();
            self.moved_up(&way.session).await;
            return;
        }
        // A ticket of the same session that left meanwhile has moved this one up.
        let moved = self.parts.queue.order_key(ticket.id());
        if let Some(moved) = moved.filter(|moved| Some(*moved) != key) {
            self.reorder(vec![(way.turn.session, way.turn.id, moved)]).await;
        }
        self.run(way, ticket, holds).await;
    }

    /// Stores a turn with its place in the order, then tells its sender and every page of the session, with the answer as far as it is.
    /// Returns where it stands among its versions.
    /// The message was not accepted if this fails, and the sender knows.
    pub(super) async fn accept(
        &self,
        way: &mut OnItsWay,
        key: Option<OrderKey>,
        live: &Live,
        acceptance: Acceptance,
    ) -> Result<Versions, NotAccepted> {
        match self.store(way, key, acceptance.look_up).await {
            Ok(versions) => way.versions = versions,
            Err(fault) => {
                // Whoever has gone meanwhile does not hear of it.
                let _ = acceptance.reply.send(Err(fault.into()));
                return Err(NotAccepted);
            }
        }
        info!(
            bytes = way.turn.message.len(),
            files = way.turn.files.len(),
            "turn accepted"
        );
        let sent = self.sent(&way.session, &way.turn);
        let blocks = live.blocks().clone();
        self.announce(way, blocks);
        let _ = acceptance.reply.send(Ok(sent));
        Ok(way.versions)
    }

    /// Stores a turn; returns where it stands among its versions.
    async fn store(&self, way: &OnItsWay, key: Option<OrderKey>, look_up: bool) -> Result<Versions, StoreError> {
        let (store, turn) = (&self.parts.store, &way.turn);
        store.accept(way.conversation.clone(), turn.clone(), key).await?;
        if !look_up {
            return Ok(way.versions);
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

/// What is still to be done for the sender of a turn.
pub(super) struct Acceptance {
    reply: oneshot::Sender<Result<Sent, SendError>>,
    /// Whether its versions are to be looked up.
    look_up: bool,
}

/// A message could not be stored.
pub(super) struct NotAccepted;

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
