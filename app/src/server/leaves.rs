//! What its owner has said of tools for a whole conversation: shown, and taken back. Made by the server, and works without scripts.

use std::sync::Arc;

use anteroom::{
    client::ToolLeave,
    engine::Engine,
    http::{Refusal, Unreached},
    language::Words,
    say,
    wire::{ConversationId, Reason},
};
use axum::{
    Form, Router,
    extract::{Path, State, rejection::FormRejection},
    http::{Extensions, StatusCode},
    response::{IntoResponse as _, Redirect, Response},
    routing::{get, post},
};
use leptos::prelude::*;
use serde::Deserialize;

use super::{
    apart::{Allowed, page},
    api,
    refusals::PlainPage,
};
use crate::{AssetUrls, components::brand::Wordmark};

const NO_CONVERSATION: Refusal = Refusal::new(StatusCode::NOT_FOUND, Reason::ConversationGone);
const UNREADABLE: Refusal = Refusal::new(StatusCode::BAD_REQUEST, Reason::RequestUnreadable);

/// What the doors work with.
#[derive(Clone)]
struct Rooms {
    engine: Arc<Engine>,
    urls: AssetUrls,
}

/// The fields of its form.
#[derive(Deserialize)]
struct Fields {
    confirmation: String,
    conversation: ConversationId,
    tool: String,
}

/// The page, and what its form does.
pub(super) fn pages<S: Clone + Send + Sync + 'static>(engine: &Arc<Engine>, urls: &AssetUrls) -> Router<S> {
    Router::new()
        .route("/c/{id}/tools", get(look))
        .route("/api/form/leave-back", post(take_back))
        .with_state(Rooms {
            engine: Arc::clone(engine),
            urls: urls.clone(),
        })
}

/// Whether this is the address of such a page.
pub(super) fn is_ours(path: &str) -> bool {
    path.starts_with("/c/") && path.ends_with("/tools")
}

fn address(id: ConversationId) -> String {
    format!("/c/{id}/tools")
}

/// `/c/{id}/tools`.
async fn look(State(rooms): State<Rooms>, Path(id): Path<String>, request: Extensions) -> Response {
    let plain = PlainPage::of(&rooms.urls, &request);
    let shown = async {
        if let Some(Unreached(refusal)) = request.get() {
            return Err(refusal.clone());
        }
        let id: ConversationId = id.parse().map_err(|_| NO_CONVERSATION)?;
        let client = api::client_of(Arc::clone(&rooms.engine), &request)?;
        let leaves = client.leaves(id).await?;
        Ok(overview(&plain, &client.confirmation(), id, &leaves))
    };
    shown.await.unwrap_or_else(|refusal| {
        let words = plain.words;
        let (heading, reason) = (say!(words, "unsent-other"), words.reason(&refusal.reason));
        refusal.mark(plain.refuse(heading, reason, String::new(), "/".to_owned()))
    })
}

/// Takes back what was said of a tool.
async fn take_back(
    State(rooms): State<Rooms>,
    request: Extensions,
    fields: Result<Form<Fields>, FormRejection>,
) -> Response {
    let taken = async {
        let Form(fields) = fields.map_err(|_| UNREADABLE)?;
        let client = api::confirmed(&rooms.engine, &request, &fields.confirmation)?;
        // What is taken back already is shown as it is: not at all.
        client.forget_leave(fields.conversation, &fields.tool).await?;
        Ok::<_, Refusal>(Redirect::to(&address(fields.conversation)).into_response())
    };
    taken.await.unwrap_or_else(|refusal| refusal.into_response())
}

fn overview(plain: &PlainPage, confirmation: &str, id: ConversationId, leaves: &[ToolLeave]) -> Response {
    let words = plain.words;
    let title = say!(words, "leave");
    let content = || {
        let all = leaves
            .iter()
            .map(|leave| row(words, confirmation, id, leave))
            .collect_view();
        view! {
            <main class="along" id="content">
                <Wordmark />
                <h1>{title.clone()}</h1>
                <p>{say!(words, "leave-what")}</p>
                <section class="along-way">
                    {leaves.is_empty().then(|| view! { <p class="quiet">{say!(words, "leave-none")}</p> })}
                    <ul class="along-out" data-testid="leaves">{all}</ul>
                </section>
                <a class="button" href=format!("/c/{id}")>{say!(words, "along-back")}</a>
            </main>
        }
    };
    page(plain, Allowed::Forms, &title, (), content)
}

/// A tool: what was said of it, and how to take that back.
fn row(words: &'static Words, confirmation: &str, id: ConversationId, leave: &ToolLeave) -> AnyView {
    let (tool, server) = (leave.tool.as_str(), leave.server.as_str());
    let said = match leave.allowed {
        true => say!(words, "leave-allowed", tool = tool, server = server),
        false => say!(words, "leave-never", tool = tool, server = server),
    };
    let fields = [
        ("confirmation", confirmation.to_owned()),
        ("conversation", id.to_string()),
        ("tool", leave.key.clone()),
    ];
    let hidden = fields.map(|(name, value)| view! { <input type="hidden" name=name value=value autocomplete="off" /> });
    let allowed = if leave.allowed { "true" } else { "false" };
    let label = say!(words, "leave-back-of", tool = tool);
    view! {
        <li data-testid="leave" data-allowed=allowed>
            <p dir="auto">{said}</p>
            <form method="post" action="/api/form/leave-back">
                {hidden.into_iter().collect_view()}
                <button class="button" type="submit" aria-label=label data-testid="leave-back">{say!(words, "leave-back")}</button>
            </form>
        </li>
    }
    .into_any()
}
