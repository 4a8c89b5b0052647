//! Agents over real HTTP, and the demo model in paused time.

#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

mod demo;
mod faults;
mod logs;
mod openai;
mod providers;
mod reasoning;

use std::sync::Arc;

use bytes::Bytes;
use tokio::{
    sync::mpsc::{self, Receiver},
    task::JoinHandle,
};
use tokio_util::sync::CancellationToken;

use super::{
    Agent, AgentContext, AgentError, AgentFactory, Answered, FactoryError, Image, Message, Part, Question, factory,
};
use crate::{
    settings::{BackendSettings, Loaded, Provider, Secret, Settings},
    wire::{Event, LineView, Role, SettingRow},
};

/// A server where three of three slots are busy and four people wait.
struct Busy(Vec<SettingRow>);

impl AgentContext for Busy {
    fn chat_line(&self) -> LineView {
        LineView {
            name: "chat".to_owned(),
            events: vec![Event::Chat],
            running: 3,
            limit: Some(3),
            waiting: 4,
            newcomer: 5,
            estimate: None,
        }
    }

    fn settings(&self) -> Vec<SettingRow> {
        self.0.clone()
    }
}

fn make(variables: &[(&str, &str)]) -> Result<Arc<dyn AgentFactory>, FactoryError> {
    let environment = variables
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let Loaded { settings, rows, .. } = Settings::load(environment, None).unwrap();
    factory(&settings, Arc::new(Busy(rows)))
}

fn agent(variables: &[(&str, &str)]) -> Arc<dyn Agent> {
    make(variables).unwrap().agent()
}

fn said(role: Role, text: &str) -> Message {
    Message {
        role,
        text: text.to_owned(),
        images: Vec::new(),
    }
}

fn question(text: &str) -> Question {
    Question {
        messages: vec![said(Role::User, text)],
    }
}

fn picture(name: &str) -> Image {
    Image {
        name: name.to_owned(),
        mime: "image/png".to_owned(),
        bytes: Bytes::from_static(b"\x89PNG"),
    }
}

/// An answer on its way.
struct Asked {
    parts: Receiver<Part>,
    cancel: CancellationToken,
    outcome: JoinHandle<Result<Answered, AgentError>>,
}

fn ask(agent: &Arc<dyn Agent>, question: Question) -> Asked {
    let (sender, parts) = mpsc::channel(8);
    let cancel = CancellationToken::new();
    let (agent, token) = (Arc::clone(agent), cancel.clone());
    let outcome = tokio::spawn(async move { agent.answer(question, sender, token).await });
    Asked { parts, cancel, outcome }
}

impl Asked {
    /// What was put in, and how it ended.
    async fn all(mut self) -> (String, Result<Answered, AgentError>) {
        let mut text = String::new();
        while let Some(part) = self.parts.recv().await {
            if let Part::Text(piece) = part {
                text.push_str(&piece);
            }
        }
        (text, self.outcome.await.unwrap())
    }
}

#[test]
fn models_are_named_as_people_write_them() {
    let name = |variables: &[(&str, &str)]| make(variables).unwrap().model();
    assert_eq!(name(&[]), "demo@builtin");
    assert_eq!(
        name(&[("MODEL", "gpt-4o@openai"), ("OPENAI_API_KEY", "k")]),
        "gpt-4o@openai"
    );
    assert_eq!(name(&[("MODEL", "llama3.2@ollama")]), "llama3.2@ollama");
}

#[test]
fn what_cannot_work_is_refused_before_anybody_asks() {
    let mut settings = Settings::load([("MODEL".to_owned(), "m@ollama".to_owned())], None)
        .unwrap()
        .settings;
    let outcome = |settings: &Settings| factory(settings, Arc::new(Busy(Vec::new()))).err();
    let change = |settings: &mut Settings, change: &dyn Fn(&mut BackendSettings)| {
        change(&mut Arc::make_mut(&mut settings.catalog).backends[0]);
    };
    change(&mut settings, &|backend| {
        backend.address = Some("ftp://here".to_owned());
    });
    assert_eq!(
        outcome(&settings),
        Some(FactoryError::BadUrl { variable: "OLLAMA_URL" })
    );
    change(&mut settings, &|backend| {
        (backend.provider, backend.address) = (Provider::OpenAi, None);
    });
    assert_eq!(
        outcome(&settings),
        Some(FactoryError::MissingKey {
            variable: "OPENAI_API_KEY"
        })
    );
    change(&mut settings, &|backend| backend.key = Some(Secret("a\nb".to_owned())));
    assert_eq!(
        outcome(&settings),
        Some(FactoryError::BadKey {
            variable: "OPENAI_API_KEY"
        })
    );
}
