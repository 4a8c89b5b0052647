//! What the stats and the logs tab share: asking every other second while the page is in sight, through the line
//! like everybody else, and never while the last answer is still on its way.

use std::time::Duration;

use anteroom::{
    say,
    wire::{Event, Reason, RefreshKind},
};
use leptos::{prelude::*, task::spawn_local};

use crate::{
    api, browser,
    erase::{Look as _, effect, every, live},
    feed::{Link, Store},
    words::words,
};

const EVERY: Duration = Duration::from_secs(2);

/// Keeps a view fresh for as long as the calling component lives.
pub(crate) fn keep_fresh(store: Store, kind: RefreshKind) {
    let refresh = store.refresh(kind);
    let ask = move || {
        // The answer comes over the feed: without it there is nobody to hear it.
        if refresh.pending.get_untracked() || !browser::visible() || store.link.get_untracked() != Link::Live {
            return;
        }
        refresh.pending.set(true);
        spawn_local(async move {
            if let Err(error) = api::refresh(kind).await {
                refresh.refused(error.reason);
            }
        });
    };
    effect(move || {
        if store.link.get() == Link::Live {
            ask();
        }
    });
    effect(move || every(EVERY, ask));
}

/// How fresh the view is: in line, refused, or quietly up to date.
#[component]
pub(crate) fn Freshness(
    /// The event of the refresh.
    event: Event,
    /// Why the last one did not come.
    refusal: RwSignal<Option<Reason>>,
) -> impl IntoView {
    let words = words();
    let store = expect_context::<Store>();
    let text = move || {
        let place = store.first_place(event);
        match (place, refusal.get()) {
            (Some(place), _) => {
                let kind = words.ordinal(place.position);
                say!(words, "refresh-waiting", number = place.position, kind = kind)
            }
            (None, Some(refusal)) => words.reason(&refusal),
            (None, None) if store.link.get() == Link::Live => say!(words, "refresh-every", seconds = EVERY.as_secs()),
            (None, None) => String::new(),
        }
    };
    view! {
        <p class="freshness" class:bad=live(move || refusal.look(Option::is_some)) data-testid="freshness">
            {live(text)}
        </p>
    }
}
