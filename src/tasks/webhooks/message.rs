//! What programs are told.

use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    language::{Language, Words},
    store::{BatchRecord, TaskRecord, TaskState},
    tasks::{BatchView, Stands, TaskView},
};

/// Something is over. It comes at least once; its header `webhook-id` is the same each time.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WebhookMessage)]
pub(crate) struct Message {
    #[serde(rename = "type")]
    kind: Kind,
    /// When it was over, as ISO 8601 has it.
    #[schema(required, format = DateTime)]
    timestamp: Option<String>,
    data: Data,
}

/// What is over, and how.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[schema(as = WebhookKind)]
enum Kind {
    #[serde(rename = "task.done")]
    TaskDone,
    #[serde(rename = "task.failed")]
    TaskFailed,
    #[serde(rename = "task.cancelled")]
    TaskCancelled,
    #[serde(rename = "batch.ended")]
    BatchEnded,
}

/// A task without its result, or the batch.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
#[schema(as = WebhookData)]
enum Data {
    Task(Box<TaskView>),
    Batch(BatchView),
}

impl Message {
    /// Of a task, without its result, which may be long: who wants it asks for it. `None`: the task is not over.
    pub(super) fn of_task(task: TaskRecord, created_at: u64) -> Option<Self> {
        let task = TaskRecord { result: None, ..task };
        let kind = match task.state {
            TaskState::Done => Kind::TaskDone,
            TaskState::Failed => Kind::TaskFailed,
            TaskState::Cancelled => Kind::TaskCancelled,
            TaskState::Open | TaskState::Running => return None,
        };
        let view = TaskView::new(&task, Stands::Elsewhere, Words::of(Language::English));
        Some(Self {
            kind,
            timestamp: timestamp(task.ended_at.unwrap_or(created_at)),
            data: Data::Task(Box::new(view)),
        })
    }

    /// Of a batch.
    pub(super) fn of_batch(batch: &BatchRecord, created_at: u64) -> Self {
        let mut view = BatchView::new(batch);
        // It says how much is told, and shall be the same each time.
        view.webhook = None;
        Self {
            kind: Kind::BatchEnded,
            timestamp: timestamp(batch.ended_at.unwrap_or(created_at)),
            data: Data::Batch(view),
        }
    }
}

fn timestamp(at: u64) -> Option<String> {
    let at = jiff::Timestamp::from_millisecond(i64::try_from(at).unwrap_or(i64::MAX));
    at.ok().map(|at| at.to_string())
}
