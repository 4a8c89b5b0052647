//! A site whose model follows a script, and whose tools do as they are told.

use std::{
    collections::HashMap,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use serde_json::{Map, Value, json};
use tokio::sync::watch;

use super::super::*;
use crate::{
    agents::{Part, ToolCall, ToolSpec},
    conversations::toolbox::{CallFault, Offers, Progress, Toolbox},
    queue::Owner,
    tools::{Content, Leave, Offered, ServerSlot, ToolOutput},
    wire::{StepState, Usage},
};

/// Something that the model says.
pub(super) fn says(text: &str) -> Part {
    Part::Text(text.to_owned())
}

/// A tool of the server `files` that the model calls.
pub(super) fn calls(id: &str, tool: &str, arguments: &str) -> Part {
    Part::ToolCall(ToolCall {
        id: id.to_owned(),
        name: format!("files__{tool}"),
        arguments: arguments.to_owned(),
        opaque: None,
        thoughts: None,
    })
}

type Script = Arc<dyn Fn(usize, &Question) -> Vec<Part> + Send + Sync>;

/// A model that says what stands in a script, by the number of the question.
pub(super) struct Model {
    script: Mutex<Script>,
    asked: Mutex<Vec<Question>>,
}

struct Models(Arc<Model>);

impl AgentFactory for Models {
    fn model(&self) -> String {
        "small@cpu".into()
    }

    fn agent(&self) -> Arc<dyn Agent> {
        Arc::clone(&self.0) as _
    }
}

#[async_trait]
impl Agent for Model {
    async fn answer(&self, question: Question, parts: Parts, _: CancellationToken) -> Result<Answered, AgentError> {
        let says = {
            let mut asked = self.asked.lock().expect("no panic");
            let script = Arc::clone(&self.script.lock().expect("no panic"));
            let says = script(asked.len(), &question);
            asked.push(question);
            says
        };
        for part in says {
            let _ = parts.send(part).await;
        }
        Ok(Answered {
            usage: Usage {
                input: Some(10),
                output: Some(2),
            },
            incomplete: None,
        })
    }
}

impl Model {
    pub(super) fn script(script: impl Fn(usize, &Question) -> Vec<Part> + Send + Sync + 'static) -> Arc<Self> {
        Arc::new(Self {
            script: Mutex::new(Arc::new(script)),
            asked: Mutex::default(),
        })
    }

    /// One that calls a tool, then says that it is done.
    pub(super) fn one_call(tool: &'static str, arguments: &'static str) -> Arc<Self> {
        Self::script(move |round, _| match round {
            0 => vec![calls("a", tool, arguments)],
            _ => vec![says("Done.")],
        })
    }

    /// What it has been asked.
    pub(super) fn asked(&self) -> Vec<Question> {
        self.asked.lock().expect("no panic").clone()
    }

    /// The next question is the first again.
    pub(super) fn begin_anew(&self) {
        self.asked.lock().expect("no panic").clear();
    }

    /// The same, with another script.
    pub(super) fn begin_anew_with(&self, script: impl Fn(usize, &Question) -> Vec<Part> + Send + Sync + 'static) {
        self.begin_anew();
        *self.script.lock().expect("no panic") = Arc::new(script);
    }
}

type Returns = Arc<dyn Fn(&Map<String, Value>) -> Result<ToolOutput, CallFault> + Send + Sync>;

/// The tools of one server.
pub(super) struct Tools {
    all: Mutex<HashMap<String, (Offered, Option<Returns>)>>,
    called: Mutex<Vec<String>>,
    running: AtomicUsize,
    /// The tool that does not return for now; empty: all of them. `None`: none.
    hangs: watch::Sender<Option<String>>,
    connects_slowly: watch::Sender<bool>,
}

/// Counts a call that runs.
struct Running<'a>(&'a AtomicUsize);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Tools {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            all: Mutex::default(),
            called: Mutex::default(),
            running: AtomicUsize::new(0),
            hangs: watch::Sender::new(None),
            connects_slowly: watch::Sender::new(false),
        })
    }

    /// Adds a tool that takes a path, and returns what it was told.
    pub(super) fn tool(&self, name: &str, leave: Leave, repeatable: bool) {
        let tool = Offered {
            spec: ToolSpec {
                name: format!("files__{name}"),
                description: "Does something with a path.".into(),
                schema: json!({
                    "type": "object", "properties": { "path": { "type": "string" } }, "required": ["path"],
                }),
            },
            server: "files".into(),
            tool: name.into(),
            title: None,
            leave,
            fingerprint: "1".into(),
            repeatable,
        };
        let mut all = self.all.lock().expect("no panic");
        all.insert(format!("files__{name}"), (tool, None));
    }

    /// What a tool returns from now on.
    pub(super) fn returns(
        &self,
        name: &str,
        returns: impl Fn(&Map<String, Value>) -> Result<ToolOutput, CallFault> + Send + Sync + 'static,
    ) {
        let mut all = self.all.lock().expect("no panic");
        let tool = all.get_mut(&format!("files__{name}")).expect("a tool");
        tool.1 = Some(Arc::new(returns));
    }

    /// A tool is another one from now on.
    pub(super) fn change(&self, name: &str) {
        let mut all = self.all.lock().expect("no panic");
        let tool = all.get_mut(&format!("files__{name}")).expect("a tool");
        tool.0.fingerprint.push('+');
    }

    pub(super) fn hang(&self, hangs: bool) {
        self.hangs.send_replace(hangs.then(String::new));
    }

    pub(super) fn hang_only(&self, tool: &str) {
        self.hangs.send_replace(Some(tool.to_owned()));
    }

    pub(super) fn connect_slowly(&self, slowly: bool) {
        self.connects_slowly.send_replace(slowly);
    }

    /// How often any of them was called.
    pub(super) fn calls(&self) -> usize {
        self.called.lock().expect("no panic").len()
    }

    pub(super) fn calls_of(&self, tool: &str) -> usize {
        let called = self.called.lock().expect("no panic");
        called.iter().filter(|called| *called == tool).count()
    }
}

