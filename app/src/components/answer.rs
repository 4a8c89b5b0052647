//! An answer: Markdown blocks that the server has made into clean HTML, each in a node of its own.

use anteroom::text;
use leptos::prelude::*;

use crate::{
    erase::{Erase as _, each, live, memo, when},
    feed::{Block, Turn},
    words::words,
};

/// The answer so far. While it grows, only the block that grows is written again.
#[component]
pub(crate) fn Answer(turn: Turn, running: Memo<bool>) -> impl IntoView {
    let words = words();
    let blocks = RwSignal::from(turn.blocks);
    let empty = memo(move || blocks.with(Vec::is_empty));
    let row = move |block: Block| {
        let html = block.html;
        view! { <div class="block" inner_html=live(move || words.labelled(&html.get()))></div> }.erase()
    };
    let caret = move || {
        view! {
            <p class="quiet">
                <span class="caret"></span>
                <span class="visually-hidden">{text!(words, "answer-begins")}</span>
            </p>
        }
        .erase()
    };
    view! {
        <div class="answer" data-testid="answer" class:running=running>
            {each(move || blocks.get(), |block| block.key.to_string(), row)}
        </div>
        {when(move || running.get() && empty.get(), caret)}
    }
    .erase()
}
