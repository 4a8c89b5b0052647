//! The page of a page that could not be made.

use leptos::prelude::*;

use crate::erase::Erase as _;

use super::brand::Wordmark;

/// Says why, and offers to try again.
#[component]
pub(crate) fn Broken(
    /// A sentence for the person.
    reason: String,
) -> impl IntoView {
    view! {
        <main class="whole-page" id="content">
            <Wordmark />
            <h1>"This page could not be made"</h1>
            <p>{reason}</p>
            <a class="button" href="" rel="external">
                "Try again"
            </a>
        </main>
    }
    .erase()
}
