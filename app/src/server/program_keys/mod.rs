//! The page on which an operator sees, makes, bounds and revokes the keys of programs, as `anteroom key` does. It works without scripts.

mod page;

use std::{sync::Arc, time::Duration};

use anteroom::{
    accounts::{
        KeyId, Scope, Scopes,
        keys::Made,
        rates::{KeyRates, NoRate, Rate, RatesChange},
    },
    client::{Client, ClientError, Unmade},
    engine::Engine,
    http::{Refusal, Unreached},
    say,
    wire::{Reason, RefreshKind},
};
use axum::{
    Form, Router,
    extract::{State, rejection::FormRejection},
    http::{Extensions, HeaderName, StatusCode, header},
    response::{IntoResponse as _, Redirect, Response},
    routing::{get, post},
};
use serde::Deserialize;
use uuid::Uuid;

use super::{api, refusals::PlainPage};
use crate::AssetUrls;

/// Where the page is.
pub(crate) const PAGE: &str = "/keys";
/// What its forms are sent to.
pub(super) const MAKE: &str = "/api/form/key";
pub(super) const RATES: &str = "/api/form/key-rates";
pub(super) const REVOKE: &str = "/api/form/key-revoke";

const SCRIPT: &str = include_str!("copy.js");

const DAY: u64 = 24 * 3600;
/// For how many seconds a key may be made, the usual time first; 0: until it is revoked.
const LIVES: [u64; 5] = [90 * DAY, 7 * DAY, 30 * DAY, 365 * DAY, 0];

const UNREADABLE: Refusal = Refusal::new(StatusCode::BAD_REQUEST, Reason::RequestUnreadable);

/// What the doors work with.
#[derive(Clone)]
struct Rooms {
    engine: Arc<Engine>,
    urls: AssetUrls,
}

/// The page and what its forms do.
pub(super) fn doors<S: Clone + Send + Sync + 'static>(engine: &Arc<Engine>, urls: &AssetUrls) -> Router<S> {
    Router::new()
        .route(PAGE, get(look))
        .route(MAKE, post(make))
        .route(RATES, post(set_rates))
        .route(REVOKE, post(revoke))
        .with_state(Rooms {
            engine: Arc::clone(engine),
            urls: urls.clone(),
        })
}

/// The script of its button that copies.
pub(super) fn script<S: Clone + Send + Sync + 'static>() -> Router<S> {
    let headers: [(HeaderName, &str); 2] = [
        (header::CONTENT_TYPE, "text/javascript; charset=utf-8"),
        (header::CACHE_CONTROL, "no-cache"),
    ];
    Router::new().route("/copy.js", get(move || async move { (headers, SCRIPT) }))
}

/// The fields of all forms.
#[derive(Deserialize)]
struct Fields {
    confirmation: String,
    #[serde(default)]
    name: String,
    lives: Option<u64>,
    chat: Option<String>,
    tasks: Option<String>,
    read: Option<String>,
    metrics: Option<String>,
    key: Option<Uuid>,
    #[serde(default)]
    requests: String,
    #[serde(default)]
    tokens: String,
}

impl Fields {
    /// The rates that are to be the key's own: nothing stands for the site's setting.
    fn rates(&self) -> Result<KeyRates, NoRate> {
        Ok(KeyRates {
            requests: own(&self.requests)?,
            tokens: own(&self.tokens)?,
        })
    }

    fn scopes(&self) -> Scopes {
        let chosen = |scope: &Scope| match scope {
            Scope::Chat => self.chat.is_some(),
            Scope::Tasks => self.tasks.is_some(),
            Scope::Read => self.read.is_some(),
            Scope::Metrics => self.metrics.is_some(),
        };
        Scope::ALL.into_iter().filter(chosen).fold(Scopes::NONE, Scopes::with)
    }
}

fn own<const MOST: u64>(typed: &str) -> Result<Option<Rate<MOST>>, NoRate> {
    let typed = typed.trim();
    (!typed.is_empty()).then(|| typed.parse()).transpose()
}

/// What stands in the form of a new key.
struct Typed {
    name: String,
    scopes: Scopes,
    /// One of [`LIVES`].
    lives: u64,
    requests: String,
    tokens: String,
}

impl Default for Typed {
    fn default() -> Self {
        Self {
            name: String::new(),
            scopes: Scopes::WORK,
            lives: LIVES[0],
            requests: String::new(),
            tokens: String::new(),
        }
    }
}

/// What is wrong with it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wrong {
    Name,
    Taken,
    NoScope,
    Rate,
    /// Of a key that is there.
    ItsRate,
}

fn plain(rooms: &Rooms, request: &Extensions) -> PlainPage {
    PlainPage::of(&rooms.urls, request)
}

