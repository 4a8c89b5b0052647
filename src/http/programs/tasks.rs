//! Tasks: taken in, looked at, followed, cancelled. `docs/tasks.md` says how programs use them.

use std::{convert::Infallible, sync::Arc, time::Duration};

use axum::{
    Extension, Json, Router,
    body::Bytes,
    extract::{Path, Query, Request, State, rejection::BytesRejection},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{
        IntoResponse as _, Response,
        sse::{Event, KeepAlive, Sse},
    },
    routing::{get, post},
};
use futures_util::{Stream, StreamExt as _, stream};
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::IntoParams;
use uuid::Uuid;

use super::{MAX_PROGRAM_BODY, api::StreamEvent, scope};
use crate::{
    accounts::{Principal, Scope},
    client::{Client, ClientError},
    engine::Engine,
    http::Refusal,
    language::{Language, Words},
    store::{TaskFilter, TaskState},
    tasks::{BatchNews, Cursor, TaskFault, TaskNews, batch_view, stands_view, task_view},
    wire::{Reason, Refused},
};

/// Where something is taken in that stays: tasks, and messages of conversations.
const PATHS: [&str; 3] = ["/api/v1/tasks", "/chat/async", "/api/v1/conversations"];
/// By which a program names a batch that it may send again.
const KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// The longest such name, in bytes.
const LONGEST_KEY: usize = 255;
/// What a client has seen of a stream.
const SEEN: HeaderName = HeaderName::from_static("last-event-id");
/// Tasks of a page, unless its program asks for fewer or more.
const PAGE: usize = 100;
/// The most.
const LONGEST_PAGE: usize = 1_000;
/// What the last event of a stream is called: whoever has seen it need not come back.
const END: &str = "end";
/// Between two signs of life on a stream, of which proxies ask for one a minute at least.
const QUIET: Duration = Duration::from_secs(15);

pub(super) fn routes() -> Router<Arc<Engine>> {
    let tasks = Router::new()
        .route("/api/v1/tasks", post(take_in).get(list))
        .route("/api/v1/tasks/{id}", get(one).delete(cancel))
        .route("/api/v1/tasks/{id}/stream", get(follow))
        .route("/api/v1/tasks/batches/{id}", get(batch).delete(cancel_batch))
        .route("/api/v1/tasks/batches/{id}/stream", get(follow_batch))
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

/// Takes in one task, or a batch of tasks, in whole or not at all.
///
/// Tasks are stored, and answered when their turn comes, whatever becomes of their program and of the server. `docs/tasks.md` says what a task may have.
#[utoipa::path(
    post, path = "/api/v1/tasks", tag = "tasks",
    request_body(content = Object, description = "A task, or `{\"tasks\": […], \"webhook\": {\"url\", \"secret\"}}`. A task has a `message` or a `request` as OpenAI's API has it, and may \
        have `model`, `name`, `depends_on`, `priority` and `metadata`", example = json!({ "message": "Say hello." })),
    params(("Idempotency-Key" = Option<String>, Header, max_length = 255, description = "Names the batch: sent again, it is the same one.")),
    responses((status = 202, description = "They are stored: `batch`, `tasks` with their `id` and `name`, and of a single one its `id`", body = Object)),
)]
pub(super) async fn take_in(
    State(engine): State<Arc<Engine>>,
    who: Principal,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Refusal> {
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
    let tasks = accepted
        .tasks
        .iter()
        .map(|(id, name)| json!({ "id": id, "name": name }));
    let mut told = json!({ "batch": accepted.batch, "tasks": tasks.collect::<Value>() });
    if let (true, [(id, _)]) = (accepted.single, &accepted.tasks[..]) {
        told["id"] = json!(id);
    }
    Ok((StatusCode::ACCEPTED, Json(told)).into_response())
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

/// The caller's tasks, the newest first.
#[utoipa::path(
    get, path = "/api/v1/tasks", tag = "tasks", params(Filter),
    responses((status = 200, description = "The `tasks`, and where the `next` part begins", body = Object)),
)]
pub(super) async fn list(
    State(engine): State<Arc<Engine>>,
    who: Principal,
    Extension(language): Extension<Language>,
    query: Result<Query<Filter>, axum::extract::rejection::QueryRejection>,
) -> Result<Json<Value>, Refusal> {
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
    let tasks: Value = tasks
        .iter()
        .map(|(task, stands)| task_view(task, *stands, words))
        .collect();
    Ok(Json(json!({ "tasks": tasks, "next": next })))
}

