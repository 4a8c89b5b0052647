//! Where people give keys of their own for servers of tools, replace and remove them; and where the operator does so for the keys of programs. Made by the server, and works without scripts. What was
//! given stands on no page again.

use std::{collections::BTreeMap, sync::Arc};

use anteroom::{
    accounts::{KeyId, keys::KeyRecord},
    client::ClientError,
    credentials::{OwnFault, OwnServer, OwnState},
    engine::Engine,
    http::{Refusal, Unreached},
    language::Words,
    say,
    settings::{LONGEST_OWN_VALUE, Secret},
    wire::Reason,
};
use axum::{
    Form, Router,
    extract::{Path, State, rejection::FormRejection},
    http::{Extensions, StatusCode},
    response::{IntoResponse as _, Redirect, Response},
    routing::{get, post},
};
use leptos::prelude::*;

use super::{
    apart::{Allowed, page},
    api, program_keys,
    refusals::PlainPage,
};
use crate::{AssetUrls, components::brand::Wordmark, route::OWN_KEYS};

/// What the fields of values begin with; the name of an input follows.
const VALUE: &str = "value-";

const UNREADABLE: Refusal = Refusal::new(StatusCode::BAD_REQUEST, Reason::RequestUnreadable);

/// What the doors work with.
#[derive(Clone)]
struct Rooms {
    engine: Arc<Engine>,
    urls: AssetUrls,
}

/// The page, and what its forms do.
pub(super) fn pages<S: Clone + Send + Sync + 'static>(engine: &Arc<Engine>, urls: &AssetUrls) -> Router<S> {
    Router::new()
        .route(OWN_KEYS, get(look))
        .route("/keys/{key}/tools", get(look_at_key))
        .route("/api/form/own-give", post(give))
        .route("/api/form/own-remove", post(remove))
        .with_state(Rooms {
            engine: Arc::clone(engine),
            urls: urls.clone(),
        })
}

/// The fields of a form. Nothing of them is shown or logged.
struct Fields {
    confirmation: String,
    /// The key of a program, where the operator gives it something.
    key: Option<KeyId>,
    server: String,
    values: BTreeMap<String, Secret>,
}

type Sent = Result<Form<Vec<(String, String)>>, FormRejection>;

impl Fields {
    fn read(sent: Sent) -> Result<Self, Refusal> {
        let Form(fields) = sent.map_err(|_| UNREADABLE)?;
        let mut read = Self {
            confirmation: String::new(),
            key: None,
            server: String::new(),
            values: BTreeMap::new(),
        };
        for (name, value) in fields {
            match name.as_str() {
                "confirmation" => read.confirmation = value,
                "server" => read.server = value,
                "key" => read.key = Some(KeyId(value.parse().map_err(|_| UNREADABLE)?)),
                name => {
                    if let Some(input) = name.strip_prefix(VALUE) {
                        read.values.insert(input.to_owned(), Secret(value));
                    }
                }
            }
        }
        Ok(read)
    }
}

/// Where the page is: one's own, or that of a program's key.
fn address(key: Option<KeyId>) -> String {
    key.map_or_else(
        || OWN_KEYS.to_owned(),
        |KeyId(key)| format!("{}/{key}/tools", program_keys::PAGE),
    )
}

/// The page again, at this server.
fn back(key: Option<KeyId>, server: &str) -> Response {
    Redirect::to(&format!("{}#{}", address(key), anchor(server))).into_response()
}

fn anchor(server: &str) -> String {
    let plain = server
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'));
    format!("own-{}", plain.collect::<String>())
}

