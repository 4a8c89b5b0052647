//! The way to what lies beyond the part of a list that is here.

use anteroom::text;
use leptos::prelude::*;

use super::button::button;
use crate::{erase::Erase as _, feed::Rest, words::words};

/// What lies beyond the part of a list that is here, with a button for those who do not scroll.
pub(crate) fn more(rest: &Rest, label: &'static str, load: impl Fn() + Send + 'static) -> Option<AnyView> {
    let words = words();
    let (label, failed) = match rest {
        Rest::Nothing => return None,
        Rest::Loading => return Some(view! { <p class="rest quiet">{text!(words, "list-loading")}</p> }.erase()),
        Rest::More => (label, None),
        Rest::Failed(reason) => (text!(words, "try-again"), Some(words.reason(reason))),
    };
    let shown = view! {
        <div class="rest">
            {failed}
            {button("quiet-button", "more", "", label).press(load)}
        </div>
    };
    Some(shown.erase())
}
