//! What was said of tools for a whole conversation: shown, and taken back.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, State},
    http::StatusCode,
};
use serde::Serialize;
use utoipa::ToSchema;

use super::{super::fault::gone, named};
use crate::{
    accounts::Principal,
    client::{Client, ToolLeave},
    engine::Engine,
    http::Refusal,
    wire::{ConversationId, Reason, Refused},
};

/// What was said of a tool.
#[derive(Debug, Serialize, ToSchema)]
pub(in super::super) struct Leave {
    /// The server whose tool it is.
    server: String,
    /// The tool, as its server calls it.
    tool: String,
    /// Whether it is used without asking (`conversation` was answered), or not at all (`never`).
    allowed: bool,
}

/// What was said of tools for a conversation.
#[derive(Debug, Serialize, ToSchema)]
pub(in super::super) struct Leaves {
    /// By the names of servers and tools.
    leaves: Vec<Leave>,
}

impl From<ToolLeave> for Leave {
    fn from(leave: ToolLeave) -> Self {
        Self {
            server: leave.server,
            tool: leave.tool,
            allowed: leave.allowed,
        }
    }
}

/// What was said of tools for a whole conversation.
#[utoipa::path(
    get, path = "/api/v1/conversations/{id}/leaves", tag = "conversations",
    params(("id" = ConversationId, Path, description = "The conversation")),
    responses(
        (status = 200, description = "What was said", body = Leaves),
        (status = 404, description = "The caller has none of this id", body = Refused),
    ),
)]
pub(in super::super) async fn list(
    State(engine): State<Arc<Engine>>,
    who: Principal,
    Path(id): Path<String>,
) -> Result<Json<Leaves>, Refusal> {
    let id = named(&id).ok_or_else(|| gone(Reason::ConversationUnavailable))?;
    let leaves = Client::new(engine, who).leaves(id).await?;
    Ok(Json(Leaves {
        leaves: leaves.into_iter().map(Leave::from).collect(),
    }))
}

/// Takes back what was said of a tool for a conversation: the next use of it asks again.
#[utoipa::path(
    delete, path = "/api/v1/conversations/{id}/leaves/{server}/{tool}", tag = "conversations",
    params(
        ("id" = ConversationId, Path, description = "The conversation"),
        ("server" = String, Path, description = "The server"), ("tool" = String, Path, description = "The tool"),
    ),
    responses(
        (status = 204, description = "It is taken back"),
        (status = 404, description = "The caller has no such conversation, or has said nothing of this tool for it", body = Refused),
    ),
)]
pub(in super::super) async fn take_back(
    State(engine): State<Arc<Engine>>,
    who: Principal,
    Path((id, server, tool)): Path<(String, String, String)>,
) -> Result<StatusCode, Refusal> {
    let id = named(&id).ok_or_else(|| gone(Reason::ConversationUnavailable))?;
    let client = Client::new(engine, who);
    let said = client.leaves(id).await?.into_iter();
    let said = said.filter(|leave| leave.server == server && leave.tool == tool);
    let key = said.map(|leave| leave.key).next();
    let key = key.ok_or_else(|| gone(Reason::LeaveGone))?;
    // What was taken back in this moment is what was wanted.
    let _ = client.forget_leave(id, &key).await?;
    Ok(StatusCode::NO_CONTENT)
}
