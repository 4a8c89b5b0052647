//! The page of what was sent without scripts, and was refused.

use leptos::prelude::*;

use super::brand::Wordmark;
use crate::erase::Erase as _;

/// Says why, and gives back what was typed.
#[component]
pub(crate) fn Unsent(
    /// What did not happen.
    heading: &'static str,
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
            <h2>"What you wrote, to be copied:"</h2>
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
                "Back"
            </a>
        </main>
    }
    .erase()
}
