//! The header: the name, the line, the tabs where there is room for them.

use anteroom::text;
use leptos::prelude::*;

use crate::{
    browser,
    erase::{Erase as _, Look as _, live},
    feed::Store,
    location::here,
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
    let words = words();
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
            <Tabs class="tabs only-wide" />
            <ThemeButton />
        </header>
    }
    .erase()
}

/// The tabs: in the header, or in the drawer where the header has room for one row only.
#[component]
pub(crate) fn Tabs(class: &'static str) -> impl IntoView {
    let store = expect_context::<Store>();
    let path = here().path;
    let words = words();
    let there = Page::TABS.into_iter().filter(|page| untrack(|| store.shows(*page)));
    let tab = |page: Page| {
        let current = move || path.look(|path| Page::of(path) == page).then_some("page");
        view! {
            <a
                class="tab"
                href=page.path()
                aria-current=live(current)
                on:click=move |_| browser::hide_popover(anchors::CONVERSATIONS)
            >
                {page.name(words)}
            </a>
        }
        .erase()
    };
    view! {
        <nav class=class aria-label=text!(words, "tabs")>
            {there.map(tab).collect_view()}
        </nav>
    }
    .erase()
}
