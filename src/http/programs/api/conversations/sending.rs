//! Conversations, changed: a message sent, a title or a place in the list given, all of it deleted.

use std::sync::Arc;

use axum::{
    Extension, Json,
    extract::{Path, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse as _, Response},
};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    super::{
        super::openai,
        fault::{gone, key_reused},
        line, patient,
        read::Body,
    },
    list::turn_of,
    named,
    views::Turn,
};
use crate::{
    accounts::Principal,
    client::Client,
    engine::Engine,
    http::Refusal,
    language::Language,
    wire::{self, Choice, ConversationId, Reason, Refused, SendRequest, Shelving, TurnId},
};

/// A message of a conversation.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "message": "Say hello." }))]
pub(in super::super) struct Message {
    /// What to say.
    message: String,
    /// Who is to answer from now on, as `GET /api/v1/models` lists them. Unless told, this and all below stay as they are.
    model: Option<String>,
    /// What the model is told before all that is said; empty: what the site tells it.
    system: Option<String>,
    /// How freely it chooses its words.
    #[schema(minimum = 0, maximum = 2)]
    temperature: Option<f32>,
    /// The longest answer, in tokens.
    #[schema(minimum = 1, maximum = 1_000_000)]
    max_tokens: Option<u32>,
    /// Whether to wait until it is answered. `false`: only until it is stored and in the line.
    #[serde(default = "yes")]
    #[schema(default = true)]
    wait: bool,
}

const fn yes() -> bool {
    true
}

/// A message that is stored and in the line.
#[derive(Debug, Serialize, ToSchema)]
pub(in super::super) struct Sent {
    conversation: ConversationId,
    turn: TurnId,
    /// Where it stands; null: it does not wait.
    place: Option<line::Waiting>,
}

impl From<wire::Sent> for Sent {
    fn from(sent: wire::Sent) -> Self {
        let id = Some(sent.turn.0);
        Self {
            conversation: sent.conversation,
            turn: sent.turn,
            place: sent.place.map(|place| line::Waiting::new(line::Kind::Turn, id, place)),
        }
    }
}

/// Begins a conversation with its first message.
///
/// The message is stored before it counts as sent, and is answered whether or not somebody waits: over a restart, too. One that waits in the line is given up
/// where its program has asked for nothing for `QUEUE_ABANDON_AFTER`; what is to outlive its program is a task.
#[utoipa::path(
    post, path = "/api/v1/conversations", tag = "conversations", request_body = Message,
    params(("Idempotency-Key" = Option<String>, Header, max_length = 255, description = "Names the message: sent again, it is the same one.")),
    responses(
        (status = 200, description = "The turn, once it is over, however that is", body = Turn),
        (status = 202, description = "It is stored and in the line: `wait` is false", body = Sent),
    ),
)]
pub(in super::super) async fn create(
    State(engine): State<Arc<Engine>>,
    who: Principal,
    Extension(language): Extension<Language>,
    headers: HeaderMap,
    Body(message): Body<Message>,
) -> Result<Response, Refusal> {
    say(Client::new(engine, who), None, message, &headers, language).await
}

/// Sends a message in a conversation. One message of it is answered at a time.
#[utoipa::path(
    post, path = "/api/v1/conversations/{id}/turns", tag = "conversations", request_body = Message,
    params(
        ("id" = ConversationId, Path, description = "The conversation"),
        ("Idempotency-Key" = Option<String>, Header, max_length = 255, description = "Names the message: sent again, it is the same one."),
    ),
    responses(
        (status = 200, description = "The turn, once it is over, however that is", body = Turn),
        (status = 202, description = "It is stored and in the line: `wait` is false", body = Sent),
        (status = 404, description = "The caller has none of this id", body = Refused),
        (status = 409, description = "A message of it is not answered yet", body = Refused),
    ),
)]
pub(in super::super) async fn send(
    State(engine): State<Arc<Engine>>,
    who: Principal,
    Extension(language): Extension<Language>,
    Path(id): Path<String>,
    headers: HeaderMap,
    Body(message): Body<Message>,
) -> Result<Response, Refusal> {
    let id = named(&id).ok_or_else(|| gone(Reason::ConversationGone))?;
    say(Client::new(engine, who), Some(id), message, &headers, language).await
}

/// In place of a conversation, where a key names one itself.
const BEGUN: ConversationId = ConversationId(Uuid::max());

