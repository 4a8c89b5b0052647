//! What the stats and the logs tab share: asking every other second while the page is in sight, through the line
//! like everybody else, and never while the last answer is still on its way.

use std::time::Duration;

use anteroom::wire::{Event, RefreshKind};
use leptos::{prelude::*, task::spawn_local};

use crate::{
    api, browser,
    erase::{effect, live},
    feed::{Link, Refresh, Store},
    format,
};

const EVERY: Duration = Duration::from_secs(2);

/// Keeps a view fresh for as long as the calling component lives.
pub(crate) fn keep_fresh<T: Send + Sync + 'static>(store: Store, kind: RefreshKind, refresh: Refresh<T>) {
    let ask = move || {
        // The answer comes over the feed: without it there is nobody to hear it.
        if refresh.pending.get_untracked() || !browser::visible() || store.link.get_untracked() != Link::Live {
            return;
        }
        refresh.pending.set(true);
        spawn_local(async move {
            if let Err(error) = api::refresh(kind).await {
                store.refuse(kind, error.0);
            }
        });
    };
    effect(move || {
        if store.link.get() == Link::Live {
            ask();
        }
    });
    effect(move || {
        let every = set_interval_with_handle(ask, EVERY);
        on_cleanup(move || {
            if let Ok(every) = every {
                every.clear();
            }
        });
    });
}

/// How fresh the view is: in line, refused, or quietly up to date.
#[component]
pub(crate) fn Freshness(
    /// The event of the refresh.
    event: Event,
    /// Why the last one did not come.
    refusal: RwSignal<Option<String>>,
) -> impl IntoView {
    let store = expect_context::<Store>();
    let text = move || {
        let place = store.first_place(event);
        match (place, refusal.get()) {
            (Some(place), _) => format!("Your refresh is {} in line", format::ordinal(place.position)),
            (None, Some(refusal)) => refusal,
            (None, None) if store.link.get() == Link::Live => "Refreshed every 2 s".to_owned(),
            (None, None) => String::new(),
        }
    };
    view! {
        <p class="freshness" class:bad=live(move || refusal.with(Option::is_some)) data-testid="freshness">
            {live(text)}
        </p>
    }
}
