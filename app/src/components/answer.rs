//! An answer: Markdown blocks that the server has made into clean HTML, each in a node of its own.

use anteroom::text;
use leptos::prelude::*;

use crate::{
    erase::{Erase as _, Look as _, each, live, memo, when},
    feed::{Block, Blocks, Turn},
    words::words,
};

/// The blocks of a text. While it grows, only the block that grows is written again.
pub(super) fn rows(blocks: &Blocks) -> AnyView {
    let words = words();
    let blocks = blocks.0.clone();
    let row = move |block: Block| {
        let html = block.html;
        view! { <div class="block" dir="auto" inner_html=live(move || words.labelled(&html.get()))></div> }.erase()
    };
    each(move || blocks.get(), |block| block.key.to_string(), row)
}

/// The answer so far.
#[component]
pub(crate) fn Answer(turn: Turn, running: Memo<bool>) -> impl IntoView {
    let words = words();
    let rows = rows(&turn.blocks);
    // What the model thinks tells by itself that there is more to come.
    let empty = memo(move || {
        [&turn.blocks, &turn.thoughts]
            .iter()
            .all(|text| text.0.look(Vec::is_empty))
    });
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
            {rows}
        </div>
        {when(move || running.get() && empty.get(), caret)}
    }
    .erase()
}
