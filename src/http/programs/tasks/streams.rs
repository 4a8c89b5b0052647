//! What becomes of tasks and of batches, as events.

use std::{convert::Infallible, sync::Arc, time::Duration};

use axum::{
    Extension,
    extract::{Path, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{
        IntoResponse as _, Response,
        sse::{Event, KeepAlive, Sse},
    },
};
use futures_util::{StreamExt as _, stream};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::read;
use crate::{
    accounts::Principal,
    client::{Client, ClientError},
    engine::Engine,
    http::Refusal,
    language::{Language, Words},
    store::TaskState,
    tasks::{
        BatchFollower, BatchNews, BatchView, Chunk, Cursor, Stands, StandsView, TaskFault, TaskFollower, TaskNews,
        TaskView,
    },
    wire::Refused,
};

/// What a client has seen of a stream.
const SEEN: HeaderName = HeaderName::from_static("last-event-id");
/// What the last event of a stream is called: whoever has seen it need not come back.
const END: &str = "end";
/// Between two signs of life on a stream, of which proxies ask for one a minute at least.
const QUIET: Duration = Duration::from_secs(15);

/// An event of a task's stream: its name, and its data, which is JSON. What is not told once more has an id.
#[derive(Serialize, ToSchema)]
#[serde(tag = "event", content = "data", rename_all = "snake_case")]
#[expect(dead_code, reason = "it only describes what streams are made of")]
pub(in crate::http::programs) enum TaskEvent {
    /// Where it stands.
    Position(StandsView),
    /// Its answer begins, or begins anew.
    Started(Attempt),
    /// A piece of its answer.
    Part(Chunk),
    /// It is done: the last event.
    Done(TaskView),
    /// It has come to nothing: the last event.
    Error(TaskView),
    /// It cannot be read at the moment: come back.
    Interrupted(Refused),
}

/// An event of a batch's stream: its name, and its data, which is JSON. What is not told once more has an id.
#[derive(Serialize, ToSchema)]
#[serde(tag = "event", content = "data", rename_all = "snake_case")]
#[expect(dead_code, reason = "it only describes what streams are made of")]
pub(in crate::http::programs) enum BatchEvent {
    /// How many are where, and the places of those in the line.
    Position(Progress),
    /// One of them has a slot.
    Started(Which),
    /// One of them is done.
    Done(TaskView),
    /// One of them has come to nothing.
    Error(TaskView),
    /// All of it is over: the last event.
    End(BatchView),
    /// It cannot be read at the moment: come back.
    Interrupted(Refused),
}

/// The data of `started`, of a task.
#[derive(Serialize, ToSchema)]
#[schema(as = TaskAttempt)]
pub(in crate::http::programs) struct Attempt {
    /// A higher one begins the answer anew.
    attempt: u32,
}

/// The data of `started`, of a batch.
#[derive(Serialize, ToSchema)]
#[schema(as = StartedTask)]
pub(in crate::http::programs) struct Which {
    id: Uuid,
}

/// The data of `position`, of a batch.
#[derive(Serialize, ToSchema)]
#[schema(as = BatchProgress)]
pub(in crate::http::programs) struct Progress {
    #[serde(flatten)]
    batch: BatchView,
    /// Those in the line, first to start first.
    in_line: Vec<InLine>,
}

/// A task of a batch, in the line.
#[derive(Serialize, ToSchema)]
#[schema(as = TaskInLine)]
struct InLine {
    id: Uuid,
    #[serde(flatten)]
    stands: StandsView,
}

/// What becomes of a task, as events: `position`, `started`, `part`, and in the end `done` or `error`.
#[utoipa::path(
    get, path = "/api/v1/tasks/{id}/stream", tag = "tasks",
    params(
        ("id" = Uuid, Path, description = "The task"),
        ("Last-Event-ID" = Option<String>, Header, description = "The id of the last event that was read: the stream goes on after it."),
    ),
    responses(
        (status = 200, description = "The events", content_type = "text/event-stream", body = TaskEvent),
        (status = 204, description = "That event was the last one"),
        (status = 404, description = "The caller has none of this id", body = Refused),
    ),
)]
pub(in crate::http::programs) async fn follow(
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
    Ok(stream_of(&engine, follower, Words::of(language)))
}

