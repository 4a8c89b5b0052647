//! The page of what was sent without scripts, and was refused.

use anteroom::{language::Words, say};
use leptos::prelude::*;

use super::brand::Wordmark;
use crate::erase::Erase as _;

/// Says why, and gives back what was typed.
#[component]
pub(crate) fn Unsent(
    words: &'static Words,
    /// What did not happen.
    heading: String,
    /// A sentence for the person.
    reason: String,
    /// The message, where it was one.
    text: String,
    /// Where it came from.
    back: String,
) -> impl IntoView {
    let typed = (!text.is_empty()).then(|| {
        // No textarea: leptos writes what stands in one as it is.
        view! {
            <h2>{say!(words, "unsent-text")}</h2>
            <p class="unsent-text">{text}</p>
        }
    });
    view! {
        <main class="whole-page" id="content">
            <Wordmark />
            <h1>{heading}</h1>
            <p>{reason}</p>
            {typed}
            <a class="button" href=back>
                {say!(words, "unsent-back")}
            </a>
        </main>
    }
    .erase()
}
