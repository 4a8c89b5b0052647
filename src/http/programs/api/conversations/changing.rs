//! Conversations as a whole: another title, place or model, taken out, brought back, brought along.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, State},
    http::StatusCode,
};
use serde::{Deserialize, Deserializer};
use utoipa::ToSchema;

use super::{
    super::{
        fault::{gone, invalid},
        read::{Body, Content},
    },
    named,
    turns::Made,
};
use crate::{
    accounts::Principal,
    client::{Client, ClientError},
    conversations::MAX_IMPORT_BYTES,
    engine::Engine,
    http::Refusal,
    wire::{Choice, ConversationId, Reason, Refused, Shelving, is_blank},
};

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
    /// Who is to answer from now on, as `GET /api/v1/models` lists them; null: the site's default. A message that waits is answered so, too.
    #[serde(default, deserialize_with = "told")]
    #[schema(value_type = Option<String>)]
    model: Option<Option<String>>,
    /// What the model is told before all that is said; null: what the site tells it.
    #[serde(default, deserialize_with = "told")]
    #[schema(value_type = Option<String>)]
    system: Option<Option<String>>,
    /// How freely it chooses its words; null: as its server has it.
    #[serde(default, deserialize_with = "told")]
    #[schema(value_type = Option<f32>, minimum = 0, maximum = 2)]
    temperature: Option<Option<f32>>,
    /// The longest answer, in tokens; null: as its server has it.
    #[serde(default, deserialize_with = "told")]
    #[schema(value_type = Option<u32>, minimum = 1, maximum = 1_000_000)]
    max_tokens: Option<Option<u32>>,
    /// Whether answers may use tools, where the site has some.
    tools: Option<bool>,
}

/// What stands there, be it null.
fn told<'de, D: Deserializer<'de>, T: Deserialize<'de>>(from: D) -> Result<Option<Option<T>>, D::Error> {
    Option::<T>::deserialize(from).map(Some)
}

impl Change {
    /// Whether it says anything of who answers, and how.
    const fn chooses(&self) -> bool {
        self.model.is_some()
            || self.system.is_some()
            || self.temperature.is_some()
            || self.max_tokens.is_some()
            || self.tools.is_some()
    }

    /// What is chosen then.
    fn choice(&self, known: Choice) -> Choice {
        Choice {
            model: self.model.clone().unwrap_or(known.model),
            instructions: match &self.system {
                Some(system) => system.clone().unwrap_or_default(),
                None => known.instructions,
            },
            temperature: self.temperature.unwrap_or(known.temperature),
            max_tokens: self.max_tokens.unwrap_or(known.max_tokens),
            without_tools: self.tools.map_or(known.without_tools, |tools| !tools),
        }
    }
}

/// Gives a conversation another title, another place in the list, or another model and what that is told.
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
    let missing = || gone(Reason::ConversationGone);
    let id = named(&id).ok_or_else(missing)?;
    let client = Client::new(engine, who);
    // What cannot be is said before anything changes.
    if change.title.as_deref().is_some_and(is_blank) {
        return Err(ClientError::NoTitle.into());
    }
    if change.chooses() {
        let known = client.conversation(id).await?.ok_or_else(missing)?;
        client.choose(id, change.choice(known.choice)).await?;
    }
    if let Some(title) = &change.title {
        client.rename(id, title).await?;
    }
    let shelving = Shelving {
        pinned: change.pinned,
        archived: change.archived,
    };
    // Without anything to change it is looked for all the same.
    if (change.title.is_none() && !change.chooses()) || shelving != Shelving::default() {
        client.shelve(id, shelving).await?;
    }
    Ok(StatusCode::NO_CONTENT)
}

/// Deletes a conversation; what waits or runs in it is ended. For a minute it can be brought back.
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

/// Brings a conversation back that was deleted a moment ago.
#[utoipa::path(
    post, path = "/api/v1/conversations/{id}/restore", tag = "conversations",
    params(("id" = ConversationId, Path, description = "The conversation")),
    responses(
        (status = 204, description = "It is there again"),
        (status = 404, description = "The caller has deleted none of this id, or it is removed for good by now", body = Refused),
    ),
)]
pub(in super::super) async fn restore(
    State(engine): State<Arc<Engine>>,
    who: Principal,
    Path(id): Path<String>,
) -> Result<StatusCode, Refusal> {
    let id = named(&id).ok_or_else(|| gone(Reason::ConversationGone))?;
    Client::new(engine, who).undelete(id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Lets the messages of a conversation go that are held behind one that was not answered.
#[utoipa::path(
    post, path = "/api/v1/conversations/{id}/release", tag = "conversations",
    params(("id" = ConversationId, Path, description = "The conversation")),
    responses(
        (status = 204, description = "What was held goes on"),
        (status = 404, description = "The caller has none of this id", body = Refused),
    ),
)]
pub(in super::super) async fn release(
    State(engine): State<Arc<Engine>>,
    who: Principal,
    Path(id): Path<String>,
) -> Result<StatusCode, Refusal> {
    let missing = || gone(Reason::ConversationGone);
    let id = named(&id).ok_or_else(missing)?;
    let client = Client::new(engine, who);
    client.conversation(id).await?.ok_or_else(missing)?;
    client.release(id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Makes a conversation of what `GET /api/v1/conversations/{id}/export` has written as JSON, here or elsewhere.
#[utoipa::path(
    post, path = "/api/v1/conversations/import", tag = "conversations",
    request_body(content = serde_json::Value, description = "The file"),
    responses((status = 200, description = "The new conversation", body = Made)),
)]
pub(in super::super) async fn import(
    State(engine): State<Arc<Engine>>,
    who: Principal,
    Content(content): Content,
) -> Result<Json<Made>, Refusal> {
    if content.len() > MAX_IMPORT_BYTES {
        let most = MAX_IMPORT_BYTES / (1024 * 1024);
        let sentence =
            format!("This file is larger than {most} MB, the most that a conversation may have that is brought along.");
        return Err(invalid(StatusCode::PAYLOAD_TOO_LARGE, sentence));
    }
    let conversation = Client::new(engine, who).import(&content).await?;
    Ok(Json(Made::new(conversation)))
}
