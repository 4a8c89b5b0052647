//! The start page of a conversation that has not begun.

use anteroom::{language::Words, say, text, wire::LineView};
use leptos::prelude::*;

use super::{
    button::button,
    line::{Line, Scale},
};
use crate::{
    erase::{Erase as _, Look as _, live},
    feed::{Shown, Store, sending},
    format,
    words::words,
};

/// Where the demo model is: the end of its id.
const DEMO: &str = "@builtin";

/// Welcomes, shows the line, and offers a beginning.
#[component]
pub(crate) fn Welcome() -> impl IntoView {
    let store = expect_context::<Store>();
    let words = words();
    let queue = move || store.facts.look(|facts| facts.queue);
    let shown = expect_context::<Shown>();
    let line = shown.line;
    let head = move || {
        if store.is_lost() {
            return text!(words, "welcome-lost");
        }
        line.look(|line| match line {
            Some(line) if format::starts_at_once(line) => text!(words, "welcome-free"),
            Some(line) if line.trouble.is_some() => text!(words, "welcome"),
            Some(_) if !queue() => text!(words, "welcome-taken"),
            Some(_) => text!(words, "welcome-line"),
            None => text!(words, "welcome"),
        })
    };
    let sentence = move || {
        if store.is_lost() {
            return Some(say!(words, "welcome-kept"));
        }
        if store.has_choice() {
            return Some(models(store, words));
        }
        line.look(|line| line.as_ref().map(|line| format::line(words, line, queue())))
    };
    let demo = move || shown.model.look(|model| model.ends_with(DEMO));
    // What the operator has put there; else, of the demo model, questions that show what there is to see and that it can answer. To any other model
    // they would be strange.
    let starters = move || {
        let own = store.facts.look(|facts| facts.starters.clone());
        let all = match own.is_empty() && demo() {
            true => [
                text!(words, "starter-line"),
                text!(words, "starter-settings"),
                text!(words, "starter-markdown"),
            ]
            .map(str::to_owned)
            .to_vec(),
            false => own,
        };
        let one = |question: String| {
            let text = question.clone().into_any();
            let ask = move || sending::send(store, &store.fresh.get_untracked(), question.clone(), Vec::new());
            view! { <li>{button("starter", "starter", "", "").more(text).press(ask)}</li> }.erase()
        };
        all.into_iter().map(one).collect_view().erase()
    };
    view! {
        <div class="welcome">
            <Line scale=Scale::Large line />
            // With room for the longest that it may say: the style has that stand there unseen.
            <h1 class="welcome-head" data-longest=text!(words, "welcome-line")>
                <span>{live(head)}</span>
            </h1>
            <p class="welcome-line">{live(sentence)}</p>
            <ul class="starters needs-awake" dir="auto">{live(starters)}</ul>
        </div>
    }
    .erase()
}

/// Most models that are told of one by one; the picker has them all.
const MOST: usize = 4;

/// The lines of the models: `Large: 3 wait, about 1 min · Small: free`.
fn models(store: Store, words: &Words) -> String {
    let queue = store.facts.look(|facts| facts.queue);
    let each = |line: &LineView| {
        let model = store.title(line.model.as_deref()?);
        Some(say!(
            words,
            "model-and-line",
            model = model,
            line = format::short(words, &store.counted_down(line), queue)
        ))
    };
    let told: Vec<String> = store
        .status
        .look(|status| status.lines.iter().filter_map(each).take(MOST).collect());
    told.join(" · ")
}
