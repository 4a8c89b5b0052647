//! The wordmark: one stroke, arches like the doors of the line, and the two o's as places, one of them lit.

use leptos::prelude::*;

use crate::erase::Erase as _;

/// Anteroom's name, drawn.
#[component]
pub(crate) fn Wordmark() -> impl IntoView {
    view! {
        <svg class="wordmark" viewBox="0 0 170 34" role="img" aria-label="Anteroom">
            <g class="wordmark-ink">
                <circle cx="12" cy="20" r="8" />
                <path d="M20 12V28M28 28V12M28 19a7 7 0 0 1 14 0V28M50 5V23a5 5 0 0 0 5 5h1M45.5 12h10" />
                <path d="M61 20.3h16a8 8 0 1 0-2.6 5.6M84 28V12M84 19a7 7 0 0 1 7-7h1" />
                <circle cx="104" cy="20" r="8" />
                <path d="M142 28V12M142 19a6.5 7 0 0 1 13 0V28M155 19a6.5 7 0 0 1 13 0V28" />
            </g>
            <circle class="wordmark-lit" cx="126" cy="20" r="10" />
        </svg>
    }
    .erase()
}
