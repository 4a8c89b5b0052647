//! What is chosen for a conversation: by whom, within which bounds, and for which turns it counts.

use super::*;
use crate::{
    journal::Replay,
    wire::{FeedEvent, MAX_ANSWER_TOKENS, Reason, TurnState},
};

/// Agents that think until they are stopped, of these models.
struct Offering(&'static [&'static str]);

impl AgentFactory for Offering {
    fn model(&self) -> String {
        self.0[0].to_owned()
    }

    fn models(&self) -> Vec<ModelInfo> {
        let models = self.0.iter().map(|id| ModelInfo {
            id: (*id).to_owned(),
            ..ModelInfo::default()
        });
        models.collect()
    }

    fn agent(&self) -> Arc<dyn Agent> {
        Arc::new(Thinker)
    }
}

const BOTH: &[&str] = &["small@cpu", "large@gpu"];

async fn offering(folder: &TempDir, models: &'static [&'static str]) -> Arc<Engine> {
    engine_of(folder, Arc::new(Offering(models))).await
}

fn visitor(engine: &Arc<Engine>) -> Client {
    Client::new(Arc::clone(engine), Principal::visitor(SessionId::random()))
}

fn large() -> Choice {
    Choice {
        model: Some("large@gpu".into()),
        instructions: "Be brief.".into(),
        temperature: Some(0.5),
        max_tokens: Some(100),
        without_tools: false,
    }
}

async fn choice_of(client: &Client, id: ConversationId) -> Choice {
    client.conversation(id).await.expect("read").expect("there").choice
}

#[tokio::test]
async fn a_conversation_keeps_what_is_chosen_for_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let engine = offering(&folder, BOTH).await;
    let client = visitor(&engine);
    let offered: Vec<String> = client.models().into_iter().map(|model| model.id).collect();
    assert_eq!(offered, BOTH);

    // Along with the first message.
    let first = SendRequest {
        choice: Some(large()),
        ..asks("And now?", &[])
    };
    let Sent { turn, conversation, .. } = client.send(first).await.expect("accepted");
    assert_eq!(choice_of(&client, conversation).await, large());
    assert_eq!(turn_of(&client, conversation).await.model, "large@gpu");
    let plain = client.send(asks("Nothing chosen", &[])).await.expect("accepted");
    assert_eq!(choice_of(&client, plain.conversation).await, Choice::default());
    assert_eq!(turn_of(&client, plain.conversation).await.model, "small@cpu");

    // What runs goes on as it is; what is answered after that is as it was chosen then.
    let small = Choice {
        model: Some("small@cpu".into()),
        ..Choice::default()
    };
    client.choose(conversation, small.clone()).await.expect("chosen");
    assert_eq!(choice_of(&client, conversation).await, small);
    assert_eq!(turn_of(&client, conversation).await.model, "large@gpu");
    assert!(client.cancel(turn));
    until(&client, "the end of the turn", async || {
        turn_of(&client, conversation).await.state == TurnState::Cancelled
    })
    .await;
    client.again(turn, TurnId::new()).await.expect("accepted");
    assert_eq!(turn_of(&client, conversation).await.model, "small@cpu");

    // Another message, another choice; without one, it stays.
    assert!(client.cancel(turn));
    until(&client, "the end of the turn", async || {
        turn_of(&client, conversation).await.state == TurnState::Cancelled
    })
    .await;
    for choice in [Some(large()), None] {
        let next = SendRequest {
            conversation: Some(conversation),
            choice,
            ..asks("And next?", &[])
        };
        let sent = client.send(next).await.expect("accepted");
        assert_eq!(choice_of(&client, conversation).await, large());
        let shown = client.conversation(conversation).await.expect("read").expect("there");
        assert_eq!(shown.turns.last().expect("a turn").model, "large@gpu");
        assert!(client.cancel(sent.turn));
        until(&client, "the end of the turn", async || {
            let shown = client.conversation(conversation).await.expect("read").expect("there");
            shown.turns.iter().all(|turn| turn.state.is_over())
        })
        .await;
    }

    // Of the choice, only the model leaves the server in a file.
    let exported = client.export(conversation, Export::Json).await.expect("read");
    let (_, json) = exported.expect("there");
    let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(json["model"], "large@gpu");
    assert!(!json.to_string().contains("Be brief"), "{json}");
    engine.shutdown(Duration::ZERO).await;
}

