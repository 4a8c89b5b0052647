//! A store in memory: nothing in it outlasts the process.

use std::{
    cmp::Reverse,
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;

use super::{ConversationRecord, Store, StoreError, TurnRecord};
use crate::{
    sessions::SessionId,
    wire::{ConversationId, FileId, FileView, TurnId},
};

/// Keeps everything in memory, and a session only as long as the session itself is there.
#[derive(Debug, Default)]
pub struct MemoryStore {
    shelves: Mutex<HashMap<SessionId, Shelf>>,
}

/// What one session has.
#[derive(Debug, Default)]
struct Shelf {
    conversations: HashMap<ConversationId, (ConversationRecord, Vec<TurnId>)>,
    turns: HashMap<TurnId, TurnRecord>,
    files: HashMap<FileId, FileView>,
}

impl MemoryStore {
    fn shelves(&self) -> MutexGuard<'_, HashMap<SessionId, Shelf>> {
        self.shelves.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn read<T>(&self, session: SessionId, read: impl FnOnce(&Shelf) -> T) -> Option<T> {
        self.shelves().get(&session).map(read)
    }
}

#[async_trait]
impl Store for MemoryStore {
    fn lasts(&self) -> bool {
        false
    }

    async fn conversations(&self, session: SessionId) -> Result<Vec<ConversationRecord>, StoreError> {
        let mut all: Vec<ConversationRecord> = self
            .read(session, |shelf| {
                shelf.conversations.values().map(|(record, _)| record.clone()).collect()
            })
            .unwrap_or_default();
        all.sort_by_key(|record| Reverse((record.updated_at, record.id)));
        Ok(all)
    }

    async fn conversation(
        &self,
        session: SessionId,
        id: ConversationId,
    ) -> Result<Option<ConversationRecord>, StoreError> {
        Ok(self
            .read(session, |shelf| {
                shelf.conversations.get(&id).map(|(record, _)| record.clone())
            })
            .flatten())
    }

    async fn accept(&self, conversation: ConversationRecord, turn: TurnRecord) -> Result<(), StoreError> {
        let mut shelves = self.shelves();
        let shelf = shelves.entry(turn.session).or_default();
        let (record, turns) = shelf
            .conversations
            .entry(conversation.id)
            .or_insert_with(|| (conversation.clone(), Vec::new()));
        *record = conversation;
        if shelf.turns.insert(turn.id, turn.clone()).is_none() {
            turns.push(turn.id);
        }
        Ok(())
    }

    async fn update(&self, turn: TurnRecord) -> Result<(), StoreError> {
        let mut shelves = self.shelves();
        let kept = shelves
            .get_mut(&turn.session)
            .and_then(|shelf| shelf.turns.get_mut(&turn.id));
        match kept {
            Some(kept) => *kept = turn,
            None => return Err(StoreError(format!("turn {} was never accepted", turn.id))),
        }
        Ok(())
    }

    async fn turn(&self, session: SessionId, id: TurnId) -> Result<Option<TurnRecord>, StoreError> {
        Ok(self.read(session, |shelf| shelf.turns.get(&id).cloned()).flatten())
    }

    async fn turns(&self, session: SessionId, conversation: ConversationId) -> Result<Vec<TurnRecord>, StoreError> {
        let turns = self.read(session, |shelf| {
            let (_, ids) = shelf.conversations.get(&conversation)?;
            Some(ids.iter().filter_map(|id| shelf.turns.get(id).cloned()).collect())
        });
        Ok(turns.flatten().unwrap_or_default())
    }

    async fn unfinished(&self) -> Result<Vec<TurnRecord>, StoreError> {
        let shelves = self.shelves();
        let all = shelves.values().flat_map(|shelf| shelf.turns.values());
        let mut open: Vec<TurnRecord> = all.filter(|turn| !turn.state.is_over()).cloned().collect();
        open.sort_by_key(|turn| (turn.accepted_at, turn.id));
        Ok(open)
    }

    async fn add_file(&self, session: SessionId, file: FileView) -> Result<(), StoreError> {
        self.shelves().entry(session).or_default().files.insert(file.id, file);
        Ok(())
    }

    async fn file(&self, session: SessionId, id: FileId) -> Result<Option<FileView>, StoreError> {
        Ok(self.read(session, |shelf| shelf.files.get(&id).cloned()).flatten())
    }

    async fn session_left(&self, session: SessionId) -> Result<Vec<FileId>, StoreError> {
        Ok(self
            .shelves()
            .remove(&session)
            .map(|shelf| shelf.files.into_keys().collect())
            .unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::wire::TurnState;

    fn turn(session: SessionId, conversation: ConversationId, accepted_at: u64) -> TurnRecord {
        TurnRecord {
            id: TurnId::new(),
            session,
            conversation,
            message: "hello".into(),
            files: Vec::new(),
            state: TurnState::Waiting,
            answer: String::new(),
            model: "demo@builtin".into(),
            usage: None,
            accepted_at,
            started_at: None,
            ended_at: None,
        }
    }

    fn conversation(session: SessionId, updated_at: u64) -> ConversationRecord {
        ConversationRecord {
            id: ConversationId::new(),
            session,
            title: "hello".into(),
            updated_at,
        }
    }

    #[tokio::test]
    async fn what_is_anothers_is_not_found() {
        let store = MemoryStore::default();
        let (mine, other) = (SessionId(Uuid::new_v4()), SessionId(Uuid::new_v4()));
        let talk = conversation(mine, 1);
        let first = turn(mine, talk.id, 1);
        store.accept(talk.clone(), first.clone()).await.expect("memory");
        assert_eq!(store.turn(mine, first.id).await.expect("memory"), Some(first.clone()));
        assert_eq!(store.turn(other, first.id).await.expect("memory"), None);
        assert_eq!(store.turns(other, talk.id).await.expect("memory"), []);
        assert_eq!(store.conversation(other, talk.id).await.expect("memory"), None);
        assert!(
            store
                .update(TurnRecord {
                    session: other,
                    ..first
                })
                .await
                .is_err()
        );
    }

    #[tokio::test]
    async fn turns_keep_their_order_and_conversations_are_last_used_first() {
        let store = MemoryStore::default();
        let mine = SessionId(Uuid::new_v4());
        let (old, new) = (conversation(mine, 1), conversation(mine, 2));
        let (a, b, c) = (turn(mine, old.id, 1), turn(mine, old.id, 3), turn(mine, new.id, 2));
        for (talk, turn) in [(&old, &a), (&new, &c), (&old, &b)] {
            store.accept(talk.clone(), turn.clone()).await.expect("memory");
        }
        // Accepting a turn again (to answer it once more) does not list it twice.
        store.accept(old.clone(), a.clone()).await.expect("memory");
        assert_eq!(store.turns(mine, old.id).await.expect("memory"), [a.clone(), b.clone()]);
        assert_eq!(store.conversations(mine).await.expect("memory"), [new, old]);
        store
            .update(TurnRecord {
                state: TurnState::Done,
                ..a
            })
            .await
            .expect("memory");
        assert_eq!(store.unfinished().await.expect("memory"), [c, b]);
        assert!(store.session_left(mine).await.expect("memory").is_empty());
        assert_eq!(store.conversations(mine).await.expect("memory"), []);
    }
}
