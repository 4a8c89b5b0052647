//! Agents over real HTTP, and the demo model in paused time.

#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

mod demo;
mod faults;
mod logs;
mod openai;
pub(in crate::agents) mod providers;
mod reasoning;
mod tools;

use std::sync::Arc;

use bytes::Bytes;
use tokio::{
    sync::mpsc::{self, Receiver},
    task::JoinHandle,
};
use tokio_util::sync::CancellationToken;

use super::{
    Agent, AgentContext, AgentError, AgentFactory, Answered, Backends, FactoryError, Image, Message, Parameters, Part,
    Question, factory,
};
use crate::{
    queue::BackendIndex,
    settings::{Loaded, ModelName, Settings},
    wire::{Event, LineView, Role, SettingRow},
};

/// A server where three of three slots are busy and four people wait.
struct Busy {
    rows: Vec<SettingRow>,
    backends: Arc<Backends>,
}

impl AgentContext for Busy {
    fn chat_line(&self, _: &ModelName) -> LineView {
        LineView {
            name: "chat".to_owned(),
            events: vec![Event::Chat],
            running: 3,
            limit: Some(3),
            mine: 0,
            waiting: 4,
            newcomer: 5,
            estimate: None,
            model: None,
            trouble: None,
            ..LineView::default()
        }
    }

    fn settings(&self) -> Vec<SettingRow> {
        self.rows.clone()
    }

    fn backends(&self) -> Arc<Backends> {
        Arc::clone(&self.backends)
    }
}

/// A session's agent, with what it has behind it.
#[derive(Clone)]
pub(in crate::agents) struct Talker {
    pub(in crate::agents) agent: Arc<dyn Agent>,
    pub(in crate::agents) backends: Arc<Backends>,
    pub(in crate::agents) agents: Arc<dyn AgentFactory>,
}

fn load(variables: &[(&str, &str)]) -> Loaded {
    let environment = variables
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Settings::load(environment, None).unwrap()
}

pub(in crate::agents) fn talker(loaded: Loaded) -> Result<Talker, FactoryError> {
    let Loaded { settings, rows, .. } = loaded;
    let backends = Arc::new(Backends::new(&settings)?);
    let context = Busy {
        rows,
        backends: Arc::clone(&backends),
    };
    let agents = factory(&settings, Arc::new(context))?;
    Ok(Talker {
        agent: agents.agent(),
        backends,
        agents,
    })
}

fn agent(variables: &[(&str, &str)]) -> Talker {
    talker(load(variables)).unwrap()
}

/// A question to a model that has no name yet: [`ask`] takes the default.
pub(in crate::agents) fn question_of(messages: Vec<Message>, parameters: Parameters) -> Question {
    Question {
        messages,
        model: ModelName {
            name: String::new(),
            place: String::new(),
        },
        backend: BackendIndex(0),
        parameters,
        tools: Arc::default(),
    }
}

pub(in crate::agents) fn said(role: Role, text: &str) -> Message {
    Message::said(role, text.to_owned())
}

fn kind() -> Parameters {
    Parameters {
        system: Some("Be kind.".to_owned()),
        ..Parameters::default()
    }
}

pub(in crate::agents) fn question(text: &str) -> Question {
    question_of(vec![said(Role::User, text)], Parameters::default())
}

pub(in crate::agents) fn picture(name: &str) -> Image {
    Image {
        name: name.to_owned(),
        mime: "image/png".to_owned(),
        bytes: Bytes::from_static(b"\x89PNG"),
        found: false,
    }
}

/// An answer on its way.
pub(in crate::agents) struct Asked {
    pub(in crate::agents) parts: Receiver<Part>,
    pub(in crate::agents) cancel: CancellationToken,
    pub(in crate::agents) outcome: JoinHandle<Result<Answered, AgentError>>,
}

pub(in crate::agents) fn ask(talker: &Talker, mut question: Question) -> Asked {
    let (sender, parts) = mpsc::channel(8);
    let cancel = CancellationToken::new();
    if question.model.name.is_empty() {
        question.model = talker.backends.default_model();
    }
    let (agent, token) = (Arc::clone(&talker.agent), cancel.clone());
    let outcome = tokio::spawn(async move { agent.answer(question, sender, token).await });
    Asked { parts, cancel, outcome }
}

impl Asked {
    /// What was put in, and how it ended.
    pub(in crate::agents) async fn all(mut self) -> (String, Result<Answered, AgentError>) {
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
    let name = |variables: &[(&str, &str)]| agent(variables).agents.model();
    assert_eq!(name(&[]), "demo@builtin");
    assert_eq!(
        name(&[("MODEL", "gpt-4o@openai"), ("OPENAI_API_KEY", "k")]),
        "gpt-4o@openai"
    );
    assert_eq!(name(&[("MODEL", "llama3.2@ollama")]), "llama3.2@ollama");
}
