//! Tasks as programs are told of them, in JSON. Times are milliseconds since the Unix epoch.

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{Stands, answer, described::Completion};
use crate::{
    language::Words,
    programs::Source,
    store::{BatchRecord, TaskRecord, TaskState},
    wire::{Refused, Usage},
};

/// A task.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = Task)]
pub(crate) struct TaskView {
    id: Uuid,
    /// What it was sent with.
    batch: Uuid,
    /// Its name there.
    #[schema(required)]
    name: Option<String>,
    /// Who is to answer.
    model: String,
    /// Of one key's tasks the higher ones come first.
    priority: i32,
    state: Phase,
    /// How often it has been begun.
    attempts: u32,
    created_at: u64,
    /// When its last attempt began.
    #[serde(skip_serializing_if = "Option::is_none")]
    started_at: Option<u64>,
    /// When it was over.
    #[serde(skip_serializing_if = "Option::is_none")]
    ended_at: Option<u64>,
    /// What its program wants to have back with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Value>)]
    metadata: Option<Value>,
    /// Tokens taken, once known; those of the answer where it was not made for this task.
    #[serde(skip_serializing_if = "Option::is_none")]
    usage: Option<Usage>,
    /// Where the result comes from, if it was not made for this task. Told with the result.
    #[serde(skip_serializing_if = "Option::is_none")]
    cached: Option<Source>,
    /// Why it has come to nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<Refused>,
    /// The answer, once it is done. Lists, and what webhooks are told, are without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Completion>)]
    result: Option<Value>,
    /// How many tasks it waits for.
    #[serde(skip_serializing_if = "Option::is_none")]
    needs: Option<u32>,
    #[serde(flatten)]
    stands: StandsView,
}

/// Where a task is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = TaskPhase)]
enum Phase {
    /// It stands behind the line, or waits for other tasks.
    Held,
    /// It is in the line.
    Waiting,
    /// It is being answered.
    Running,
    /// It has a result.
    Done,
    /// It has come to nothing.
    Failed,
    /// Its owner has ended it.
    Cancelled,
}

/// Where a task stands. In the line it has a position, behind it there are others of its owner's before it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = TaskPlace)]
pub(crate) struct StandsView {
    /// 1 for the one that starts next.
    #[serde(skip_serializing_if = "Option::is_none")]
    position: Option<u64>,
    /// How many wait in this line, this one included.
    #[serde(skip_serializing_if = "Option::is_none")]
    waiting: Option<u64>,
    /// When it is likely to start, from now: at the earliest, and at the latest. Null where nobody can say.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<u64>>, min_items = 2, max_items = 2)]
    estimate_seconds: Option<Option<[u64; 2]>>,
    /// How many of its owner's come before it.
    #[serde(skip_serializing_if = "Option::is_none")]
    yours_before: Option<u64>,
}

/// A batch: how many of its tasks are where.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Batch)]
pub(crate) struct BatchView {
    id: Uuid,
    created_at: u64,
    /// When the last of them was over; null until then.
    #[schema(required)]
    ended_at: Option<u64>,
    /// How many it has.
    tasks: u64,
    /// How many are in the line, or behind it.
    open: u64,
    /// How many have been begun, and are not over.
    running: u64,
    done: u64,
    failed: u64,
    cancelled: u64,
    /// Where there is a program to be told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) webhook: Option<Telling>,
}

/// What a program is still to be told of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = BatchWebhook)]
pub(super) struct Telling {
    /// How much it is told yet.
    pending: u64,
    /// How much it is not told any more.
    given_up: u64,
}

impl TaskView {
    /// `words` say why one has come to nothing.
    #[must_use]
    pub(crate) fn new(task: &TaskRecord, stands: Stands, words: &Words) -> Self {
        let read = |json: &String| serde_json::from_str::<Value>(json).ok();
        let is_blocked = task.blocked > 0;
        let is_open = !task.state.is_over();
        let result = task.result.as_ref().and_then(read).map(answer::unmarked);
        let (result, cached) = result.map_or((None, None), |(result, cached)| (Some(result), cached));
        Self {
            id: task.id,
            batch: task.batch,
            name: task.name.clone(),
            model: task.model.clone(),
            priority: task.priority,
            state: Phase::of(task, stands),
            attempts: task.attempts,
            created_at: task.created_at,
            started_at: task.started_at,
            ended_at: task.ended_at,
            metadata: task.metadata.as_ref().and_then(read),
            usage: task.usage,
            cached,
            error: task.reason.as_ref().map(|reason| Refused {
                reason: reason.clone(),
                message: words.reason_for_program(reason),
            }),
            result,
            needs: (is_open && is_blocked).then_some(task.blocked),
            stands: if is_open && !is_blocked {
                StandsView::new(stands)
            } else {
                StandsView::default()
            },
        }
    }
}

impl Phase {
    fn of(task: &TaskRecord, stands: Stands) -> Self {
        match (task.state, stands) {
            (TaskState::Open | TaskState::Running, Stands::Line(_)) => Self::Waiting,
            (TaskState::Open, Stands::Running) | (TaskState::Running, _) => Self::Running,
            (TaskState::Open, _) => Self::Held,
            (TaskState::Done, _) => Self::Done,
            (TaskState::Failed, _) => Self::Failed,
            (TaskState::Cancelled, _) => Self::Cancelled,
        }
    }
}

impl StandsView {
    #[must_use]
    pub(crate) fn new(stands: Stands) -> Self {
        match stands {
            Stands::Line(standing) => Self {
                position: Some(standing.position),
                waiting: Some(standing.waiting),
                estimate_seconds: Some(standing.estimate.map(|range| {
                    let up = range.high.as_secs() + u64::from(range.high.subsec_nanos() > 0);
                    [range.low.as_secs(), up]
                })),
                yours_before: None,
            },
            Stands::Behind(before) => Self {
                yours_before: Some(before as u64),
                ..Self::default()
            },
            Stands::Running | Stands::Elsewhere => Self::default(),
        }
    }
}

impl BatchView {
    #[must_use]
    pub(crate) fn new(batch: &BatchRecord) -> Self {
        let of = |wanted: TaskState| {
            let counts = batch.states.iter().filter(|(state, _)| *state == wanted);
            counts.map(|(_, count)| count).sum::<u64>()
        };
        Self {
            id: batch.id,
            created_at: batch.created_at,
            ended_at: batch.ended_at,
            tasks: batch.count,
            open: of(TaskState::Open),
            running: of(TaskState::Running),
            done: of(TaskState::Done),
            failed: of(TaskState::Failed),
            cancelled: of(TaskState::Cancelled),
            webhook: batch.url.is_some().then(|| Telling {
                pending: batch.untold.saturating_sub(batch.given_up),
                given_up: batch.given_up,
            }),
        }
    }
}
