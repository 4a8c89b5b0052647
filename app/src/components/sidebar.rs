//! The conversations of this browser: a column where there is space, else a drawer.

use std::time::Duration;

use anteroom::wire::ConversationSummary;
use leptos::prelude::*;
use leptos_router::components::A;

use super::icon::{self, Icon};
use crate::{
    browser,
    erase::{Erase as _, choose, each, effect, live, memo, when},
    feed::Store,
    format,
};

/// The drawer's id: a popover, so that it opens and closes before the WebAssembly has arrived, and by Esc.
pub(crate) const ID: &str = "conversations";

/// The list of conversations, the last used first.
#[component]
pub(crate) fn Sidebar() -> impl IntoView {
    let store = expect_context::<Store>();
    let now = RwSignal::new(browser::now());
    effect(move || {
        let every = set_interval_with_handle(move || now.set(browser::now()), Duration::from_secs(30));
        on_cleanup(move || {
            if let Ok(every) = every {
                every.clear();
            }
        });
    });
    let empty = move || store.conversations.with(Vec::is_empty);
    let row = move |summary: ConversationSummary| {
        let id = summary.id;
        // The list is short and its lines are looked up as they change.
        let line = memo(move || {
            let known = store
                .conversations
                .with(|list| list.iter().find(|known| known.id == id).cloned());
            known.unwrap_or_else(|| summary.clone())
        });
        let title = live(move || line.with(|line| line.title.clone()));
        let sign = choose(
            move || line.with(|line| line.busy),
            || view! { <span class="busy-dot" role="img" aria-label="waiting or being answered"></span> }.erase(),
            move || {
                let at = live(move || format::ago(line.with(|line| line.updated_at), now.get().max(browser::now())));
                view! { <span class="conversation-at">{at}</span> }.erase()
            },
        );
        view! {
            <li>
                <A href=format!("/c/{id}") attr:class="conversation" attr:data-testid="conversation">
                    <span class="conversation-title">{title}</span>
                    {sign}
                </A>
            </li>
        }
        .erase()
    };
    view! {
        <aside class="sidebar" id=ID aria-label="Conversations" popover="auto">
            <a class="button new-chat" href="/" data-testid="new-chat" on:click=move |_| browser::hide_popover(ID)>
                <Icon path=icon::PLUS />
                "New chat"
            </a>
            <nav class="conversations" aria-label="Conversations" on:click=move |_| browser::hide_popover(ID)>
                {when(empty, || view! {
                    <p class="hint">"Your conversations will be listed here. Nobody else sees them."</p>
                }.erase())}
                <ul>{each(move || store.conversations.get(), |summary| summary.id.to_string(), row)}</ul>
            </nav>
            <p class="sidebar-foot">
                {live(move || store.facts.with(|facts| facts.model.clone()))}
                <span class="version">"Anteroom " {live(move || store.facts.with(|facts| facts.version.clone()))}</span>
            </p>
        </aside>
    }
    .erase()
}
