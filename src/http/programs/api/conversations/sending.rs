//! Messages on their way into a conversation, which may begin with one.

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
        fault::{bad, gone, key_reused},
        line, patient,
        read::Body,
    },
    named,
    views::Turn,
};
use crate::{
    accounts::Principal,
    client::Client,
    engine::Engine,
    http::Refusal,
    language::Language,
    wire::{self, Choice, ConversationId, FileId, Reason, Refused, SendRequest, TurnId},
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
    /// What comes with it, as `POST /api/v1/files` has called it.
    #[serde(default)]
    #[schema(max_items = 10)]
    files: Vec<FileId>,
    /// The turn of this conversation that it is another version of: a message that was edited and is sent again. Unless told, it follows the turn that
    /// is shown last.
    instead_of: Option<TurnId>,
    /// Whether it may stand behind another message of its conversation that is not answered yet, and begin once that is.
    #[serde(default)]
    #[schema(default = false)]
    behind: bool,
    /// Whether to wait until it is answered. `false`: only until it is stored and in the line. One that stands behind another is not waited for.
    #[serde(default = "yes")]
    #[schema(default = true)]
    wait: bool,
}

pub(super) const fn yes() -> bool {
    true
}

/// A message that is stored, and in the line or behind another one.
#[derive(Debug, Serialize, ToSchema)]
pub(in super::super) struct Sent {
    conversation: ConversationId,
    turn: TurnId,
    /// Where it stands; null: it does not wait in the line.
    place: Option<line::Waiting>,
    /// Whether it stands behind another message of its conversation: it becomes a turn, of this id, once that one is answered.
    behind: bool,
}

impl From<wire::Sent> for Sent {
    fn from(sent: wire::Sent) -> Self {
        let id = Some(sent.turn.0);
        Self {
            conversation: sent.conversation,
            turn: sent.turn,
            place: sent.place.map(|place| line::Waiting::new(line::Kind::Turn, id, place)),
            behind: sent.behind,
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
    if message.instead_of.is_some() {
        return Err(bad("A conversation that begins has no turn for `instead_of` yet."));
    }
    say(Client::new(engine, who), None, message, &headers, language).await
}

/// Sends a message in a conversation. One message of it is answered at a time; another one may stand `behind` it meanwhile.
#[utoipa::path(
    post, path = "/api/v1/conversations/{id}/turns", tag = "conversations", request_body = Message,
    params(
        ("id" = ConversationId, Path, description = "The conversation"),
        ("Idempotency-Key" = Option<String>, Header, max_length = 255, description = "Names the message: sent again, it is the same one."),
    ),
    responses(
        (status = 200, description = "The turn, once it is over, however that is", body = Turn),
        (status = 202, description = "It is stored and in the line: `wait` is false; or it stands `behind` another one", body = Sent),
        (status = 404, description = "The caller has none of this id, or no such turn in it", body = Refused),
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
        instead_of: message.instead_of,
        text: message.message,
        files: message.files,
        choice,
    };
    let said = (request.text.clone(), request.files.clone());
    let sent = if message.behind && conversation.is_some() {
        client.send_behind(request).await?
    } else {
        let begun = key.as_deref().map(|key| ConversationId(named_by(key, Some(BEGUN))));
        let begun = begun.unwrap_or_else(ConversationId::new);
        client.send_in(request, begun).await?
    };
    if key.is_some() && known(&client, &sent).await?.is_some_and(|known| known != said) {
        return Err(key_reused());
    }
    answer(client, sent, message.wait, language).await
}

/// What a message says that was taken in, and with which files.
async fn known(client: &Client, sent: &wire::Sent) -> Result<Option<(String, Vec<FileId>)>, Refusal> {
    let of = |message, files: Vec<wire::FileView>| (message, files.into_iter().map(|file| file.id).collect());
    if !sent.behind {
        let turn = client.turn(sent.turn).await?;
        return Ok(turn.map(|turn| of(turn.message, turn.files)));
    }
    let behind = client.conversation(sent.conversation).await?.map(|view| view.behind);
    let one = behind.into_iter().flatten().find(|one| one.id == sent.turn);
    Ok(one.map(|one| of(one.message, one.files)))
}

/// Answers with a turn once it is over; where it is not waited for, with where it is.
pub(super) async fn answer(
    client: Client,
    sent: wire::Sent,
    wait: bool,
    language: Language,
) -> Result<Response, Refusal> {
    if !wait || sent.behind {
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
pub(super) fn named_by(key: &str, within: Option<ConversationId>) -> Uuid {
    let mut hash = Sha256::new();
    hash.update(within.map_or(Uuid::nil(), |id| id.0));
    hash.update(key);
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash.finalize()[..16]);
    uuid::Builder::from_custom_bytes(bytes).into_uuid()
}
