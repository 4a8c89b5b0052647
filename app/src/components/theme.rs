//! The theme: the system's, light or dark.

use anteroom::say;
use leptos::prelude::*;

use crate::{
    erase::{Erase as _, effect, live},
    words::words,
};

use super::icon::{self, Icon};

#[derive(Clone, Copy, PartialEq)]
enum Theme {
    System,
    Light,
    Dark,
}

impl Theme {
    const fn name(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    const fn next(self) -> Self {
        match self {
            Self::System => Self::Light,
            Self::Light => Self::Dark,
            Self::Dark => Self::System,
        }
    }

    const fn icon(self) -> &'static str {
        match self {
            Self::System => icon::SYSTEM,
            Self::Light => icon::LIGHT,
            Self::Dark => icon::DARK,
        }
    }
}

/// Goes round the themes. The page's early script sets the stored one before the first paint.
#[component]
pub(crate) fn ThemeButton() -> impl IntoView {
    let words = words();
    let theme = RwSignal::new(Theme::System);
    effect(move || {
        let chosen = document()
            .document_element()
            .and_then(|root| root.get_attribute("data-theme"));
        match chosen.as_deref() {
            Some("light") => theme.set(Theme::Light),
            Some("dark") => theme.set(Theme::Dark),
            _ => {}
        }
    });
    let turn = move |_| {
        let next = theme.get().next();
        theme.set(next);
        let root = document().document_element();
        // Storage can be forbidden; the choice then lasts as long as the page.
        let storage = window().local_storage().ok().flatten();
        if next == Theme::System {
            root.map(|root| root.remove_attribute("data-theme"));
            storage.map(|storage| storage.remove_item("theme"));
        } else {
            root.map(|root| root.set_attribute("data-theme", next.name()));
            storage.map(|storage| storage.set_item("theme", next.name()));
        }
    };
    let label = move || say!(words, "theme", theme = theme.get().name());
    view! {
        <button class="icon-button needs-awake" type="button" on:click=turn title=live(label) aria-label=live(label)>
            {live(move || view! { <Icon path=theme.get().icon() /> }.erase())}
        </button>
    }
    .erase()
}
