//! The stats and the logs tab: what they show is drawn by the server, whenever the line lets a refresh start. Here is the frame around it.

use anteroom::{
    text,
    wire::{Event, RefreshKind},
};
use leptos::{html, prelude::*};

use super::refreshing::{Freshness, keep_fresh};
use crate::{
    browser,
    erase::{Erase as _, Look as _, effect, memo, when},
    feed::Store,
    route::Page,
    words::words,
};

/// A tab that the server draws.
#[component]
pub(crate) fn DrawnPage(kind: RefreshKind) -> impl IntoView {
    let store = expect_context::<Store>();
    let refresh = store.refresh(kind);
    let words = words();
    let (page, event, asking) = match kind {
        RefreshKind::Stats => (Page::Stats, Event::StatsRefresh, text!(words, "stats-asking")),
        RefreshKind::Logs => (Page::Logs, Event::LogsRefresh, text!(words, "logs-asking")),
    };
    keep_fresh(store, kind);
    let place = NodeRef::<html::Div>::new();
    effect(move || {
        if let Some(place) = place.get() {
            refresh.html.look(|html| browser::draw(&place, html));
        }
    });
    let nothing = memo(move || refresh.html.look(String::is_empty));
    let none = move || view! { <p class="quiet needs-awake">{asking}</p> }.erase();
    view! {
        <div class="page">
            <header class="page-head">
                <h1>{page.name(words)}</h1>
                <Freshness event refusal=refresh.refusal />
            </header>
            {when(move || nothing.get(), none)}
            <div class="drawn" node_ref=place></div>
        </div>
    }
    .erase()
}
