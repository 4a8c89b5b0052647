//! Where people give keys of their own for servers of tools, replace and remove them. Made by the server, and works without scripts. What was
//! given stands on no page again.

use std::{collections::BTreeMap, sync::Arc};

use anteroom::{
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
    extract::{State, rejection::FormRejection},
    http::{Extensions, StatusCode},
    response::{IntoResponse as _, Redirect, Response},
    routing::{get, post},
};
use leptos::prelude::*;

use super::{
    apart::{Allowed, page},
    api,
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
    server: String,
    values: BTreeMap<String, Secret>,
}

type Sent = Result<Form<Vec<(String, String)>>, FormRejection>;

impl Fields {
    fn read(sent: Sent) -> Result<Self, Refusal> {
        let Form(fields) = sent.map_err(|_| UNREADABLE)?;
        let mut read = Self {
            confirmation: String::new(),
            server: String::new(),
            values: BTreeMap::new(),
        };
        for (name, value) in fields {
            match name.as_str() {
                "confirmation" => read.confirmation = value,
                "server" => read.server = value,
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

/// The page again, at this server.
fn back(server: &str) -> Response {
    Redirect::to(&format!("{OWN_KEYS}#{}", anchor(server))).into_response()
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
        Ok(overview(&plain, &client.confirmation(), &servers))
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
        let given = client.give_own(&fields.server, &fields.values).await?;
        Ok::<_, Refusal>(given.map_or_else(|fault| not_kept(&plain, fault), |()| back(&fields.server)))
    };
    given.await.unwrap_or_else(|refusal| refusal.into_response())
}

/// Removes it.
async fn remove(State(rooms): State<Rooms>, request: Extensions, sent: Sent) -> Response {
    let removed = async {
        let fields = Fields::read(sent)?;
        let client = api::confirmed(&rooms.engine, &request, &fields.confirmation)?;
        // One that is removed already is shown as it is: not at all.
        client.remove_own(&fields.server).await?;
        Ok::<_, Refusal>(back(&fields.server))
    };
    removed.await.unwrap_or_else(|refusal| refusal.into_response())
}

fn not_kept(plain: &PlainPage, fault: OwnFault) -> Response {
    let words = plain.words;
    let reason = match fault {
        OwnFault::NoServer => say!(words, "own-not-asked"),
        OwnFault::Unfit => say!(words, "own-unfit"),
        OwnFault::NotSealed => say!(words, "own-not-sealed"),
    };
    let refused = plain.refuse(say!(words, "own-not-kept"), reason, String::new(), OWN_KEYS.to_owned());
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

fn overview(plain: &PlainPage, confirmation: &str, servers: &[OwnServer]) -> Response {
    let words = plain.words;
    let title = say!(words, "own");
    let content = || {
        let all = servers
            .iter()
            .map(|one| server(words, confirmation, one))
            .collect_view();
        view! {
            <main class="along" id="content">
                <Wordmark />
                <h1>{title.clone()}</h1>
                <p>{say!(words, "own-what")}</p>
                <p>{say!(words, "own-kept")}</p>
                {servers.is_empty().then(|| view! { <p class="quiet">{say!(words, "own-none")}</p> })}
                {all}
                <a class="button" href="/">{say!(words, "own-back")}</a>
            </main>
        }
    };
    page(plain, Allowed::Forms, &title, (), content)
}

/// One server: how what was given is, and what can be done about it.
fn server(words: &'static Words, confirmation: &str, server: &OwnServer) -> AnyView {
    let (name, state) = (server.name.clone(), name_of(server.state));
    let date = server.given_at.map_or_else(String::new, |at| words.date(at));
    let ours = || {
        [("confirmation", confirmation.to_owned()), ("server", name.clone())].map(|(name, value)| {
            view! { <input type="hidden" name=name value=value autocomplete="off" /> }
        })
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
            <p class="own-state" data-testid="own-state">{say!(words, "own-state", state = state, date = date)}</p>
            {give}
            <div class="own-buttons">{button}{remove}</div>
        </section>
    }
    .into_any()
}
