//! What tests of any store, and of what lies above it, begin with.

use crate::{
    queue::{OrderKey, Owner},
    store::{ConversationRecord, Step, Store, TurnRecord},
    wire::{Choice, ConversationId, FileId, FileKind, FileView, Shelf, TurnId, TurnState},
};

/// Somebody new.
pub(crate) fn an_owner() -> Owner {
    Owner(rand::random())
}

/// A conversation that is written to.
#[derive(Clone, Debug)]
pub(crate) struct Talk {
    pub(crate) conversation: ConversationRecord,
}

impl Talk {
    pub(crate) fn new(owner: Owner, title: &str) -> Self {
        Self {
            conversation: ConversationRecord {
                id: ConversationId::new(),
                owner,
                title: title.to_owned(),
                updated_at: 1_000,
                head: TurnId::new(),
                shelf: Shelf::default(),
            },
        }
    }

    pub(crate) fn id(&self) -> ConversationId {
        self.conversation.id
    }

    pub(crate) fn at(mut self, updated_at: u64) -> Self {
        self.conversation.updated_at = updated_at;
        self
    }

    /// Has a message accepted that follows `parent`.
    pub(crate) async fn say(&mut self, store: &dyn Store, parent: Option<TurnId>, message: &str) -> TurnRecord {
        let turn = self.turn(parent, message);
        self.accept(store, &turn, None).await;
        turn
    }

    /// A turn of it, not stored yet.
    pub(crate) fn turn(&self, parent: Option<TurnId>, message: &str) -> TurnRecord {
        TurnRecord {
            id: TurnId::new(),
            owner: self.conversation.owner,
            conversation: self.conversation.id,
            parent,
            message: message.to_owned(),
            files: Vec::new(),
            state: TurnState::Waiting,
            answer: String::new(),
            reasoning: String::new(),
            thought_ms: None,
            good: None,
            steps: Vec::new(),
            notices: Vec::new(),
            model: "demo@builtin".to_owned(),
            backend: None,
            usage: None,
            accepted_at: self.conversation.updated_at,
            started_at: None,
            ended_at: None,
            attempts: 0,
        }
    }

    pub(crate) async fn accept(&mut self, store: &dyn Store, turn: &TurnRecord, key: Option<OrderKey>) {
        self.conversation.head = turn.id;
        let conversation = self.conversation.clone();
        store
            .accept(conversation, turn.clone(), key, None)
            .await
            .expect("accepted");
    }
}

/// A turn as it is when its answer is there.
pub(crate) fn answered(mut turn: TurnRecord, answer: &str) -> TurnRecord {
    turn.state = TurnState::Done;
    turn.answer = answer.to_owned();
    turn.started_at = Some(turn.accepted_at + 10);
    turn.ended_at = Some(turn.accepted_at + 20);
    turn.attempts = 1;
    turn
}

/// A choice of everything that there is to choose.
pub(crate) fn a_choice(model: &str) -> Choice {
    Choice {
        model: Some(model.to_owned()),
        instructions: "Be brief.\nПишите коротко.".to_owned(),
        temperature: Some(0.7),
        max_tokens: Some(1_000_000),
        without_tools: true,
    }
}

pub(crate) fn file(name: &str) -> FileView {
    FileView {
        id: FileId::new(),
        name: name.to_owned(),
        kind: FileKind::Text,
        mime: "text/plain".to_owned(),
        size: 12,
        paper: None,
    }
}

pub(crate) fn ids(steps: &[Step]) -> Vec<TurnId> {
    steps.iter().map(|step| step.turn.id).collect()
}
