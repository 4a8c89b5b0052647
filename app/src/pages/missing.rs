//! An address that leads nowhere.

use anteroom::say;
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
            <h1>{say!(words, "missing")}</h1>
            <p>{say!(words, "missing-why")}</p>
            <a class="button" href="/" rel="external">
                {say!(words, "missing-way")}
            </a>
        </div>
    }
    .erase()
}
