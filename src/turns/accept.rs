//! Taking a message in, up to the moment it is the server's.

use std::sync::Arc;

use tracing::{Instrument as _, info};

use super::{
    OnItsWay, SendError, Turns,
    live::{Acceptance, Entered, Live},
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
        TurnState, Versions, is_blank,
    },
};

impl Turns {
    /// Accepts a message: stored, in the line, owned by the server once this has returned. Sending the same turn
    /// again, also while it is being accepted, returns where it is and changes nothing.
    ///
    /// Cancel-safe: dropped before it returns, the message is either accepted whole or not at all.
    ///
    /// # Errors
    /// [`SendError`]; nothing has changed then.
    pub async fn send(&self, session: &Arc<Session>, request: SendRequest) -> Result<Sent, SendError> {
        session.presence().touch();
        let entered = match self.enter(session, request.turn).await? {
            Entry::New(entered) => entered,
            Entry::Known(sent) => return Ok(sent),
        };
        match self.prepare(session, request).await {
            Ok(prepared) => self.enqueue(session, prepared, entered).await,
            Err(refusal) => Err(entered.refuse(refusal)),
        }
    }

    /// Answers a turn that is over once more. One that has an answer, or is followed by others, keeps what it has: the new
    /// answer belongs to another version of it, the turn `new`. One that came to nothing is answered in place. Asking the
    /// same again, also while it is being accepted, returns where the turn is and changes nothing.
    ///
    /// Cancel-safe as [`Turns::send`].
    ///
    /// # Errors
    /// [`SendError`]; nothing has changed then.
    pub async fn again(&self, session: &Arc<Session>, id: TurnId, new: TurnId) -> Result<Sent, SendError> {
        session.presence().touch();
        let mut entered = match self.enter(session, new).await? {
            Entry::New(entered) => entered,
            Entry::Known(sent) => return Ok(sent),
        };
        match self.prepare_again(session, id, new, &mut entered).await {
            Ok(prepared) => self.enqueue(session, prepared, entered).await,
            Err(refusal) => Err(entered.refuse(refusal)),
        }
    }

    /// Lists a turn that is new. Of several that come at once only one finds it new; the others hear what became of that one.
    async fn enter(&self, session: &Session, id: TurnId) -> Result<Entry, SendError> {
        loop {
            // Entered before looking, so that nobody else can take it in meanwhile.
            match self.live.enter(session.id(), id) {
                Ok(entered) => {
                    let known = match self.parts.store.turn(session.id(), id).await {
                        Ok(known) => known,
                        Err(fault) => return Err(entered.refuse(fault.into())),
                    };
                    return Ok(match known {
                        Some(known) => Entry::Known(self.sent(session, known.turn.id, known.turn.conversation)),
                        None => Entry::New(entered),
                    });
                }
                Err(live) => match live.decided().await {
                    Acceptance::Accepted { turn, conversation } => {
                        return Ok(Entry::Known(self.sent(session, turn, conversation)));
                    }
                    Acceptance::Refused(refusal) => return Err(refusal),
                    Acceptance::Pending | Acceptance::GivenUp => {}
                },
            }
        }
    }

    /// What a new message needs before it can join the line.
    async fn prepare(&self, session: &Arc<Session>, request: SendRequest) -> Result<Prepared, SendError> {
        let store = &self.parts.store;
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
        Ok(Prepared {
            title,
            turn: self.new_turn(session, request.turn, id, parent, request.text, files),
            // What is shown last has nothing after it yet.
            versions: request.instead_of.is_none().then(Versions::default),
            claim,
        })
    }