/// A task, with its result once it is done.
#[utoipa::path(
    get, path = "/api/v1/tasks/{id}", tag = "tasks", params(("id" = Uuid, Path, description = "The task")),
    responses(
        (status = 200, description = "The task", body = Object),
        (status = 404, description = "The caller has none of this id", body = Refused),
    ),
)]
pub(super) async fn one(
    State(engine): State<Arc<Engine>>,
    who: Principal,
    Extension(language): Extension<Language>,
    Path(id): Path<String>,
) -> Result<Json<Value>, Refusal> {
    let (task, stands) = Client::new(engine, who).task(read(&id)?).await?;
    Ok(Json(task_view(&task, stands, Words::of(language))))
}

/// Cancels a task. A second time, it is as the first has left it.
#[utoipa::path(
    delete, path = "/api/v1/tasks/{id}", tag = "tasks", params(("id" = Uuid, Path, description = "The task")),
    responses(
        (status = 200, description = "The task, as it is now", body = Object),
        (status = 404, description = "The caller has none of this id", body = Refused),
    ),
)]
pub(super) async fn cancel(
    State(engine): State<Arc<Engine>>,
    who: Principal,
    Extension(language): Extension<Language>,
    Path(id): Path<String>,
) -> Result<Json<Value>, Refusal> {
    let task = Client::new(engine, who).cancel_task(read(&id)?).await?;
    let view = task_view(&task, crate::tasks::Stands::Elsewhere, Words::of(language));
    Ok(Json(view))
}

/// A batch: how many of its tasks are where.
#[utoipa::path(
    get, path = "/api/v1/tasks/batches/{id}", tag = "tasks", params(("id" = Uuid, Path, description = "The batch")),
    responses(
        (status = 200, description = "The batch", body = Object),
        (status = 404, description = "The caller has none of this id", body = Refused),
    ),
)]
pub(super) async fn batch(
    State(engine): State<Arc<Engine>>,
    who: Principal,
    Path(id): Path<String>,
) -> Result<Json<Value>, Refusal> {
    let batch = Client::new(engine, who).batch(read(&id)?).await?;
    Ok(Json(batch_view(&batch)))
}

/// Cancels what is not over of a batch, in one change. A second time, it is as the first has left it.
#[utoipa::path(
    delete, path = "/api/v1/tasks/batches/{id}", tag = "tasks", params(("id" = Uuid, Path, description = "The batch")),
    responses(
        (status = 200, description = "The batch, as it is now", body = Object),
        (status = 404, description = "The caller has none of this id", body = Refused),
    ),
)]
pub(super) async fn cancel_batch(
    State(engine): State<Arc<Engine>>,
    who: Principal,
    Path(id): Path<String>,
) -> Result<Json<Value>, Refusal> {
    let batch = Client::new(engine, who).cancel_batch(read(&id)?).await?;
    Ok(Json(batch_view(&batch)))
}

