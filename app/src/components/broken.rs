//! The page of a page that could not be made.

use anteroom::text;
use leptos::prelude::*;

use crate::{erase::Erase as _, words::words};

use super::brand::Wordmark;

/// Says why, and offers to try again.
#[component]
pub(crate) fn Broken(
    /// Why, as a sentence.
    reason: String,
) -> impl IntoView {
    let words = words();
    view! {
        <main class="whole-page" id="content">
            <Wordmark />
            <h1>{text!(words, "broken")}</h1>
            <p>{reason}</p>
            <a class="button" href="" rel="external">
                {text!(words, "try-again")}
            </a>
        </main>
    }
    .erase()
}