    /// The same for an answer to a turn that is there. `entered` stands for that one if it is answered in place.
    async fn prepare_again(
        &self,
        session: &Arc<Session>,
        id: TurnId,
        new: TurnId,
        entered: &mut Entered,
    ) -> Result<Prepared, SendError> {
        let store = &self.parts.store;
        let known = store.turn(session.id(), id).await?.ok_or(SendError::UnknownTurn)?.turn;
        let claim = session.claim(known.conversation).ok_or(SendError::ConversationBusy)?;
        let conversation = store.conversation(session.id(), known.conversation).await?;
        let conversation = conversation.ok_or(SendError::UnknownConversation)?;
        let in_place = known.answer.is_empty() && conversation.head == id;
        if in_place && !entered.stand_for(id) {
            return Err(SendError::ConversationBusy);
        }
        let TurnRecord {
            conversation: its,
            parent,
            message,
            files,
            ..
        } = known;
        Ok(Prepared {
            title: conversation.title,
            turn: self.new_turn(session, if in_place { id } else { new }, its, parent, message, files),
            versions: None,
            claim,
        })
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

    /// Joins the line and hands the turn to a task of its own, which stores it.
    async fn enqueue(&self, session: &Arc<Session>, prepared: Prepared, entered: Entered) -> Result<Sent, SendError> {
        let Prepared {
            title,
            turn,
            versions,
            claim,
        } = prepared;
        let conversation = ConversationRecord {
            id: turn.conversation,
            session: turn.session,
            title,
            updated_at: turn.accepted_at,
            head: turn.id,
        };
        // Joining comes first: a line that is full must leave no trace in the store. Should the store fail, the ticket
        // is dropped and leaves the line. Nothing is awaited between the two, so a shutdown sees both or neither.
        let joined = self.parts.queue.join(
            status::index(Event::Chat),
            session.id().owner(),
            tokio::time::Instant::now(),
        );
        let mut ticket = match joined {
            Ok(ticket) => ticket,
            Err(why) => return Err(entered.refuse(SendError::Refused(why))),
        };
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
        let look_up = versions.is_none();
        let live = Arc::clone(&entered.live);
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
                .spawn(turns.run_at_once(way, permit, holds, look_up).instrument(span)),
            None => self
                .tasks
                .spawn(turns.run_accepted(way, ticket, holds, look_up).instrument(span)),
        };
        match live.decided().await {
            Acceptance::Accepted { turn, conversation } => Ok(self.sent(session, turn, conversation)),
            Acceptance::Refused(refusal) => Err(refusal),
            Acceptance::Pending | Acceptance::GivenUp => {
                Err(StoreError::Other("the turn's task ended early".into()).into())
            }
        }
    }

    /// Accepts a turn that has to wait, and takes it through.
    async fn run_accepted(self, mut way: OnItsWay, ticket: Ticket, holds: Holds, look_up: bool) {
        let key = ticket.order_key();
        if self.accept(&mut way, key, &holds.1.live, look_up).await.is_err() {
            ticket.withdraw();
            self.moved_up(&way.session).await;
            return;
        }
        // A ticket of the same session that left meanwhile has moved this one up.
        let moved = ticket.order_key();
        if let Some(moved) = moved.filter(|moved| Some(*moved) != key) {
            self.reorder(vec![(way.turn.session, way.turn.id, moved)]).await;
        }
        self.run(way, ticket, holds).await;
    }

    /// Stores a turn with its place in the order, then tells its sender and every page of the session, with the answer as far as it is.
    /// Returns where it stands among its versions, which are looked up unless they are known.
    /// The message was not accepted if this fails, and the sender knows.
    pub(super) async fn accept(
        &self,
        way: &mut OnItsWay,
        key: Option<OrderKey>,
        live: &Live,
        look_up: bool,
    ) -> Result<Versions, NotAccepted> {
        match self.store(way, key, look_up).await {
            Ok(versions) => way.versions = versions,
            Err(fault) => {
                live.refuse(fault.into());
                return Err(NotAccepted);
            }
        }
        info!(
            bytes = way.turn.message.len(),
            files = way.turn.files.len(),
            "turn accepted"
        );
        let blocks = live.blocks().clone();
        self.announce(way, blocks);
        live.accepted(way.turn.id, way.turn.conversation);
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
    fn sent(&self, session: &Session, turn: TurnId, conversation: ConversationId) -> Sent {
        let ticket = self
            .live
            .find(session.id(), turn)
            .and_then(|live| live.ticket.get().copied());
        Sent {
            turn,
            conversation,
            place: ticket.and_then(|ticket| status::place(&self.parts.queue, ticket, Event::Chat, Some(turn))),
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

/// What somebody who sends a turn finds.
enum Entry {
    /// Nobody has sent it yet: it is listed now.
    New(Entered),
    /// It is the server's already.
    Known(Sent),
}

/// A turn that may join the line.
struct Prepared {
    title: String,
    turn: TurnRecord,
    /// Where it stands among its versions, if that is known.
    versions: Option<Versions>,
    claim: Claim,
}

/// A message could not be stored.
pub(super) struct NotAccepted;

fn check(request: &SendRequest) -> Result<(), SendError> {
    if is_blank(&request.text) && request.files.is_empty() {
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
        for blank in [" \n\t\u{a0}", "\u{200b}\u{feff}", "\u{3164}", "\u{fe0f}\u{ad}\n"] {
            assert!(matches!(check(&request(blank)), Err(SendError::Empty)), "{blank:?}");
        }
        assert!(matches!(
            check(&request(&"x".repeat(1 << 20))),
            Err(SendError::TooLong(1_048_576))
        ));
        assert!(check(&request(&"x".repeat(MAX_MESSAGE_BYTES))).is_ok());
    }
}
