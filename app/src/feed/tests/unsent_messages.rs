//! Messages that are kept in the browser until the server has them.

use super::*;

#[test]
fn unsent_messages_stand_where_they_were_written_until_the_server_has_them() {
    in_store(|store| {
        store.fill(TALK, Some(whole(vec![turn(1, TurnState::Done, &[])], 10)));
        let had = kept(1, Some(TALK), None);
        let here = kept(2, Some(TALK), None);
        let first = kept(3, None, None);
        let refused = kept(4, None, Some("No."));
        assert!(store.is_idle());
        assert!(unsent::restore(store, u64::MAX).has_come);
        assert!(!unsent::restore(store, u64::MAX).has_come, "they are there now");
        assert!(!store.is_idle());
        assert!(outbox::all().iter().all(|(id, _)| *id != had), "the server has had it");

        let talk = store.conversation(TALK).expect("it was filled");
        assert_eq!(talk.turns.get_untracked().len(), 2);
        assert!(untrack(|| talk.busy().is_none() && talk.holds_unsent()));
        let unbegun = store.unbegun.get_untracked();
        assert_eq!(unbegun.len(), 2, "each begins one of its own");
        let delivery = |one: &Conversation, id| one.turn(id).map(|turn| turn.delivery.get_untracked());
        assert_eq!(delivery(&unbegun[0], first), Some(Delivery::Unsent));
        let reason = Reason::Told {
            sentence: "No.".to_owned(),
        };
        assert_eq!(delivery(&unbegun[1], refused), Some(Delivery::Failed { reason }));

        // The server tells of one, no matter who has sent it; another tab has discarded the other.
        hear(store, 11, FeedEvent::Turn(Box::new(turn(2, TurnState::Waiting, &[]))));
        assert_eq!(delivery(&talk, here), Some(Delivery::Accepted));
        let other = ConversationId(Uuid::from_u128(2));
        store.adopt(first, other);
        unbegun[0].turn(first).expect("it was restored").accept();
        assert!(store.conversation(other).is_some_and(|known| known == unbegun[0]));
        outbox::remove(refused);
        unsent::restore(store, u64::MAX);
        assert!(store.unbegun.get_untracked().is_empty());
        // A conversation that is gone keeps what it has of them.
        let late = kept(5, Some(TALK), None);
        unsent::restore(store, u64::MAX);
        hear(store, 12, FeedEvent::ConversationRemoved { id: TALK });
        assert_eq!(delivery(&talk, late), Some(Delivery::Unsent));
        assert_eq!(talk.turns.get_untracked().len(), 1);
    });
}

#[test]
fn a_first_message_whose_answer_was_lost_leads_to_the_conversation_that_it_began() {
    in_store(|store| {
        let lost = kept(1, None, None);
        unsent::restore(store, u64::MAX);
        let unbegun = store.unbegun.get_untracked()[0].clone();
        store.fill(TALK, Some(whole(vec![turn(1, TurnState::Done, &["<p>a</p>"])], 10)));
        store.adopt(lost, TALK);
        assert_eq!(unbegun.id.get_untracked(), Some(TALK), "its page goes there");
        assert_eq!(html(&store.conversation(TALK).expect("it was filled"), 1), ["<p>a</p>"]);
        assert!(store.unbegun.get_untracked().is_empty());
    });
}
