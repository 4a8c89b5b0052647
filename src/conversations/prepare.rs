//! What a message needs before it can join the line: checked, its conversation claimed, its record made.

use std::sync::Arc;

use super::{Chosen, Conversations, SendError, in_flight::Entered, title::title};
use crate::{
    clock::now_ms,
    queue::Owner,
    sessions::{Claim, Session},
    store::TurnRecord,
    wire::{
        Choice, ConversationId, FileId, FileView, FollowUp, MAX_FILES_PER_MESSAGE, MAX_MESSAGE_BYTES, SendRequest,
        Shelf, TurnId, TurnState, Versions, is_blank,
    },
};

/// A turn that may join the line.
pub(super) struct Prepared {
    pub(super) title: String,
    /// Where its conversation stands in the list once it is accepted.
    pub(super) shelf: Shelf,
    pub(super) turn: TurnRecord,
    /// Where it stands among its versions, if that is known.
    pub(super) versions: Option<Versions>,
    pub(super) claim: Claim,
    /// What is chosen for its conversation.
    pub(super) choice: Choice,
    /// Whether that came with the message.
    pub(super) chooses: bool,
    /// Whether another answer is wanted than the one that is there.
    pub(super) again: bool,
}

impl Conversations {
    /// What a new message needs before it can join the line. A conversation that it begins is called `begun`.
    pub(super) async fn prepare(
        &self,
        owner: Owner,
        session: &Arc<Session>,
        request: SendRequest,
        begun: ConversationId,
    ) -> Result<Prepared, SendError> {
        let store = &self.deps.store;
        check(&request)?;
        let chosen = request.choice.map(|choice| self.chosen(choice)).transpose()?;
        let files = self.files(owner, &request.files).await?;
        let id = request.conversation.unwrap_or(begun);
        // Claimed before looking, so that what is shown last stays so.
        let claim = session.claim_or_wait(id).await.ok_or(SendError::ConversationBusy)?;
        let (title, shelf, parent, known) = match request.conversation {
            Some(id) => {
                let known = store.chosen(owner, id).await?;
                let (known, choice) = known.ok_or(SendError::UnknownConversation)?;
                let parent = match request.instead_of {
                    Some(other) => self.turn_of(owner, id, other).await?.parent,
                    None => Some(known.head),
                };
                (known.title, known.shelf.in_use(), parent, choice)
            }
            None => {
                // One of this name may have been deleted before.
                session.set_removed(id, false);
                (title(&request.text, &files), Shelf::default(), None, Choice::default())
            }
        };
        let chooses = chosen.as_ref().is_some_and(|chosen| chosen.choice != known);
        let Chosen { choice, model } = match chosen {
            Some(chosen) => chosen,
            None => self.chosen(known)?,
        };
        Ok(Prepared {
            title,
            shelf,
            turn: new_turn(
                owner,
                request.turn,
                id,
                parent,
                Asked {
                    message: request.text,
                    files,
                    model,
                },
            ),
            // What is shown last has nothing after it yet.
            versions: request.instead_of.is_none().then(Versions::default),
            claim,
            choice,
            chooses,
            again: false,
        })
    }

    /// The same for an answer to a turn that is there. `entered` stands for that one if it is answered in place.
    pub(super) async fn prepare_again(
        &self,
        owner: Owner,
        session: &Arc<Session>,
        id: TurnId,
        new: TurnId,
        entered: &mut Entered,
    ) -> Result<Prepared, SendError> {
        let store = &self.deps.store;
        let known = store.turn(owner, id).await?.ok_or(SendError::UnknownTurn)?.turn;
        let claim = session.claim_or_wait(known.conversation).await;
        let claim = claim.ok_or(SendError::ConversationBusy)?;
        // Looked at again: its answer may have ended meanwhile.
        let known = store.turn(owner, id).await?.ok_or(SendError::UnknownTurn)?.turn;
        let conversation = store.chosen(owner, known.conversation).await?;
        let (conversation, choice) = conversation.ok_or(SendError::UnknownConversation)?;
        let Chosen { choice, model } = self.chosen(choice)?;
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
            shelf: conversation.shelf.in_use(),
            turn: new_turn(
                owner,
                if in_place { id } else { new },
                its,
                parent,
                Asked { message, files, model },
            ),
            versions: None,
            claim,
            choice,
            chooses: false,
            again: true,
        })
    }

    /// A turn of this conversation.
    async fn turn_of(&self, owner: Owner, conversation: ConversationId, id: TurnId) -> Result<TurnRecord, SendError> {
        let known = self.deps.store.turn(owner, id).await?;
        let known = known.filter(|step| step.turn.conversation == conversation);
        Ok(known.ok_or(SendError::UnknownTurn)?.turn)
    }

    pub(super) async fn files(&self, owner: Owner, ids: &[FileId]) -> Result<Vec<FileView>, SendError> {
        let mut files = Vec::with_capacity(ids.len());
        for &id in ids {
            files.push(self.deps.store.file(owner, id).await?.ok_or(SendError::UnknownFile)?);
        }
        Ok(files)
    }
}

/// What is asked, and of which model.
struct Asked {
    message: String,
    files: Vec<FileView>,
    model: String,
}

/// The turn that a message becomes which stood behind another one.
pub(super) fn next_turn(
    (owner, conversation): (Owner, ConversationId),
    parent: TurnId,
    follow_up: FollowUp,
    model: String,
) -> TurnRecord {
    let FollowUp { id, message, files, .. } = follow_up;
    new_turn(owner, id, conversation, Some(parent), Asked { message, files, model })
}

fn new_turn(
    owner: Owner,
    id: TurnId,
    conversation: ConversationId,
    parent: Option<TurnId>,
    asked: Asked,
) -> TurnRecord {
    TurnRecord {
        id,
        owner,
        conversation,
        parent,
        message: asked.message,
        files: asked.files,
        state: TurnState::Waiting,
        answer: String::new(),
        reasoning: String::new(),
        thought_ms: None,
        good: None,
        steps: Vec::new(),
        notices: Vec::new(),
        model: asked.model,
        backend: None,
        usage: None,
        accepted_at: now_ms(),
        started_at: None,
        ended_at: None,
        attempts: 0,
    }
}

pub(super) fn check(request: &SendRequest) -> Result<(), SendError> {
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
            choice: None,
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
