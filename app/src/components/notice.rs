//! What has to be told: the feed is lost, a new version is out, something went wrong.

use leptos::prelude::*;

use super::icon::{self, Icon};
use crate::{
    erase::{Erase as _, live, when},
    feed::{Link, Store},
};

/// The strip above the page. Empty while there is nothing to tell.
#[component]
pub(crate) fn Notices() -> impl IntoView {
    let store = expect_context::<Store>();
    let lost = move || store.link.get() == Link::Lost;
    let offline = || {
        view! {
            <p class="notice" data-testid="offline">
                <span class="notice-dot"></span>
                "Connection lost – your place is kept. Reconnecting…"
            </p>
        }
        .erase()
    };
    let outdated = || {
        view! {
            <p class="notice" data-testid="notice">
                "Anteroom has been updated."
                <a href="" rel="external">
                    "Reload"
                </a>
            </p>
        }
        .erase()
    };
    let told = move || {
        let text = store.notice.get()?;
        let notice = view! {
            <p class="notice notice-bad" data-testid="notice">
                <span>{text}</span>
                <button
                    class="icon-button"
                    type="button"
                    aria-label="Dismiss"
                    on:click=move |_| store.notice.set(None)
                >
                    <Icon path=icon::CLOSE />
                </button>
            </p>
        };
        Some(notice.erase())
    };
    view! {
        <div class="notices" role="status">
            {when(lost, offline)}
            {when(move || store.outdated.get(), outdated)}
            {live(told)}
        </div>
    }
    .erase()
}
