//! One request of a program, in a form that is easy to write by hand. It stands in the line as all others do.

mod answer;
mod asking;
mod events;
mod stream;

use std::sync::Arc;

use axum::{
    Extension,
    extract::{Path, State},
    http::{HeaderMap, StatusCode},
    response::Response,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use self::{answer::ChatAnswer, events::ChatEvent};
use super::{
    super::{place, waiting},
    fault, patient,
    read::Body,
};
use crate::{
    accounts::Principal, client::Client, engine::Engine, http::Refusal, language::Language, programs::Step,
    wire::Reason,
};

/// What to say to a model: either one `message`, or the `messages` of a whole conversation.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "message": "Say hello." }))]
pub(super) struct ChatRequest {
    /// One message.
    message: Option<String>,
    /// A conversation until now. The last message is the user's.
    messages: Option<Vec<ChatMessage>>,
    /// Who is to answer, as `GET /api/v1/models` lists them; a name without its place is enough where only one place has it. Unless told: the
    /// site's default.
    model: Option<String>,
    /// What the model is told before all that is said.
    system: Option<String>,
    /// How freely it chooses its words.
    #[schema(minimum = 0, maximum = 2)]
    temperature: Option<f64>,
    /// The longest answer, in tokens.
    #[schema(minimum = 1)]
    max_tokens: Option<u32>,
}

/// A message of a conversation.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ChatMessage {
    /// Who says it.
    role: ChatRole,
    /// What is said.
    content: String,
}

/// Who says something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum ChatRole {
    /// Whoever asks.
    User,
    /// The model.
    Assistant,
    /// What the model is told of how to answer.
    System,
}

/// Asks a model, and waits for the whole answer.
///
/// The place in the line at joining is in the headers `x-anteroom-position`, `x-anteroom-waiting` and `x-anteroom-estimate`. Where the site keeps answers,
/// `cached` says that this one is, or that it was made for the same request of another program; with `Cache-Control: no-cache` the model is asked. An answer that is not
/// there after ten seconds begins with its head and empty lines, so that nothing in between closes the connection; what fails after that has the
/// status 200 and the body of a refusal.
#[utoipa::path(
    post, path = "/api/v1/chat", tag = "chat", request_body = ChatRequest,
    params(("Idempotency-Key" = Option<String>, Header, max_length = 255,
        description = "Names the request. The same one again, with the same body, is the one that is on its way or has been answered: it keeps its place while nobody is connected.")),
    responses((status = 200, description = "The answer", body = ChatAnswer)),
)]
pub(super) async fn whole(
    State(engine): State<Arc<Engine>>,
    who: Principal,
    Extension(language): Extension<Language>,
    headers: HeaderMap,
    Body(request): Body<ChatRequest>,
) -> Result<Response, Refusal> {
    let mut asked = asking::ask(&Client::new(engine, who), &headers, request, false)?;
    let waiting::Begun { place, step } = waiting::begun(&mut asked, false).await;
    let id = asked.id();
    let mut head = HeaderMap::new();
    place::name(&asked, &mut head);
    let work = Box::pin(async move {
        let mut step = step;
        loop {
            match step {
                Some(Step::Over(Ok(done))) => return ChatAnswer::read(id, &done, asked.source()),
                Some(Step::Over(Err(fault))) => return Err(fault::of_asked(&asked, &fault)),
                Some(Step::Waiting | Step::Started | Step::Events(_)) | None => {}
            }
            step = Some(asked.next().await);
        }
    });
    let mut response = patient::answer(work, language).await;
    if response.status() == StatusCode::OK {
        place.put(response.headers_mut());
        response.headers_mut().extend(head);
    }
    Ok(response)
}

/// Asks a model, and tells where the request stands and what the model says, as it comes.
///
/// The answer is a stream of events (`text/event-stream`): `position` while it waits, `started`, then a `part` for each piece of the answer, and in the
/// end `done` or `error`. Each has an id. A request with an Idempotency-Key outlives its connection for as long as `QUEUE_ABANDON_AFTER`: the same
/// request with the last id as `Last-Event-ID` goes on after that event, without a gap or a repeat.
#[utoipa::path(
    post, path = "/api/v1/chat/stream", tag = "chat", request_body = ChatRequest,
    params(
        ("Idempotency-Key" = Option<String>, Header, max_length = 255,
            description = "Names the request, which then outlives its connection. Each request needs a name of its own."),
        ("Last-Event-ID" = Option<String>, Header,
            description = "The id of the last event that was read of this request: the stream goes on after it."),
    ),
    responses(
        (status = 200, description = "The events", content_type = "text/event-stream", body = ChatEvent),
        (status = 204, description = "That event was the last one"),
        (status = 410, description = "The request is not kept any more. Ask again without `Last-Event-ID`", body = crate::wire::Refused),
    ),
)]
pub(super) async fn stream(
    State(engine): State<Arc<Engine>>,
    who: Principal,
    Extension(language): Extension<Language>,
    headers: HeaderMap,
    Body(request): Body<ChatRequest>,
) -> Result<Response, Refusal> {
    let client = Client::new(engine, who);
    let Some(last) = events::last(&headers)? else {
        let asked = asking::ask(&client, &headers, request, true)?;
        return stream::begin(asked, language).await;
    };
    match client.request(last.request) {
        Some(asked) => Ok(stream::go_on(asked, last.number, language).await),
        // Of the answer nothing has been read yet, so that it may as well be another one.
        None if last.number < events::FIRST_PART => {
            let asked = asking::ask(&client, &headers, request, true)?;
            stream::begin(asked, language).await
        }
        None => Err(Refusal::new(StatusCode::GONE, Reason::RequestGone)),
    }
}

/// Ends a request: it leaves the line at once, or is stopped.
#[utoipa::path(
    delete, path = "/api/v1/chat/{id}", tag = "chat",
    params(("id" = Uuid, Path, description = "The request, as its events or `x-request-id` name it")),
    responses(
        (status = 204, description = "It ends"),
        (status = 404, description = "No request of this id waits or runs", body = crate::wire::Refused),
    ),
)]
pub(super) async fn cancel(
    State(engine): State<Arc<Engine>>,
    who: Principal,
    Path(id): Path<String>,
) -> Result<StatusCode, Refusal> {
    let id = id.strip_prefix("req_").unwrap_or(&id).parse::<Uuid>();
    match id {
        Ok(id) if Client::new(engine, who).cancel_request(id) => Ok(StatusCode::NO_CONTENT),
        _ => Err(fault::gone(Reason::RequestGone)),
    }
}
