//! What a start brings back into the line.

use super::*;
use crate::store::Unfinished;

fn key(tag: u64, arrival: u64) -> Option<OrderKey> {
    Some(OrderKey { tag, arrival })
}

async fn order(store: &dyn Store) -> Vec<String> {
    let all = store.unfinished().await.expect("read");
    all.into_iter().map(|one| one.turn.turn.message).collect()
}

pub(crate) async fn their_places_are_their_order_and_those_without_one_come_first<K: Kind>() {
    let Fixture { store, folder } = fixture::<K>().await;
    let accept = async |message: &str, key: Option<OrderKey>, accepted_at| {
        let mut talk = Talk::new(an_owner(), message).at(accepted_at);
        let turn = talk.turn(None, message);
        talk.accept(&*store, &turn, key).await;
        turn
    };
    let running = async |mut turn: TurnRecord, at| {
        turn.state = TurnState::Running;
        turn.started_at = Some(at);
        store.update(turn).await.expect("updated");
    };
    accept("round 2, later", key(2, 7), 1).await;
    accept("round 2", key(2, 3), 9).await;
    accept("round 1", key(1, 5), 8).await;
    accept("no place", None, 250).await;
    // Of two that start at once, either may be known to have started, and the other not.
    running(accept("started later", key(1, 6), 2).await, 300).await;
    running(accept("started", key(1, 2), 2).await, 301).await;
    running(accept("no place, but ran", None, 3).await, 200).await;
    let over = accept("over", key(0, 1), 4).await;
    store.update(answered(over, "done")).await.expect("updated");
    let deleted = accept("deleted", key(0, 2), 4).await;
    assert_eq!(store.delete(deleted.owner, deleted.conversation, 5).await, Ok(true));

    let expected = [
        "no place, but ran",
        "no place",
        "started",
        "round 1",
        "started later",
        "round 2",
        "round 2, later",
    ];
    assert_eq!(order(&*store).await, expected);
    store.close().await;
    let store = K::open(folder.path()).await;
    assert_eq!(order(&*store).await, expected);
}

pub(crate) async fn an_unfinished_turn_comes_with_its_conversation_versions_and_place<K: Kind>() {
    let Fixture { store, folder: _folder } = fixture::<K>().await;
    let owner = an_owner();
    let mut talk = Talk::new(owner, "Title");
    let first = talk.say(&*store, None, "first").await;
    store.update(answered(first.clone(), "answer")).await.expect("updated");
    let mut second = talk.turn(None, "second version");
    second.files = vec![file("a.txt")];
    talk.accept(&*store, &second, key(4, 5)).await;
    let chosen = store.choose(owner, talk.id(), a_choice("large@gpu"), "large@gpu").await;
    assert_eq!(chosen, Ok(true));
    let turn = store.turn(owner, second.id).await.expect("read").expect("there");
    assert_eq!(turn.versions.earlier, Some(first.id));
    let expected = Unfinished {
        conversation: talk.conversation,
        choice: a_choice("large@gpu"),
        turn,
        key: key(4, 5),
    };
    assert_eq!(store.unfinished().await, Ok(vec![expected]));
}

pub(crate) async fn places_are_stored_anew<K: Kind>() {
    let Fixture { store, folder: _folder } = fixture::<K>().await;
    let mut turns = Vec::new();
    for (number, message) in ["a", "b", "c"].into_iter().enumerate() {
        let mut talk = Talk::new(an_owner(), message);
        let turn = talk.turn(None, message);
        talk.accept(&*store, &turn, key(number as u64, 0)).await;
        turns.push(turn);
    }
    assert_eq!(order(&*store).await, ["a", "b", "c"]);
    let place = |turn: &TurnRecord, tag, arrival| (turn.owner, turn.id, OrderKey { tag, arrival });
    let stranger = (an_owner(), turns[1].id, OrderKey { tag: 0, arrival: 0 });
    let moved = vec![place(&turns[0], 5, 2), place(&turns[2], 5, 1), stranger];
    store.reorder(moved).await.expect("reordered");
    assert_eq!(order(&*store).await, ["b", "c", "a"]);
    store.reorder(Vec::new()).await.expect("nothing to do");

    store.update(answered(turns[2].clone(), "done")).await.expect("updated");
    store
        .reorder(vec![place(&turns[2], 0, 0)])
        .await
        .expect("too late is no error");
    assert_eq!(order(&*store).await, ["b", "a"]);
}