#[async_trait]
impl Toolbox for Tools {
    fn is_empty(&self) -> bool {
        self.all.lock().expect("no panic").is_empty()
    }

    async fn offer(&self, _: Owner, waits: Progress<'_>) -> Offers {
        let mut slowly = self.connects_slowly.subscribe();
        if *slowly.borrow_and_update() {
            waits(&["files"]);
            slowly.wait_for(|slowly| !slowly).await.expect("it lives");
        }
        let all = self.all.lock().expect("no panic");
        let mut tools: Vec<_> = all.values().map(|(tool, _)| tool.clone()).collect();
        tools.sort_by(|one, other| one.tool.cmp(&other.tool));
        Offers {
            tools,
            left_out: Vec::new(),
        }
    }

    async fn find(&self, _: Owner, name: &str) -> Option<Offered> {
        self.all
            .lock()
            .expect("no panic")
            .get(name)
            .map(|(tool, _)| tool.clone())
    }

    async fn slot(&self, _: &str, _: Owner) -> ServerSlot {
        ServerSlot::default()
    }

    async fn call(
        &self,
        _: Owner,
        tool: &Offered,
        arguments: Map<String, Value>,
        _: ServerSlot,
    ) -> Result<ToolOutput, CallFault> {
        self.called.lock().expect("no panic").push(tool.tool.clone());
        self.running.fetch_add(1, Ordering::SeqCst);
        let _running = Running(&self.running);
        let mut hangs = self.hangs.subscribe();
        let free = |hangs: &Option<String>| hangs.as_ref().is_none_or(|only| !only.is_empty() && *only != tool.tool);
        hangs.wait_for(free).await.expect("it lives");
        let returns = self.all.lock().expect("no panic")[&tool.spec.name].1.clone();
        match returns {
            Some(returns) => returns(&arguments),
            None => Ok(ToolOutput {
                content: vec![Content::Text(Value::Object(arguments).to_string())],
                failed: false,
            }),
        }
    }
}

