//! The start page of a conversation that has not begun.

use leptos::prelude::*;

use super::line::{Line, Scale};
use crate::{
    erase::{Erase as _, live, memo},
    feed::{Store, sending},
    format,
};

/// Questions that show what there is to see. The demo model can answer each.
const STARTERS: [&str; 3] = [
    "How does the line work?",
    "Which settings are in force?",
    "Show me some Markdown",
];

/// Welcomes, shows the line, and offers a beginning.
#[component]
pub(crate) fn Welcome() -> impl IntoView {
    let store = expect_context::<Store>();
    let queue = move || store.facts.with(|facts| facts.queue);
    let line = memo(move || store.status.with(|status| status.line.clone()));
    let head = move || {
        if store.is_lost() {
            return "Not connected just now.";
        }
        line.with(|line| match line {
            Some(line) if format::starts_at_once(line) => "Come in, there is a place free.",
            Some(_) if !queue() => "Every place is taken just now.",
            Some(_) => "Every place is taken. Send, and you get one in the line.",
            None => "Come in.",
        })
    };
    let sentence = move || {
        if store.is_lost() {
            return Some("What you send is kept, and goes as soon as the connection is back.".to_owned());
        }
        line.with(|line| line.as_ref().map(|line| format::line(line, queue())))
    };
    let starters = STARTERS
        .into_iter()
        .map(|question| {
            view! {
                <li>
                    <button
                        class="starter"
                        type="button"
                        on:click=move |_| sending::send(store, &store.fresh.get_untracked(), question.to_owned(), Vec::new())
                    >
                        {question}
                    </button>
                </li>
            }
            .erase()
        })
        .collect_view();
    view! {
        <div class="welcome">
            <Line scale=Scale::Large />
            <h1 class="welcome-head">{live(head)}</h1>
            <p class="welcome-line">{live(sentence)}</p>
            <ul class="starters needs-awake">{starters}</ul>
        </div>
    }
    .erase()
}
