//! Where the owner of a conversation makes links to it, and revokes them.

use std::time::Duration;

use anteroom::{
    accounts::passes::{PassKind, PassRecord, PassSecret},
    client::{Client, ClientError, MOVING, NoPass, WATCHING, WATCHING_DAY},
    http::{Refusal, Unreached},
    language::Words,
    say,
    wire::{ConversationId, Reason},
};
use axum::{
    Form,
    extract::{Path, State, rejection::FormRejection},
    http::{Extensions, HeaderMap, StatusCode, header},
    response::{IntoResponse as _, Redirect, Response},
};
use leptos::prelude::*;
use serde::Deserialize;
use uuid::Uuid;

use super::{Allowed, Rooms, page, plain, qr};
use crate::{
    browser,
    components::brand::Wordmark,
    format,
    server::{api, refusals::PlainPage},
};

/// The fields of the forms of these pages.
#[derive(Deserialize)]
pub(super) struct Fields {
    confirmation: String,
    conversation: ConversationId,
    kind: Option<String>,
    seconds: Option<u64>,
    /// Of a pass that moves the session: that it is meant.
    sure: Option<String>,
    pass: Option<Uuid>,
}

const NO_CONVERSATION: Refusal = Refusal::new(StatusCode::NOT_FOUND, Reason::ConversationGone);
const UNREADABLE: Refusal = Refusal::new(StatusCode::BAD_REQUEST, Reason::RequestUnreadable);

/// `/c/{id}/along`.
pub(super) async fn look(State(rooms): State<Rooms>, Path(id): Path<String>, request: Extensions) -> Response {
    let plain = plain(&rooms, &request);
    let shown = async {
        if let Some(Unreached(refusal)) = request.get() {
            return Err(refusal.clone());
        }
        let id: ConversationId = id.parse().map_err(|_| NO_CONVERSATION)?;
        let client = api::client_of(rooms.engine.clone(), &request)?;
        let passes = client.passes(id).await?;
        Ok(overview(&rooms, &plain, &client, id, &passes))
    };
    shown.await.unwrap_or_else(|refusal| refused(&plain, &refusal))
}

/// Makes a link, and shows it this once.
pub(super) async fn make(
    State(rooms): State<Rooms>,
    request: Extensions,
    headers: HeaderMap,
    fields: Result<Form<Fields>, FormRejection>,
) -> Response {
    let plain = plain(&rooms, &request);
    let made = async {
        let Form(fields) = fields.map_err(|_| UNREADABLE)?;
        let client = api::confirmed(&rooms.engine, &request, &fields.confirmation)?;
        let kind = fields.kind.as_deref().and_then(PassKind::of).ok_or(UNREADABLE)?;
        if kind == PassKind::Move && fields.sure.is_none() {
            return Err(UNREADABLE);
        }
        let lives = fields.seconds.map_or(WATCHING_DAY, Duration::from_secs);
        match client.make_pass(fields.conversation, kind, lives).await {
            Ok((pass, secret)) => Ok(shown(&plain, &pass, &address(&rooms, &headers, &secret))),
            Err(ClientError::NoPass(why)) => Ok(not_made(&plain, why, fields.conversation)),
            Err(fault) => Err(Refusal::from(fault)),
        }
    };
    made.await.unwrap_or_else(|refusal| refusal.into_response())
}

/// Revokes one.
pub(super) async fn revoke(
    State(rooms): State<Rooms>,
    request: Extensions,
    fields: Result<Form<Fields>, FormRejection>,
) -> Response {
    let revoked = async {
        let Form(fields) = fields.map_err(|_| UNREADABLE)?;
        let client = api::confirmed(&rooms.engine, &request, &fields.confirmation)?;
        let pass = fields.pass.ok_or(UNREADABLE)?;
        // One that is revoked already is shown as it is: not at all.
        match client.revoke_pass(pass).await {
            Ok(()) | Err(ClientError::NoConversation) => {}
            Err(fault) => return Err(Refusal::from(fault)),
        }
        Ok(Redirect::to(&format!("/c/{}/along", fields.conversation)).into_response())
    };
    revoked.await.unwrap_or_else(|refusal| refusal.into_response())
}

/// The whole address that a link leads to: on the site as this browser calls it, which its request has been checked against.
fn address(rooms: &Rooms, headers: &HeaderMap, secret: &PassSecret) -> String {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let site = text(header::ORIGIN).map_or_else(
        || {
            let scheme = if rooms.engine.settings().secure_cookies {
                "https"
            } else {
                "http"
            };
            format!("{scheme}://{}", text(header::HOST).unwrap_or("localhost"))
        },
        ToOwned::to_owned,
    );
    format!("{site}/t/{}", secret.reveal())
}

fn refused(plain: &PlainPage, refusal: &Refusal) -> Response {
    let (heading, reason) = (say!(plain.words, "unsent-other"), plain.words.reason(&refusal.reason));
    refusal.mark(plain.refuse(heading, reason, String::new(), "/".to_owned()))
}

fn not_made(plain: &PlainPage, why: NoPass, id: ConversationId) -> Response {
    let words = plain.words;
    let reason = match why {
        NoPass::TooMany => say!(words, "along-too-many"),
        NoPass::Off => say!(words, "along-off"),
    };
    let heading = say!(words, "along-not-made");
    let refusal = Refusal::from(ClientError::NoPass(why));
    refusal.mark(plain.refuse(heading, reason, String::new(), format!("/c/{id}/along")))
}

/// How long it is until then.
fn left(words: &Words, until: u64) -> String {
    super::rounded(words, format::seconds(until.saturating_sub(browser::now())))
}

