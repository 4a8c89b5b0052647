//! The languages to choose from.

use anteroom::{language::Language, say};
use leptos::prelude::*;

use crate::{
    erase::{Erase as _, live},
    location::here,
    words::words,
};

/// A button for each language. Choosing one loads the page again, in that language: what is typed, and every place in line, stays.
/// It works without scripts.
#[component]
pub(crate) fn LanguageSwitch() -> impl IntoView {
    let path = here().path;
    let words = words();
    let one = move |language: Language| {
        let address = live(move || format!("/language?to={}&back={}", language.code(), path.get()));
        let chosen = language == words.language();
        view! {
            <form method="post" action=address>
                <button
                    class="language"
                    type="submit"
                    lang=language.code()
                    aria-current=chosen.then_some("true")
                    data-testid=format!("language-{}", language.code())
                >
                    {language.name()}
                </button>
            </form>
        }
        .erase()
    };
    let all = Language::ALL.map(one).collect_view();
    view! {
        <div class="languages" role="group" aria-label=say!(words, "language")>
            {all}
        </div>
    }
    .erase()
}