/// What becomes of a batch, as events: `position`, `started`, `done` or `error` for each task, and in the end `end`.
#[utoipa::path(
    get, path = "/api/v1/tasks/batches/{id}/stream", tag = "tasks",
    params(
        ("id" = Uuid, Path, description = "The batch"),
        ("Last-Event-ID" = Option<String>, Header, description = "The id of the last event that was read: the stream goes on after it."),
    ),
    responses(
        (status = 200, description = "The events", content_type = "text/event-stream", body = BatchEvent),
        (status = 204, description = "That event was the last one"),
        (status = 404, description = "The caller has none of this id", body = Refused),
    ),
)]
pub(in crate::http::programs) async fn follow_batch(
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
    Ok(stream_of(&engine, follower, Words::of(language)))
}

/// Whom a stream is for.
trait Follows: Send + 'static {
    /// What is new, as an event; `None`: nothing will be. Cancel-safe.
    fn event(&mut self, words: &'static Words) -> impl Future<Output = Result<Option<Event>, TaskFault>> + Send;
}

impl Follows for TaskFollower {
    async fn event(&mut self, words: &'static Words) -> Result<Option<Event>, TaskFault> {
        Ok(self.next().await?.map(|news| of_task(news, words)))
    }
}

impl Follows for BatchFollower {
    async fn event(&mut self, words: &'static Words) -> Result<Option<Event>, TaskFault> {
        Ok(self.next().await?.map(|news| of_batch(news, words)))
    }
}

fn of_task(news: TaskNews, words: &Words) -> Event {
    let id = |seen: Cursor| format!("{}-{}", seen.attempt, seen.pieces);
    match news {
        TaskNews::Stands(stands) => event("position", &StandsView::new(stands)),
        TaskNews::Started(seen) => {
            let attempt = Attempt { attempt: seen.attempt };
            event("started", &attempt).id(id(seen))
        }
        // It is one line: its server has sent it in one.
        TaskNews::Part(seen, piece) => {
            let piece = String::from_utf8_lossy(&piece).replace('\r', "");
            Event::default().event("part").data(piece).id(id(seen))
        }
        TaskNews::Over(task) => {
            let view = TaskView::new(&task, Stands::Elsewhere, words);
            event(end_of(task.state), &view).id(END)
        }
    }
}

fn of_batch(news: BatchNews, words: &Words) -> Event {
    match news {
        BatchNews::Progress(batch, standing) => {
            let in_line = standing.into_iter().map(|(id, stands)| InLine {
                id,
                stands: StandsView::new(stands),
            });
            let progress = Progress {
                batch: BatchView::new(&batch),
                in_line: in_line.collect(),
            };
            event("position", &progress)
        }
        BatchNews::Started(id) => event("started", &Which { id }),
        BatchNews::Ended(task) => {
            let view = TaskView::new(&task, Stands::Elsewhere, words);
            let ordinal = task.ordinal.unwrap_or_default();
            event(end_of(task.state), &view).id(ordinal.to_string())
        }
        BatchNews::Over(batch) => event("end", &BatchView::new(&batch)).id(END),
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
    let message = words.reason(&reason);
    event("interrupted", &Refused { reason, message })
}

fn event(kind: &str, data: &impl Serialize) -> Event {
    // They have no maps with keys that are no text, the only thing that JSON cannot have; and no line breaks of their own.
    let data = serde_json::to_string(data).unwrap_or_default();
    Event::default().event(kind).data(data)
}

/// All events of what is followed, until the engine closes: clients come back to the one that is there then.
fn stream_of(engine: &Arc<Engine>, follower: impl Follows, words: &'static Words) -> Response {
    let events = stream::unfold(Some(follower), move |follower| async move {
        let mut follower = follower?;
        match follower.event(words).await {
            Ok(Some(event)) => Some((event, Some(follower))),
            Ok(None) => None,
            Err(fault) => Some((broken_off(fault, words), None)),
        }
    });
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