async fn say(
    client: Client,
    conversation: Option<ConversationId>,
    message: Message,
    headers: &HeaderMap,
    language: Language,
) -> Result<Response, Refusal> {
    let key = openai::key(headers)?;
    let choice = choice(&client, conversation, &message).await?;
    let request = SendRequest {
        turn: key
            .as_deref()
            .map_or_else(TurnId::new, |key| TurnId(named_by(key, conversation))),
        conversation,
        instead_of: None,
        text: message.message,
        files: Vec::new(),
        choice,
    };
    let text = request.text.clone();
    let begun = key.as_deref().map(|key| ConversationId(named_by(key, Some(BEGUN))));
    let sent = client
        .send_in(request, begun.unwrap_or_else(ConversationId::new))
        .await?;
    if key.is_some() {
        let known = client.turn(sent.turn).await?;
        if known.is_some_and(|known| known.message != text) {
            return Err(key_reused());
        }
    }
    if !message.wait {
        return Ok((StatusCode::ACCEPTED, Json(Sent::from(sent))).into_response());
    }
    let over = async move {
        let turn = client.over(sent.turn).await?;
        Ok(Turn::from(turn.ok_or_else(|| gone(Reason::MessageGone))?))
    };
    Ok(patient::answer(Box::pin(over), language).await)
}

/// What is chosen for the conversation with a message; `None`: nothing changes.
async fn choice(
    client: &Client,
    conversation: Option<ConversationId>,
    message: &Message,
) -> Result<Option<Choice>, Refusal> {
    let Message {
        model,
        system,
        temperature,
        max_tokens,
        ..
    } = message;
    if model.is_none() && system.is_none() && temperature.is_none() && max_tokens.is_none() {
        return Ok(None);
    }
    let known = match conversation {
        Some(id) => client.conversation(id).await?.map(|view| view.choice),
        None => None,
    };
    let known = known.unwrap_or_default();
    Ok(Some(Choice {
        model: model.clone().or(known.model),
        instructions: system.clone().unwrap_or(known.instructions),
        temperature: temperature.or(known.temperature),
        max_tokens: max_tokens.or(known.max_tokens),
        without_tools: known.without_tools,
    }))
}

/// What a key names within a conversation: always the same, so that a message that is sent again makes no second turn.
fn named_by(key: &str, within: Option<ConversationId>) -> Uuid {
    let mut hash = Sha256::new();
    hash.update(within.map_or(Uuid::nil(), |id| id.0));
    hash.update(key);
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash.finalize()[..16]);
    uuid::Builder::from_custom_bytes(bytes).into_uuid()
}

/// What is to change of a conversation. Unless told, it stays as it is.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "title": "Names", "pinned": true }))]
pub(in super::super) struct Change {
    /// Another title.
    title: Option<String>,
    /// Whether it stands above the others.
    pinned: Option<bool>,
    /// Whether it is out of sight at the end of the list, until a message is sent in it.
    archived: Option<bool>,
}

/// Gives a conversation another title, or another place in the list.
#[utoipa::path(
    patch, path = "/api/v1/conversations/{id}", tag = "conversations", request_body = Change,
    params(("id" = ConversationId, Path, description = "The conversation")),
    responses(
        (status = 204, description = "It is as was asked for"),
        (status = 404, description = "The caller has none of this id", body = Refused),
    ),
)]
pub(in super::super) async fn change(
    State(engine): State<Arc<Engine>>,
    who: Principal,
    Path(id): Path<String>,
    Body(change): Body<Change>,
) -> Result<StatusCode, Refusal> {
    let id = named(&id).ok_or_else(|| gone(Reason::ConversationGone))?;
    let client = Client::new(engine, who);
    let Change {
        title,
        pinned,
        archived,
    } = change;
    if let Some(title) = &title {
        client.rename(id, title).await?;
    }
    let shelving = Shelving { pinned, archived };
    // Without anything to change it is looked for all the same.
    if title.is_none() || shelving != Shelving::default() {
        client.shelve(id, shelving).await?;
    }
    Ok(StatusCode::NO_CONTENT)
}

/// Deletes a conversation; what waits or runs in it is ended.
#[utoipa::path(
    delete, path = "/api/v1/conversations/{id}", tag = "conversations",
    params(("id" = ConversationId, Path, description = "The conversation")),
    responses(
        (status = 204, description = "It is deleted"),
        (status = 404, description = "The caller has none of this id", body = Refused),
    ),
)]
pub(in super::super) async fn remove(
    State(engine): State<Arc<Engine>>,
    who: Principal,
    Path(id): Path<String>,
) -> Result<StatusCode, Refusal> {
    let id = named(&id).ok_or_else(|| gone(Reason::ConversationGone))?;
    Client::new(engine, who).delete(id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Ends a turn: out of the line at once, or stopped, with what was written kept.
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
    let parsed = named(&id).zip(turn.parse().ok());
    let (id, turn) = parsed.ok_or_else(|| gone(Reason::MessageGone))?;
    let client = Client::new(engine, who);
    turn_of(&client, id, turn).await?;
    // One that was over already is what was wanted.
    let _ = client.cancel(turn);
    Ok(StatusCode::NO_CONTENT)
}
