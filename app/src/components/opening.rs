//! The moment in which a turn that has waited begins: for less than half a second, its place in the line stays to be seen while its mark
//! goes to its door.

use std::time::Duration;

use anteroom::wire::TurnState;
use leptos::prelude::*;

use super::line::{Line, Scale};
use crate::{
    browser,
    erase::{Erase as _, Look as _},
    feed::{Delivery, Store, Turn},
};

/// As long as the style's motion takes.
const LENGTH: Duration = Duration::from_millis(440);

/// Whether this turn is at that moment. Never for one that began at once, for a page that nobody sees, or where no motion is wanted.
pub(super) fn watch(turn: &Turn, state: Memo<TurnState>) -> RwSignal<bool> {
    let opening = RwSignal::new(false);
    let delivery = turn.delivery.clone();
    Effect::new(move |waited: Option<bool>| {
        let (waits, runs) = state.look(|state| (*state == TurnState::Waiting, *state == TurnState::Running));
        if waited == Some(true) && runs && browser::visible() && browser::moves() {
            opening.set(true);
            set_timeout(
                move || {
                    opening.try_set(false);
                },
                LENGTH,
            );
        }
        waits && delivery.look(|delivery| *delivery == Delivery::Accepted)
    });
    opening
}

/// What is shown meanwhile. Whoever cannot see it has been told already.
pub(super) fn view(turn: Turn) -> AnyView {
    let store = expect_context::<Store>();
    let id = turn.id;
    let line = store.line(move || turn.view.look(|view| view.model.clone()));
    view! {
        <section class="waiting opening" aria-hidden="true" data-testid="opening">
            <Line scale=Scale::Medium line turn=id opening=true />
        </section>
    }
    .erase()
}
