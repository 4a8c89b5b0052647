//! The start page of a conversation that has not begun.

use anteroom::say;
use leptos::prelude::*;

use super::line::{Line, Scale};
use crate::{
    erase::{Erase as _, live, memo},
    feed::{Store, sending},
    format,
    words::words,
};

/// Welcomes, shows the line, and offers a beginning.
#[component]
pub(crate) fn Welcome() -> impl IntoView {
    let store = expect_context::<Store>();
    let words = words();
    let queue = move || store.facts.with(|facts| facts.queue);
    let line = memo(move || store.status.with(|status| status.line.clone()));
    let head = move || {
        if store.is_lost() {
            return say!(words, "welcome-lost");
        }
        line.with(|line| match line {
            Some(line) if format::starts_at_once(line) => say!(words, "welcome-free"),
            Some(_) if !queue() => say!(words, "welcome-taken"),
            Some(_) => say!(words, "welcome-line"),
            None => say!(words, "welcome"),
        })
    };
    let sentence = move || {
        if store.is_lost() {
            return Some(say!(words, "welcome-kept"));
        }
        line.with(|line| line.as_ref().map(|line| format::line(words, line, queue())))
    };
    // Questions that show what there is to see. The demo model can answer each.
    let starters = [
        say!(words, "starter-line"),
        say!(words, "starter-settings"),
        say!(words, "starter-markdown"),
    ];
    let starters = starters
        .into_iter()
        .map(|question| {
            let asked = question.clone();
            view! {
                <li>
                    <button
                        class="starter"
                        type="button"
                        on:click=move |_| sending::send(store, &store.fresh.get_untracked(), asked.clone(), Vec::new())
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
