//! What the page of programs' keys shows.

use anteroom::{
    accounts::{
        Scope, Scopes,
        keys::{KeyRecord, Token, time_of},
        rates::{KeyRates, Rate, RequestRate, Standing, TokenRate},
    },
    client::SeenKey,
    language::Words,
    say,
};
use axum::response::Response;
use leptos::prelude::*;

use super::{LIVES, MAKE, PAGE, RATES, REVOKE, Typed, Wrong};
use crate::{
    browser,
    components::brand::Wordmark,
    erase::Erase as _,
    format,
    server::{
        apart::{Allowed, page, rounded},
        assets,
        refusals::PlainPage,
    },
};

/// What there is to show.
pub(super) struct Overview<'a> {
    pub(super) confirmation: String,
    pub(super) keys: &'a [SeenKey],
    /// Most requests of a key in a minute.
    pub(super) requests: Option<u64>,
    /// Likewise tokens.
    pub(super) tokens: Option<u64>,
    pub(super) typed: &'a Typed,
    pub(super) wrong: Option<Wrong>,
    /// Whether servers of tools ask each key for something.
    pub(super) tools: bool,
    /// Where the page was come to from.
    pub(super) back: &'static str,
}

/// The page's own style sheet is that of what the server draws.
fn sheet() -> impl IntoView {
    view! { <link rel="stylesheet" href=assets::sheet_of_tabs() /> }
}

/// All keys, and the form of a new one.
pub(super) fn overview(plain: &PlainPage, all: &Overview<'_>) -> Response {
    let words = plain.words;
    let title = say!(words, "program-keys");
    let content = || {
        view! {
            <main class="along program-keys" id="content">
                <Wordmark />
                <h1>{title.clone()}</h1>
                <p>{say!(words, "program-keys-what")}</p>
                <p class="quiet">{rates(words, all)}</p>
                {new_key(words, all)}
                {list(words, all)}
                <a class="button" href=all.back>{say!(words, "program-keys-back")}</a>
            </main>
        }
    };
    page(plain, Allowed::Forms, &title, sheet(), content)
}

/// What each key may ask for in a minute.
fn rates(words: &Words, all: &Overview<'_>) -> String {
    let most = |most: Option<u64>| most.map_or_else(|| say!(words, "program-keys-no-limit"), |most| words.number(most));
    say!(
        words,
        "program-keys-rates",
        requests = most(all.requests),
        tokens = most(all.tokens)
    )
}

fn hidden(name: &'static str, value: String) -> AnyView {
    view! { <input type="hidden" name=name value=value autocomplete="off" /> }.erase()
}

/// What a scope lets a program do.
fn what(words: &Words, scope: Scope) -> String {
    say!(words, "program-key-scope", scope = scope.name())
}

fn new_key(words: &'static Words, all: &Overview<'_>) -> AnyView {
    let wrong = all.wrong.and_then(|wrong| match wrong {
        Wrong::Name => Some(say!(words, "program-key-no-name")),
        Wrong::Taken => Some(say!(words, "program-key-taken", name = all.typed.name.trim())),
        Wrong::NoScope => Some(say!(words, "program-key-no-scope")),
        Wrong::Rate => Some(say!(words, "program-key-no-rate")),
        Wrong::ItsRate => None,
    });
    let name_is_wrong = matches!(all.wrong, Some(Wrong::Name | Wrong::Taken));
    let wrong_here = wrong.is_some();
    let said = wrong.map(|wrong| {
        view! {
            <p class="bad" id="program-key-wrong" role="alert" data-testid="program-key-wrong">
                {wrong}
            </p>
        }
        .erase()
    });
    let lives = LIVES.map(|seconds| {
        let time = match seconds {
            0 => say!(words, "program-key-for-ever"),
            _ => rounded(words, format::seconds(seconds * 1000)),
        };
        view! {
            <option value=seconds.to_string() selected=seconds == all.typed.lives>
                {time}
            </option>
        }
        .erase()
    });
    let scopes = Scope::ALL.map(|scope| {
        view! {
            <label class="along-sure">
                <input type="checkbox" name=scope.name() value="yes" checked=all.typed.scopes.has(scope) />
                <span>
                    <code>{scope.name()}</code>
                    " "
                    {what(words, scope)}
                </span>
            </label>
        }
        .erase()
    });
    view! {
        <section class="along-way">
            <h2>{say!(words, "program-key-new")}</h2>
            {said}
            <form class="along-form" method="post" action=MAKE>
                {hidden("confirmation", all.confirmation.clone())}
                <label class="program-key-name">
                    {say!(words, "program-key-name")}
                    <input
                        class="text-field"
                        name="name"
                        required
                        maxlength="100"
                        autocomplete="off"
                        value=all.typed.name.clone()
                        aria-invalid=name_is_wrong.then_some("true")
                        aria-describedby=name_is_wrong.then_some("program-key-wrong")
                        autofocus=wrong_here
                        data-testid="program-key-name"
                    />
                </label>
                <label>
                    {say!(words, "program-key-lives")}
                    <select class="text-field" name="lives" data-testid="program-key-lives">
                        {lives.into_iter().collect_view()}
                    </select>
                </label>
                {rate_fields(words, &all.typed.requests, &all.typed.tokens)}
                <fieldset class="program-key-scopes">
                    <legend>{say!(words, "program-key-may")}</legend>
                    {scopes.into_iter().collect_view()}
                </fieldset>
                <button class="button" type="submit" data-testid="program-key-make">
                    {say!(words, "program-key-make")}
                </button>
            </form>
        </section>
    }
    .erase()
}

