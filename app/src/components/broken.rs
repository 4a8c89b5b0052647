//! The page of a page that could not be made.

use anteroom::{say, wire::Reason};
use leptos::prelude::*;

use crate::{erase::Erase as _, words::words};

use super::brand::Wordmark;

/// Says why, and offers to try again.
#[component]
pub(crate) fn Broken(
    /// Why.
    reason: Reason,
) -> impl IntoView {
    let words = words();
    view! {
        <main class="whole-page" id="content">
            <Wordmark />
            <h1>{say!(words, "broken")}</h1>
            <p>{words.reason(&reason)}</p>
            <a class="button" href="" rel="external">
                {say!(words, "try-again")}
            </a>
        </main>
    }
    .erase()
}
