//! Why nothing starts for now, in words, and when it is tried again.

use std::time::Duration;

use anteroom::{say, wire::Trouble};
use leptos::prelude::*;

use crate::{
    browser,
    erase::{Erase as _, Look as _, effect, every, live},
    format,
    words::words,
};

/// The trouble as it is now; nothing where there is none. The seconds count down by themselves.
#[component]
pub(crate) fn TroubleNote(trouble: Memo<Option<Trouble>>) -> impl IntoView {
    let words = words();
    let told = move || trouble.look(|trouble| trouble.as_ref().and_then(|trouble| trouble.seconds));
    let left = RwSignal::new(untrack(told));
    effect(move || {
        let Some(seconds) = told() else {
            left.set(None);
            return;
        };
        let until = browser::now() + format::whole(seconds * 1000.0);
        let count = move || left.set(Some(format::seconds(until.saturating_sub(browser::now()))));
        count();
        every(Duration::from_secs(1), count);
    });
    let reason = move || trouble.look(|trouble| trouble.as_ref().map(|trouble| words.reason(&trouble.reason)));
    let again = move || {
        let left = format::whole(left.get()?.ceil());
        let how = if left == 0 { "now" } else { "later" };
        #[expect(clippy::cast_precision_loss, reason = "a few seconds")]
        Some(say!(
            words,
            "trouble-again",
            how = how,
            time = format::duration(words, left as f64)
        ))
    };
    view! {
        <p class="trouble" data-testid="trouble">
            <span role="status">{live(reason)}</span>
            " "
            <span class="trouble-again">{live(again)}</span>
        </p>
    }
    .erase()
}
