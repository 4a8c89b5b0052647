//! Tasks as programs are told of them, in JSON. Times are milliseconds since the Unix epoch.

use serde_json::{Map, Value, json};

use super::Stands;
use crate::{
    language::Words,
    store::{BatchRecord, TaskRecord, TaskState},
};

/// A task; `words` say why one has come to nothing.
#[must_use]
pub(crate) fn task_view(task: &TaskRecord, stands: Stands, words: &Words) -> Value {
    let mut view = json!({
        "id": task.id,
        "batch": task.batch,
        "name": task.name,
        "model": task.model,
        "priority": task.priority,
        "state": state(task, stands),
        "attempts": task.attempts,
        "created_at": task.created_at,
    });
    let Some(fields) = view.as_object_mut() else {
        return view;
    };
    let read = |json: &String| serde_json::from_str::<Value>(json).ok();
    let optional = [
        ("metadata", task.metadata.as_ref().and_then(read)),
        ("started_at", task.started_at.map(Value::from)),
        ("ended_at", task.ended_at.map(Value::from)),
        (
            "usage",
            task.usage
                .map(|usage| json!({ "input": usage.input, "output": usage.output })),
        ),
        (
            "error",
            task.reason
                .as_ref()
                .map(|reason| json!({ "reason": reason, "message": words.reason(reason) })),
        ),
        ("result", task.result.as_ref().and_then(read)),
    ];
    for (name, value) in optional {
        if let Some(value) = value {
            fields.insert(name.into(), value);
        }
    }
    if !task.state.is_over() && task.blocked > 0 {
        fields.insert("needs".into(), task.blocked.into());
    } else if !task.state.is_over() {
        fields.append(&mut stands_view(stands));
    }
    view
}

/// What a task is called to be.
fn state(task: &TaskRecord, stands: Stands) -> &'static str {
    match (task.state, stands) {
        (TaskState::Open | TaskState::Running, Stands::Line(_)) => "waiting",
        (TaskState::Open, Stands::Running) => "running",
        (TaskState::Open, _) => "held",
        (state, _) => state.name(),
    }
}

/// Where a task stands.
#[must_use]
pub(crate) fn stands_view(stands: Stands) -> Map<String, Value> {
    let view = match stands {
        Stands::Line(standing) => {
            let estimate = standing.estimate.map(|range| {
                let up = range.high.as_secs() + u64::from(range.high.subsec_nanos() > 0);
                json!([range.low.as_secs(), up])
            });
            json!({ "position": standing.position, "waiting": standing.waiting, "estimate_seconds": estimate })
        }
        Stands::Behind(before) => json!({ "yours_before": before }),
        Stands::Running | Stands::Elsewhere => json!({}),
    };
    match view {
        Value::Object(view) => view,
        _ => Map::new(),
    }
}

/// A batch.
#[must_use]
pub(crate) fn batch_view(batch: &BatchRecord) -> Value {
    let of = |wanted: TaskState| {
        let counts = batch.states.iter().filter(|(state, _)| *state == wanted);
        counts.map(|(_, count)| count).sum::<u64>()
    };
    let mut view = json!({
        "id": batch.id,
        "created_at": batch.created_at,
        "ended_at": batch.ended_at,
        "tasks": batch.count,
        "open": of(TaskState::Open),
        "running": of(TaskState::Running),
        "done": of(TaskState::Done),
        "failed": of(TaskState::Failed),
        "cancelled": of(TaskState::Cancelled),
    });
    if batch.url.is_some() {
        let pending = batch.untold.saturating_sub(batch.given_up);
        view["webhook"] = json!({ "pending": pending, "given_up": batch.given_up });
    }
    view
}
