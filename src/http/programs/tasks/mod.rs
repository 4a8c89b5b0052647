//! Tasks: taken in, looked at, cancelled, and followed (`streams`). `docs/tasks.md` says how programs use them.

pub(super) mod streams;

use std::sync::Arc;

use axum::{
    Extension, Json, Router,
    body::Bytes,
    extract::{Path, Query, Request, State, rejection::BytesRejection},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode},
    middleware::Next,
    response::Response,
    routing::{get, post},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::{MAX_PROGRAM_BODY, scope};
use crate::{
    accounts::{Principal, Scope},
    client::{Client, ClientError},
    engine::Engine,
    http::Refusal,
    language::{Language, Words},
    store::{TaskFilter, TaskState},
    tasks::{BatchView, Sent, Stands, TaskFault, TaskView},
    wire::{Reason, Refused},
};

/// Where something is taken in that stays: tasks, and messages of conversations.
const PATHS: [&str; 3] = ["/api/v1/tasks", "/chat/async", "/api/v1/conversations"];
/// By which a program names a batch that it may send again.
const KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// The longest such name, in bytes.
const LONGEST_KEY: usize = 255;
/// Tasks of a page, unless its program asks for fewer or more.
const PAGE: usize = 100;
/// The most.
const LONGEST_PAGE: usize = 1_000;

pub(super) fn routes() -> Router<Arc<Engine>> {
    let tasks = Router::new()
        .route("/api/v1/tasks", post(take_in).get(list))
        .route("/api/v1/tasks/{id}", get(one).delete(cancel))
        .route("/api/v1/tasks/{id}/stream", get(streams::follow))
        .route("/api/v1/tasks/batches/{id}", get(batch).delete(cancel_batch))
        .route("/api/v1/tasks/batches/{id}/stream", get(streams::follow_batch))
        // Older names.
        .route("/chat/async", post(take_in))
        .route("/chat/task/{id}", get(one));
    scope::needs(Scope::Tasks, tasks)
}

/// Names a batch, or a message, that its program has not named. Beside other nodes a request may be sent to a second home when the first one dies, and is
/// to be taken in once.
pub(super) async fn name(mut request: Request, next: Next) -> Response {
    let path = request.uri().path();
    let stays = PATHS.iter().any(|taken| {
        path.strip_prefix(taken)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    });
    if stays && request.method() == Method::POST && !request.headers().contains_key(KEY) {
        let name = HeaderValue::from_str(&format!("anteroom-{}", Uuid::new_v4()));
        request.headers_mut().extend(name.ok().map(|name| (KEY, name)));
    }
    next.run(request).await
}

/// What was taken in.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TakenTasks)]
pub(super) struct Taken {
    /// Of a task that was sent alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<Uuid>,
    batch: Uuid,
    /// In the order in which they were sent.
    tasks: Vec<TakenTask>,
}

/// A task that was taken in.
#[derive(Debug, Serialize, ToSchema)]
struct TakenTask {
    id: Uuid,
    /// Its name within the batch.
    #[schema(required)]
    name: Option<String>,
}

/// Takes in one task, or a batch of tasks, in whole or not at all.
///
/// Tasks are stored, and answered when their turn comes, whatever becomes of their program and of the server. `docs/tasks.md` says what a task may have.
#[utoipa::path(
    post, path = "/api/v1/tasks", tag = "tasks",
    request_body(content = Sent, description = "A task, or a batch of them", example = json!({ "message": "Say hello." })),
    params(("Idempotency-Key" = Option<String>, Header, max_length = 255, description = "Names the batch: sent again, it is the same one.")),
    responses((status = 202, description = "They are stored", body = Taken)),
)]
pub(super) async fn take_in(
    State(engine): State<Arc<Engine>>,
    who: Principal,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<(StatusCode, Json<Taken>), Refusal> {
    let body = body.map_err(|rejection| {
        let reason = if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
            let most = MAX_PROGRAM_BODY / (1024 * 1024);
            Reason::Told {
                sentence: format!("A batch has at most {most} MB. Send its tasks in several."),
            }
        } else {
            Reason::RequestSlow
        };
        Refusal::new(rejection.status(), reason)
    })?;
    let key = headers.get(KEY).map(|key| key.to_str().unwrap_or_default().to_owned());
    if key
        .as_ref()
        .is_some_and(|key| key.is_empty() || key.len() > LONGEST_KEY)
    {
        let sentence = format!("An Idempotency-Key has 1 to {LONGEST_KEY} characters of ASCII.");
        return Err(Refusal::new(StatusCode::BAD_REQUEST, Reason::Told { sentence }));
    }
    let accepted = Client::new(engine, who).take_in(body, key).await?;
    let tasks = accepted.tasks.into_iter();
    let tasks: Vec<_> = tasks.map(|(id, name)| TakenTask { id, name }).collect();
    let taken = Taken {
        id: tasks.first().filter(|_| accepted.single).map(|task| task.id),
        batch: accepted.batch,
        tasks,
    };
    Ok((StatusCode::ACCEPTED, Json(taken)))
}

