//! The header: the name, the line, the tabs.

use leptos::prelude::*;
use leptos_router::{components::A, hooks::use_location};

use crate::{
    erase::{Erase as _, live},
    feed::Store,
};

use super::{
    brand::Wordmark,
    icon::{self, Icon},
    line::LineSummary,
    sidebar,
    theme::ThemeButton,
};

/// The header of every page.
#[component]
pub(crate) fn Header() -> impl IntoView {
    let store = expect_context::<Store>();
    let path = use_location().pathname;
    // A conversation belongs to the chat tab, whose own address is only `/`.
    let chat = move || {
        path.with(|path| path == "/" || path.starts_with("/c/"))
            .then_some("page")
    };
    view! {
        <header class="header">
            <button
                class="icon-button only-narrow"
                type="button"
                aria-label="Conversations"
                popovertarget=sidebar::ID
            >
                <Icon path=icon::MENU />
            </button>
            <a class="home" href="/" aria-label="Anteroom: new chat" on:click=move |_| store.begin_another()>
                <Wordmark />
            </a>
            <LineSummary />
            <nav class="tabs" aria-label="Tabs">
                <a class="tab" href="/" aria-current=live(chat)>
                    "Chat"
                </a>
                <A href="/stats" attr:class="tab">
                    "Stats"
                </A>
                <A href="/logs" attr:class="tab">
                    "Logs"
                </A>
            </nav>
            <ThemeButton />
        </header>
    }
    .erase()
}
