//! The lines, the models and the site.

use std::sync::Arc;

use axum::{Json, extract::State};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::super::MAX_PROGRAM_BODY;
use crate::{
    accounts::{Principal, Scope, Scopes},
    client::Client,
    engine::{Engine, VERSION},
    wire::{self, MAX_MESSAGE_BYTES, Reason},
};

/// Where everything stands.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Queue {
    /// One line a model, the default model's first.
    lines: Vec<Line>,
    /// What of the caller's waits in the line, first to start first: requests, messages and tasks.
    places: Vec<Waiting>,
    /// Those of the caller's tasks that are not in the line yet.
    tasks_behind: Behind,
}

/// Tasks that are not in the line: of one key, few are at a time.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Behind {
    /// How many go into it next.
    ready: usize,
    /// How many wait for other tasks.
    blocked: usize,
}

/// The line of one model.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Line {
    /// The model.
    model: Option<String>,
    /// Slots in use.
    running: u64,
    /// Slots there are; null: unlimited.
    limit: Option<u64>,
    /// How many wait.
    waiting: u64,
    /// The position of somebody who joined now and has nothing waiting; 0: it would start at once.
    position: u64,
    /// When that would start, from now; null where nobody can say.
    estimate: Option<Estimate>,
    /// Why nothing starts for now; null: nothing is wrong.
    trouble: Option<Trouble>,
}

/// Something of the caller's that waits.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Waiting {
    /// The request, the turn or the task.
    id: Option<Uuid>,
    /// Which of them it is.
    kind: Kind,
    /// The model that it waits for.
    model: Option<String>,
    /// 1 for the one that starts next.
    position: u64,
    /// How many wait in this line, this one included.
    waiting: u64,
    /// When it is likely to start, from now; null where nobody can say.
    estimate: Option<Estimate>,
    /// Why it cannot start for now; null: nothing is wrong.
    trouble: Option<Trouble>,
}

/// What waits.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Kind {
    /// A request, whose program waits for the answer.
    Request,
    /// A message of a conversation.
    Turn,
    /// A task.
    Task,
}

/// A range of time, in seconds.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Estimate {
    low: f64,
    high: f64,
}

/// Why nothing starts for now.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Trouble {
    /// What is wrong. Who waits goes on once it has passed.
    reason: Reason,
    /// When it is tried again, from now, in seconds; null where nobody can say.
    seconds: Option<f64>,
}

impl From<wire::Estimate> for Estimate {
    fn from(wire::Estimate { low, high }: wire::Estimate) -> Self {
        Self { low, high }
    }
}

impl From<wire::Trouble> for Trouble {
    fn from(wire::Trouble { reason, seconds }: wire::Trouble) -> Self {
        Self { reason, seconds }
    }
}

impl From<wire::LineView> for Line {
    fn from(line: wire::LineView) -> Self {
        Self {
            model: line.model,
            running: line.running,
            limit: line.limit,
            waiting: line.waiting,
            position: line.newcomer,
            estimate: line.estimate.map(Estimate::from),
            trouble: line.trouble.map(Trouble::from),
        }
    }
}

impl Waiting {
    pub(super) fn new(kind: Kind, id: Option<Uuid>, place: wire::Place) -> Self {
        Self {
            id,
            kind,
            model: place.model,
            position: place.position,
            waiting: place.waiting,
            estimate: place.estimate.map(Estimate::from),
            trouble: place.trouble.map(Trouble::from),
        }
    }
}

/// The lines, and where in them the caller stands.
#[utoipa::path(
    get, path = "/api/v1/queue", tag = "line",
    responses((status = 200, description = "The lines", body = Queue)),
)]
pub(super) async fn queue(State(engine): State<Arc<Engine>>, who: Principal) -> Json<Queue> {
    let client = Client::new(engine, who);
    let status = client.status();
    let turns = status.places.into_iter();
    let turns = turns.map(|place| Waiting::new(Kind::Turn, place.turn.map(|turn| turn.0), place));
    let requests = client.requests().into_iter();
    let requests = requests.map(|(id, place)| Waiting::new(Kind::Request, Some(id), place));
    let (tasks, behind) = client.waiting_tasks();
    let tasks = tasks.into_iter();
    let tasks = tasks.map(|(id, place)| Waiting::new(Kind::Task, Some(id), place));
    let mut places: Vec<_> = turns.chain(requests).chain(tasks).collect();
    places.sort_by_key(|place| place.position);
    Json(Queue {
        lines: status.lines.into_iter().map(Line::from).collect(),
        places,
        tasks_behind: Behind {
            ready: behind.ready,
            blocked: behind.blocked,
        },
    })
}

/// The models that are offered.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Models {
    /// The default one first.
    models: Vec<Model>,
}

/// A model that is offered.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Model {
    /// Its name and its place, `name@place`: what requests call it.
    id: String,
    /// As people should see it; null: as its name.
    title: Option<String>,
    /// Whether it looks at pictures; null where nobody says so.
    vision: Option<bool>,
    /// The longest conversation with its answer, in tokens; null where nobody says so.
    context: Option<u64>,
}

/// The models that may be asked.
#[utoipa::path(
    get, path = "/api/v1/models", tag = "line",
    responses((status = 200, description = "The models", body = Models)),
)]
pub(super) async fn models(State(engine): State<Arc<Engine>>, who: Principal) -> Json<Models> {
    let offered = Client::new(engine, who).offered().into_iter();
    let models = offered.map(|offered| Model {
        id: offered.name.to_string(),
        title: offered.title,
        vision: offered.vision,
        context: offered.context,
    });
    Json(Models {
        models: models.collect(),
    })
}

/// What the site is.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Info {
    /// Always `Anteroom`.
    name: &'static str,
    version: &'static str,
    /// The model that answers where none is named.
    model: String,
    /// Whether anybody may wait; else busy is busy.
    queue: bool,
    /// What the caller may do.
    scopes: Vec<&'static str>,
    /// The largest body of a request, in bytes.
    max_request_bytes: usize,
    /// The longest message of a conversation, in bytes.
    max_message_bytes: usize,
}

/// What the site is, and what the caller may do.
#[utoipa::path(
    get, path = "/api/v1/info", tag = "line",
    responses((status = 200, description = "The site", body = Info)),
)]
pub(super) async fn info(State(engine): State<Arc<Engine>>, who: Principal) -> Json<Info> {
    let scopes = who.program.map_or(Scopes::NONE, |program| program.scopes);
    let has = |scope: &Scope| scopes.has(*scope);
    Json(Info {
        name: "Anteroom",
        version: VERSION,
        model: Client::new(Arc::clone(&engine), who).default_model().to_string(),
        queue: engine.settings().policy.queue,
        scopes: Scope::ALL.into_iter().filter(has).map(Scope::name).collect(),
        max_request_bytes: MAX_PROGRAM_BODY,
        max_message_bytes: MAX_MESSAGE_BYTES,
    })
}
