//! The page of a message that was sent without scripts, and was refused.

use leptos::prelude::*;

use super::brand::Wordmark;
use crate::erase::Erase as _;

/// Says why, and gives back what was typed.
#[component]
pub(crate) fn Unsent(
    /// A sentence for the person.
    reason: String,
    /// The message.
    text: String,
    /// Where it was to be said.
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
            <h1>"Your message was not sent"</h1>
            <p>{reason}</p>
            {typed}
            <a class="button" href=back>
                "Back to the chat"
            </a>
        </main>
    }
    .erase()
}
