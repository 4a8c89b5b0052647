//! What the reader of an answer should know of it.

use anteroom::{
    say, text,
    wire::{OwnKeyFault, PaperUnit, TurnNotice},
};
use leptos::prelude::*;

use crate::{
    erase::{Erase as _, Look as _, live},
    feed::{Store, Turn},
    route::OWN_KEYS,
    words::words,
};

/// The notices below an answer.
#[component]
pub(crate) fn TurnNotices(turn: Turn) -> impl IntoView {
    let store = expect_context::<Store>();
    let words = words();
    let one = move |notice: &TurnNotice| {
        let said = match notice {
            TurnNotice::Trimmed { turns } => say!(words, "turn-trimmed", turns = *turns),
            TurnNotice::Fallback { model } => say!(words, "turn-fallback", model = store.title(model)),
            TurnNotice::Excerpt { name, unit, read, of } => {
                let unit = match unit {
                    PaperUnit::Pages => "pages",
                    PaperUnit::Sheets => "sheets",
                    PaperUnit::Chapters => "chapters",
                    PaperUnit::Whole => "whole",
                };
                say!(words, "turn-excerpt", unit = unit, name = name, read = *read, of = *of)
            }
            TurnNotice::Pictures { name, taken, of } => {
                say!(words, "turn-pictures", taken = *taken, of = *of, name = name)
            }
            TurnNotice::Cached => text!(words, "turn-cached").to_owned(),
            TurnNotice::Shared => text!(words, "turn-shared").to_owned(),
            TurnNotice::KeyWanted { server, fault } => {
                say!(words, "turn-key", fault = *fault, server = server.as_str())
            }
            // Its receipt stands below.
            TurnNotice::Waited(_) => return None,
        };
        let mended = matches!(notice, TurnNotice::KeyWanted { fault, .. } if *fault != OwnKeyFault::Full);
        let way = mended.then(|| {
            view! { <a href=OWN_KEYS rel="external" data-testid="own-keys">{text!(words, "turn-key-give")}</a> }
        });
        Some(view! { <p class="turn-notice" data-testid="turn-notice">{said}{way}</p> }.erase())
    };
    live(move || {
        turn.view
            .look(|view| view.notices.iter().filter_map(one).collect_view())
            .erase()
    })
}
