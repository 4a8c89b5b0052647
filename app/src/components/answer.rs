//! An answer: Markdown blocks that the server has made into clean HTML, each in a node of its own.

use leptos::prelude::*;

use crate::{
    erase::Erase as _,
    feed::{Block, Turn},
};

/// The answer so far. While it grows, only the block that grows is written anew.
#[component]
pub(crate) fn Answer(turn: Turn, running: Signal<bool>) -> impl IntoView {
    let blocks = RwSignal::from(turn.blocks);
    let empty = move || blocks.with(Vec::is_empty);
    view! {
        <div class="answer" data-testid="answer" class:running=running class:empty=empty>
            <For
                each=move || blocks.get()
                key=|block| block.index
                children=|Block { html, .. }| {
                    let html = RwSignal::from(html);
                    view! { <div class="block" inner_html=move || html.get()></div> }
                }
            />
        </div>
        <Show when=move || running.get() && empty()>
            <p class="quiet">
                <span class="caret"></span>
                <span class="visually-hidden">"The answer begins"</span>
            </p>
        </Show>
    }
    .erase()
}
