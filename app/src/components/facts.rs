//! What an answer took: in one line, and more of it for whoever asks.

use anteroom::{
    language::Words,
    say, text,
    wire::{TurnNotice, TurnView, Usage},
};
use leptos::prelude::*;

use crate::{
    erase::{Erase as _, Look as _, live},
    feed::Store,
    format,
    words::words,
};

/// The line, with the times and the speed folded behind it. `public/reading.js` writes the times in the reader's own zone.
#[component]
pub(crate) fn Facts(view: RwSignal<TurnView>) -> impl IntoView {
    let store = expect_context::<Store>();
    let words = words();
    let line = move || view.look(|view| line(store, words, view));
    let more = move || {
        view.look(|view| {
            let times = [
                (text!(words, "turn-sent"), Some(view.accepted_at)),
                (text!(words, "turn-begun"), view.started_at),
                (text!(words, "turn-ended"), view.ended_at),
            ];
            let times = times.into_iter().filter_map(|(what, at)| {
                let row = view! {
                    <span>{what}</span>
                    <time data-at=at?.to_string()></time>
                };
                Some(row.erase())
            });
            let speed = speed(words, view).map(|speed| {
                view! {
                    <span>{text!(words, "turn-speed")}</span>
                    <span>{say!(words, "turn-per-second", tokens = speed)}</span>
                }
                .erase()
            });
            times.chain(speed).collect_view()
        })
        .erase()
    };
    view! {
        <details class="turn-more" data-testid="turn-more">
            <summary class="turn-facts">{live(line)}</summary>
            <div class="turn-times">{live(more)}</div>
        </details>
    }
    .erase()
}

fn line(store: Store, words: &Words, view: &TurnView) -> String {
    let tokens = view.usage.as_ref().and_then(|usage| tokens(words, usage));
    let took = view
        .started_at
        .zip(view.ended_at)
        .map(|(start, end)| end.saturating_sub(start));
    let waited = view
        .started_at
        .map(|start| start.saturating_sub(view.accepted_at))
        // A receipt says so, and more.
        .filter(|waited| *waited >= 1000 && !view.notices.iter().any(|one| matches!(one, TurnNotice::Waited(_))));
    [
        Some(store.title(&view.model)),
        tokens,
        took.map(|took| say!(words, "turn-took", time = format::millis(words, took))),
        waited.map(|waited| say!(words, "turn-waited", time = format::millis(words, waited))),
    ]
    .into_iter()
    .flatten()
    .collect::<Vec<_>>()
    .join(" · ")
}

/// Tokens written a second, to a tenth where there are few.
fn speed(words: &Words, view: &TurnView) -> Option<String> {
    let tokens = view.usage.as_ref()?.output?;
    let took = view.ended_at?.checked_sub(view.started_at?).filter(|took| *took > 0)?;
    let tenths = tokens.saturating_mul(10_000) / took;
    Some(match tenths {
        0..100 => words.tenths(tenths),
        _ => words.number(tenths / 10),
    })
}

fn tokens(words: &Words, usage: &Usage) -> Option<String> {
    match (usage.input, usage.output) {
        (Some(input), Some(output)) => Some(say!(words, "turn-tokens-both", input = input, output = output)),
        (None, Some(output)) => Some(say!(words, "turn-tokens", output = output)),
        _ => None,
    }
}
