//! What has to be told: the feed is lost, a new version is out, something went wrong.

use anteroom::{say, text};
use leptos::prelude::*;

use super::{anchors, button::button, conversation_row::button_id, icon};
use crate::{
    browser,
    erase::{Erase as _, Look as _, live, when},
    feed::{Store, changes},
    focus,
    location::here,
    words::words,
};

/// The strip above the page. Empty while there is nothing to tell.
#[component]
pub(crate) fn Notices() -> impl IntoView {
    let store = expect_context::<Store>();
    let words = words();
    let lost = move || store.is_lost();
    let since = move || {
        let time = browser::clock(store.lost_at.get()?);
        Some(say!(words, "notice-lost", time = time))
    };
    let offline = move || {
        view! {
            <p class="notice" data-testid="offline">
                <span class="notice-dot"></span>
                {live(since)}
            </p>
        }
        .erase()
    };
    let outdated = move || {
        view! {
            <p class="notice" data-testid="notice">
                {text!(words, "notice-updated")}
                " "
                <a href="" rel="external">
                    {text!(words, "notice-reload")}
                </a>
            </p>
        }
        .erase()
    };
    let reason = move || {
        store
            .notice
            .look(|reason| reason.as_ref().map(|reason| words.reason(reason)))
    };
    let told = move || {
        view! {
            <p class="notice notice-bad" data-testid="notice">
                <span>{live(reason)}</span>
                {button("icon-button", "", icon::CLOSE, "").label(text!(words, "notice-dismiss")).press(move || {
                    store.notice.set(None);
                    browser::focus_control(anchors::CONTENT);
                })}
            </p>
        }
        .erase()
    };
    let here = here();
    let title = move || {
        store.deleted.look(|deleted| {
            deleted
                .as_ref()
                .map(|deleted| say!(words, "notice-deleted", title = &deleted.title))
        })
    };
    let deleted = move || {
        let undo = move || {
            changes::undelete(store, move |deleted| {
                if deleted.was_open {
                    here.go(&format!("/c/{}", deleted.id));
                } else if !browser::focus_control(&button_id(deleted.id)) {
                    focus::follow(button_id(deleted.id), anchors::NEW_CHAT);
                }
            });
        };
        view! {
            <p class="notice" data-testid="deleted">
                <span class="notice-title">{live(title)}</span>
                {button("button", "undo", "", text!(words, "notice-undo")).press(undo)}
            </p>
        }
        .erase()
    };
    view! {
        <div class="notices" role="status">
            {when(lost, offline)}
            {when(move || store.outdated.get(), outdated)}
            {when(move || store.notice.look(Option::is_some), told)}
            {when(move || store.deleted.look(Option::is_some), deleted)}
        </div>
    }
    .erase()
}
