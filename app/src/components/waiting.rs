//! A turn in the line: its place, its time, the line drawn, and the way out.

use anteroom::{say, text, wire::TurnId};
use leptos::prelude::*;

use super::{
    anchors,
    line::{Line, Scale},
};
use crate::{
    browser,
    erase::{Erase as _, live, memo},
    feed::{Store, delivery},
    format,
    words::words,
};

/// What a waiting turn shows.
#[component]
pub(crate) fn Waiting(turn: TurnId) -> impl IntoView {
    let store = expect_context::<Store>();
    let words = words();
    // What was known of the place before the connection was lost, is not to be relied on.
    let place = memo(move || store.place(turn).filter(|_| !store.is_lost()));
    let position = move || place.with(|place| place.as_ref().map(|place| place.position.to_string()));
    let rank = move || {
        if store.is_lost() {
            return say!(words, "waiting-lost");
        }
        place.with(|place| {
            place
                .as_ref()
                .map_or_else(|| say!(words, "waiting-joining"), |place| format::rank(words, place))
        })
    };
    let time = move || {
        if store.is_lost() {
            return Some(say!(words, "waiting-unknown"));
        }
        place.with(|place| {
            place
                .as_ref()
                .map(|place| format::estimate(words, place.estimate.as_ref()))
        })
    };
    let leaving = RwSignal::new(false);
    let leave = move |_| {
        leaving.set(true);
        delivery::cancel(store, turn);
        browser::focus(anchors::COMPOSER);
    };
    view! {
        <section class="waiting" aria-label=text!(words, "waiting")>
            <Line scale=Scale::Medium />
            <div class="waiting-words">
                <p class="position" data-testid="position" data-position=live(position)>
                    <strong>{live(rank)}</strong>
                    <span class="position-time">{live(time)}</span>
                </p>
                <button
                    class="button"
                    type="button"
                    data-testid="cancel"
                    disabled=live(move || leaving.get())
                    on:click=leave
                >
                    {text!(words, "cancel")}
                </button>
            </div>
        </section>
    }
    .erase()
}