/// Which tasks.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Filter {
    /// `open`, `running`, `done`, `failed` or `cancelled`; unless told: all.
    state: Option<String>,
    /// Those of this batch.
    batch: Option<Uuid>,
    /// Those that come after this one, which is `next` in the part before.
    before: Option<Uuid>,
    /// How many at most; 100 unless told, and never more than 1,000.
    limit: Option<usize>,
}

/// Some of the caller's tasks.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TaskList)]
pub(super) struct List {
    /// The newest first, without their results.
    tasks: Vec<TaskView>,
    /// The `before` of the next part; null: there is none.
    #[schema(required)]
    next: Option<Uuid>,
}

/// The caller's tasks, the newest first.
#[utoipa::path(
    get, path = "/api/v1/tasks", tag = "tasks", params(Filter),
    responses((status = 200, description = "The tasks", body = List)),
)]
pub(super) async fn list(
    State(engine): State<Arc<Engine>>,
    who: Principal,
    Extension(language): Extension<Language>,
    query: Result<Query<Filter>, axum::extract::rejection::QueryRejection>,
) -> Result<Json<List>, Refusal> {
    let unfit = |sentence: String| Refusal::new(StatusCode::BAD_REQUEST, Reason::Told { sentence });
    let Query(filter) = query.map_err(|rejection| unfit(rejection.body_text()))?;
    let state = filter.state.map(|name| {
        let known = TaskState::of_name(&name);
        known.ok_or_else(|| unfit("`state` is open, running, done, failed or cancelled.".to_owned()))
    });
    let most = filter.limit.unwrap_or(PAGE).clamp(1, LONGEST_PAGE);
    let filter = TaskFilter {
        state: state.transpose()?,
        batch: filter.batch,
        before: filter.before,
    };
    let mut tasks = Client::new(engine, who).tasks(filter, most + 1).await?;
    let more = tasks.len() > most;
    tasks.truncate(most);
    let next = tasks.last().filter(|_| more).map(|(task, _)| task.id);
    let words = Words::of(language);
    let tasks = tasks.iter().map(|(task, stands)| TaskView::new(task, *stands, words));
    Ok(Json(List {
        tasks: tasks.collect(),
        next,
    }))
}

/// A task, with its result once it is done.
#[utoipa::path(
    get, path = "/api/v1/tasks/{id}", tag = "tasks", params(("id" = Uuid, Path, description = "The task")),
    responses(
        (status = 200, description = "The task", body = TaskView),
        (status = 404, description = "The caller has none of this id", body = Refused),
    ),
)]
pub(super) async fn one(
    State(engine): State<Arc<Engine>>,
    who: Principal,
    Extension(language): Extension<Language>,
    Path(id): Path<String>,
) -> Result<Json<TaskView>, Refusal> {
    let (task, stands) = Client::new(engine, who).task(read(&id)?).await?;
    Ok(Json(TaskView::new(&task, stands, Words::of(language))))
}

/// Cancels a task. A second time, it is as the first has left it.
#[utoipa::path(
    delete, path = "/api/v1/tasks/{id}", tag = "tasks", params(("id" = Uuid, Path, description = "The task")),
    responses(
        (status = 200, description = "The task, as it is now", body = TaskView),
        (status = 404, description = "The caller has none of this id", body = Refused),
    ),
)]
pub(super) async fn cancel(
    State(engine): State<Arc<Engine>>,
    who: Principal,
    Extension(language): Extension<Language>,
    Path(id): Path<String>,
) -> Result<Json<TaskView>, Refusal> {
    let task = Client::new(engine, who).cancel_task(read(&id)?).await?;
    Ok(Json(TaskView::new(&task, Stands::Elsewhere, Words::of(language))))
}

/// A batch: how many of its tasks are where.
#[utoipa::path(
    get, path = "/api/v1/tasks/batches/{id}", tag = "tasks", params(("id" = Uuid, Path, description = "The batch")),
    responses(
        (status = 200, description = "The batch", body = BatchView),
        (status = 404, description = "The caller has none of this id", body = Refused),
    ),
)]
pub(super) async fn batch(
    State(engine): State<Arc<Engine>>,
    who: Principal,
    Path(id): Path<String>,
) -> Result<Json<BatchView>, Refusal> {
    let batch = Client::new(engine, who).batch(read(&id)?).await?;
    Ok(Json(BatchView::new(&batch)))
}

/// Cancels what is not over of a batch, in one change. A second time, it is as the first has left it.
#[utoipa::path(
    delete, path = "/api/v1/tasks/batches/{id}", tag = "tasks", params(("id" = Uuid, Path, description = "The batch")),
    responses(
        (status = 200, description = "The batch, as it is now", body = BatchView),
        (status = 404, description = "The caller has none of this id", body = Refused),
    ),
)]
pub(super) async fn cancel_batch(
    State(engine): State<Arc<Engine>>,
    who: Principal,
    Path(id): Path<String>,
) -> Result<Json<BatchView>, Refusal> {
    let batch = Client::new(engine, who).cancel_batch(read(&id)?).await?;
    Ok(Json(BatchView::new(&batch)))
}

fn read(id: &str) -> Result<Uuid, Refusal> {
    Uuid::try_parse(id).map_err(|_| Refusal::from(ClientError::from(TaskFault::Gone)))
}