/// What becomes of a task, as events: `position`, `started`, `part`, and in the end `done` or `error`.
#[utoipa::path(
    get, path = "/api/v1/tasks/{id}/stream", tag = "tasks",
    params(
        ("id" = Uuid, Path, description = "The task"),
        ("Last-Event-ID" = Option<String>, Header, description = "The id of the last event that was read: the stream goes on after it."),
    ),
    responses(
        (status = 200, description = "The events", content_type = "text/event-stream", body = StreamEvent),
        (status = 204, description = "That event was the last one"),
        (status = 404, description = "The caller has none of this id", body = Refused),
    ),
)]
pub(super) async fn follow(
    State(engine): State<Arc<Engine>>,
    who: Principal,
    Extension(language): Extension<Language>,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Result<Response, Refusal> {
    let seen = seen(&headers);
    let client = Client::new(Arc::clone(&engine), who);
    let id = read(&id)?;
    if seen == END {
        // Told so, clients come back no more.
        client.task(id).await?;
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    let seen = cursor(seen).unwrap_or_default();
    let follower = client.follow_task(id, seen).await?;
    let words = Words::of(language);
    let events = stream::unfold(Some(follower), move |follower| async move {
        let mut follower = follower?;
        match follower.next().await {
            Ok(Some(news)) => Some((of_task(news, words), Some(follower))),
            Ok(None) => None,
            Err(fault) => Some((broken_off(fault, words), None)),
        }
    });
    Ok(stream_of(&engine, events))
}

/// What becomes of a batch, as events: `position`, `started`, `done` or `error` for each task, and in the end `end`.
#[utoipa::path(
    get, path = "/api/v1/tasks/batches/{id}/stream", tag = "tasks",
    params(
        ("id" = Uuid, Path, description = "The batch"),
        ("Last-Event-ID" = Option<String>, Header, description = "The id of the last event that was read: the stream goes on after it."),
    ),
    responses(
        (status = 200, description = "The events", content_type = "text/event-stream", body = StreamEvent),
        (status = 204, description = "That event was the last one"),
        (status = 404, description = "The caller has none of this id", body = Refused),
    ),
)]
pub(super) async fn follow_batch(
    State(engine): State<Arc<Engine>>,
    who: Principal,
    Extension(language): Extension<Language>,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Result<Response, Refusal> {
    let seen = seen(&headers);
    let client = Client::new(Arc::clone(&engine), who);
    let id = read(&id)?;
    if seen == END {
        client.batch(id).await?;
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    let follower = client.follow_batch(id, seen.parse().unwrap_or_default()).await?;
    let words = Words::of(language);
    let events = stream::unfold(Some(follower), move |follower| async move {
        let mut follower = follower?;
        match follower.next().await {
            Ok(Some(news)) => Some((of_batch(news, words), Some(follower))),
            Ok(None) => None,
            Err(fault) => Some((broken_off(fault, words), None)),
        }
    });
    Ok(stream_of(&engine, events))
}

fn of_task(news: TaskNews, words: &Words) -> Event {
    let id = |seen: Cursor| format!("{}-{}", seen.attempt, seen.pieces);
    match news {
        TaskNews::Stands(stands) => event("position", &Value::Object(stands_view(stands))),
        TaskNews::Started(seen) => event("started", &json!({ "attempt": seen.attempt })).id(id(seen)),
        // It is one line: its server has sent it in one.
        TaskNews::Part(seen, piece) => {
            let piece = String::from_utf8_lossy(&piece).replace('\r', "");
            Event::default().event("part").data(piece).id(id(seen))
        }
        TaskNews::Over(task) => {
            let view = task_view(&task, crate::tasks::Stands::Elsewhere, words);
            event(end_of(task.state), &view).id(END)
        }
    }
}

fn of_batch(news: BatchNews, words: &Words) -> Event {
    match news {
        BatchNews::Progress(batch, standing) => {
            let mut view = batch_view(&batch);
            let standing = standing.into_iter().map(|(id, stands)| {
                let mut stands = stands_view(stands);
                stands.insert("id".into(), json!(id));
                Value::Object(stands)
            });
            view["in_line"] = standing.collect();
            event("position", &view)
        }
        BatchNews::Started(id) => event("started", &json!({ "id": id })),
        BatchNews::Ended(task) => {
            let view = task_view(&task, crate::tasks::Stands::Elsewhere, words);
            let ordinal = task.ordinal.unwrap_or_default();
            event(end_of(task.state), &view).id(ordinal.to_string())
        }
        BatchNews::Over(batch) => event("end", &batch_view(&batch)).id(END),
    }
}

const fn end_of(state: TaskState) -> &'static str {
    match state {
        TaskState::Done => "done",
        _ => "error",
    }
}

/// The stream cannot go on; its client comes back for the rest.
fn broken_off(fault: TaskFault, words: &Words) -> Event {
    let reason = ClientError::from(fault).reason();
    let view = json!({ "reason": reason, "message": words.reason(&reason) });
    event("interrupted", &view)
}

fn event(kind: &str, view: &Value) -> Event {
    Event::default().event(kind).data(view.to_string())
}

/// Events, until the engine closes: clients come back to the one that is there then.
fn stream_of(engine: &Arc<Engine>, events: impl Stream<Item = Event> + Send + 'static) -> Response {
    let closing = engine.closing().clone().cancelled_owned();
    let events = events.take_until(closing).map(Ok::<_, Infallible>);
    let mut response = Sse::new(events)
        .keep_alive(KeepAlive::new().interval(QUIET))
        .into_response();
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    // nginx would keep it until it is whole.
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    response
}

fn seen(headers: &HeaderMap) -> &str {
    headers
        .get(SEEN)
        .and_then(|seen| seen.to_str().ok())
        .unwrap_or_default()
}

fn cursor(seen: &str) -> Option<Cursor> {
    let (attempt, pieces) = seen.split_once('-')?;
    Some(Cursor {
        attempt: attempt.parse().ok()?,
        pieces: pieces.parse().ok()?,
    })
}

fn read(id: &str) -> Result<Uuid, Refusal> {
    Uuid::try_parse(id).map_err(|_| Refusal::from(ClientError::from(TaskFault::Gone)))
}
