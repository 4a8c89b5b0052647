//! Which back end has answered a conversation last: it still has the history in its cache.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use crate::{queue::BackendIndex, wire::ConversationId};

/// Conversations that are remembered. A model server's cache holds far fewer, so those that go are no loss.
const MOST: usize = 4096;

/// By conversation. In two halves of which the older one is dropped as a whole, so that nothing has to be looked for.
#[derive(Debug, Default)]
pub(super) struct LastBackends(Mutex<Halves>);

#[derive(Debug, Default)]
struct Halves {
    newer: HashMap<ConversationId, BackendIndex>,
    older: HashMap<ConversationId, BackendIndex>,
}

impl LastBackends {
    pub(super) fn remember(&self, conversation: ConversationId, backend: BackendIndex) {
        let mut halves = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if halves.newer.len() >= MOST / 2 {
            halves.older = std::mem::take(&mut halves.newer);
        }
        halves.newer.insert(conversation, backend);
    }

    pub(super) fn of(&self, conversation: ConversationId) -> Option<BackendIndex> {
        let halves = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = halves.newer.get(&conversation);
        known.or_else(|| halves.older.get(&conversation)).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_are_remembered_and_the_oldest_forgotten() {
        let last = LastBackends::default();
        let conversations: Vec<_> = (0..MOST * 2).map(|_| ConversationId::new()).collect();
        for (at, conversation) in (0..).zip(&conversations) {
            last.remember(*conversation, BackendIndex(at));
        }
        let latest = conversations.len() - 1;
        assert_eq!(last.of(conversations[latest]), Some(BackendIndex(latest as u32)));
        let forgotten = conversations.iter().filter(|one| last.of(**one).is_none()).count();
        assert!(forgotten >= conversations.len() - MOST, "{forgotten}");
        last.remember(conversations[latest], BackendIndex(7));
        assert_eq!(last.of(conversations[latest]), Some(BackendIndex(7)));
    }
}
