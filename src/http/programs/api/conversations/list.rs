//! Conversations, looked at.

use std::sync::Arc;

use axum::{
    Extension, Json,
    extract::{Path, State},
    http::{HeaderValue, header},
    response::{IntoResponse as _, Response},
};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::{
    super::{fault::gone, read::Asked},
    named,
    views::{Conversation, Conversations, Results, Turn, Turns},
};
use crate::{
    accounts::Principal,
    client::Client,
    conversations::Export,
    engine::Engine,
    http::Refusal,
    language::Language,
    wire::{ConversationId, Reason, Refused, TurnId},
};

/// Which part of the list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in super::super) struct Page {
    /// The last conversation of the part before; unless told: the first part.
    after: Option<ConversationId>,
}

/// The caller's conversations, fifty at a time: those that are pinned, the others, those that are archived, of each the last used first.
#[utoipa::path(
    get, path = "/api/v1/conversations", tag = "conversations", params(Page),
    responses((status = 200, description = "A part of the list", body = Conversations)),
)]
pub(in super::super) async fn list(
    State(engine): State<Arc<Engine>>,
    who: Principal,
    Asked(page): Asked<Page>,
) -> Result<Json<Conversations>, Refusal> {
    let list = Client::new(engine, who).conversations(page.after).await?;
    Ok(Json(list.into()))
}

/// What to look for.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in super::super) struct Sought {
    /// A text, whatever its case.
    q: String,
}

/// The caller's conversations with a text in their title, a message or an answer.
#[utoipa::path(
    get, path = "/api/v1/conversations/search", tag = "conversations", params(Sought),
    responses((status = 200, description = "What was found", body = Results)),
)]
pub(in super::super) async fn search(
    State(engine): State<Arc<Engine>>,
    who: Principal,
    Asked(sought): Asked<Sought>,
) -> Result<Json<Results>, Refusal> {
    let found = Client::new(engine, who).search(&sought.q).await?;
    Ok(Json(found.into()))
}

/// A conversation with its newest turns, thirty at most.
#[utoipa::path(
    get, path = "/api/v1/conversations/{id}", tag = "conversations",
    params(("id" = ConversationId, Path, description = "The conversation")),
    responses(
        (status = 200, description = "The conversation", body = Conversation),
        (status = 404, description = "The caller has none of this id", body = Refused),
    ),
)]
pub(in super::super) async fn one(
    State(engine): State<Arc<Engine>>,
    who: Principal,
    Path(id): Path<String>,
) -> Result<Json<Conversation>, Refusal> {
    let missing = || gone(Reason::ConversationGone);
    let id = named(&id).ok_or_else(missing)?;
    let view = Client::new(engine, who).conversation(id).await?;
    Ok(Json(view.ok_or_else(missing)?.into()))
}

/// Which part of a conversation.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in super::super) struct Before {
    /// The first turn of the part that is there; unless told: the newest part.
    before: Option<TurnId>,
}

/// Turns of a conversation, thirty at most: the newest, or those before another one.
#[utoipa::path(
    get, path = "/api/v1/conversations/{id}/turns", tag = "conversations",
    params(("id" = ConversationId, Path, description = "The conversation"), Before),
    responses(
        (status = 200, description = "The turns", body = Turns),
        (status = 404, description = "The caller has no such conversation, or no such turn in it", body = Refused),
    ),
)]
pub(in super::super) async fn turns(
    State(engine): State<Arc<Engine>>,
    who: Principal,
    Path(id): Path<String>,
    Asked(part): Asked<Before>,
) -> Result<Json<Turns>, Refusal> {
    let missing = || gone(Reason::ConversationGone);
    let id = named(&id).ok_or_else(missing)?;
    let client = Client::new(engine, who);
    let Some(before) = part.before else {
        let view = client.conversation(id).await?.ok_or_else(missing)?;
        return Ok(Json(Turns {
            turns: view.turns.into_iter().map(Turn::from).collect(),
            earlier: view.earlier,
        }));
    };
    turn_of(&client, id, before).await?;
    let page = client.earlier(before).await?;
    Ok(Json(page.ok_or_else(missing)?.into()))
}

/// One turn of a conversation, as it is at this moment.
#[utoipa::path(
    get, path = "/api/v1/conversations/{id}/turns/{turn}", tag = "conversations",
    params(("id" = ConversationId, Path, description = "The conversation"), ("turn" = TurnId, Path, description = "The turn")),
    responses(
        (status = 200, description = "The turn", body = Turn),
        (status = 404, description = "The caller has no such conversation, or no such turn in it", body = Refused),
    ),
)]
pub(in super::super) async fn turn(
    State(engine): State<Arc<Engine>>,
    who: Principal,
    Path((id, turn)): Path<(String, String)>,
) -> Result<Json<Turn>, Refusal> {
    let missing = || gone(Reason::MessageGone);
    let (id, turn) = named(&id).zip(turn.parse().ok()).ok_or_else(missing)?;
    let turn = turn_of(&Client::new(engine, who), id, turn).await?;
    Ok(Json(turn.into()))
}

/// A turn, if it is of this conversation.
pub(super) async fn turn_of(
    client: &Client,
    conversation: ConversationId,
    turn: TurnId,
) -> Result<crate::wire::TurnView, Refusal> {
    let turn = client.turn(turn).await?;
    let turn = turn.filter(|turn| turn.conversation == conversation);
    turn.ok_or_else(|| gone(Reason::MessageGone))
}

/// In which form.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Form {
    /// Every version of everything, for programs.
    #[default]
    Json,
    /// What is shown, for people.
    Markdown,
}

/// In which form a conversation is wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in super::super) struct Wanted {
    #[serde(default)]
    #[param(inline)]
    format: Form,
}

/// A conversation as a file to keep.
#[utoipa::path(
    get, path = "/api/v1/conversations/{id}/export", tag = "conversations",
    params(("id" = ConversationId, Path, description = "The conversation"), Wanted),
    responses(
        (status = 200, description = "The file", content((serde_json::Value = "application/json"), (String = "text/markdown"))),
        (status = 404, description = "The caller has none of this id", body = Refused),
    ),
)]
pub(in super::super) async fn export(
    State(engine): State<Arc<Engine>>,
    who: Principal,
    Extension(language): Extension<Language>,
    Path(id): Path<String>,
    Asked(wanted): Asked<Wanted>,
) -> Result<Response, Refusal> {
    let missing = || gone(Reason::ConversationGone);
    let id = named(&id).ok_or_else(missing)?;
    let (form, mime) = match wanted.format {
        Form::Json => (Export::Json, "application/json"),
        Form::Markdown => (Export::Markdown(language), "text/markdown; charset=utf-8"),
    };
    let exported = Client::new(engine, who).export(id, form).await?;
    let (_, content) = exported.ok_or_else(missing)?;
    let mut response = content.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(mime));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    Ok(response)
}
