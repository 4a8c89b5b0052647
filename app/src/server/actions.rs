//! What pages without scripts have done by forms, in place of the buttons of other pages.

use std::sync::Arc;

use anteroom::{
    client::ClientError,
    engine::Engine,
    http::Refusal,
    wire::{ConversationId, Reason, Shelving, StepAnswer, TurnId},
};
use axum::{
    Form,
    extract::{Path, rejection::FormRejection},
    http::{Extensions, StatusCode},
    response::{IntoResponse as _, Redirect},
    routing::{MethodRouter, post},
};
use serde::Deserialize;

use super::api;

/// What the addresses of these forms begin with.
pub(super) const PREFIX: &str = "/api/form/";
/// Where the router has them.
pub(super) const ROUTE: &str = "/api/form/{action}";

/// The fields of every such form. Which of them count, the action says.
#[derive(Deserialize)]
struct Fields {
    confirmation: String,
    conversation: ConversationId,
    turn: Option<TurnId>,
    /// Of an answer that is asked for once more.
    new: Option<TurnId>,
    title: Option<String>,
    pinned: Option<bool>,
    archived: Option<bool>,
    /// Of a use of a tool: which of its turn, and what is to become of it.
    step: Option<usize>,
    answer: Option<StepAnswer>,
}

/// Takes a form, and leads back to the page that shows what has come of it.
pub(super) fn door<S: Clone + Send + Sync + 'static>(engine: Arc<Engine>) -> MethodRouter<S> {
    post(
        move |Path(action): Path<String>, request: Extensions, fields: Result<Form<Fields>, FormRejection>| async move {
            let done = match fields {
                Ok(Form(fields)) => act(engine, &request, &action, fields).await,
                Err(_) => Err(unreadable()),
            };
            match done {
                Ok(address) => Redirect::to(&address).into_response(),
                Err(refusal) => refusal.into_response(),
            }
        },
    )
}

const fn unreadable() -> Refusal {
    Refusal::new(StatusCode::BAD_REQUEST, Reason::RequestUnreadable)
}

/// Does what a form asks for. The address of the page that comes then.
async fn act(engine: Arc<Engine>, request: &Extensions, action: &str, fields: Fields) -> Result<String, Refusal> {
    let client = api::client_of(engine, request)?;
    let refused = |fault: ClientError| Refusal::from(fault);
    client.confirmed(&fields.confirmation).map_err(refused)?;
    let conversation = fields.conversation;
    let here = format!("/c/{conversation}");
    if let ("step", Some(turn), Some(step), Some(answer)) = (action, fields.turn, fields.step, fields.answer) {
        client.answer_step(turn, step, answer).await.map_err(refused)?;
        return Ok(here);
    }
    if action == "shelve" {
        let Fields { pinned, archived, .. } = fields;
        let shelving = Shelving { pinned, archived };
        client.shelve(conversation, shelving).await.map_err(refused)?;
        return Ok(here);
    }
    match (action, fields.turn, fields.new, fields.title) {
        // One that is over by now is shown as it is.
        ("cancel", Some(turn), _, _) => {
            let _ = client.cancel(turn);
        }
        ("again", Some(turn), Some(new), _) => {
            client.again(turn, new).await.map_err(refused)?;
        }
        ("rename", _, _, Some(title)) => client.rename(conversation, &title).await.map_err(refused)?,
        ("delete", ..) => {
            client.delete(conversation).await.map_err(refused)?;
            return Ok("/".to_owned());
        }
        _ => return Err(unreadable()),
    }
    Ok(here)
}
