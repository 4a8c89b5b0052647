//! Taking a message in, as its sender sees it: checked, in the line, and answered once it is the server's.

use std::sync::Arc;

use tracing::Instrument as _;

use super::{
    Conversations, SendError, TurnGuards, TurnTask,
    attempts::tries_of,
    in_flight::{Acceptance, Entered, InFlight},
    path::Path,
    prepare::Prepared,
    turn_span,
};
use crate::{
    jobs,
    queue::Owner,
    sessions::{Session, status},
    store::{ConversationRecord, StoreError},
    wire::{ConversationId, Event, SendRequest, Sent, TurnId},
};

impl Conversations {
    /// Accepts a message: stored, in the line, owned by the server once this has returned. Sending the same turn
    /// again, also while it is being accepted, returns where it is and changes nothing.
    ///
    /// Cancel-safe: dropped before it returns, the message is either accepted whole or not at all.
    ///
    /// # Errors
    /// [`SendError`]; nothing has changed then.
    pub async fn send(&self, owner: Owner, session: &Arc<Session>, request: SendRequest) -> Result<Sent, SendError> {
        self.send_in(owner, session, request, ConversationId::new()).await
    }

    /// The same; where the message begins a conversation, that is called `begun`. Whoever has a turn that may come again, also once its
    /// conversation is deleted, gives the conversation a name that comes again with it.
    ///
    /// # Errors
    /// [`SendError`]; nothing has changed then.
    pub async fn send_in(
        &self,
        owner: Owner,
        session: &Arc<Session>,
        request: SendRequest,
        begun: ConversationId,
    ) -> Result<Sent, SendError> {
        session.presence().touch();
        let entered = match self.enter(owner, request.turn).await? {
            Entry::New(entered) => entered,
            Entry::Known(sent) => return Ok(sent),
        };
        match self.prepare(owner, session, request, begun).await {
            Ok(prepared) => self.enqueue(session, prepared, entered).await,
            Err(refusal) => Err(entered.refuse(refusal)),
        }
    }

    /// Answers a turn that is over once more. One that has an answer, or is followed by others, keeps what it has: the new
    /// answer belongs to another version of it, the turn `new`. One that came to nothing is answered in place. Asking the
    /// same again, also while it is being accepted, returns where the turn is and changes nothing.
    ///
    /// Cancel-safe as [`Conversations::send`].
    ///
    /// # Errors
    /// [`SendError`]; nothing has changed then.
    pub async fn again(
        &self,
        owner: Owner,
        session: &Arc<Session>,
        id: TurnId,
        new: TurnId,
    ) -> Result<Sent, SendError> {
        session.presence().touch();
        let mut entered = match self.enter(owner, new).await? {
            Entry::New(entered) => entered,
            Entry::Known(sent) => return Ok(sent),
        };
        match self.prepare_again(owner, session, id, new, &mut entered).await {
            Ok(prepared) => self.enqueue(session, prepared, entered).await,
            Err(refusal) => Err(entered.refuse(refusal)),
        }
    }

    /// Lists a turn that is new. Of several that come at once only one finds it new; the others hear what became of that one.
    pub(super) async fn enter(&self, owner: Owner, id: TurnId) -> Result<Entry, SendError> {
        loop {
            // Entered before looking, so that nobody else can take it in meanwhile.
            match self.in_flight.enter(owner, id) {
                Ok(entered) => {
                    let known = match self.deps.store.turn(owner, id).await {
                        Ok(known) => known,
                        Err(fault) => return Err(entered.refuse(fault.into())),
                    };
                    return Ok(match known {
                        Some(known) => Entry::Known(self.sent(owner, known.turn.id, known.turn.conversation)),
                        None => Entry::New(entered),
                    });
                }
                Err(live) => match live.decided().await {
                    Acceptance::Accepted { turn, conversation } => {
                        return Ok(Entry::Known(self.sent(owner, turn, conversation)));
                    }
                    Acceptance::Refused(refusal) => return Err(refusal),
                    Acceptance::Pending | Acceptance::GivenUp => {}
                },
            }
        }
    }

