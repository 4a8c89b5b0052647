//! A turn in the line: its place, its time, the line drawn, and the way out.

use anteroom::{say, text, wire::Reason};
use leptos::prelude::*;

use super::{
    anchors,
    button::button,
    choice::another,
    line::{Line, Scale},
    trouble::TroubleNote,
};
use crate::{
    browser,
    erase::{Erase as _, Look as _, live, memo, when},
    feed::{Store, Turn, delivery},
    format,
    words::words,
};

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
    let time = move || {
        if store.is_lost() {
            return Some(say!(words, "waiting-unknown"));
        }
        if trouble.look(Option::is_some) {
            return None;
        }
        place.look(|place| {
            place
                .as_ref()
                .map(|place| format::estimate(words, place.estimate.as_ref()))
        })
    };
    // Another model may be chosen while it waits: then it waits in that one's line.
    let view = turn.view;
    let model = memo(move || view.look(|view| view.model.clone()));
    let first = model.get_untracked();
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
    let leaving = RwSignal::new(false);
    let leave = move || {
        leaving.set(true);
        delivery::cancel(store, id);
        browser::focus(anchors::COMPOSER);
    };
    view! {
        <section class="waiting" aria-label=text!(words, "waiting")>
            <p class="waiting-model" role="status" data-testid="waiting-model">{live(whose)}</p>
            <Line scale=Scale::Medium line=store.line(move || model.get()) />
            <div class="waiting-words">
                <p class="position" data-testid="position" data-position=live(position)>
                    <strong>{live(rank)}</strong>
                    <span class="position-time">{live(time)}</span>
                </p>
                <div class="actions">
                    {when(gone, another)}
                    {button("button", "cancel", "", text!(words, "cancel"))
                        .disabled(live(move || leaving.get()))
                        .press(leave)}
                </div>
            </div>
            {when(move || trouble.look(Option::is_some), move || view! { <TroubleNote trouble /> }.erase())}
        </section>
    }
    .erase()
}
