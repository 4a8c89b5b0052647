//! The list of conversations: its order, and what stands above and below the days.

use super::*;

#[test]
fn the_list_is_in_the_order_of_last_use() {
    in_store(|store| {
        let summary = |id, updated_at| ConversationSummary {
            id: ConversationId(Uuid::from_u128(id)),
            title: String::new(),
            updated_at,
            busy: false,
            asks: false,
            pinned: false,
            archived: false,
        };
        hear(store, 11, FeedEvent::Conversation(summary(1, 5)));
        hear(store, 12, FeedEvent::Conversation(summary(2, 7)));
        hear(store, 13, FeedEvent::Conversation(summary(1, 9)));
        let order: Vec<u64> = store
            .conversations
            .all
            .get_untracked()
            .iter()
            .map(|one| one.updated_at)
            .collect();
        assert_eq!(order, [9, 7]);
        hear(
            store,
            14,
            FeedEvent::ConversationRemoved {
                id: ConversationId(Uuid::from_u128(1)),
            },
        );
        assert_eq!(store.conversations.all.get_untracked().len(), 1);
    });
}

#[test]
fn the_list_has_what_is_pinned_first_and_what_is_archived_last() {
    in_store(|store| {
        let line = |id: u128, pinned, archived| {
            FeedEvent::Conversation(ConversationSummary {
                id: ConversationId(Uuid::from_u128(id)),
                title: String::new(),
                updated_at: u64::try_from(id).expect("a small one"),
                busy: false,
                asks: false,
                pinned,
                archived,
            })
        };
        let order = || {
            let all = store.conversations.all.get_untracked();
            all.iter().map(|one| one.id.0.as_u128()).collect::<Vec<_>>()
        };
        let beside = |id| {
            let beside = store.conversations.beside(ConversationId(Uuid::from_u128(id)));
            beside.map(|beside| beside.0.as_u128())
        };
        for (number, id) in (11..).zip(1..=4) {
            hear(store, number, line(id, false, false));
        }
        assert_eq!(order(), [4, 3, 2, 1]);
        hear(store, 20, line(1, true, false));
        hear(store, 21, line(4, false, true));
        assert_eq!(order(), [1, 3, 2, 4]);
        assert_eq!(beside(2), Some(3), "what is folded away is no neighbour");
        assert_eq!(beside(4), None);
        hear(store, 22, line(1, true, true));
        assert_eq!(order(), [3, 2, 1, 4]);
        hear(store, 23, line(1, true, false));
        hear(store, 24, line(4, false, false));
        assert_eq!(order(), [1, 4, 3, 2]);
    });
}
