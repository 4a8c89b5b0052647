//! An answer: Markdown blocks that the server has made into clean HTML, each in a node of its own.

use anteroom::text;
use leptos::{html, prelude::*};

use super::steps;
use crate::{
    browser,
    erase::{Erase as _, Look as _, each, effect, memo, when},
    feed::{Block, Blocks, Turn},
    words::words,
};

/// The blocks of a text. While it grows, only the block that grows is touched, and of that only what is new.
pub(super) fn rows(blocks: &Blocks) -> AnyView {
    let blocks = blocks.0.clone();
    each(move || blocks.get(), |block| block.key.to_string(), row)
}

fn row(block: Block) -> AnyView {
    let (words, html) = (words(), block.html);
    let place = NodeRef::<html::Div>::new();
    let first = html.peek(|html| words.labelled(html));
    // What it is made with, until the effect has run for the first time: more may have come by then.
    let mut made = Some(first.clone());
    effect(move || {
        let now = html.look(|html| words.labelled(html));
        if made.take().is_none_or(|made| made != now)
            && let Some(place) = place.get_untracked()
        {
            browser::grow(&place, &now);
        }
    });
    view! { <div class="block" dir="auto" node_ref=place inner_html=first></div> }.erase()
}

/// What stands in an answer.
enum Item {
    Block(Block),
    /// A use of a tool, by its number.
    Step(usize),
}

/// The blocks of an answer, and the tools that it has used where it has used them.
fn items(turn: &Turn) -> AnyView {
    let view = RwSignal::from(turn.view.clone());
    let stands = memo(move || view.look(|view| view.steps.iter().map(|step| step.after).collect::<Vec<_>>()));
    let blocks = turn.blocks.0.clone();
    let items = move || {
        let (stands, mut items, mut next) = (stands.get(), Vec::new(), 0);
        for (at, block) in blocks.get().into_iter().enumerate() {
            while stands.get(next).is_some_and(|stand| *stand <= at) {
                items.push(Item::Step(next));
                next += 1;
            }
            items.push(Item::Block(block));
        }
        items.extend((next..stands.len()).map(Item::Step));
        items
    };
    let key = |item: &Item| match item {
        Item::Block(block) => block.key.to_string(),
        Item::Step(index) => format!("step-{index}"),
    };
    each(items, key, move |item| match item {
        Item::Block(block) => row(block),
        Item::Step(index) => steps::row(view, index),
    })
}

/// The answer so far.
#[component]
pub(crate) fn Answer(turn: Turn, running: Memo<bool>) -> impl IntoView {
    let words = words();
    let rows = items(&turn);
    let view = RwSignal::from(turn.view.clone());
    // What the model thinks tells by itself that there is more to come.
    let empty = memo(move || {
        let blocks = turn.blocks.0.look(Vec::len);
        view.look(|view| match view.steps.last() {
            Some(last) => last.after >= blocks && last.state.is_over(),
            None => blocks == 0 && turn.thoughts.0.look(Vec::is_empty),
        })
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
