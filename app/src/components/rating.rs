//! What its reader thinks of an answer.

use anteroom::{text, wire::TurnView};
use leptos::prelude::*;

use super::{button::button, icon};
use crate::{
    erase::{Erase as _, Look as _, live},
    words::words,
};

/// Two buttons of which one may be pressed in; pressed again, it takes that back.
#[component]
pub(crate) fn Rating(view: RwSignal<TurnView>) -> impl IntoView {
    let words = words();
    let id = view.peek(|view| view.id);
    let one = move |good: bool, name: &'static str, hook: &'static str, path: &'static str, label: &'static str| {
        let is = move || view.look(|view| view.good == Some(good));
        button("icon-button", hook, path, "")
            .label(label)
            .pressed(live(is))
            .post(live(move || format!("/rate/{id}/{}", if is() { "none" } else { name })))
    };
    view! {
        <span class="thumbs needs-awake">
            {one(true, "good", "rate-good", icon::GOOD, text!(words, "rate-good"))}
            {one(false, "bad", "rate-bad", icon::BAD, text!(words, "rate-bad"))}
        </span>
    }
    .erase()
}
