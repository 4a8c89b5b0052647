//! Texts that PostgreSQL would not take, or not find.

use super::*;
use crate::wire::Choice;

#[tokio::test]
async fn a_zero_comes_back_wherever_people_may_write_one() {
    let Some(cluster) = anteroom_pgtest::shared() else {
        return;
    };
    let store = open(&cluster.url(&cluster.database())).await;
    let owner = an_owner();
    let odd = "a\0b\u{1a}0\u{1a}\0\0";
    let mut talk = Talk::new(owner, odd);
    let turn = answered(talk.say(&store, None, odd).await, odd);
    let turn = crate::store::TurnRecord {
        reasoning: odd.to_owned(),
        ..turn
    };
    store.update(turn.clone()).await.expect("updated");
    let choice = Choice {
        instructions: odd.to_owned(),
        ..Choice::default()
    };
    assert_eq!(
        store.choose(owner, talk.id(), choice.clone(), "demo@builtin").await,
        Ok(true)
    );
    let (conversation, chosen) = store.chosen(owner, talk.id()).await.expect("read").expect("there");
    assert_eq!((conversation.title.as_str(), chosen), (odd, choice));
    assert_eq!(store.turns(owner, talk.id()).await, Ok(vec![turn]));
    assert_eq!(store.search(owner, "B\u{1a}0", 1).await.expect("read").len(), 1);
    assert_eq!(store.rename(owner, talk.id(), "\0").await, Ok(true));
    assert_eq!(store.search(owner, "\0", 9).await.expect("read").len(), 1);
}

#[tokio::test]
async fn a_search_goes_on_past_what_is_fetched_at_once() {
    let Some(cluster) = anteroom_pgtest::shared() else {
        return;
    };
    let store = open(&cluster.url(&cluster.database())).await;
    let owner = an_owner();
    // The hits stand at the end, behind two long conversations; one conversation is all hits.
    for (title, updated_at, message, turns) in [
        ("first", 1, "ЁЛКА", 1),
        ("second", 2, "ёлка", 100),
        ("third", 3, "nothing", 100),
    ] {
        let mut talk = Talk::new(owner, title).at(updated_at);
        let mut last = None;
        for _ in 0..turns {
            last = Some(talk.say(&store, last, message).await.id);
        }
    }
    let titles = async |text, most| {
        let hits = store.search(owner, text, most).await.expect("read");
        hits.into_iter().map(|hit| hit.conversation.title).collect::<Vec<_>>()
    };
    assert_eq!(titles("Ёлка", 10).await, ["second", "first"]);
    assert_eq!(titles("Ёлка", 1).await, ["second"]);
    assert_eq!(titles("nOTHING", 10).await, ["third"]);
    assert_eq!(titles("absent", 10).await, [""; 0]);
}
