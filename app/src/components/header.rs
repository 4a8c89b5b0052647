//! The header: the name, the line, the tabs.

use anteroom::text;
use leptos::prelude::*;
use leptos_router::hooks::use_location;

use crate::{
    erase::{Erase as _, Look as _, live},
    feed::Store,
    route::Page,
    words::words,
};

use super::{
    anchors,
    brand::Wordmark,
    icon::{self, Icon},
    line::LineSummary,
    theme::ThemeButton,
};

/// The header of every page.
#[component]
pub(crate) fn Header() -> impl IntoView {
    let store = expect_context::<Store>();
    let path = use_location().pathname;
    let words = words();
    let tabs = Page::TABS.map(|page| {
        let current = move || path.look(|path| Page::of(path) == page).then_some("page");
        view! {
            <a class="tab" href=page.path() aria-current=live(current)>
                {page.name(words)}
            </a>
        }
    });
    view! {
        <header class="header">
            <button
                class="icon-button only-narrow"
                type="button"
                aria-label=text!(words, "conversations")
                popovertarget=anchors::CONVERSATIONS
            >
                <Icon path=icon::MENU />
            </button>
            <a class="home" href="/" aria-label=text!(words, "home") on:click=move |_| store.begin_another()>
                <Wordmark />
            </a>
            <LineSummary />
            <nav class="tabs" aria-label=text!(words, "tabs")>
                {tabs}
            </nav>
            <ThemeButton />
        </header>
    }
    .erase()
}
