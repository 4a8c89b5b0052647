//! How fast it is with much in it. By hand, with the optimised build:
//! `cargo test --release -p anteroom --lib store::sqlite::tests::speed -- --ignored --nocapture --test-threads 1`

use std::{sync::Arc, time::Instant};

use futures_util::{future::join_all, poll};

use super::*;

const MANY: usize = 10_000;

/// The time of the best of some runs, printed.
async fn measure<T, F: Future<Output = T>>(what: &str, mut run: impl FnMut() -> F) -> T {
    let mut times = Vec::new();
    let mut last = None;
    for _ in 0..5 {
        let begin = Instant::now();
        last = Some(run().await);
        times.push(begin.elapsed());
    }
    let first = times[0];
    times.sort();
    println!("{what}: first {first:.1?}, then {:.1?} in the middle", times[2]);
    last.expect("it has run")
}

/// A message of about 1 KB, none like the other.
fn message(number: usize) -> String {
    format!("Message {number}: {}", "what people say to each other, ÄÖÜ ".repeat(28))
}

/// Stores many in few commits, in their order.
async fn accept_all(store: &SqliteStore, all: Vec<(ConversationRecord, TurnRecord, Option<OrderKey>)>) {
    let mut rest = all.into_iter();
    loop {
        let some = rest.by_ref().take(100);
        let mut writes: Vec<_> = some
            .map(|(conversation, turn, key)| store.accept(conversation, turn, key, None))
            .collect();
        if writes.is_empty() {
            return;
        }
        for write in &mut writes {
            assert!(poll!(write).is_pending());
        }
        for write in writes {
            write.await.expect("accepted");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "measures"]
async fn ten_thousand_waiting() {
    let Fixture { store, folder } = fixture().await;
    let mut all = Vec::new();
    for number in 0..MANY {
        let mut talk = Talk::new(an_owner(), "Title");
        let turn = talk.turn(None, &message(number));
        talk.conversation.head = turn.id;
        let key = OrderKey {
            tag: (number * 7919 % MANY) as u64,
            arrival: number as u64,
        };
        all.push((talk.conversation, turn, Some(key)));
    }
    let places = all
        .iter()
        .map(|(_, turn, _)| (turn.owner, turn.id, OrderKey { tag: 1, arrival: 1 }))
        .collect::<Vec<_>>();
    accept_all(&store, all).await;
    let found = measure("unfinished() with 10,000 waiting", || store.unfinished())
        .await
        .expect("read");
    assert_eq!(found.len(), MANY);
    measure("reorder() of all 10,000", || store.reorder(places.clone()))
        .await
        .expect("reordered");
    store.close().await;
    drop(store);
    let begin = Instant::now();
    let store = open(folder.path()).await;
    let found = store.unfinished().await.expect("read");
    println!("open and unfinished() after a restart: {:.1?}", begin.elapsed());
    assert_eq!(found.len(), MANY);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "measures"]
async fn ten_thousand_turns_in_one_conversation() {
    let Fixture { store, folder: _folder } = fixture().await;
    let owner = an_owner();
    let mut talk = Talk::new(owner, "Long");
    let (mut all, mut last) = (Vec::new(), None);
    for number in 0..MANY {
        let turn = answered(talk.turn(last, &message(number)[..512]), &message(number)[..512]);
        last = Some(turn.id);
        talk.conversation.head = turn.id;
        all.push((talk.conversation.clone(), turn, None));
    }
    let first = all[0].1.id;
    accept_all(&store, all).await;
    let head = talk.conversation.head;
    let path = measure("path() of 50 at the end of 10,000 turns", || {
        store.path(owner, head, 50)
    })
    .await;
    assert_eq!(path.expect("read").len(), 50);
    let below = measure("newest_below() of the first", || store.newest_below(owner, first)).await;
    assert_eq!(below, Ok(head));
    let all = measure("turns() of all", || store.turns(owner, talk.id())).await;
    assert_eq!(all.expect("read").len(), MANY);
    let hits = measure("search() without a hit over 10,000 turns of 1 KB", || {
        store.search(owner, "no such", 20)
    })
    .await;
    assert_eq!(hits, Ok(vec![]));
    let begin = Instant::now();
    store.forget(owner).await.expect("forgotten");
    println!("forget() of all of it: {:.1?}", begin.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "measures"]
async fn ten_thousand_conversations() {
    let Fixture { store, folder: _folder } = fixture().await;
    let owner = an_owner();
    let mut all = Vec::new();
    for number in 0..MANY {
        let mut talk = Talk::new(owner, &format!("Title {number}")).at((number * 7919 % MANY) as u64);
        let turn = answered(talk.turn(None, &message(number)), "answer");
        talk.conversation.head = turn.id;
        all.push((talk.conversation, turn, None));
    }
    let middle = all
        .iter()
        .find(|(conversation, ..)| conversation.updated_at == 5_000)
        .expect("there")
        .0
        .id;
    accept_all(&store, all).await;
    let page = measure("first page of 10,000 conversations", || {
        store.conversations(owner, None, 50)
    })
    .await;
    assert_eq!(page.expect("read").len(), 50);
    let page = measure("a page in the middle", || store.conversations(owner, Some(middle), 50)).await;
    assert_eq!(page.expect("read").len(), 50);
    let hits = measure("search() with a hit in each, 20 of them", || {
        store.search(owner, "people", 20)
    })
    .await;
    assert_eq!(hits.expect("read").len(), 20);
    let begin = Instant::now();
    let purged = store.purge(0, Some(u64::MAX)).await.expect("purged");
    println!("purge() of all: {:.1?}", begin.elapsed());
    assert_eq!(purged.conversations.len(), MANY);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "measures"]
async fn a_hundred_callers_at_once() {
    let Fixture { store, folder: _folder } = fixture().await;
    let store = Arc::new(store);
    let begin = Instant::now();
    let callers = (0..100).map(|_| {
        let store = Arc::clone(&store);
        tokio::spawn(async move {
            let mut talk = Talk::new(an_owner(), "Title");
            let mut last = None;
            for number in 0..100 {
                last = Some(talk.say(&*store, last, &message(number)).await.id);
            }
        })
    });
    for outcome in join_all(callers).await {
        outcome.expect("no panic");
    }
    let took = begin.elapsed();
    println!(
        "accept() by 100 callers: {:.0} a second",
        MANY as f64 / took.as_secs_f64()
    );
}
