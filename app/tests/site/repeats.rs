//! The same sent several times at once: it counts once, and everybody who sent it hears the same.

use anteroom::wire::{Reason, Sent, TurnId, TurnState};
use futures_util::future::join_all;
use reqwest::StatusCode;

use crate::support::{Browser, Reply, Site, answer_of, edit, request};

const SENDERS: usize = 10;

/// The one turn and its conversation that all replies name.
fn one(replies: Vec<Reply>) -> Sent {
    let mut sent: Vec<Sent> = replies.into_iter().map(Reply::json).collect();
    for other in &sent {
        assert_eq!(
            (other.turn, other.conversation),
            (sent[0].turn, sent[0].conversation),
            "all hear the same"
        );
    }
    sent.remove(0)
}

async fn agains(browser: &Browser, turn: TurnId, new: TurnId) -> Vec<Reply> {
    join_all((0..SENDERS).map(|_| browser.again(turn, new))).await
}

#[tokio::test]
async fn a_message_that_is_sent_ten_times_at_once_is_accepted_once() {
    let site = Site::start(&[("CHAT_CONCURRENCY_LIMIT", "1")]).await;
    let (browser, other) = (site.browser().await, site.browser().await);
    // First with a slot free, then waiting.
    for hold in [false, true] {
        site.model.hold(hold);
        if hold {
            other.send("holds the slot").await;
            site.until_load(1, 0).await;
        }
        let question = format!("only once, hold {hold}");
        let same = request(None, &question, Vec::new());
        let replies = join_all((0..SENDERS).map(|_| browser.try_send(&same))).await;
        if hold {
            for reply in &replies {
                let sent: Sent = serde_json::from_str(&reply.text).expect("a reply");
                assert_eq!(sent.place.map(|place| place.position), Some(1), "all hear its place");
            }
        }
        let sent = one(replies);
        assert_eq!(sent.turn, same.turn);
        site.model.hold(false);
        assert_eq!(answer_of(&browser, sent.turn).await.state, TurnState::Done);
        let view = browser.conversation(sent.conversation).await.expect("it is there");
        assert_eq!(view.turns.len(), 1);
        assert_eq!(site.model.record().of(&question).count(), 1);
        // Long after its end, too.
        assert_eq!(one(vec![browser.try_send(&same).await]).turn, same.turn);
    }
    site.until_load(0, 0).await;
}

#[tokio::test]
async fn what_cannot_be_stored_is_refused_to_all_who_sent_it() {
    let site = Site::start(&[("CHAT_CONCURRENCY_LIMIT", "1")]).await;
    let browser = site.browser().await;
    edit(
        site.data(),
        "CREATE TRIGGER broken BEFORE INSERT ON turns BEGIN SELECT RAISE(ABORT, 'broken'); END",
    )
    .await;
    let same = request(None, "kept or not?", Vec::new());
    let replies = join_all((0..SENDERS).map(|_| browser.try_send(&same))).await;
    for reply in replies {
        assert_eq!(reply.status, StatusCode::SERVICE_UNAVAILABLE, "{reply:?}");
        assert!(matches!(reply.reason(), Reason::MessageNotKept { .. }), "{reply:?}");
    }
    site.until_load(0, 0).await;
    edit(site.data(), "DROP TRIGGER broken").await;
    let replies = join_all((0..SENDERS).map(|_| browser.try_send(&same))).await;
    let sent = one(replies);
    assert_eq!(answer_of(&browser, sent.turn).await.state, TurnState::Done);
    let view = browser.conversation(sent.conversation).await.expect("it is there");
    assert_eq!(view.turns.len(), 1);
}

#[tokio::test]
async fn what_may_not_join_the_line_is_refused_to_all_who_sent_it_as_what_it_is() {
    let site = Site::start(&[("CHAT_CONCURRENCY_LIMIT", "1"), ("QUEUE_MAX_SIZE", "1")]).await;
    site.model.hold(true);
    let (browser, other) = (site.browser().await, site.browser().await);
    other.send("runs").await;
    other.send("waits").await;
    site.until_load(1, 1).await;
    let same = request(None, "is there room?", Vec::new());
    let replies = join_all((0..SENDERS).map(|_| browser.try_send(&same))).await;
    assert!(
        replies.iter().all(|reply| reply.reason() == Reason::LineFull),
        "{replies:?}"
    );
}

#[tokio::test]
async fn a_sender_who_hangs_up_takes_the_others_with_it_no_more_than_the_message() {
    let site = Site::start(&[]).await;
    let browser = site.browser().await;
    for _ in 0..20 {
        let same = request(None, "somebody hangs up", Vec::new());
        let gone = tokio::spawn({
            let (browser, same) = (browser.clone(), same.clone());
            async move { browser.try_send(&same).await }
        });
        let rest = join_all((0..3).map(|_| browser.try_send(&same)));
        let (rest, ()) = tokio::join!(rest, async {
            tokio::task::yield_now().await;
            gone.abort();
        });
        assert_eq!(one(rest).turn, same.turn);
        assert_eq!(answer_of(&browser, same.turn).await.state, TurnState::Done);
    }
}

#[tokio::test]
async fn asking_ten_times_at_once_for_another_answer_makes_one() {
    let site = Site::start(&[("MODEL_RETRIES", "0")]).await;
    let browser = site.browser().await;
    // One that has an answer gets another version.
    let first = browser.send("answered").await;
    answer_of(&browser, first.turn).await;
    let new = TurnId::new();
    let sent = one(agains(&browser, first.turn, new).await);
    assert_eq!(sent.turn, new);
    let turn = answer_of(&browser, new).await;
    assert_eq!((turn.state, turn.versions.count), (TurnState::Done, 2));

    // One that came to nothing is answered in place, and goes by both names while it is on its way.
    let failed = browser.send("not answered [[fault=status:400 times=1]]").await;
    assert!(matches!(
        answer_of(&browser, failed.turn).await.state,
        TurnState::Failed { .. }
    ));
    site.model.hold(true);
    let new = TurnId::new();
    let sent = one(agains(&browser, failed.turn, new).await);
    assert_eq!(sent.turn, failed.turn);
    assert_eq!(one(vec![browser.again(failed.turn, new).await]).turn, failed.turn);
    site.model.hold(false);
    let turn = answer_of(&browser, failed.turn).await;
    assert_eq!((turn.state, turn.versions.count), (TurnState::Done, 1));
}
