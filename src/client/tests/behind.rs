//! Messages that stand behind others: in order, once, through a restart, and held where the one before came to nothing.

use tokio::sync::{Semaphore, watch};

use super::*;
use crate::{
    agents::Part,
    wire::{FollowUp, MAX_FOLLOW_UPS, Reason, TurnState},
};

/// An agent that notes what it is asked, and answers each time it may; nothing where it is asked to fail.
struct Noting {
    may_answer: Semaphore,
    asked: watch::Sender<Vec<String>>,
}

struct Noted(Arc<Noting>);

impl AgentFactory for Noted {
    fn model(&self) -> String {
        "noting".into()
    }

    fn agent(&self) -> Arc<dyn Agent> {
        Arc::clone(&self.0) as _
    }
}

#[async_trait]
impl Agent for Noting {
    async fn answer(
        &self,
        question: Question,
        parts: Parts,
        cancel: CancellationToken,
    ) -> Result<Answered, AgentError> {
        let text = question.messages.last().expect("there is a message").text.clone();
        self.asked.send_modify(|asked| asked.push(text.clone()));
        tokio::select! {
            may = self.may_answer.acquire() => may.expect("open").forget(),
            () = cancel.cancelled() => return Ok(Answered::default()),
        }
        if !text.contains("fail") {
            let _ = parts.send(Part::Text(format!("About {text}."))).await;
        }
        Ok(Answered::default())
    }
}

impl Noting {
    fn asked(&self) -> Vec<String> {
        self.asked.borrow().clone()
    }

    /// Waits until it has been asked so often. A turn is said to run as soon as it has a slot, and what it asks is put together after that.
    async fn until_asked(&self, times: usize) {
        let mut asked = self.asked.subscribe();
        let asked = asked.wait_for(|asked| asked.len() >= times);
        let waited = tokio::time::timeout(Duration::from_secs(60), asked).await;
        waited.expect("it is asked").expect("it lives");
    }
}

fn noting() -> Arc<Noting> {
    Arc::new(Noting {
        may_answer: Semaphore::new(0),
        asked: watch::Sender::default(),
    })
}

async fn engine_noting(folder: &TempDir, noting: &Arc<Noting>) -> Arc<Engine> {
    engine_of(folder, Arc::new(Noted(Arc::clone(noting)))).await
}

fn into(conversation: ConversationId, text: &str) -> SendRequest {
    SendRequest {
        conversation: Some(conversation),
        ..asks(text, &[])
    }
}

async fn view(client: &Client, id: ConversationId) -> ConversationView {
    client.conversation(id).await.expect("read").expect("there")
}

async fn behind(client: &Client, id: ConversationId) -> Vec<FollowUp> {
    view(client, id).await.behind
}

async fn texts(client: &Client, id: ConversationId) -> Vec<String> {
    behind(client, id).await.into_iter().map(|one| one.message).collect()
}

/// Waits until the last turn is this one.
async fn until_last(client: &Client, id: ConversationId, message: &str, state: TurnState) {
    let last = async || {
        let view = view(client, id).await;
        view.turns
            .last()
            .is_some_and(|turn| turn.message == message && turn.state == state)
    };
    until(client, message, last).await;
}

/// Waits until all that stands behind is held, or none of it.
async fn until_held(client: &Client, id: ConversationId, held: bool) {
    let all = async || behind(client, id).await.iter().all(|one| one.held.is_some() == held);
    until(client, "holding", all).await;
}

#[tokio::test]
async fn they_begin_in_order_each_once_and_survive_a_restart() {
    let folder = tempfile::tempdir().expect("a folder");
    let agent = noting();
    let engine = engine_noting(&folder, &agent).await;
    let client = Client::new(Arc::clone(&engine), Principal::visitor(SessionId::random()));
    let first = client.send_behind(asks("one", &[])).await.expect("accepted");
    assert!(!first.behind);
    let id = first.conversation;
    let second = into(id, "two");
    for _ in 0..2 {
        let sent = client.send_behind(second.clone()).await.expect("accepted");
        assert!(sent.behind && sent.turn == second.turn && sent.place.is_none());
    }
    for text in ["three", "four"] {
        assert!(client.send_behind(into(id, text)).await.expect("accepted").behind);
    }
    assert_eq!(texts(&client, id).await, ["two", "three", "four"]);
    until_last(&client, id, "one", TurnState::Running).await;
    agent.until_asked(1).await;
    let who = client.principal();
    engine.shutdown(Duration::ZERO).await;
    drop((client, engine));

    let engine = engine_noting(&folder, &agent).await;
    let client = Client::new(Arc::clone(&engine), who);
    assert_eq!(texts(&client, id).await, ["two", "three", "four"]);
    agent.may_answer.add_permits(4);
    until_last(&client, id, "four", TurnState::Done).await;
    let view = view(&client, id).await;
    let said: Vec<_> = view.turns.iter().map(|turn| turn.message.as_str()).collect();
    assert_eq!((said, view.behind.len()), (vec!["one", "two", "three", "four"], 0));
    // What ran before the restart was asked again; nothing else twice.
    assert_eq!(agent.asked(), ["one", "one", "two", "three", "four"]);
    // Sent once more, it is a turn.
    let again = client.send_behind(second.clone()).await.expect("accepted");
    assert!(!again.behind && again.turn == second.turn);
    engine.shutdown(Duration::ZERO).await;
}

