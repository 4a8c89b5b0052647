//! Who asks the store again and again how a turn is, and sends in the instant in which it is over.

use super::*;
use crate::{agents::Part, wire::TurnState};

/// Agents that answer at once, long enough that showing it takes a moment.
struct Quick;

impl AgentFactory for Quick {
    fn model(&self) -> String {
        "quick".into()
    }

    fn agent(&self) -> Arc<dyn Agent> {
        Arc::new(Self)
    }
}

#[async_trait]
impl Agent for Quick {
    async fn answer(
        &self,
        _question: Question,
        parts: Parts,
        _cancel: CancellationToken,
    ) -> Result<Answered, AgentError> {
        let code = format!("```rust\n{}```\n", "let x = 1;\n".repeat(50));
        let _ = parts.send(Part::Text(code)).await;
        Ok(Answered::default())
    }
}

/// Looks at the store without a pause until the last turn is so.
async fn look_until(client: &Client, id: ConversationId, state: TurnState) {
    loop {
        let view = client.conversation(id).await.expect("read").expect("there");
        if view.turns.last().expect("a turn").state == state {
            return;
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_has_seen_the_outcome_may_send() {
    let folder = tempfile::tempdir().expect("a folder");
    let engine = engine_of(&folder, Arc::new(Quick)).await;
    let client = Client::new(Arc::clone(&engine), Principal::visitor(SessionId::random()));
    let Sent { conversation, turn, .. } = client.send(asks("first", &[])).await.expect("accepted");
    let mut last = turn;
    for round in 0..20 {
        look_until(&client, conversation, TurnState::Done).await;
        let next = SendRequest {
            conversation: Some(conversation),
            ..asks("next", &[])
        };
        last = client
            .send(next)
            .await
            .unwrap_or_else(|why| panic!("round {round}: {why}"))
            .turn;
    }
    look_until(&client, conversation, TurnState::Done).await;
    client
        .again(last, TurnId::new())
        .await
        .expect("another answer is asked for");
    look_until(&client, conversation, TurnState::Done).await;
    engine.shutdown(Duration::ZERO).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_has_seen_the_end_may_ask_for_another_answer() {
    let folder = tempfile::tempdir().expect("a folder");
    let engine = engine(&folder).await;
    let client = Client::new(Arc::clone(&engine), Principal::visitor(SessionId::random()));
    let Sent { conversation, turn, .. } = client.send(asks("first", &[])).await.expect("accepted");
    for round in 0..40 {
        assert!(client.cancel(turn));
        look_until(&client, conversation, TurnState::Cancelled).await;
        // In its place: nothing may be left of the one before.
        let again = client.again(turn, TurnId::new()).await;
        again.unwrap_or_else(|why| panic!("round {round}: {why}"));
    }
    engine.shutdown(Duration::ZERO).await;
}