/// The rates of a key's own, to be typed: nothing stands for the site's setting.
fn rate_fields(words: &'static Words, requests: &str, tokens: &str) -> AnyView {
    let field = |label, name: &'static str, most: u64, value: &str| {
        let value = value.to_owned();
        view! {
            <label>
                {label}
                <input
                    class="text-field"
                    type="number"
                    name=name
                    min="1"
                    max=most.to_string()
                    inputmode="numeric"
                    autocomplete="off"
                    placeholder=say!(words, "program-key-as-site")
                    value=value
                    data-testid=format!("program-key-{name}")
                />
            </label>
        }
        .erase()
    };
    view! {
        {field(say!(words, "program-key-own-requests"), "requests", RequestRate::MOST, requests)}
        {field(say!(words, "program-key-own-tokens"), "tokens", TokenRate::MOST, tokens)}
    }
    .erase()
}

fn list(words: &'static Words, all: &Overview<'_>) -> AnyView {
    let now = browser::now();
    let (revoked, there): (Vec<_>, Vec<_>) = all.keys.iter().partition(|seen| seen.key.revoked_at.is_some());
    let none = there
        .is_empty()
        .then(|| view! { <p class="quiet">{say!(words, "program-keys-none")}</p> }.erase());
    let rows = there.iter().map(|seen| row(words, seen, all, now));
    let rows = rows.collect_view();
    let old = (!revoked.is_empty()).then(|| {
        let rows = revoked.iter().map(|seen| {
            view! {
                <li>
                    <p>
                        <strong>{seen.key.name.clone()}</strong>
                        <span class="program-key-facts">{facts(words, seen, now)}</span>
                    </p>
                </li>
            }
        });
        view! {
            <details data-testid="program-keys-revoked">
                <summary>{say!(words, "program-keys-revoked", count = revoked.len())}</summary>
                <ul class="along-out">{rows.collect_view()}</ul>
            </details>
        }
        .erase()
    });
    let wrong = (all.wrong == Some(Wrong::ItsRate)).then(|| {
        view! {
            <p class="bad" role="alert" data-testid="program-key-rate-wrong">
                {say!(words, "program-key-no-other-rate")}
            </p>
        }
        .erase()
    });
    view! {
        <section class="along-way">
            <h2>{say!(words, "program-keys-there")}</h2>
            {wrong}
            {none}
            <ul class="along-out" data-testid="program-keys">{rows}</ul>
            {old}
        </section>
    }
    .erase()
}

fn row(words: &'static Words, seen: &SeenKey, all: &Overview<'_>, now: u64) -> AnyView {
    let (name, confirmation) = (&seen.key.name, all.confirmation.as_str());
    let tools = all.tools.then(|| {
        let which = say!(words, "program-key-tools-which", name = name);
        view! {
            <a class="button" href=format!("{PAGE}/{}/tools", seen.key.id.0) aria-label=which data-testid="program-key-tools">
                {say!(words, "program-key-tools")}
            </a>
        }
        .erase()
    });
    let which = say!(words, "program-key-revoke-which", name = name);
    view! {
        <li data-testid="program-key" data-name=name.clone()>
            <p>
                <strong>{name.clone()}</strong>
                <span class="program-key-facts">{facts(words, seen, now)}</span>
            </p>
            {other_rates(words, seen, confirmation)}
            {tools}
            <details class="confirm">
                <summary class="button" aria-label=which data-testid="program-key-revoke">
                    {say!(words, "program-key-revoke")}
                </summary>
                <form method="post" action=REVOKE>
                    {hidden("confirmation", confirmation.to_owned())}
                    {hidden("key", seen.key.id.0.to_string())}
                    <p>{say!(words, "program-key-really", name = name)}</p>
                    <div class="actions">
                        <button class="button button-bad" type="submit" data-testid="program-key-revoke-really">
                            {say!(words, "program-key-yes")}
                        </button>
                    </div>
                </form>
            </details>
        </li>
    }
    .erase()
}

/// The form that gives a key other rates.
fn other_rates(words: &'static Words, seen: &SeenKey, confirmation: &str) -> AnyView {
    let name = &seen.key.name;
    let rates = seen.key.rates;
    let (requests, tokens) = (typed(rates.requests), typed(rates.tokens));
    view! {
        <details class="confirm">
            <summary
                class="button"
                aria-label=say!(words, "program-key-rates-which", name = name)
                data-testid="program-key-rates"
            >
                {say!(words, "program-key-rates")}
            </summary>
            <form class="along-form" method="post" action=RATES>
                {hidden("confirmation", confirmation.to_owned())}
                {hidden("key", seen.key.id.0.to_string())}
                {rate_fields(words, &requests, &tokens)}
                <button class="button" type="submit" data-testid="program-key-rates-set">
                    {say!(words, "program-key-rates-set")}
                </button>
            </form>
        </details>
    }
    .erase()
}

