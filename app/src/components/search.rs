//! Searching in all that was said.

use std::time::Duration;

use anteroom::{
    text,
    wire::{Found as Hit, Reason, SearchResults},
};
use leptos::{ev, html, prelude::*, task::spawn_local};

use super::anchors;
use crate::{
    api, browser,
    erase::{Erase as _, Look as _, effect, live},
    location::here,
    route::conversation_of,
    words::words,
};

/// How long the typing has to rest before a search begins.
const REST: Duration = Duration::from_millis(250);

/// What is looked for, and what was found. Copies share it.
#[derive(Clone, Copy)]
pub(crate) struct Searching {
    text: RwSignal<String>,
    /// `None` while it is on its way.
    results: RwSignal<Option<Result<SearchResults, Reason>>>,
    /// Which search is the last one: what comes of an earlier one is too late.
    run: StoredValue<u64>,
}

impl Searching {
    pub(crate) fn new() -> Self {
        Self {
            text: RwSignal::new(String::new()),
            results: RwSignal::new(None),
            run: StoredValue::new(0),
        }
    }

    /// Whether something is looked for. Reactive.
    pub(crate) fn is_active(self) -> bool {
        self.text.look(|text| !text.trim().is_empty())
    }

    fn look_for(self, text: String) {
        self.run.update_value(|run| *run += 1);
        let run = self.run.get_value();
        let blank = text.trim().is_empty();
        self.text.set(text.clone());
        self.results.set(None);
        if blank {
            return;
        }
        let begin = move || {
            if self.run.try_get_value() != Some(run) {
                return;
            }
            spawn_local(async move {
                let found = api::search(text).await.map_err(|error| error.reason);
                if self.run.try_get_value() == Some(run) {
                    self.results.set(Some(found));
                }
            });
        };
        set_timeout(begin, REST);
    }
}

/// The field.
#[component]
pub(crate) fn Search(searching: Searching) -> impl IntoView {
    let words = words();
    let field = NodeRef::<html::Input>::new();
    effect(move || {
        let shortcut = window_event_listener(ev::keydown, move |event| {
            if (event.ctrl_key() || event.meta_key()) && !event.alt_key() && event.key().eq_ignore_ascii_case("k") {
                event.prevent_default();
                if let Some(field) = field.get_untracked() {
                    let _ = field.focus();
                }
            }
        });
        on_cleanup(move || shortcut.remove());
    });
    let typed = move |_| {
        if let Some(field) = field.get_untracked() {
            searching.look_for(field.value());
        }
    };
    let on_key = move |event: ev::KeyboardEvent| {
        if event.key() == "Escape" && searching.text.peek(|text| !text.is_empty()) {
            event.prevent_default();
            searching.look_for(String::new());
        }
    };
    view! {
        <search class="search needs-awake">
            <input
                class="text-field"
                type="search"
                placeholder=text!(words, "search")
                aria-label=text!(words, "search-label")
                title="Ctrl K"
                autocomplete="off"
                data-testid="search"
                prop:value=live(move || searching.text.get())
                node_ref=field
                on:input=typed
                on:keydown=on_key
            />
        </search>
    }
    .erase()
}

/// What was found.
#[component]
pub(crate) fn Found(searching: Searching) -> impl IntoView {
    let words = words();
    let shown = move || match searching.results.get() {
        None => view! { <p class="hint">{text!(words, "search-running")}</p> }.erase(),
        Some(Err(reason)) => view! { <p class="hint bad">{words.reason(&reason)}</p> }.erase(),
        Some(Ok(results)) if results.found.is_empty() => {
            view! { <p class="hint">{text!(words, "search-nothing")}</p> }.erase()
        }
        Some(Ok(results)) => {
            let more = results.more.then(|| text!(words, "search-more"));
            let hits = results.found.into_iter().map(hit).collect_view();
            view! {
                <ul>{hits}</ul>
                <p class="hint">{more}</p>
            }
            .erase()
        }
    };
    view! {
        <nav class="conversations" aria-label=text!(words, "search-found") aria-live="polite" data-testid="found">
            {live(shown)}
        </nav>
    }
    .erase()
}

fn hit(hit: Hit) -> AnyView {
    let Hit {
        conversation,
        excerpt,
        turn,
        ..
    } = hit;
    let (before, place, after) = excerpt;
    let id = conversation.id;
    // `public/reading.js` goes there, and marks it.
    let (text, at) = (place.clone(), turn.map(|turn| turn.to_string()));
    let excerpt = view! {
        {before}
        <mark>{place}</mark>
        {after}
    };
    let path = here().path;
    let current = live(move || path.look(|path| conversation_of(path) == Some(id)).then_some("page"));
    // Found in the title, that is the excerpt.
    let inside = match turn {
        None => view! { <span class="found-title">{excerpt}</span> }.erase(),
        Some(_) => view! {
            <span class="found-title">{conversation.title}</span>
            <span class="found-excerpt">{excerpt}</span>
        }
        .erase(),
    };
    let archived = conversation.archived.then(|| {
        let mark = text!(words(), "list-archived");
        view! { <span class="conversation-mark">{mark}</span> }.erase()
    });
    view! {
        <li>
            <a
                href=format!("/c/{}", conversation.id)
                class="found"
                data-testid="hit"
                data-turn=at
                data-text=text
                aria-current=current
                on:click=move |_| browser::hide_popover(anchors::CONVERSATIONS)
            >
                {inside}
                {archived}
            </a>
        </li>
    }
    .erase()
}
