//! A turn in the line: its place, its time, the line drawn, and the way out.

use anteroom::{
    language::Words,
    say, text,
    wire::{LineView, Place, Reason},
};
use leptos::prelude::*;

use super::{
    anchors,
    button::button,
    call::CallButtons,
    choice::another,
    line::{Line, Scale},
    trouble::TroubleNote,
};
use crate::{
    browser,
    erase::{Erase as _, Look as _, live, memo, when},
    feed::{Store, Turn, delivery},
    format,
    remaining::{self, Promise},
    words::words,
};

/// What is to be said of the time: what is left of the estimate, that it has been overrun, or why there is none.
fn time(store: Store, words: &Words, place: &Place, line: Option<&LineView>, late: bool) -> String {
    let Some(estimate) = &place.estimate else {
        return match line {
            // Where nothing may start, there is nothing to be learnt.
            Some(line) if line.limit != Some(0) => match line.usual {
                None => say!(words, "waiting-unmeasured"),
                Some(_) => say!(words, "waiting-little-measured"),
            },
            _ => format::estimate(words, None),
        };
    };
    let left = remaining::after(estimate, store.clock.elapsed());
    let left = format::estimate(words, Some(&left));
    if late {
        say!(words, "waiting-late", time = left)
    } else {
        left
    }
}

/// What a waiting turn shows.
#[component]
pub(crate) fn Waiting(turn: Turn) -> impl IntoView {
    let store = expect_context::<Store>();
    let id = turn.id;
    let words = words();
    // What was known of the place before the connection was lost, is not to be relied on.
    let place = memo(move || store.place(id).filter(|_| !store.is_lost()));
    let position = move || place.look(|place| place.as_ref().map(|place| place.position.to_string()));
    let trouble = memo(move || place.look(|place| place.as_ref()?.trouble.clone()));
    let rank = move || {
        if store.is_lost() {
            return say!(words, "waiting-lost");
        }
        place.look(|place| {
            place
                .as_ref()
                .map_or_else(|| say!(words, "waiting-joining"), |place| format::rank(words, place))
        })
    };
    // Another model may be chosen while it waits: then it waits in that one's line.
    let view = turn.view;
    let model = memo(move || view.look(|view| view.model.clone()));
    let first = model.get_untracked();
    let line = store.line(move || model.get());
    #[expect(clippy::cast_precision_loss, reason = "milliseconds since 1970 fit")]
    let promise = Memo::new(move |before: Option<&Option<Promise>>| {
        let told = store.clock.told() as f64;
        place.look(|place| {
            let place = place.as_ref()?;
            let before = before.and_then(Option::as_ref);
            Some(Promise::renewed(before, place.position, place.estimate.as_ref()?, told))
        })
    });
    #[expect(clippy::cast_precision_loss, reason = "milliseconds since 1970 fit")]
    let late = move || {
        promise
            .get()
            .is_some_and(|promise| promise.is_broken(store.clock.now() as f64))
    };
    let said = move || {
        if store.is_lost() {
            return Some(say!(words, "waiting-unknown"));
        }
        if trouble.look(Option::is_some) {
            return None;
        }
        place.look(|place| {
            let place = place.as_ref()?;
            Some(line.look(|line| time(store, words, place, line.as_ref(), late())))
        })
    };
    let whose = move || {
        let model = model.get();
        let title = store.title(&model);
        match (model == first, store.has_choice()) {
            (true, false) => None,
            (true, true) => Some(title),
            (false, _) => Some(say!(words, "waiting-moved", model = title)),
        }
    };
    let gone = move || {
        trouble.look(|trouble| matches!(trouble.as_ref().map(|one| &one.reason), Some(Reason::ModelGone { .. })))
    };
    // Whoever is next has nothing to ask.
    let why = move || {
        let further = place.look(|place| place.as_ref().is_some_and(|place| place.position > 1));
        further.then(|| match store.facts.look(|facts| facts.fair) {
            true => text!(words, "why-fair"),
            false => text!(words, "why-fifo"),
        })
    };
    let leaving = RwSignal::new(false);
    let leave = move || {
        leaving.set(true);
        // What could not be asked for, can be asked for again.
        delivery::cancel_or(store, id, move || {
            let _gone = leaving.try_set(false);
        });
        browser::focus(anchors::COMPOSER);
    };
    view! {
        <section class="waiting" aria-label=text!(words, "waiting")>
            <p class="waiting-model" role="status" data-testid="waiting-model">{live(whose)}</p>
            <Line scale=Scale::Medium line turn=id />
            <div class="waiting-words">
                <p class="position" data-testid="position" data-position=live(position)>
                    <strong>{live(rank)}</strong>
                    <span class="position-time">{live(said)}</span>
                </p>
                <div class="actions">
                    {when(gone, another)}
                    {button("button", "cancel", "", text!(words, "cancel"))
                        .disabled(live(move || leaving.get()))
                        .press(leave)}
                </div>
            </div>
            <p class="waiting-why" data-testid="why">{live(why)}</p>
            <CallButtons />
            {when(move || trouble.look(Option::is_some), move || view! { <TroubleNote trouble /> }.erase())}
        </section>
    }
    .erase()
}
