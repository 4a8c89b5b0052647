//! Where a link leads. Looking at it uses nothing up: programs look at links, too, before people do. Its secret is exchanged by a form, once,
//! for a cookie, and is worth nothing from then on.

use anteroom::{
    accounts::{
        Principal, browser_of,
        passes::{PassEnd, PassKind, PassRecord, PassSecret},
    },
    client::{look_at_pass, use_pass},
    http::{Refusal, cookies, guessed_wrong, may_guess, set_guest, set_session},
    say,
};
use axum::{
    Form,
    extract::{Path, State, rejection::FormRejection},
    http::{Extensions, HeaderMap, HeaderValue, header},
    response::{IntoResponse as _, Redirect, Response},
};
use leptos::prelude::*;
use serde::Deserialize;

use super::{Allowed, Rooms, ended, page, plain};
use crate::{components::brand::Wordmark, server::refusals::PlainPage};

/// What the form of a link holds.
#[derive(Default, Deserialize)]
pub(super) struct Fields {
    #[serde(default)]
    secret: String,
    sure: Option<String>,
}

/// `/t/{secret}`: what the link is for, and a button.
pub(super) async fn look(
    State(rooms): State<Rooms>,
    Path(secret): Path<String>,
    request: Extensions,
    headers: HeaderMap,
) -> Response {
    let plain = plain(&rooms, &request);
    match found(&rooms, &request, &headers, &secret).await {
        Ok(Ok((pass, _))) => confirm(&plain, &pass, &secret, request.get()),
        Ok(Err(end)) => ended(&plain, end),
        Err(refusal) => refused(&plain, &refusal),
    }
}

/// Exchanges it.
pub(super) async fn exchange(
    State(rooms): State<Rooms>,
    request: Extensions,
    headers: HeaderMap,
    fields: Result<Form<Fields>, FormRejection>,
) -> Response {
    let plain = plain(&rooms, &request);
    let Fields { secret, sure } = fields.map(|Form(fields)| fields).unwrap_or_default();
    let (pass, secret) = match found(&rooms, &request, &headers, &secret).await {
        // That a session moves is to be meant here, too.
        Ok(Ok((pass, _))) if pass.kind == PassKind::Move && sure.is_none() => {
            return confirm(&plain, &pass, &secret, request.get());
        }
        Ok(Ok(found)) => found,
        Ok(Err(end)) => return ended(&plain, end),
        Err(refusal) => return refused(&plain, &refusal),
    };
    if is_own(&pass, request.get()) {
        return confirm(&plain, &pass, secret.reveal(), request.get());
    }
    let (pass, guest) = match use_pass(&rooms.engine, &secret).await {
        Ok(Ok(used)) => used,
        Ok(Err(end)) => return ended(&plain, end),
        Err(fault) => return refused(&plain, &fault.into()),
    };
    let leads_to = match pass.kind {
        PassKind::Watch => format!("/along/{}", pass.id),
        PassKind::Move => format!("/c/{}", pass.conversation),
    };
    let mut response = Redirect::to(&leads_to).into_response();
    let answer = response.headers_mut();
    match pass.kind {
        PassKind::Watch => set_guest(&rooms.engine, &pass, &guest, answer),
        PassKind::Move => set_session(&rooms.engine, browser_of(pass.owner), &cookies(&headers), answer),
    }
    answer.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// The pass of a secret, if it can be used.
async fn found(
    rooms: &Rooms,
    request: &Extensions,
    headers: &HeaderMap,
    secret: &str,
) -> Result<Result<(PassRecord, PassSecret), PassEnd>, Refusal> {
    may_guess(&rooms.engine, request, headers)?;
    let Some(secret) = PassSecret::read(secret) else {
        guessed_wrong(&rooms.engine, request, headers);
        return Ok(Err(PassEnd::Gone));
    };
    let looked = look_at_pass(&rooms.engine, &secret).await?;
    if looked == Err(PassEnd::Gone) {
        guessed_wrong(&rooms.engine, request, headers);
    }
    Ok(looked.map(|pass| (pass, secret)))
}

/// Whether this browser is the owner's already.
fn is_own(pass: &PassRecord, who: Option<&Principal>) -> bool {
    who.is_some_and(|who| who.owner() == pass.owner)
}

fn refused(plain: &PlainPage, refusal: &Refusal) -> Response {
    let (heading, reason) = (say!(plain.words, "unsent-other"), plain.words.reason(&refusal.reason));
    refusal.mark(plain.refuse(heading, reason, String::new(), "/".to_owned()))
}

/// Asks whether this is the device. Nothing of the conversation is told to whoever only looks.
fn confirm(plain: &PlainPage, pass: &PassRecord, secret: &str, who: Option<&Principal>) -> Response {
    let words = plain.words;
    let (title, what) = match pass.kind {
        PassKind::Watch => (say!(words, "along-open"), say!(words, "along-open-what")),
        PassKind::Move => (say!(words, "along-become"), say!(words, "along-become-what")),
    };
    let sure = (pass.kind == PassKind::Move).then(|| {
        // What this browser has had is another owner's, whom it is no more then.
        let loses = who
            .is_some()
            .then(|| view! { <p>{say!(words, "along-become-loses")}</p> });
        view! {
            {loses}
            <label class="along-sure">
                <input type="checkbox" name="sure" value="yes" required />
                {say!(words, "along-become-sure")}
            </label>
        }
    });
    let form = match is_own(pass, who) {
        true => view! { <p data-testid="along-own">{say!(words, "along-is-own")}</p> }.into_any(),
        false => view! {
            <p>{what}</p>
            <form class="along-form" method="post" action="/t">
                <input type="hidden" name="secret" value=secret.to_owned() autocomplete="off" />
                {sure}
                <button class="button" type="submit" data-testid="along-open">{say!(words, "along-open-here")}</button>
            </form>
        }
        .into_any(),
    };
    let content = || {
        view! {
            <main class="along" id="content">
                <Wordmark />
                <h1>{title.clone()}</h1>
                {form}
            </main>
        }
    };
    page(plain, Allowed::Forms, &title, (), content)
}