pub(super) struct Site {
    folder: TempDir,
    settings: Vec<(&'static str, &'static str)>,
    pub(super) engine: Arc<Engine>,
    pub(super) model: Arc<Model>,
    pub(super) tools: Arc<Tools>,
}

async fn start(folder: &TempDir, settings: &[(&str, &str)], model: &Arc<Model>, tools: &Arc<Tools>) -> Arc<Engine> {
    let models = Arc::new(Models(Arc::clone(model)));
    let agents = |_: &Settings, _| Ok::<_, Infallible>(models as Arc<dyn AgentFactory>);
    let tools = Arc::clone(tools) as Arc<dyn Toolbox>;
    let engine = Engine::start_having(loaded(folder, settings), Logs::default(), agents, None, Some(tools)).await;
    engine.expect("it starts")
}

impl Site {
    pub(super) async fn of(model: Arc<Model>, settings: &[(&'static str, &'static str)]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let tools = Tools::new();
        let engine = start(&folder, settings, &model, &tools).await;
        Self {
            folder,
            settings: settings.to_vec(),
            engine,
            model,
            tools,
        }
    }

    pub(super) fn visitor(&self) -> Client {
        Client::new(Arc::clone(&self.engine), Principal::visitor(SessionId::random()))
    }

    /// The same person, at the server of now.
    pub(super) fn same(&self, client: &Client) -> Client {
        Client::new(Arc::clone(&self.engine), client.principal())
    }

    /// Ends the server, at once or in good order, and starts it again.
    pub(super) async fn restart(&mut self, crash: bool) {
        match crash {
            true => self.engine.abandon().await,
            false => self.engine.shutdown(Duration::ZERO).await,
        }
        self.start_again().await;
    }

    pub(super) async fn start_again(&mut self) {
        self.engine = start(&self.folder, &self.settings, &self.model, &self.tools).await;
    }

    /// Waits for the end of the last turn of a conversation.
    pub(super) async fn ends(&self, client: &Client, id: ConversationId) -> TurnView {
        let last = async || {
            let view = client.conversation(id).await.expect("read").expect("there");
            view.turns.last().expect("a turn").clone()
        };
        let over = async || last().await.state.is_over() && !client.session().is_conversation_busy(id);
        until(client, "the end of the turn", over).await;
        last().await
    }

    /// Sends, and waits for the end of it.
    pub(super) async fn answered(&self, client: &Client, text: &str) -> TurnView {
        let sent = client.send(asks(text, &[])).await.expect("accepted");
        self.ends(client, sent.conversation).await
    }

    /// Waits until a use of a tool of the last turn is so.
    pub(super) async fn until_step(&self, client: &Client, id: ConversationId, state: &StepState) {
        until(client, "a step", async || {
            let view = client.conversation(id).await.expect("read").expect("there");
            let last = view.turns.last().expect("a turn");
            last.steps.iter().any(|step| step.state == *state)
        })
        .await;
    }

    pub(super) async fn until_asks(&self, client: &Client, id: ConversationId) {
        self.until_step(client, id, &StepState::Asks).await;
    }

    /// Sends, and waits until it asks for leave.
    pub(super) async fn asks_for_leave(&self, client: &Client, text: &str) -> TurnView {
        let sent = client.send(asks(text, &[])).await.expect("accepted");
        self.until_asks(client, sent.conversation).await;
        turn_of(client, sent.conversation).await
    }

    /// Waits until no tool is at work, and no slot is taken.
    pub(super) async fn until_nothing_runs(&self) {
        let mut changes = self.engine.queue().changes();
        let quiet = async {
            while self.tools.running.load(Ordering::SeqCst) > 0 || self.engine.queue().running() > 0 {
                changes.changed().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(60), quiet)
            .await
            .expect("it becomes quiet");
    }
}