#[tokio::test]
async fn what_cannot_be_chosen_changes_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let engine = offering(&folder, BOTH).await;
    let (client, stranger) = (visitor(&engine), visitor(&engine));
    let first = SendRequest {
        choice: Some(large()),
        ..asks("And now?", &[])
    };
    let conversation = client.send(first).await.expect("accepted").conversation;
    let unknown = "large@nowhere".to_owned();
    for (wrong, reason) in [
        (
            Choice {
                model: Some(unknown.clone()),
                ..large()
            },
            Reason::ModelNotOffered { model: unknown },
        ),
        (
            Choice {
                instructions: "x".repeat(70_000),
                ..large()
            },
            Reason::InstructionsTooLong {
                bytes: 70_000,
                most: 65_536,
            },
        ),
        (
            Choice {
                temperature: Some(2.5),
                ..large()
            },
            Reason::NoTemperature,
        ),
        (
            Choice {
                max_tokens: Some(0),
                ..large()
            },
            Reason::NoAnswerLength {
                most: u64::from(MAX_ANSWER_TOKENS),
            },
        ),
    ] {
        let refused = client.choose(conversation, wrong.clone()).await.expect_err("refused");
        assert_eq!(refused.reason(), reason);
        let begins = SendRequest {
            choice: Some(wrong),
            ..asks("Not accepted", &[])
        };
        assert_eq!(client.send(begins).await.expect_err("refused").reason(), reason);
    }
    assert_eq!(choice_of(&client, conversation).await, large());
    assert_eq!(titles(&client).await, ["And now?"]);

    for (who, id) in [(&stranger, conversation), (&client, ConversationId::new())] {
        let refused = who.choose(id, large()).await;
        assert!(matches!(refused, Err(ClientError::NoConversation)), "{refused:?}");
    }
    engine.shutdown(Duration::ZERO).await;
}

#[tokio::test]
async fn what_waits_is_answered_as_it_is_chosen_last_also_after_a_restart() {
    let folder = tempfile::tempdir().expect("a folder");
    let engine = offering(&folder, BOTH).await;
    let (client, other) = (visitor(&engine), visitor(&engine));
    let (who, neighbour) = (client.principal(), other.principal());
    let runs = other.send(asks("This one runs", &[])).await.expect("accepted");
    let Sent {
        turn,
        conversation,
        place,
        ..
    } = client.send(asks("This one waits", &[])).await.expect("accepted");
    assert_eq!(place.expect("it waits").position, 1);
    client.choose(conversation, large()).await.expect("chosen");
    // Its pages are told: what is chosen, and how the turn is now.
    let told = async || {
        let journal = client.session();
        let epoch = journal.journal().position().epoch;
        let Replay::Events(events) = journal.journal().after(crate::wire::FeedPosition { epoch, number: 0 }) else {
            return false;
        };
        let chosen = events
            .iter()
            .any(|(_, event)| matches!(event, FeedEvent::Chosen { choice, .. } if *choice == large()));
        let moved = events.iter().any(|(_, event)| {
            matches!(event, FeedEvent::Turn(view) if view.model == "large@gpu" && view.state == TurnState::Waiting)
        });
        chosen && moved
    };
    until(&client, "the news", told).await;
    let shown = turn_of(&client, conversation).await;
    assert_eq!((shown.model.as_str(), shown.state), ("large@gpu", TurnState::Waiting));
    engine.shutdown(Duration::ZERO).await;
    drop((client, other, engine));

    let engine = offering(&folder, BOTH).await;
    let client = Client::new(Arc::clone(&engine), who);
    let shown = turn_of(&client, conversation).await;
    assert_eq!((shown.model.as_str(), shown.state), ("large@gpu", TurnState::Waiting));
    assert_eq!(choice_of(&client, conversation).await, large());
    // Chosen once more, it starts with that.
    client.choose(conversation, Choice::default()).await.expect("chosen");
    let other = Client::new(Arc::clone(&engine), neighbour);
    assert!(other.cancel(runs.turn), "what ran before runs again");
    until(&client, "its start", async || {
        turn_of(&client, conversation).await.state == TurnState::Running
    })
    .await;
    assert_eq!(turn_of(&client, conversation).await.model, "small@cpu");
    assert!(client.cancel(turn));
    engine.shutdown(Duration::ZERO).await;
}

