//! An answer that has ended before its time, and the way on.

use anteroom::{text, wire::Incomplete};
use leptos::prelude::*;

use super::{anchors, button::button, icon};
use crate::{
    browser,
    erase::{Erase as _, when},
    feed::{Conversation, Store, sending},
    words::words,
};

/// Why it has ended, and, where it only became too long, a button that has the model go on.
#[component]
pub(crate) fn Unfinished(cause: Incomplete, conversation: Conversation, last: Memo<bool>) -> impl IntoView {
    let store = expect_context::<Store>();
    let words = words();
    let go_on = move || {
        let conversation = conversation.clone();
        button("button", "continue", icon::DOWN, text!(words, "continue"))
            .press(move || {
                sending::send(
                    store,
                    &conversation,
                    text!(words, "continue-message").to_owned(),
                    Vec::new(),
                );
                browser::focus(anchors::COMPOSER);
            })
            .erase()
    };
    view! {
        <div class="ended cut-off" role="status" data-testid="incomplete">
            <p>{words.incomplete(cause)}</p>
            {when(move || cause == Incomplete::Length && last.get(), go_on)}
        </div>
    }
    .erase()
}
