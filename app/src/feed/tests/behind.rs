//! What stands behind, and the order in which messages go that could not be sent.

use anteroom::wire::FollowUp;

use super::*;

fn id(number: u128) -> TurnId {
    TurnId(Uuid::from_u128(number))
}

fn follow_up(number: u128) -> FollowUp {
    FollowUp {
        id: id(number),
        message: format!("message {number}"),
        files: Vec::new(),
        at: 5,
        held: None,
    }
}

fn tell(store: Store, number: u64, of: &[u128]) {
    let event = FeedEvent::Behind {
        conversation: TALK,
        follow_ups: of.iter().copied().map(follow_up).collect(),
    };
    hear(store, number, event);
}

fn behind(conversation: &Conversation) -> Vec<TurnId> {
    let behind = conversation.behind.get_untracked();
    behind.iter().map(|one| one.id).collect()
}

#[test]
fn what_stands_behind_is_the_servers_and_a_turn_from_when_it_begins() {
    in_store(|store| {
        store.fill(TALK, Some(whole(vec![turn(1, TurnState::Running, &[])], 10)));
        let talk = store.conversation(TALK).expect("it was filled");
        let [two, three] = [2, 3].map(|number| kept(number, Some(TALK), None));
        unsent::restore(store, u64::MAX);
        assert_eq!(talk.turns.get_untracked().len(), 3);
        // The feed tells of one, the answer to it says the same; of the other only the answer does.
        tell(store, 11, &[2]);
        assert_eq!((behind(&talk), talk.turns.get_untracked().len()), (vec![two], 2));
        talk.stands_behind(two);
        talk.stands_behind(three);
        assert_eq!((behind(&talk), talk.turns.get_untracked().len()), (vec![two, three], 1));
        assert!(outbox::all().is_empty());
        tell(store, 12, &[2, 3]);
        let mut began = turn(2, TurnState::Waiting, &[]);
        began.parent = Some(id(1));
        hear(store, 13, FeedEvent::Turn(Box::new(began)));
        assert_eq!(behind(&talk), [three]);
        // What was told before it began does not bring it back.
        tell(store, 14, &[2, 3]);
        assert_eq!((behind(&talk), talk.turns.get_untracked().len()), (vec![three], 2));
        assert_eq!(untrack(|| talk.busy()).map(|turn| turn.id), Some(two));
        hear(store, 15, FeedEvent::ConversationRemoved { id: TALK });
        assert!(behind(&talk).is_empty());
    });
}

#[test]
fn what_could_not_be_sent_goes_in_the_order_in_which_it_was_written_and_not_past_what_was_refused() {
    in_store(|store| {
        let other = ConversationId(Uuid::from_u128(2));
        store.fill(TALK, Some(whole(vec![turn(1, TurnState::Done, &[])], 10)));
        kept(5, Some(TALK), None);
        let first = kept(4, Some(TALK), None);
        let refused = kept(2, Some(other), Some("No."));
        kept(3, Some(other), None);
        unsent::restore(store, u64::MAX);
        assert_eq!(store.unsent_in.get_untracked().len(), 4);
        let next = || unsent::next(store).map(|(_, turn)| turn.id);
        assert_eq!(next(), Some(first));
        // While it is on its way, nothing of its conversation goes.
        store.sending.update_value(|sending| {
            sending.insert(first, false);
        });
        assert_eq!(next(), None);
        let conversation = store.conversation(other).expect("it is known");
        unsent::discard(store, &conversation, refused);
        assert_eq!(next(), Some(id(3)));
    });
}
