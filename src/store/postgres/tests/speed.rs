//! How fast it is with much in it. By hand, with the optimised build:
//! `cargo test --release -p anteroom --lib store::postgres::tests::speed -- --ignored --nocapture --test-threads 1`

use std::time::Instant;

use futures_util::future::join_all;
use sqlx::PgConnection;

use super::{
    appends::{A, NODE, something, start, written},
    *,
};
use crate::{
    queue::OrderKey,
    store::{job::Operation, postgres::write::Update},
};

/// The time of a run, printed.
async fn measure<T>(what: &str, run: impl Future<Output = T>) -> T {
    let begin = Instant::now();
    let done = run.await;
    println!("{what}: {:.1?}", begin.elapsed());
    done
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "measures"]
async fn ten_thousand_waiting_and_their_outcomes() {
    const MANY: usize = 10_000;
    let Some(cluster) = anteroom_pgtest::shared() else {
        return;
    };
    let store = open(&cluster.url(&cluster.database())).await;
    let mut all = Vec::new();
    for number in 0..MANY {
        let mut talk = Talk::new(an_owner(), "Title");
        let turn = talk.turn(None, &"what people say to each other, ÄÖÜ ".repeat(28));
        talk.conversation.head = turn.id;
        let key = OrderKey {
            tag: (number * 7919 % MANY) as u64,
            arrival: number as u64,
        };
        all.push((talk.conversation, turn, key));
    }
    let accepted = all
        .iter()
        .map(|(conversation, turn, key)| store.accept(conversation.clone(), turn.clone(), Some(*key), None));
    let accepted = measure("10,000 accepted at once", join_all(accepted)).await;
    assert!(accepted.iter().all(Result::is_ok));
    println!("in {} commits", store.writer.commits());
    let found = measure("unfinished()", store.unfinished()).await.expect("read");
    assert_eq!(found.len(), MANY);
    let places = all
        .iter()
        .map(|(_, turn, _)| (turn.owner, turn.id, OrderKey { tag: 1, arrival: 1 }))
        .collect();
    measure("reorder()", store.reorder(places)).await.expect("reordered");
    let over = all
        .iter()
        .map(|(_, turn, _)| store.update(answered(turn.clone(), "An answer.")));
    let over = measure("10,000 outcomes at once", join_all(over)).await;
    assert!(over.iter().all(Result::is_ok));
    let one = &all[0].1;
    for _ in 0..3 {
        measure("one update alone", store.update(one.clone()))
            .await
            .expect("updated");
        measure("one look", store.turn(one.owner, one.id)).await.expect("read");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "measures"]
async fn five_thousand_turns_in_one_conversation() {
    let Some(cluster) = anteroom_pgtest::shared() else {
        return;
    };
    let store = open(&cluster.url(&cluster.database())).await;
    let owner = an_owner();
    let mut talk = Talk::new(owner, "Title");
    let mut last = None;
    for _ in 0..5_000 {
        last = Some(talk.say(&store, last, "what people say to each other").await.id);
    }
    let last = last.expect("there are some");
    for most in [50, 5_000] {
        let path = measure(&format!("path() of {most}"), store.path(owner, last, most)).await;
        assert_eq!(path.expect("read").len(), most);
    }
    measure("newest_below()", store.newest_below(owner, last))
        .await
        .expect("read");
    let found = measure("search() in vain", store.search(owner, "nowhere", 10)).await;
    assert_eq!(found, Ok(vec![]));
    measure("conversations()", store.conversations(owner, None, 50))
        .await
        .expect("read");
}

/// An outcome that is stored step by step, as what takes several statements is.
struct BySteps(Update);

impl Operation for BySteps {
    type Connection = PgConnection;
    type Output = ();

    async fn run(&self, connection: &mut PgConnection) -> sqlx::Result<()> {
        self.0.run(connection).await
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "measures"]
async fn an_outcome_with_its_slot_in_one_statement_and_by_steps() {
    const ROUNDS: usize = 300;
    let Some(cluster) = anteroom_pgtest::shared() else {
        return;
    };
    let (store, log) = start(cluster.url(&cluster.database()), A, NODE).await;
    let mut taken = [Vec::new(), Vec::new()];
    let mut talk = Talk::new(an_owner(), "Title");
    for round in 0..2 * ROUNDS {
        let turn = talk.say(&store, None, "what people say to each other").await;
        let over = answered(turn, "An answer.");
        // After a pause, as a slot is handed on after one.
        tokio::time::sleep(Duration::from_millis(20)).await;
        let begin = Instant::now();
        let append = log.append(A, round as u64 + 1, something(), None);
        let by_steps = round % 2 == 1;
        let (ended, reply) = if by_steps {
            tokio::join!(store.writer.write_with_entry(BySteps(Update(over))), append)
        } else {
            tokio::join!(store.end(over), append)
        };
        taken[usize::from(by_steps)].push(begin.elapsed());
        assert!(ended.is_ok() && written(&reply).is_some(), "{ended:?}, {reply:?}");
    }
    for (what, mut taken) in ["in one statement", "by steps"].into_iter().zip(taken) {
        taken.sort_unstable();
        println!(
            "an outcome with its slot, {what}: {:.2?} at the median",
            taken[ROUNDS / 2]
        );
    }
}
