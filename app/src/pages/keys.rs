//! How many keys of programs there are, on the stats tab, and the way to them.

use anteroom::{language::Words, say, text, wire::StatsView};
use leptos::prelude::*;

use crate::{erase::Erase as _, server::program_keys};

/// For the operator.
pub(super) fn keys(words: &'static Words, view: &StatsView) -> Option<AnyView> {
    let lead = |count| {
        view! {
            <section class="panel" data-testid="program-keys-panel">
                <h2>{text!(words, "program-keys")}</h2>
                <p>{say!(words, "program-keys-valid", count = count)}</p>
                <p>
                    <a class="button" href=program_keys::PAGE data-testid="program-keys-link">
                        {text!(words, "program-keys-lead")}
                    </a>
                </p>
            </section>
        }
        .erase()
    };
    view.keys.map(lead)
}
