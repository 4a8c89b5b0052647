//! An address that leads nowhere.

use leptos::prelude::*;

use crate::{components::brand::Wordmark, erase::Erase as _};

/// Says so, and shows the way back.
#[component]
pub(crate) fn MissingPage() -> impl IntoView {
    view! {
        <div class="whole-page">
            <Wordmark />
            <h1>"There is no page here"</h1>
            <p>"The address may be mistyped, or what it led to is gone."</p>
            <a class="button" href="/" rel="external">
                "To the chat"
            </a>
        </div>
    }
    .erase()
}