/// `/data/tools`.
async fn look(State(rooms): State<Rooms>, request: Extensions) -> Response {
    let plain = PlainPage::of(&rooms.urls, &request);
    let shown = async {
        if let Some(Unreached(refusal)) = request.get() {
            return Err(refusal.clone());
        }
        let client = api::client_of(Arc::clone(&rooms.engine), &request)?;
        let servers = client.own_servers().await?;
        Ok(overview(&plain, &client.confirmation(), None, &servers))
    };
    shown.await.unwrap_or_else(|refusal| {
        let words = plain.words;
        let (heading, reason) = (say!(words, "unsent-other"), words.reason(&refusal.reason));
        refusal.mark(plain.refuse(heading, reason, String::new(), "/".to_owned()))
    })
}

/// `/keys/{key}/tools`: the same for a program's key, which the operator sees alone.
async fn look_at_key(State(rooms): State<Rooms>, Path(key): Path<String>, request: Extensions) -> Response {
    let plain = PlainPage::of(&rooms.urls, &request);
    let shown = async {
        if let Some(Unreached(refusal)) = request.get() {
            return Err(refusal.clone());
        }
        let client = api::client_of(Arc::clone(&rooms.engine), &request)?;
        let found = match key.parse() {
            Ok(key) => client.key_servers(KeyId(key)).await,
            Err(_) => Ok(None),
        };
        match found {
            Ok(Some((key, servers))) => Ok(overview(&plain, &client.confirmation(), Some(&key), &servers)),
            Ok(None) | Err(ClientError::NotShown) => Ok(program_keys::missing(&plain)),
            Err(fault) => Err(fault.into()),
        }
    };
    shown.await.unwrap_or_else(|refusal| {
        let words = plain.words;
        let (heading, reason) = (say!(words, "unsent-other"), words.reason(&refusal.reason));
        refusal.mark(plain.refuse(heading, reason, String::new(), "/".to_owned()))
    })
}

/// Keeps what somebody gives for a server.
async fn give(State(rooms): State<Rooms>, request: Extensions, sent: Sent) -> Response {
    let plain = PlainPage::of(&rooms.urls, &request);
    let given = async {
        let fields = Fields::read(sent)?;
        let client = api::confirmed(&rooms.engine, &request, &fields.confirmation)?;
        let (key, server) = (fields.key, &*fields.server);
        let given = match key {
            None => client.give_own(server, &fields.values).await?,
            Some(key) => match client.give_key(key, server, &fields.values).await? {
                Some(given) => given,
                None => return Ok(program_keys::missing(&plain)),
            },
        };
        Ok::<_, Refusal>(given.map_or_else(|fault| not_kept(&plain, key, fault), |()| back(key, server)))
    };
    given.await.unwrap_or_else(|refusal| refusal.into_response())
}

/// Removes it.
async fn remove(State(rooms): State<Rooms>, request: Extensions, sent: Sent) -> Response {
    let removed = async {
        let fields = Fields::read(sent)?;
        let client = api::confirmed(&rooms.engine, &request, &fields.confirmation)?;
        // One that is removed already is shown as it is: not at all.
        match fields.key {
            None => client.remove_own(&fields.server).await?,
            Some(key) => client.ungive_key(key, &fields.server).await?,
        };
        Ok::<_, Refusal>(back(fields.key, &fields.server))
    };
    removed.await.unwrap_or_else(|refusal| refusal.into_response())
}

fn not_kept(plain: &PlainPage, key: Option<KeyId>, fault: OwnFault) -> Response {
    let words = plain.words;
    let reason = match fault {
        OwnFault::NoServer => say!(words, "own-not-asked"),
        OwnFault::Unfit => say!(words, "own-unfit"),
        OwnFault::NotSealed => say!(words, "own-not-sealed"),
    };
    let refused = plain.refuse(say!(words, "own-not-kept"), reason, String::new(), address(key));
    (StatusCode::UNPROCESSABLE_ENTITY, refused).into_response()
}

const fn name_of(state: OwnState) -> &'static str {
    match state {
        OwnState::Missing => "missing",
        OwnState::Given => "given",
        OwnState::Refused => "refused",
        OwnState::Unreadable => "unreadable",
        OwnState::Unused => "unused",
    }
}

