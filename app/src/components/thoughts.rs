//! What a model thought before it answered: folded, unless its reader wants to see it.

use anteroom::{say, text};
use leptos::prelude::*;

use super::{
    answer::rows,
    icon::{self, Icon},
};
use crate::{
    browser,
    erase::{Erase as _, Look as _, effect, live, memo, when},
    feed::Turn,
    format,
    words::words,
};

/// The thoughts so far. What streams in them neither opens nor closes them.
#[component]
pub(crate) fn Thoughts(turn: Turn, running: Memo<bool>) -> impl IntoView {
    let words = words();
    let (blocks, thoughts) = (turn.blocks.0.clone(), turn.thoughts.0.clone());
    let some = memo(move || !thoughts.look(Vec::is_empty));
    let thinking = memo(move || running.get() && blocks.look(Vec::is_empty));
    // The server tells how long it was once all is over; until then, as it was seen here.
    let seen = RwSignal::new(None::<u64>);
    let since = StoredValue::new(None::<u64>);
    effect(move || match (some.get() && thinking.get(), since.get_value()) {
        (true, None) => since.set_value(Some(browser::now())),
        (false, Some(at)) if seen.get_untracked().is_none() => seen.set(Some(browser::now().saturating_sub(at))),
        _ => {}
    });
    let view = turn.view.clone();
    let head = move || {
        let took = view.look(|view| view.thought_ms).or_else(|| seen.get());
        match (thinking.get(), took) {
            (true, _) => text!(words, "thoughts-now").to_owned(),
            (false, Some(took)) => say!(words, "thoughts-for", time = format::millis(words, took)),
            (false, None) => text!(words, "thoughts").to_owned(),
        }
    };
    let folded = move || {
        view! {
            <details class="thoughts" class:running=thinking data-testid="thoughts">
                <summary>
                    <Icon path=icon::RIGHT />
                    <span>{live(head.clone())}</span>
                </summary>
                <div class="answer">{rows(&turn.thoughts)}</div>
            </details>
        }
        .erase()
    };
    when(move || some.get(), folded)
}