#[tokio::test]
async fn what_stands_behind_one_that_was_not_answered_waits_for_its_owner() {
    let folder = tempfile::tempdir().expect("a folder");
    let agent = noting();
    let engine = engine_noting(&folder, &agent).await;
    let client = Client::new(Arc::clone(&engine), Principal::visitor(SessionId::random()));
    let first = client.send_behind(asks("one", &[])).await.expect("accepted");
    let id = first.conversation;
    for text in ["two", "three"] {
        client.send_behind(into(id, text)).await.expect("accepted");
    }
    until_last(&client, id, "one", TurnState::Running).await;
    agent.until_asked(1).await;
    assert!(client.cancel(first.turn));
    until_held(&client, id, true).await;
    assert_eq!(behind(&client, id).await[0].held, Some(Reason::BeforeFailed));
    // Another message goes by itself, and takes nothing of that along.
    agent.may_answer.add_permits(1);
    assert!(!client.send_behind(into(id, "other")).await.expect("accepted").behind);
    until_last(&client, id, "other", TurnState::Done).await;
    assert_eq!(texts(&client, id).await, ["two", "three"]);
    // Let go, they go one after the other.
    client.release(id).await.expect("released");
    until_last(&client, id, "two", TurnState::Running).await;
    assert_eq!(texts(&client, id).await, ["three"]);
    let running = view(&client, id).await.turns.last().expect("there").id;
    agent.until_asked(3).await;
    assert!(client.cancel(running));
    until_held(&client, id, true).await;
    assert_eq!(agent.asked(), ["one", "other", "two"]);
    // And through a restart they are held still.
    let who = client.principal();
    engine.shutdown(Duration::ZERO).await;
    drop((client, engine));
    let engine = engine_noting(&folder, &agent).await;
    let client = Client::new(Arc::clone(&engine), who);
    assert_eq!(behind(&client, id).await[0].held, Some(Reason::BeforeFailed));
    client.release(id).await.expect("released");
    agent.may_answer.add_permits(1);
    until_last(&client, id, "three", TurnState::Done).await;
    engine.shutdown(Duration::ZERO).await;
}

#[tokio::test]
async fn what_has_not_begun_can_be_put_in_other_words_and_taken_back() {
    let folder = tempfile::tempdir().expect("a folder");
    let agent = noting();
    let engine = engine_noting(&folder, &agent).await;
    let [client, other] = [(); 2].map(|()| Client::new(Arc::clone(&engine), Principal::visitor(SessionId::random())));
    let runs = other.send(asks("theirs", &[])).await.expect("accepted");
    until_last(&other, runs.conversation, "theirs", TurnState::Running).await;
    let first = client.send(asks("one", &[])).await.expect("accepted");
    let before = client.status().places;
    let id = first.conversation;
    let [second, third] = ["two", "three"].map(|text| into(id, text));
    for request in [&second, &third] {
        client.send_behind(request.clone()).await.expect("accepted");
    }
    // The one that waits in the line keeps its place.
    client.reword(first.turn, "first").await.expect("reworded");
    client.reword(second.turn, "second").await.expect("reworded");
    assert_eq!(client.status().places.len(), 1);
    assert_eq!(client.status().places[0].position, before[0].position);
    assert!(client.withdraw(third.turn).await.expect("withdrawn"));
    assert!(!client.withdraw(third.turn).await.expect("looked for"));
    assert_eq!(texts(&client, id).await, ["second"]);
    for (who, turn) in [(&other, first.turn), (&other, second.turn), (&client, TurnId::new())] {
        assert!(who.reword(turn, "stolen").await.is_err());
        assert!(!who.withdraw(turn).await.expect("looked for"));
    }
    assert_eq!(
        client.reword(second.turn, " \n").await.expect_err("blank").reason(),
        Reason::EmptyMessage
    );
    agent.may_answer.add_permits(2);
    until_last(&client, id, "second", TurnState::Running).await;
    let late = client.reword(second.turn, "too late").await.expect_err("it runs");
    assert_eq!(late.reason(), Reason::MessageBegun);
    assert!(!client.withdraw(second.turn).await.expect("looked for"));
    agent.until_asked(3).await;
    assert_eq!(agent.asked(), ["theirs", "first", "second"]);
    let shown = view(&client, id).await.turns;
    assert_eq!(shown[0].message, "first");
    engine.shutdown(Duration::ZERO).await;
}

#[tokio::test]
async fn they_are_bounded_and_belong_to_their_conversation() {
    let folder = tempfile::tempdir().expect("a folder");
    let agent = noting();
    let engine = engine_noting(&folder, &agent).await;
    let client = Client::new(Arc::clone(&engine), Principal::visitor(SessionId::random()));
    let first = client.send(asks("one", &[])).await.expect("accepted");
    let id = first.conversation;
    until_last(&client, id, "one", TurnState::Running).await;
    for number in 0..MAX_FOLLOW_UPS {
        client
            .send_behind(into(id, &number.to_string()))
            .await
            .expect("accepted");
    }
    let refused = client.send_behind(into(id, "one too many")).await.expect_err("refused");
    let most = MAX_FOLLOW_UPS as u64;
    assert_eq!(refused.reason(), Reason::TooManyBehind { most });
    // Whoever does not ask for it is told that the conversation is busy, as ever.
    let busy = client.send(into(id, "at once")).await.expect_err("refused");
    assert_eq!(busy.reason(), Reason::ConversationBusy);
    agent.until_asked(1).await;
    // Deleted, nothing of it begins; brought back, it is there and waits to be let go.
    client.delete(id).await.expect("deleted");
    client.undelete(id).await.expect("undeleted");
    until(&client, "holding", async || {
        let behind = behind(&client, id).await;
        behind.len() == MAX_FOLLOW_UPS && behind.iter().all(|one| one.held.is_some())
    })
    .await;
    assert_eq!(agent.asked(), ["one"]);
    engine.shutdown(Duration::ZERO).await;
}