/// What one is asked for, or what the key of a program is.
fn overview(plain: &PlainPage, confirmation: &str, key: Option<&KeyRecord>, servers: &[OwnServer]) -> Response {
    let words = plain.words;
    let (title, what, way, back) = match key {
        None => (
            say!(words, "own"),
            say!(words, "own-what"),
            "/",
            say!(words, "own-back"),
        ),
        Some(KeyRecord { name, .. }) => (
            say!(words, "own-program", name = name),
            say!(words, "own-program-what"),
            program_keys::PAGE,
            say!(words, "program-keys-all"),
        ),
    };
    let none = match key {
        None => say!(words, "own-none"),
        Some(_) => say!(words, "own-program-none"),
    };
    let content = || {
        let all = servers
            .iter()
            .map(|one| server(words, confirmation, key.map(|key| key.id), one))
            .collect_view();
        view! {
            <main class="along" id="content">
                <Wordmark />
                <h1>{title.clone()}</h1>
                <p>{what}</p>
                <p>{say!(words, "own-kept")}</p>
                {servers.is_empty().then(|| view! { <p class="quiet">{none}</p> })}
                {all}
                <a class="button" href=way>{back}</a>
            </main>
        }
    };
    page(plain, Allowed::Forms, &title, (), content)
}

/// One server: how what was given is, and what can be done about it.
fn server(words: &'static Words, confirmation: &str, key: Option<KeyId>, server: &OwnServer) -> AnyView {
    let (name, state) = (server.name.clone(), name_of(server.state));
    let date = server.given_at.map_or_else(String::new, |at| words.date(at));
    let ours = || {
        let ours = [("confirmation", confirmation.to_owned()), ("server", name.clone())].into_iter();
        let key = key.map(|KeyId(key)| ("key", key.to_string()));
        ours.chain(key)
            .map(|(name, value)| view! { <input type="hidden" name=name value=value autocomplete="off" /> })
            .collect_view()
    };
    let said = match (key, server.state) {
        (Some(_), OwnState::Missing) => say!(words, "own-program-missing"),
        _ => say!(words, "own-state", state = state, date = date),
    };
    let fields = server.inputs.iter().map(|input| {
        let label = input.description.clone().unwrap_or_else(|| input.id.clone());
        let kind = if input.password { "password" } else { "text" };
        view! {
            <label>
                <span dir="auto">{label}</span>
                <input
                    class="text-field"
                    type=kind
                    name=format!("{VALUE}{}", input.id)
                    autocomplete="off"
                    autocapitalize="none"
                    spellcheck="false"
                    maxlength=LONGEST_OWN_VALUE
                    required
                    data-testid="own-value"
                />
            </label>
        }
    });
    let heading = anchor(&name);
    let form = format!("{heading}-give");
    let asked = !server.inputs.is_empty();
    let give = asked.then(|| {
        view! {
            <form class="own-form" id=form.clone() method="post" action="/api/form/own-give">
                {ours()}
                {fields.collect_view()}
            </form>
        }
    });
    let button = asked.then(|| {
        let button = match server.given_at {
            None => say!(words, "own-give"),
            Some(_) => say!(words, "own-replace"),
        };
        view! { <button class="button" type="submit" form=form.clone() data-testid="own-give">{button}</button> }
    });
    let remove = server.given_at.map(|_| {
        view! {
            <form method="post" action="/api/form/own-remove">
                {ours()}
                <button class="button button-bad" type="submit" data-testid="own-remove">{say!(words, "own-remove")}</button>
            </form>
        }
    });
    view! {
        <section
            class="along-way own-server"
            id=heading.clone()
            tabindex="-1"
            aria-labelledby=format!("{heading}-name")
            data-state=state
            data-testid="own-server"
        >
            <h2 id=format!("{heading}-name")>{name.clone()}</h2>
            <p class="own-state" data-testid="own-state">{said}</p>
            {give}
            <div class="own-buttons">{button}{remove}</div>
        </section>
    }
    .into_any()
}