/// All that can be made, and what is out.
fn overview(rooms: &Rooms, plain: &PlainPage, client: &Client, id: ConversationId, passes: &[PassRecord]) -> Response {
    let words = plain.words;
    let title = say!(words, "along");
    let confirmation = client.confirmation();
    let hidden = |name: &'static str, value: String| {
        view! { <input type="hidden" name=name value=value autocomplete="off" /> }
    };
    let ours = || {
        vec![
            hidden("confirmation", confirmation.clone()),
            hidden("conversation", id.to_string()),
        ]
    };
    let times = || {
        WATCHING.map(|time| {
            let seconds = time.as_secs();
            view! { <option value=seconds>{super::rounded(words, time.as_secs_f64())}</option> }
        })
    };
    let watch = || {
        view! {
            <section class="along-way">
                <h2>{say!(words, "along-watch")}</h2>
                <p>{say!(words, "along-watch-what")}</p>
                <form class="along-form" method="post" action="/api/form/along">
                    {ours()} {hidden("kind", PassKind::Watch.name().to_owned())}
                    <label>
                        {say!(words, "along-good-for")}
                        <select class="text-field" name="seconds">{times()}</select>
                    </label>
                    <button class="button" type="submit" data-testid="along-watch">{say!(words, "along-make")}</button>
                </form>
            </section>
        }
    };
    let moving = || {
        let time = super::rounded(words, MOVING.as_secs_f64());
        view! {
            <details class="along-way">
                <summary><h2>{say!(words, "along-move")}</h2></summary>
                <p>{say!(words, "along-move-what", time = time)}</p>
                <form class="along-form" method="post" action="/api/form/along">
                    {ours()} {hidden("kind", PassKind::Move.name().to_owned())}
                    <label class="along-sure">
                        <input type="checkbox" name="sure" value="yes" required />
                        {say!(words, "along-move-sure")}
                    </label>
                    <button class="button" type="submit" data-testid="along-move">{say!(words, "along-move-make")}</button>
                </form>
            </details>
        }
    };
    let out = || {
        let rows = passes.iter().map(|pass| {
            let (kind, used) = (pass.kind, pass.used_at.is_some());
            let what = match (kind, used) {
                (PassKind::Watch, false) => say!(words, "along-out-watch"),
                (PassKind::Watch, true) => say!(words, "along-out-watched"),
                (PassKind::Move, false) => say!(words, "along-out-move"),
                (PassKind::Move, true) => say!(words, "along-out-moved"),
            };
            // What has moved is not taken back by it.
            let button = (kind == PassKind::Watch || !used).then(|| {
                view! {
                    <form method="post" action="/api/form/along-revoke">
                        {ours()} {hidden("pass", pass.id.to_string())}
                        <button class="button button-bad" type="submit" data-testid="along-revoke">
                            {say!(words, "along-revoke")}
                        </button>
                    </form>
                }
            });
            view! {
                <li>
                    <p>{what}" "<span class="quiet">{say!(words, "along-ends", time = left(words, pass.expires_at))}</span></p>
                    {button}
                </li>
            }
        });
        let rows = rows.collect_view();
        view! {
            <section class="along-way">
                <h2>{say!(words, "along-out")}</h2>
                {passes.is_empty().then(|| view! { <p class="quiet">{say!(words, "along-out-none")}</p> })}
                <ul class="along-out" data-testid="along-out">{rows}</ul>
            </section>
        }
    };
    let is_on = rooms.engine.settings().take_along;
    let ways = || match is_on {
        true => view! { {watch()} {moving()} {out()} }.into_any(),
        false => view! { <p>{say!(words, "along-off")}</p> }.into_any(),
    };
    let content = || {
        view! {
            <main class="along" id="content">
                <Wordmark />
                <h1>{title.clone()}</h1>
                {ways()}
                <a class="button" href=format!("/c/{id}")>{say!(words, "along-back")}</a>
            </main>
        }
    };
    page(plain, Allowed::Forms, &title, (), content)
}

/// A link, this once.
fn shown(plain: &PlainPage, pass: &PassRecord, address: &str) -> Response {
    let words = plain.words;
    let (title, what) = match pass.kind {
        PassKind::Watch => (say!(words, "along-watch"), say!(words, "along-shown-watch")),
        PassKind::Move => (say!(words, "along-move"), say!(words, "along-shown-move")),
    };
    let picture = qr::draw(address).map(|picture| {
        let edge = picture.size;
        view! {
            <svg class="along-code" viewBox=format!("0 0 {edge} {edge}") role="img" aria-label=say!(words, "along-code") data-testid="along-code">
                <rect width=edge height=edge fill="#fff" />
                <path d=picture.path fill="#000" shape-rendering="crispEdges" />
            </svg>
        }
    });
    let content = || {
        view! {
            <main class="along" id="content">
                <Wordmark />
                <h1>{title.clone()}</h1>
                <p>{what}</p>
                {picture}
                <label class="along-address">
                    {say!(words, "along-address")}
                    <input class="text-field" readonly value=address.to_owned() data-testid="along-address" />
                </label>
                <p class="quiet">{say!(words, "along-once", time = left(words, pass.expires_at))}</p>
                <div class="actions">
                    <a class="button" href=format!("/c/{}/along", pass.conversation)>{say!(words, "along-all")}</a>
                    <a class="quiet-button" href=format!("/c/{}", pass.conversation)>{say!(words, "along-back")}</a>
                </div>
            </main>
        }
    };
    page(plain, Allowed::Forms, &title, (), content)
}
