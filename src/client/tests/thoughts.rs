//! What a model thinks: shown beside its answer, kept with it, and no part of what was said.

use tokio::sync::Semaphore;

use super::*;
use crate::{agents::Part, wire::TurnState};

/// An agent that thinks twice before it speaks, and speaks once it may.
struct Muser {
    may_speak: Semaphore,
    asked: std::sync::Mutex<Vec<Question>>,
}

struct Musing(Arc<Muser>);

impl AgentFactory for Musing {
    fn model(&self) -> String {
        "muser".into()
    }

    fn agent(&self) -> Arc<dyn Agent> {
        Arc::clone(&self.0) as _
    }
}

#[async_trait]
impl Agent for Muser {
    async fn answer(&self, question: Question, parts: Parts, _: CancellationToken) -> Result<Answered, AgentError> {
        self.asked.lock().expect("no panic").push(question);
        for part in [Part::Reasoning("**Hm".into()), Part::Reasoning("**.".into())] {
            let _ = parts.send(part).await;
        }
        self.may_speak.acquire().await.expect("open").forget();
        for part in [Part::Text("Yes.".into()), Part::Reasoning("Well.".into())] {
            let _ = parts.send(part).await;
        }
        Ok(Answered::default())
    }
}

#[tokio::test]
async fn thoughts_are_shown_and_kept_beside_the_answer_and_are_no_part_of_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let muser = Arc::new(Muser {
        may_speak: Semaphore::new(0),
        asked: std::sync::Mutex::default(),
    });
    let engine = engine_of(&folder, Arc::new(Musing(Arc::clone(&muser)))).await;
    let client = Client::new(Arc::clone(&engine), Principal::visitor(SessionId::random()));
    let who = client.principal();
    let Sent { turn, conversation, .. } = client.send(asks("Is it?", &[])).await.expect("accepted");

    // While it thinks, a page that is loaded anew shows the thoughts so far.
    let thought = ["<p><strong>Hm</strong>.</p>"];
    until(&client, "a thought", async || {
        turn_of(&client, conversation).await.thoughts == thought
    })
    .await;
    let shown = turn_of(&client, conversation).await;
    assert_eq!((shown.state, shown.answer.as_str()), (TurnState::Running, ""));
    assert_eq!(shown.thought_ms, None, "it still thinks");
    muser.may_speak.add_permits(1);
    until(&client, "the answer", async || {
        turn_of(&client, conversation).await.state == TurnState::Done
    })
    .await;
    let shown = turn_of(&client, conversation).await;
    let thoughts = [thought[0], "<p>Well.</p>"];
    assert_eq!(
        (shown.answer.as_str(), &shown.thoughts[..]),
        ("Yes.", &thoughts.map(String::from)[..])
    );
    assert!(shown.thought_ms.is_some(), "it has thought for a while");
    let kept = engine
        .store()
        .turn(who.owner(), turn)
        .await
        .expect("read")
        .expect("there")
        .turn;
    assert_eq!(kept.reasoning, "**Hm**.\n\nWell.");

    // They are nothing that was said.
    for hidden in ["Hm", "Well"] {
        assert!(client.search(hidden).await.expect("read").found.is_empty(), "{hidden}");
    }
    let next = SendRequest {
        conversation: Some(conversation),
        ..asks("Really?", &[])
    };
    let next = client.send(next).await.expect("accepted");
    until(&client, "the second thought", async || {
        let view = client.conversation(conversation).await.expect("read").expect("there");
        view.turns.last().expect("a turn").thoughts == thought
    })
    .await;
    let asked = muser.asked.lock().expect("no panic").clone();
    let said: Vec<&str> = asked[1].messages.iter().map(|message| message.text.as_str()).collect();
    assert_eq!(said, ["Is it?", "Yes.", "Really?"]);

    // One that is stopped keeps them, and so does a restart.
    assert!(client.cancel(next.turn));
    until(&client, "the end of the turn", async || {
        let view = client.conversation(conversation).await.expect("read").expect("there");
        view.turns.iter().all(|turn| turn.state.is_over())
    })
    .await;
    engine.shutdown(Duration::ZERO).await;
    drop((client, engine));
    let engine = engine_of(&folder, Arc::new(Musing(muser))).await;
    let client = Client::new(Arc::clone(&engine), who);
    let view = client.conversation(conversation).await.expect("read").expect("there");
    let all: Vec<_> = view.turns.iter().map(|turn| turn.thoughts.join("")).collect();
    assert_eq!(all, [thoughts.concat(), thought.concat()]);

    client.forget(&client.confirmation()).await.expect("forgotten");
    assert_eq!(engine.store().turn(who.owner(), turn).await, Ok(None));
    engine.shutdown(Duration::ZERO).await;
}
