//! Taking a message in, up to the moment it is the server's.

use std::sync::Arc;

use tokio::sync::oneshot;
use tracing::{Instrument as _, error_span, info};

use super::{SendError, Turns, live::Entered};
use crate::{
    clock::now_ms,
    logs::session_span,
    sessions::{Claim, Session},
    status,
    store::{ConversationRecord, StoreError, TurnRecord},
    wire::{
        ConversationId, Event, FileId, FileView, MAX_FILES_PER_MESSAGE, MAX_MESSAGE_BYTES, SendRequest, Sent, TurnId,
        TurnState,
    },
};

/// Most characters of a conversation's title.
const TITLE_CHARS: usize = 60;

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
        // Entered before looking, so that of two that come at once only one finds nothing.
        let entered = self.live.enter(session.id(), request.turn);
        if let Some(known) = self.parts.store.turn(session.id(), request.turn).await? {
            return Ok(self.sent(session, &known));
        }
        let entered = entered.ok_or(SendError::ConversationBusy)?;
        check(&request)?;
        let files = self.files(session, &request.files).await?;
        let now = now_ms();
        let conversation = match request.conversation {
            Some(id) => {
                let known = self.parts.store.conversation(session.id(), id).await?;
                ConversationRecord {
                    updated_at: now,
                    ..known.ok_or(SendError::UnknownConversation)?
                }
            }
            None => ConversationRecord {
                id: ConversationId::new(),
                session: session.id(),
                title: title(&request.text, &files),
                updated_at: now,
            },
        };
        let claim = session.claim(conversation.id).ok_or(SendError::ConversationBusy)?;
        let turn = TurnRecord {
            id: request.turn,
            session: session.id(),
            conversation: conversation.id,
            message: request.text,
            files,
            state: TurnState::Waiting,
            answer: String::new(),
            model: self.parts.agents.model(),
            usage: None,
            accepted_at: now,
            started_at: None,
            ended_at: None,
        };
        self.enqueue(session, conversation, turn, None, claim, entered).await
    }

    /// Answers the last turn of a conversation once more, in place of the answer it has. Should it leave the line
    /// without starting, the old answer stands.
    ///
    /// # Errors
    /// [`SendError`]; the old answer stands then.
    pub async fn again(&self, session: &Arc<Session>, id: TurnId) -> Result<Sent, SendError> {
        session.presence().touch();
        let store = &self.parts.store;
        let known = store.turn(session.id(), id).await?.ok_or(SendError::UnknownTurn)?;
        let claim = session.claim(known.conversation).ok_or(SendError::ConversationBusy)?;
        let entered = self.live.enter(session.id(), id).ok_or(SendError::ConversationBusy)?;
        let last = store.turns(session.id(), known.conversation).await?.pop();
        if last.is_none_or(|last| last.id != id) {
            return Err(SendError::NotTheLast);
        }
        let conversation = store.conversation(session.id(), known.conversation).await?;
        let now = now_ms();
        let conversation = ConversationRecord {
            updated_at: now,
            ..conversation.ok_or(SendError::UnknownConversation)?
        };
        let turn = TurnRecord {
            state: TurnState::Waiting,
            answer: String::new(),
            model: self.parts.agents.model(),
            usage: None,
            accepted_at: now,
            started_at: None,
            ended_at: None,
            ..known.clone()
        };
        self.enqueue(session, conversation, turn, Some(known), claim, entered)
            .await
    }

    /// Joins the line, stores the turn and hands it to a task of its own.
    async fn enqueue(
        &self,
        session: &Arc<Session>,
        conversation: ConversationRecord,
        turn: TurnRecord,
        before: Option<TurnRecord>,
        claim: Claim,
        entered: Entered,
    ) -> Result<Sent, SendError> {
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
        let span = session_span(session.id()).in_scope(|| error_span!("turn", turn = %turn.id));
        let (turns, session) = (self.clone(), Arc::clone(session));
        let (reply, answer) = oneshot::channel();
        let work = async move {
            if let Err(fault) = turns.parts.store.accept(conversation.clone(), turn.clone()).await {
                // Whoever has gone meanwhile does not hear of it; the message was not accepted.
                let _ = reply.send(Err(fault.into()));
                return;
            }
            info!(bytes = turn.message.len(), files = turn.files.len(), "turn accepted");
            turns.announce(&session, &conversation, &turn, Vec::new());
            let _ = reply.send(Ok(turns.sent(&session, &turn)));
            let holds = (claim, entered, registered);
            turns.run(session, conversation, turn, before, ticket, holds).await;
        };
        // From here on the turn's own task goes on, whether or not anybody waits for the reply.
        self.tasks.spawn(work.instrument(span));
        answer
            .await
            .unwrap_or_else(|_| Err(StoreError("the turn's task ended early".into()).into()))
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

/// A conversation's title: the beginning of its first message, or the name of its first file.
fn title(text: &str, files: &[FileView]) -> String {
    let line = text.lines().map(str::trim).find(|line| !line.is_empty());
    let full = line
        .or_else(|| files.first().map(|file| file.name.as_str()))
        .unwrap_or_default();
    let mut title: String = full.chars().filter(|c| !c.is_control()).take(TITLE_CHARS).collect();
    if title.chars().count() < full.chars().count() {
        // Rather a whole word less than half of one more.
        if let Some(space) = title.rfind(' ').filter(|&space| space > TITLE_CHARS / 2) {
            title.truncate(space);
        }
        title.push('…');
    }
    title
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn titles_are_short_and_end_with_whole_words() {
        assert_eq!(
            title("\n  How does the line work?  \nThanks", &[]),
            "How does the line work?"
        );
        let long = title(
            "Please explain to me in detail how start-time fair queueing works, and why",
            &[],
        );
        assert_eq!(long, "Please explain to me in detail how start-time fair queueing…");
        assert_eq!(title(&"ü".repeat(100), &[]), format!("{}…", "ü".repeat(60)));
    }

    #[test]
    fn blank_and_huge_messages_are_refused() {
        let request = |text: &str| SendRequest {
            turn: TurnId::new(),
            conversation: None,
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