fn typed<const MOST: u64>(rate: Option<Rate<MOST>>) -> String {
    rate.as_ref().map(ToString::to_string).unwrap_or_default()
}

/// What there is to say of a key, each for itself.
fn facts(words: &Words, seen: &SeenKey, now: u64) -> AnyView {
    let key = &seen.key;
    let mut facts = vec![
        (scopes_of(words, key.scopes), false),
        (say!(words, "program-key-made", time = written(key.created_at)), false),
    ];
    match (key.revoked_at, key.expires_at.and_then(time_of)) {
        (Some(at), _) => facts.push((say!(words, "program-key-is-revoked", time = written(at)), false)),
        (None, Some(time)) if key.is_valid(now) => facts.push((say!(words, "program-key-expires", time = time), false)),
        (None, Some(time)) => facts.push((say!(words, "program-key-has-expired", time = time), true)),
        (None, None) => facts.push((say!(words, "program-key-stays"), false)),
    }
    if key.revoked_at.is_none() {
        let used = seen.used_at.map_or_else(
            || say!(words, "program-key-unused"),
            |at| say!(words, "program-key-used", ago = format::some_time_ago(words, at, now)),
        );
        facts.push((used, false));
    }
    let left = |Standing { left, limit, .. }| (words.number(left), words.number(limit));
    if let Some((left, limit)) = seen.requests.map(left) {
        facts.push((say!(words, "program-key-requests", left = left, limit = limit), false));
    }
    if let Some((left, limit)) = seen.tokens.map(left) {
        facts.push((say!(words, "program-key-tokens", left = left, limit = limit), false));
    }
    if key.revoked_at.is_none() {
        let own =
            |rate: Option<u64>| rate.map_or_else(|| say!(words, "program-key-as-site"), |rate| words.number(rate));
        if key.rates != KeyRates::default() {
            let requests = own(key.rates.requests.map(Rate::get));
            let tokens = own(key.rates.tokens.map(Rate::get));
            let said = say!(words, "program-key-own", requests = requests, tokens = tokens);
            facts.push((said, false));
        }
    }
    facts
        .into_iter()
        .map(|(fact, is_bad)| view! { <span class=is_bad.then_some("bad")>{fact}</span> }.erase())
        .collect_view()
        .erase()
}

fn scopes_of(words: &Words, scopes: Scopes) -> String {
    match scopes {
        Scopes::NONE => say!(words, "program-key-no-scopes"),
        scopes => scopes.to_string().replace(',', ", "),
    }
}

fn written(ms: u64) -> String {
    time_of(ms).unwrap_or_default()
}

/// A key that has just been made, this once.
pub(super) fn made(plain: &PlainPage, key: &KeyRecord, token: &Token) -> Response {
    let words = plain.words;
    let title = say!(words, "program-key-shown");
    let token = token.reveal().to_owned();
    let until = match key.expires_at.and_then(time_of) {
        Some(time) => say!(words, "program-key-expires", time = time),
        None => say!(words, "program-key-stays"),
    };
    let about = format!("{} · {until}", scopes_of(words, key.scopes));
    let content = || {
        view! {
            <main class="along program-keys" id="content">
                <Wordmark />
                <h1>{title.clone()}</h1>
                <p>{say!(words, "program-key-once", name = key.name.as_str())}</p>
                <p class="quiet">{about}</p>
                <div class="along-way">
                    <h2 id="program-key-label">{say!(words, "program-key-itself")}</h2>
                    <p>
                        <code
                            class="program-key-token"
                            id="program-key-token"
                            tabindex="0"
                            role="textbox"
                            aria-readonly="true"
                            aria-labelledby="program-key-label"
                            aria-describedby="program-key-how"
                            data-testid="program-key-token"
                        >
                            {token}
                        </code>
                    </p>
                    <p class="quiet" id="program-key-how">{say!(words, "program-key-select")}</p>
                    <div class="actions">
                        <button
                            class="button"
                            type="button"
                            hidden
                            data-copies="program-key-token"
                            data-says="program-key-copied"
                            data-testid="program-key-copy"
                        >
                            {say!(words, "program-key-copy")}
                        </button>
                        <span
                            class="program-key-copied"
                            id="program-key-copied"
                            role="status"
                            data-done=say!(words, "program-key-copied")
                            data-failed=say!(words, "program-key-not-copied")
                        ></span>
                    </div>
                </div>
                <p>
                    {say!(words, "program-key-sent")} " " <code>"Authorization: Bearer anteroom_…"</code>
                </p>
                <a class="button" href=PAGE>{say!(words, "program-keys-all")}</a>
            </main>
        }
    };
    let head = view! {
        {sheet()}
        <script src="/copy.js" defer></script>
    };
    page(plain, Allowed::Copying, &title, head, content)
}
