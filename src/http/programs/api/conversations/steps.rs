//! Uses of tools in an answer: as programs are shown them, and what they may say of them.

use std::sync::Arc;

use axum::{
    extract::{Path, State},
    http::StatusCode,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    super::{fault::gone, read::Body},
    list::turn_of,
    named,
};
use crate::{
    accounts::Principal,
    client::Client,
    engine::Engine,
    http::Refusal,
    wire::{self, ConversationId, Reason, Refused, StepAnswer, StepContent, StepState, ToolFault, TurnId},
};

/// A use of a tool.
#[derive(Debug, Serialize, ToSchema)]
pub(in super::super) struct Step {
    /// The server whose tool it is; empty: there is no such tool.
    server: String,
    /// The tool.
    tool: String,
    /// What it was told: JSON as text, the beginning of it where that is long.
    arguments: String,
    state: How,
    /// Why it has failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    fault: Option<ToolFault>,
    /// What it has returned, or why it has returned nothing.
    content: Vec<StepContent>,
    /// In which round of the answer it was called; 0 is the first.
    round: u32,
    /// When it began to work, in milliseconds since the Unix epoch.
    began_at: Option<u64>,
    /// How long it has worked, in milliseconds.
    ms: Option<u64>,
}

/// Where a use of a tool is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum How {
    /// It waits until somebody says whether it may be done.
    Asks,
    /// In the line of tools.
    Waits,
    /// The server of a tool is connected to.
    Connects,
    Runs,
    Done,
    Failed,
    /// It was not allowed.
    Denied,
    /// It was stopped.
    Stopped,
}

impl From<wire::StepView> for Step {
    fn from(step: wire::StepView) -> Self {
        let (state, fault) = match step.state {
            StepState::Asks => (How::Asks, None),
            StepState::Waits => (How::Waits, None),
            StepState::Connects => (How::Connects, None),
            StepState::Runs => (How::Runs, None),
            StepState::Done => (How::Done, None),
            StepState::Failed { fault } => (How::Failed, Some(fault)),
            StepState::Denied => (How::Denied, None),
            StepState::Stopped => (How::Stopped, None),
        };
        Self {
            server: step.server,
            tool: step.tool,
            arguments: step.arguments,
            state,
            fault,
            content: step.content,
            round: step.round,
            began_at: step.began_at,
            ms: step.ms,
        }
    }
}

/// What is to become of a use of a tool.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct Answer {
    answer: StepAnswer,
}

/// Says whether a tool may be used that asks for it, or ends a use of it.
///
/// A turn with a step that `asks` waits for this, and holds no slot meanwhile. `step` counts the `steps` of the turn, from 0.
#[utoipa::path(
    post, path = "/api/v1/conversations/{id}/turns/{turn}/steps/{step}", tag = "conversations", request_body = Answer,
    params(
        ("id" = ConversationId, Path, description = "The conversation"),
        ("turn" = TurnId, Path, description = "The turn"),
        ("step" = u32, Path, description = "Which of its steps"),
    ),
    responses(
        (status = 204, description = "It is in force, and stored"),
        (status = 404, description = "The caller has no such conversation, or no such turn in it", body = Refused),
        (status = 409, description = "The turn has no such step, or it waits for that no more", body = Refused),
    ),
)]
pub(in super::super) async fn answer(
    State(engine): State<Arc<Engine>>,
    who: Principal,
    Path((id, turn, step)): Path<(String, String, String)>,
    Body(Answer { answer }): Body<Answer>,
) -> Result<StatusCode, Refusal> {
    let parsed = named(&id).zip(turn.parse().ok()).zip(step.parse().ok());
    let ((id, turn), step) = parsed.ok_or_else(|| gone(Reason::MessageGone))?;
    let client = Client::new(engine, who);
    turn_of(&client, id, turn).await?;
    client.answer_step(turn, step, answer).await?;
    Ok(StatusCode::NO_CONTENT)
}
