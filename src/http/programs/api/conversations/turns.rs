//! Turns that are there: answered once more, shown in another version, put in other words, rated, ended, or the end of a new conversation.

use std::sync::Arc;

use axum::{
    Extension, Json,
    extract::{Path, State},
    http::{HeaderMap, StatusCode},
    response::Response,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    super::{super::openai, fault::gone, read::Body},
    list::turn_of,
    named,
    sending::{self, Sent, named_by},
    views::Turn,
};
use crate::{
    accounts::Principal,
    client::Client,
    engine::Engine,
    http::Refusal,
    language::Language,
    wire::{ConversationId, Reason, Refused, TurnId},
};

/// How another answer is wanted.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct Again {
    /// Whether to wait until it is answered. `false`: only until it is stored and in the line.
    #[serde(default = "sending::yes")]
    #[schema(default = true)]
    wait: bool,
}

/// A conversation that was made.
#[derive(Debug, Serialize, ToSchema)]
pub(in super::super) struct Made {
    conversation: ConversationId,
}

impl Made {
    pub(super) const fn new(conversation: ConversationId) -> Self {
        Self { conversation }
    }
}

/// What the caller thinks of an answer.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct Rating {
    /// Whether it is good; null: nothing is said of it any more.
    good: Option<bool>,
}

/// Other words for a message.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct Words {
    /// What it is to say.
    message: String,
}

/// What an address names, as far as it could.
fn parsed(id: &str, turn: &str) -> Result<(ConversationId, TurnId), Refusal> {
    let parsed = named(id).zip(turn.parse().ok());
    parsed.ok_or_else(|| gone(Reason::MessageGone))
}

/// The caller, and the turn that an address names, if it is one of theirs in this conversation.
async fn found(engine: Arc<Engine>, who: Principal, (id, turn): (String, String)) -> Result<(Client, TurnId), Refusal> {
    let (id, turn) = parsed(&id, &turn)?;
    let client = Client::new(engine, who);
    turn_of(&client, id, turn).await?;
    Ok((client, turn))
}

/// Whether a message of this conversation stands behind another one.
async fn stands_behind(client: &Client, id: ConversationId, turn: TurnId) -> Result<bool, Refusal> {
    let view = client.conversation(id).await?;
    Ok(view.is_some_and(|view| view.behind.iter().any(|one| one.id == turn)))
}

/// Answers a turn that is over once more. The answer that is there is kept: the new one is another version of the turn. One that came to nothing is
/// answered in place.
#[utoipa::path(
    post, path = "/api/v1/conversations/{id}/turns/{turn}/again", tag = "conversations", request_body = Option<Again>,
    params(
        ("id" = ConversationId, Path, description = "The conversation"), ("turn" = TurnId, Path, description = "The turn"),
        ("Idempotency-Key" = Option<String>, Header, max_length = 255, description = "Names the answer: asked again, it is the same one."),
    ),
    responses(
        (status = 200, description = "The turn, once it is over, however that is", body = Turn),
        (status = 202, description = "It is stored and in the line: `wait` is false", body = Sent),
        (status = 404, description = "The caller has no such conversation, or no such turn in it", body = Refused),
        (status = 409, description = "A message of it is not answered yet", body = Refused),
    ),
)]
pub(in super::super) async fn again(
    State(engine): State<Arc<Engine>>,
    who: Principal,
    Extension(language): Extension<Language>,
    Path(path): Path<(String, String)>,
    headers: HeaderMap,
    Body(Again { wait }): Body<Again>,
) -> Result<Response, Refusal> {
    let key = openai::key(&headers)?;
    let (client, turn) = found(engine, who, path).await?;
    // Not as a message of the conversation would be called that has the same key.
    let new = key.map_or_else(TurnId::new, |key| TurnId(named_by(&key, Some(ConversationId(turn.0)))));
    let sent = client.again(turn, new).await?;
    sending::answer(client, sent, wait, language).await
}

