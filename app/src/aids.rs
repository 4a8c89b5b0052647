//! What `public/reading.js` shows when it is asked for: made by the server, in the page's language, and no part of the browser's half.

use anteroom::{language::Words, say, text};
use leptos::prelude::*;

/// What is lazily asked of servers of tools.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Asked {
    Resources,
    Prompts,
}

impl Asked {
    const fn name(self) -> &'static str {
        match self {
            Self::Resources => "resources",
            Self::Prompts => "prompts",
        }
    }
}

/// The keys that do something, each with what it does.
fn keys(words: &'static Words) -> [(&'static str, &'static str); 8] {
    [
        ("Enter", text!(words, "keys-send")),
        ("Shift + Enter", text!(words, "keys-line")),
        ("↑", text!(words, "keys-edit")),
        ("Esc", text!(words, "keys-stop")),
        ("Ctrl + K", text!(words, "keys-search")),
        ("↑ ↓", text!(words, "keys-found")),
        (">", text!(words, "keys-quote")),
        ("?", text!(words, "keys-sheet")),
    ]
}

/// The operator's prompts, by name and text.
fn prompts() -> Vec<(String, String)> {
    #[cfg(feature = "ssr")]
    {
        let engine = use_context::<std::sync::Arc<anteroom::engine::Engine>>();
        let prompts = engine.map(|engine| std::sync::Arc::clone(&engine.settings().prompts));
        let prompts = prompts.unwrap_or_default();
        prompts
            .iter()
            .map(|prompt| (prompt.name.clone(), prompt.text.clone()))
            .collect()
    }
    #[cfg(not(feature = "ssr"))]
    Vec::new()
}

/// Two buttons for the chosen conversations, of which one is there at a time: to make all of them so, and to undo that.
fn shelving(what: &'static str, text: &'static str, undo: &'static str) -> impl IntoView {
    let one = |to: &'static str, text| {
        let hidden = to == "false";
        view! {
            <button class="button" type="button" data-several="shelve" data-what=what data-to=to hidden=hidden>
                {text}
            </button>
        }
    };
    (one("true", text), one("false", undo))
}

/// The servers of tools that may have such things for whoever opens the page.
#[cfg_attr(
    not(feature = "ssr"),
    expect(unused_variables, reason = "only the server knows of any")
)]
fn servers(asked: Asked) -> Vec<String> {
    #[cfg(feature = "ssr")]
    {
        use anteroom::engine::Engine;
        let engine = use_context::<std::sync::Arc<Engine>>();
        let all = engine.map(|engine| engine.tools().sources());
        let all = all.unwrap_or_default().into_iter().filter(|source| match asked {
            Asked::Resources => source.resources,
            Asked::Prompts => source.prompts,
        });
        all.map(|source| source.server).collect()
    }
    #[cfg(not(feature = "ssr"))]
    Vec::new()
}

/// What each of them has, which `public/sources.js` asks for once it is unfolded.
fn sources(words: &'static Words, asked: Asked, servers: Vec<String>) -> AnyView {
    if servers.is_empty() {
        return ().into_any();
    }
    let all = servers.into_iter().map(|server| {
        let waits = say!(words, "step-connects", server = &server);
        let named = server.clone();
        view! {
            <details class="tool-source" data-kind=asked.name() data-source=named>
                <summary dir="auto">{server}</summary>
                <div data-list="">
                    <p class="quiet" role="status">{waits}</p>
                </div>
            </details>
        }
    });
    view! {
        <h3>{text!(words, "sources-of-servers")}</h3>
        {all.collect_view()}
    }
    .into_any()
}

/// Where files are attached from, where there is more than the device.
fn attach(words: &'static Words) -> Option<AnyView> {
    let servers = Some(servers(Asked::Resources)).filter(|servers| !servers.is_empty())?;
    let sheet = view! {
        <dialog class="prompts sources" aria-labelledby="sources-head" data-testid="sources-sheet">
            <h2 id="sources-head">{text!(words, "sources-head")}</h2>
            <button class="button" type="button" data-device="">{text!(words, "sources-device")}</button>
            {sources(words, Asked::Resources, servers)}
            <div class="actions">
                <form method="dialog">
                    <button class="quiet-button">{text!(words, "keys-close")}</button>
                </form>
            </div>
        </dialog>
    };
    Some(sheet.into_any())
}

/// The sheet of keys, the button that quotes, and what is said where something did not get through.
pub(crate) fn aids(words: &'static Words) -> impl IntoView {
    let given = prompts().into_iter().map(|(name, text)| {
        view! {
            <li class="prompt">
                <button class="prompt-use" type="button" dir="auto" data-prompt=text>{name}</button>
            </li>
        }
    });
    let rows = keys(words).into_iter().map(|(key, what)| {
        view! {
            <dt>
                <kbd>{key}</kbd>
            </dt>
            <dd>{what}</dd>
        }
    });
    view! {
        <template id="aids">
            <dialog class="keys" aria-labelledby="keys-head" data-testid="keys">
                <h2 id="keys-head">{text!(words, "keys")}</h2>
                <dl>{rows.collect_view()}</dl>
                <form method="dialog">
                    <button class="button">{text!(words, "keys-close")}</button>
                </form>
            </dialog>
            <button class="button quote-button" type="button" data-testid="quote">
                {text!(words, "quote")}
            </button>
            <div class="several" role="group" aria-label=text!(words, "several") data-testid="several">
                <p role="status">{text!(words, "several-chosen")}" "<b data-count="">"0"</b></p>
                <div class="actions">
                    {shelving("pinned", text!(words, "row-pin"), text!(words, "row-unpin"))}
                    {shelving("archived", text!(words, "row-archive"), text!(words, "row-unarchive"))}
                    <button class="button button-bad" type="button" data-several="delete">
                        {text!(words, "row-delete")}
                    </button>
                    <button class="button" type="button" data-several="undo" hidden>
                        {text!(words, "several-undo")}
                    </button>
                    <button class="quiet-button" type="button" data-several="done">
                        {text!(words, "several-done")}
                    </button>
                </div>
            </div>
            <dialog class="prompts" aria-labelledby="prompts-head" data-testid="prompts-sheet">
                <h2 id="prompts-head">{text!(words, "prompts-head")}</h2>
                <p class="quiet" data-none="">{text!(words, "prompts-none")}</p>
                <ul data-prompts="">{given.collect_view()}</ul>
                {sources(words, Asked::Prompts, servers(Asked::Prompts))}
                <div class="actions">
                    <button class="button" type="button" data-keep="">{text!(words, "prompts-keep")}</button>
                    <form method="dialog">
                        <button class="quiet-button">{text!(words, "keys-close")}</button>
                    </form>
                </div>
                <template data-own="">
                    <li class="prompt">
                        <button class="prompt-use" type="button" dir="auto" data-prompt=""></button>
                        <button class="quiet-button bad" type="button" data-drop="">{text!(words, "row-delete")}</button>
                    </li>
                </template>
            </dialog>
            {attach(words)}
            <p class="aid-failed" role="alert" data-aid="failed" hidden>
                {text!(words, "aid-failed")}
            </p>
            <p class="aid-failed" role="alert" data-aid="leave" hidden>
                {text!(words, "aid-leave")}
            </p>
        </template>
    }
}