    /// Joins the line and hands the turn to a task of its own, which stores it.
    pub(super) async fn enqueue(
        &self,
        session: &Arc<Session>,
        prepared: Prepared,
        entered: Entered,
    ) -> Result<Sent, SendError> {
        let Prepared {
            title,
            shelf,
            turn,
            versions,
            claim,
            choice,
            chooses,
            again,
        } = prepared;
        let owner = turn.owner;
        let conversation = ConversationRecord {
            id: turn.conversation,
            owner,
            title,
            updated_at: turn.accepted_at,
            head: turn.id,
            shelf,
        };
        let span = turn_span(session, turn.id);
        let tries = tries_of(&turn);
        let mut task = TurnTask {
            session: Arc::clone(session),
            conversation,
            turn,
            versions: versions.unwrap_or_default(),
            choice: Arc::new(choice),
            chooses,
            again,
            key: None,
            tries,
            returned: false,
            path: Path::new(),
        };
        task.key = self.looked_for(&task).await;
        let in_flight = Arc::clone(&entered.in_flight);
        // One whose answer is there needs no place, so a line that is full does not matter to it.
        if let Some(answer) = task.key.as_ref().and_then(|key| self.kept(key)) {
            let work = self
                .clone()
                .accept_answered(task, (claim, entered), answer, versions.is_none());
            self.tasks.spawn(work.instrument(span));
            return self.told(owner, &in_flight).await;
        }
        let pool = self.deps.agents.pool(&task.turn.model);
        let prefers = self.last_backends.of(task.turn.conversation);
        if self.deps.queue.is_common() {
            if let Some(why) = self.deps.queue.would_refuse(jobs::work(pool, None), owner) {
                return Err(entered.refuse(SendError::Refused(why)));
            }
            let work = self
                .clone()
                .accept_and_join(task, (claim, entered), (pool, prefers), versions.is_none());
            self.tasks.spawn(work.instrument(span));
            return self.told(owner, &in_flight).await;
        }
        // Joining comes first: a line that is full must leave no trace in the store. Should the store fail, the place is given up.
        let turn = task.turn.id;
        let joined = jobs::join(&self.deps.queue, (turn.0, owner), jobs::work(pool, prefers));
        // Nothing is awaited between this and the turn's task, so a shutdown sees both or neither.
        let place = match joined.await {
            Ok(ticket) => session.seat(&self.deps.queue, ticket, Event::Chat, Some(turn)),
            Err(why) => return Err(entered.refuse(SendError::Refused(why))),
        };
        // Nobody else sets it: the turn was entered by this call.
        let _ = in_flight.ticket.set(place.id());
        let _ = in_flight.conversation.set(task.turn.conversation);
        let guards = TurnGuards {
            claim,
            entered,
            place,
            _next: self.goes_on(session, owner, task.turn.conversation),
        };
        // From here on the turn's own task goes on, whether or not anybody waits for the reply.
        let work = self.clone().accept_and_run(task, guards, versions.is_none());
        self.tasks.spawn(work.instrument(span));
        self.told(owner, &in_flight).await
    }

    /// What the sender of a turn is told, once its task has taken it in or not.
    async fn told(&self, owner: Owner, in_flight: &InFlight) -> Result<Sent, SendError> {
        match in_flight.decided().await {
            Acceptance::Accepted { turn, conversation } => Ok(self.sent(owner, turn, conversation)),
            Acceptance::Refused(refusal) => Err(refusal),
            Acceptance::Pending | Acceptance::GivenUp => {
                Err(StoreError::Other("the turn's task ended early".into()).into())
            }
        }
    }

    /// Where a turn that was accepted is now.
    fn sent(&self, owner: Owner, turn: TurnId, conversation: ConversationId) -> Sent {
        let ticket = self
            .in_flight
            .find(owner, turn)
            .and_then(|in_flight| in_flight.ticket.get().copied());
        Sent {
            turn,
            conversation,
            place: ticket.and_then(|ticket| {
                status::place(&self.deps.queue, &self.deps.backends, ticket, Event::Chat, Some(turn))
            }),
            behind: false,
        }
    }
}

/// What somebody who sends a turn finds.
pub(super) enum Entry {
    /// Nobody has sent it yet: it is listed now.
    New(Entered),
    /// It is the server's already.
    Known(Sent),
}
