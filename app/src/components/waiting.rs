//! A turn in the line: its place, its time, the line drawn, and the way out.

use anteroom::wire::TurnId;
use leptos::prelude::*;

use super::{
    composer,
    line::{Line, Scale},
};
use crate::{
    browser,
    erase::{Erase as _, live, memo},
    feed::{Store, sending},
    format,
};

/// What a waiting turn shows.
#[component]
pub(crate) fn Waiting(turn: TurnId) -> impl IntoView {
    let store = expect_context::<Store>();
    // What was known of the place before the connection was lost, is not to be relied on.
    let place = memo(move || store.place(turn).filter(|_| !store.is_lost()));
    let position = move || place.with(|place| place.as_ref().map(|place| place.position.to_string()));
    let rank = move || {
        if store.is_lost() {
            return "In line".to_owned();
        }
        place.with(|place| {
            place
                .as_ref()
                .map_or_else(|| "Joining the line".to_owned(), format::rank)
        })
    };
    let time = move || {
        if store.is_lost() {
            return Some(" · where is shown again once this page is connected".to_owned());
        }
        place.with(|place| {
            place
                .as_ref()
                .map(|place| format!(" · {}", format::estimate(place.estimate.as_ref())))
        })
    };
    let leaving = RwSignal::new(false);
    let leave = move |_| {
        leaving.set(true);
        sending::cancel(store, turn);
        browser::focus(composer::ID);
    };
    view! {
        <section class="waiting" aria-label="Your place in the line">
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
                    "Cancel"
                </button>
            </div>
        </section>
    }
    .erase()
}