/// The page itself.
async fn look(State(rooms): State<Rooms>, request: Extensions) -> Response {
    let plain = plain(&rooms, &request);
    let shown = async {
        if let Some(Unreached(refusal)) = request.get() {
            return Err(refusal.clone());
        }
        let client = api::client_of(Arc::clone(&rooms.engine), &request)?;
        match overview(&rooms, &plain, &client, &Typed::default(), None).await {
            Err(ClientError::NotShown) => Ok(missing(&plain)),
            shown => shown.map_err(Refusal::from),
        }
    };
    shown.await.unwrap_or_else(|refusal| {
        let (heading, reason) = (say!(plain.words, "unsent-other"), plain.words.reason(&refusal.reason));
        refusal.mark(plain.refuse(heading, reason, String::new(), "/".to_owned()))
    })
}

/// For whoever is no operator there is no such page.
pub(super) fn missing(plain: &PlainPage) -> Response {
    let (heading, why) = (say!(plain.words, "missing"), say!(plain.words, "missing-why"));
    let page = plain.refuse(heading, why, String::new(), "/".to_owned());
    (StatusCode::NOT_FOUND, page).into_response()
}

/// All keys, and the form of a new one.
async fn overview(
    rooms: &Rooms,
    plain: &PlainPage,
    client: &Client,
    typed: &Typed,
    wrong: Option<Wrong>,
) -> Result<Response, ClientError> {
    let keys = client.keys().await?;
    let settings = rooms.engine.settings();
    let has_stats = rooms.engine.shows(RefreshKind::Stats, client.principal().role);
    Ok(page::overview(
        plain,
        &page::Overview {
            confirmation: client.confirmation(),
            keys: &keys,
            requests: settings.key_requests_per_minute.map(u64::from),
            tokens: settings.key_tokens_per_minute,
            typed,
            wrong,
            tools: client.asks_for_own(),
            back: if has_stats { "/stats" } else { "/" },
        },
    ))
}

/// Makes a key, and shows it this once.
async fn make(
    State(rooms): State<Rooms>,
    request: Extensions,
    fields: Result<Form<Fields>, FormRejection>,
) -> Response {
    let plain = plain(&rooms, &request);
    let made = async {
        let Form(fields) = fields.map_err(|_| UNREADABLE)?;
        let client = api::confirmed(&rooms.engine, &request, &fields.confirmation)?;
        let lives = fields.lives.filter(|lives| LIVES.contains(lives)).ok_or(UNREADABLE)?;
        let (scopes, rates) = (fields.scopes(), fields.rates());
        let typed = Typed {
            scopes,
            name: fields.name,
            lives,
            requests: fields.requests,
            tokens: fields.tokens,
        };
        let lives = (lives > 0).then(|| Duration::from_secs(lives));
        let wrong = match rates {
            _ if scopes == Scopes::NONE => Wrong::NoScope,
            Err(NoRate { .. }) => Wrong::Rate,
            Ok(rates) => match client.make_key(&typed.name, scopes, lives, rates).await? {
                Ok(Made { key, token }) => return Ok(page::made(&plain, &key, &token)),
                Err(Unmade::NoName) => Wrong::Name,
                Err(Unmade::Taken) => Wrong::Taken,
            },
        };
        let again = overview(&rooms, &plain, &client, &typed, Some(wrong)).await?;
        Ok::<_, Refusal>((StatusCode::UNPROCESSABLE_ENTITY, again).into_response())
    };
    made.await.unwrap_or_else(|refusal| refusal.into_response())
}

/// Gives one other rates.
async fn set_rates(
    State(rooms): State<Rooms>,
    request: Extensions,
    fields: Result<Form<Fields>, FormRejection>,
) -> Response {
    let plain = plain(&rooms, &request);
    let set = async {
        let Form(fields) = fields.map_err(|_| UNREADABLE)?;
        let client = api::confirmed(&rooms.engine, &request, &fields.confirmation)?;
        let key = fields.key.ok_or(UNREADABLE)?;
        let Ok(KeyRates { requests, tokens }) = fields.rates() else {
            let wrong = Some(Wrong::ItsRate);
            let again = overview(&rooms, &plain, &client, &Typed::default(), wrong).await?;
            return Ok((StatusCode::UNPROCESSABLE_ENTITY, again).into_response());
        };
        let change = RatesChange {
            requests: Some(requests),
            tokens: Some(tokens),
        };
        // One that is revoked meanwhile is shown as it is.
        client.set_key_rates(KeyId(key), change).await?;
        Ok::<_, Refusal>(Redirect::to(PAGE).into_response())
    };
    set.await.unwrap_or_else(|refusal| refusal.into_response())
}

/// Revokes one.
async fn revoke(
    State(rooms): State<Rooms>,
    request: Extensions,
    fields: Result<Form<Fields>, FormRejection>,
) -> Response {
    let revoked = async {
        let Form(fields) = fields.map_err(|_| UNREADABLE)?;
        let client = api::confirmed(&rooms.engine, &request, &fields.confirmation)?;
        let key = fields.key.ok_or(UNREADABLE)?;
        // One that is revoked already is shown as it is.
        client.revoke_key(KeyId(key)).await?;
        Ok::<_, Refusal>(Redirect::to(PAGE).into_response())
    };
    revoked.await.unwrap_or_else(|refusal| refusal.into_response())
}
