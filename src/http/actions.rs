//! The doors that the page's own script asks at: for conversations that are made of others, for what is thought of an answer, for the place of a conversation in the list, and for leave
//! to use tools. Only scripts
//! of our pages come through: a form that somebody has smuggled into a page could bring the cookie along, but no header of its choice.

use std::sync::Arc;

use axum::{
    Json,
    body::Bytes,
    extract::{FromRequestParts, Path, State},
    http::{StatusCode, request::Parts},
};
use serde::Serialize;

use super::Refusal;
use crate::{
    accounts::Principal,
    client::Client,
    engine::Engine,
    wire::{ConversationId, Reason, Shelving, StepAnswer, TurnId},
};

/// What a page's script says with each such request.
const ASKED_BY: (&str, &str) = ("x-asked-by", "page");

/// The conversation that was made.
#[derive(Serialize)]
pub(super) struct Made {
    conversation: ConversationId,
}

/// A handler that takes it is only reached by what a script of a page of ours has sent, and does not read the body of anything else.
pub(super) struct ByAPage;

impl<S: Sync> FromRequestParts<S> for ByAPage {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        let (name, value) = ASKED_BY;
        match parts.headers.get(name).is_some_and(|said| said == value) {
            true => Ok(Self),
            false => Err(Refusal::new(StatusCode::FORBIDDEN, Reason::CrossSite)),
        }
    }
}

/// `/branch/{turn}`: a new conversation of everything up to there.
pub(super) async fn branch(
    State(engine): State<Arc<Engine>>,
    who: Principal,
    _: ByAPage,
    Path(turn): Path<String>,
) -> Result<Json<Made>, Refusal> {
    let gone = || Refusal::new(StatusCode::NOT_FOUND, Reason::MessageGone);
    let turn: TurnId = turn.parse().map_err(|_| gone())?;
    let conversation = Client::new(engine, who).branch(turn).await?;
    Ok(Json(Made { conversation }))
}

/// `/import`: a conversation of a file that `/export` has written. The body is the file's content.
pub(super) async fn import(
    State(engine): State<Arc<Engine>>,
    who: Principal,
    _: ByAPage,
    content: Bytes,
) -> Result<Json<Made>, Refusal> {
    let conversation = Client::new(engine, who).import(&content).await?;
    Ok(Json(Made { conversation }))
}

/// `/rate/{turn}/good`, `bad` and `none`: what a reader thinks of an answer. Open pages hear of it over the feed.
pub(super) async fn rate(
    State(engine): State<Arc<Engine>>,
    who: Principal,
    _: ByAPage,
    Path((turn, rating)): Path<(String, String)>,
) -> Result<StatusCode, Refusal> {
    let gone = || Refusal::new(StatusCode::NOT_FOUND, Reason::MessageGone);
    let turn: TurnId = turn.parse().map_err(|_| gone())?;
    let good = match rating.as_str() {
        "good" => Some(true),
        "bad" => Some(false),
        "none" => None,
        _ => return Err(gone()),
    };
    Client::new(engine, who).rate(turn, good).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `/shelf/{conversation}/pinned/true`, `archived/false` and the like: where a conversation stands in the list. Open pages hear of it over
/// the feed.
pub(super) async fn shelve(
    State(engine): State<Arc<Engine>>,
    who: Principal,
    _: ByAPage,
    Path((conversation, what, to)): Path<(String, String, String)>,
) -> Result<StatusCode, Refusal> {
    let parsed = conversation.parse().ok().zip(to.parse().ok());
    let (id, to) = parsed.ok_or_else(|| Refusal::new(StatusCode::NOT_FOUND, Reason::ConversationGone))?;
    let mut shelving = Shelving::default();
    match what.as_str() {
        "pinned" => shelving.pinned = Some(to),
        "archived" => shelving.archived = Some(to),
        _ => return Err(Refusal::new(StatusCode::NOT_FOUND, Reason::ConversationGone)),
    }
    Client::new(engine, who).shelve(id, shelving).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `/step/{turn}/{step}/once` and the like: whether a tool may be used, or `stop`. Open pages hear of it over the feed.
pub(super) async fn step(
    State(engine): State<Arc<Engine>>,
    who: Principal,
    _: ByAPage,
    Path((turn, step, answer)): Path<(String, String, String)>,
) -> Result<StatusCode, Refusal> {
    let parsed = turn.parse().ok().zip(step.parse().ok()).zip(StepAnswer::named(&answer));
    let ((turn, step), answer) = parsed.ok_or_else(|| Refusal::new(StatusCode::NOT_FOUND, Reason::MessageGone))?;
    Client::new(engine, who).answer_step(turn, step, answer).await?;
    Ok(StatusCode::NO_CONTENT)
}
