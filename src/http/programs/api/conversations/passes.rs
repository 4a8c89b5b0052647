//! Links that take a conversation along: whoever opens one watches it, and can change nothing.

use std::{sync::Arc, time::Duration};

use axum::{
    Json,
    extract::{Path, State},
    http::StatusCode,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    super::{fault::gone, read::Body},
    named,
};
use crate::{
    accounts::{
        Principal,
        passes::{PassKind, PassRecord},
    },
    client::{Client, ClientError, WATCHING_DAY, WATCHING_HOUR, WATCHING_WEEK},
    engine::Engine,
    http::Refusal,
    wire::{ConversationId, Reason, Refused},
};

/// For how long a link, and whoever has opened it, may watch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum GoodFor {
    Hour,
    #[default]
    Day,
    Week,
}

impl GoodFor {
    const fn time(self) -> Duration {
        match self {
            Self::Hour => WATCHING_HOUR,
            Self::Day => WATCHING_DAY,
            Self::Week => WATCHING_WEEK,
        }
    }
}

/// A link that is wanted.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "good_for": "hour" }))]
pub(in super::super) struct NewPass {
    #[serde(default)]
    #[schema(inline)]
    good_for: GoodFor,
}

/// A link to a conversation.
#[derive(Debug, Serialize, ToSchema)]
pub(in super::super) struct Pass {
    id: Uuid,
    /// When it was made, in milliseconds since the Unix epoch.
    created_at: u64,
    /// When it ends, for whoever watches by it, too; likewise.
    expires_at: u64,
    /// When somebody has opened it, which nobody can do again; likewise. null: nobody has.
    opened_at: Option<u64>,
}

/// A link that was made.
#[derive(Debug, Serialize, ToSchema)]
pub(in super::super) struct MadePass {
    #[serde(flatten)]
    pass: Pass,
    /// Where it leads, behind the address of the site. It is told this once.
    path: String,
}

/// Links to a conversation.
#[derive(Debug, Serialize, ToSchema)]
pub(in super::super) struct Passes {
    /// The last made first.
    passes: Vec<Pass>,
}

impl From<PassRecord> for Pass {
    fn from(pass: PassRecord) -> Self {
        Self {
            id: pass.id,
            created_at: pass.created_at,
            expires_at: pass.expires_at,
            opened_at: pass.used_at,
        }
    }
}

/// Makes a link to a conversation, for another device: whoever opens it watches the conversation, and can change nothing.
///
/// It can be opened once. What it has opened ends with it, with its conversation, and with the key that it was made with.
#[utoipa::path(
    post, path = "/api/v1/conversations/{id}/passes", tag = "conversations", request_body = NewPass,
    params(("id" = ConversationId, Path, description = "The conversation")),
    responses(
        (status = 200, description = "The link", body = MadePass),
        (status = 404, description = "The caller has none of this id, or the site has no such links", body = Refused),
        (status = 409, description = "As many links to it are out as there may be", body = Refused),
    ),
)]
pub(in super::super) async fn make(
    State(engine): State<Arc<Engine>>,
    who: Principal,
    Path(id): Path<String>,
    Body(NewPass { good_for }): Body<NewPass>,
) -> Result<Json<MadePass>, Refusal> {
    let id = named(&id).ok_or_else(|| gone(Reason::ConversationUnavailable))?;
    let client = Client::new(engine, who);
    let (pass, secret) = client.make_pass(id, PassKind::Watch, good_for.time()).await?;
    Ok(Json(MadePass {
        pass: pass.into(),
        path: format!("/t/{}", secret.reveal()),
    }))
}

/// The links to a conversation that can be opened, or are watched by.
#[utoipa::path(
    get, path = "/api/v1/conversations/{id}/passes", tag = "conversations",
    params(("id" = ConversationId, Path, description = "The conversation")),
    responses(
        (status = 200, description = "The links", body = Passes),
        (status = 404, description = "The caller has none of this id", body = Refused),
    ),
)]
pub(in super::super) async fn list(
    State(engine): State<Arc<Engine>>,
    who: Principal,
    Path(id): Path<String>,
) -> Result<Json<Passes>, Refusal> {
    let passes = out(&Client::new(engine, who), &id).await?;
    Ok(Json(Passes {
        passes: passes.into_iter().map(Pass::from).collect(),
    }))
}

/// Revokes a link to a conversation. Whoever watches by it sees no more from this moment on.
#[utoipa::path(
    delete, path = "/api/v1/conversations/{id}/passes/{pass}", tag = "conversations",
    params(("id" = ConversationId, Path, description = "The conversation"), ("pass" = Uuid, Path, description = "The link")),
    responses(
        (status = 204, description = "It is revoked"),
        (status = 404, description = "The caller has no such conversation, or no such link to it is out", body = Refused),
    ),
)]
pub(in super::super) async fn revoke(
    State(engine): State<Arc<Engine>>,
    who: Principal,
    Path((id, pass)): Path<(String, String)>,
) -> Result<StatusCode, Refusal> {
    let client = Client::new(engine, who);
    let mut passes = out(&client, &id).await?.into_iter();
    let wanted = Uuid::try_parse(&pass).ok();
    let pass = passes.find(|known| wanted == Some(known.id));
    let pass = pass.ok_or_else(|| gone(Reason::PassGone))?;
    match client.revoke_pass(pass.id).await {
        // Somebody else was faster.
        Err(ClientError::NoConversation) => Err(gone(Reason::PassGone)),
        revoked => Ok(revoked.map(|()| StatusCode::NO_CONTENT)?),
    }
}

async fn out(client: &Client, id: &str) -> Result<Vec<PassRecord>, Refusal> {
    let id = named(id).ok_or_else(|| gone(Reason::ConversationUnavailable))?;
    Ok(client.passes(id).await?)
}