/// Shows this version of a turn, and the newest that follows it: what is sent next follows those.
#[utoipa::path(
    post, path = "/api/v1/conversations/{id}/turns/{turn}/show", tag = "conversations",
    params(("id" = ConversationId, Path, description = "The conversation"), ("turn" = TurnId, Path, description = "The version: a turn")),
    responses(
        (status = 204, description = "It is shown"),
        (status = 404, description = "The caller has no such conversation, or no such turn in it; or a message of it is not answered yet", body = Refused),
    ),
)]
pub(in super::super) async fn show(
    State(engine): State<Arc<Engine>>,
    who: Principal,
    Path(path): Path<(String, String)>,
) -> Result<StatusCode, Refusal> {
    let (client, turn) = found(engine, who, path).await?;
    client.show(turn).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Keeps what the caller thinks of an answer.
#[utoipa::path(
    post, path = "/api/v1/conversations/{id}/turns/{turn}/rating", tag = "conversations", request_body = Rating,
    params(("id" = ConversationId, Path, description = "The conversation"), ("turn" = TurnId, Path, description = "The turn")),
    responses(
        (status = 204, description = "It is kept"),
        (status = 404, description = "The caller has no such conversation, or no such turn in it, or that is not over yet", body = Refused),
    ),
)]
pub(in super::super) async fn rate(
    State(engine): State<Arc<Engine>>,
    who: Principal,
    Path(path): Path<(String, String)>,
    Body(Rating { good }): Body<Rating>,
) -> Result<StatusCode, Refusal> {
    let (client, turn) = found(engine, who, path).await?;
    client.rate(turn, good).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Makes a new conversation of everything up to a turn, that one included.
#[utoipa::path(
    post, path = "/api/v1/conversations/{id}/turns/{turn}/branch", tag = "conversations",
    params(("id" = ConversationId, Path, description = "The conversation"), ("turn" = TurnId, Path, description = "The last turn of the new one")),
    responses(
        (status = 200, description = "The new conversation", body = Made),
        (status = 404, description = "The caller has no such conversation, or no such turn in it", body = Refused),
    ),
)]
pub(in super::super) async fn branch(
    State(engine): State<Arc<Engine>>,
    who: Principal,
    Path(path): Path<(String, String)>,
) -> Result<Json<Made>, Refusal> {
    let (client, turn) = found(engine, who, path).await?;
    Ok(Json(Made::new(client.branch(turn).await?)))
}

/// Puts a message in other words that has not begun: one that waits in the line, which keeps its place, or one that stands behind another.
#[utoipa::path(
    patch, path = "/api/v1/conversations/{id}/turns/{turn}", tag = "conversations", request_body = Words,
    params(("id" = ConversationId, Path, description = "The conversation"), ("turn" = TurnId, Path, description = "The turn")),
    responses(
        (status = 204, description = "It says so now"),
        (status = 404, description = "The caller has no such conversation, or no such turn in it", body = Refused),
        (status = 409, description = "It has begun, or is over: `instead_of` sends it again", body = Refused),
    ),
)]
pub(in super::super) async fn reword(
    State(engine): State<Arc<Engine>>,
    who: Principal,
    Path((id, turn)): Path<(String, String)>,
    Body(Words { message }): Body<Words>,
) -> Result<StatusCode, Refusal> {
    let (id, turn) = parsed(&id, &turn)?;
    let client = Client::new(engine, who);
    if turn_of(&client, id, turn).await.is_err() && !stands_behind(&client, id, turn).await? {
        return Err(gone(Reason::MessageGone));
    }
    client.reword(turn, &message).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Ends a turn: out of the line at once, or stopped, with what was written kept. A message that stands behind another is taken out.
#[utoipa::path(
    delete, path = "/api/v1/conversations/{id}/turns/{turn}", tag = "conversations",
    params(("id" = ConversationId, Path, description = "The conversation"), ("turn" = TurnId, Path, description = "The turn")),
    responses(
        (status = 204, description = "It ends, or was over already"),
        (status = 404, description = "The caller has no such conversation, or no such turn in it", body = Refused),
    ),
)]
pub(in super::super) async fn cancel(
    State(engine): State<Arc<Engine>>,
    who: Principal,
    Path((id, turn)): Path<(String, String)>,
) -> Result<StatusCode, Refusal> {
    let (id, turn) = parsed(&id, &turn)?;
    let client = Client::new(engine, who);
    let is_none = turn_of(&client, id, turn).await.is_err();
    if is_none && stands_behind(&client, id, turn).await? && client.withdraw(turn).await? {
        return Ok(StatusCode::NO_CONTENT);
    }
    // What has begun meanwhile is ended as a turn.
    turn_of(&client, id, turn).await?;
    // One that was over already is what was wanted.
    let _ = client.cancel(turn);
    Ok(StatusCode::NO_CONTENT)
}
