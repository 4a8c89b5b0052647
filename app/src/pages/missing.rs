//! An address that leads nowhere.

use anteroom::text;
use leptos::prelude::*;

use crate::{
    words::words,
    {components::brand::Wordmark, erase::Erase as _},
};

/// Says so, and shows the way back.
#[component]
pub(crate) fn MissingPage() -> impl IntoView {
    let words = words();
    view! {
        <div class="whole-page">
            <Wordmark />
            <h1>{text!(words, "missing")}</h1>
            <p>{text!(words, "missing-why")}</p>
            <a class="button" href="/" rel="external">
                {text!(words, "missing-way")}
            </a>
        </div>
    }
    .erase()
}