#[tokio::test]
async fn a_conversation_whose_model_has_gone_needs_another() {
    let folder = tempfile::tempdir().expect("a folder");
    let engine = offering(&folder, BOTH).await;
    let client = visitor(&engine);
    let who = client.principal();
    let first = SendRequest {
        choice: Some(large()),
        ..asks("And now?", &[])
    };
    let Sent { turn, conversation, .. } = client.send(first).await.expect("accepted");
    assert!(client.cancel(turn));
    until(&client, "the end of the turn", async || {
        turn_of(&client, conversation).await.state == TurnState::Cancelled
    })
    .await;
    engine.shutdown(Duration::ZERO).await;
    drop((client, engine));

    let engine = offering(&folder, &BOTH[..1]).await;
    let client = Client::new(Arc::clone(&engine), who);
    let gone = Reason::ModelNotOffered {
        model: "large@gpu".into(),
    };
    let next = || SendRequest {
        conversation: Some(conversation),
        ..asks("And next?", &[])
    };
    assert_eq!(client.send(next()).await.expect_err("refused").reason(), gone);
    let again = client.again(turn, TurnId::new()).await;
    assert_eq!(again.expect_err("refused").reason(), gone);
    let small = Choice { model: None, ..large() };
    client.choose(conversation, small).await.expect("chosen");
    client.send(next()).await.expect("accepted");
    engine.shutdown(Duration::ZERO).await;
}

/// Two models, each with a pool of its own.
struct Pooled;

const POOLED: [&str; 2] = ["demo@builtin", "other@openai"];

impl AgentFactory for Pooled {
    fn model(&self) -> String {
        POOLED[0].to_owned()
    }

    fn models(&self) -> Vec<ModelInfo> {
        Offering(&POOLED).models()
    }

    fn pool(&self, model: &str) -> Option<crate::queue::PoolIndex> {
        let at = POOLED.iter().position(|known| *known == model)?;
        u32::try_from(at).ok().map(crate::queue::PoolIndex)
    }

    fn agent(&self) -> Arc<dyn Agent> {
        Arc::new(Thinker)
    }
}

/// Otherwise a slot of the line that it leaves could come to it before its task has heard of the choice.
#[tokio::test]
async fn who_chooses_another_model_is_in_its_line_before_the_reply() {
    let folder = tempfile::tempdir().expect("a folder");
    let settings = [
        ("DATA_DIR", folder.path().to_str().expect("a path")),
        ("MODELS", "demo@builtin,other@openai"),
        ("OPENAI_BASE_URL", "http://127.0.0.1:9"),
    ];
    let settings = settings.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let loaded = Settings::load(settings, None).expect("good settings");
    let agents = |_: &Settings, _| Ok::<_, Infallible>(Arc::new(Pooled) as Arc<dyn AgentFactory>);
    let engine = Engine::start_with(loaded, Logs::default(), agents)
        .await
        .expect("it starts");
    let client = visitor(&engine);
    for model in POOLED {
        let runs = SendRequest {
            choice: Some(Choice {
                model: Some(model.to_owned()),
                ..Choice::default()
            }),
            ..asks("runs", &[])
        };
        client.send(runs).await.expect("accepted");
    }
    let waits = client.send(asks("waits", &[])).await.expect("accepted");
    let waiting = || {
        let lines = engine.queue().lines().into_iter().filter(|line| line.pool.is_some());
        lines.map(|line| line.waiting).collect::<Vec<_>>()
    };
    assert_eq!(waiting(), [1, 0]);
    let other = Choice {
        model: Some(POOLED[1].to_owned()),
        ..Choice::default()
    };
    client.choose(waits.conversation, other).await.expect("chosen");
    // Nothing is awaited in between, so the task of the turn has not run yet.
    assert_eq!(waiting(), [0, 1]);
    engine.shutdown(Duration::ZERO).await;
}
