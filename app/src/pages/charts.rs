//! The frame of the charts on the stats tab: `public/tabs.js` asks for those of a span (`server/charts/` draws them) and says what is
//! pointed at.

use anteroom::{language::Words, say, text, wire::Span};
use leptos::prelude::*;

use crate::erase::Erase as _;

/// The spans to choose from, and the place of the charts. What has `data-own` is the script's from the first time on.
pub(super) fn charts(words: &'static Words) -> AnyView {
    let choice = |span: Span| {
        view! {
            <button
                class="span"
                type="button"
                data-testid="span"
                data-span=span.name()
                aria-pressed=if span == Span::Quarter { "true" } else { "false" }
            >
                {say!(words, "charts-span", span = span.name())}
            </button>
        }
    };
    view! {
        <section class="panel">
            <div class="charts-head">
                <h2>{text!(words, "charts")}</h2>
                <div class="spans" role="group" aria-label=text!(words, "charts-spans") data-own="">
                    {Span::ALL.map(choice).collect_view()}
                </div>
            </div>
            <p class="bad" role="status" data-own=""></p>
            <div class="charts" data-testid="charts" data-own=""></div>
        </section>
    }
    .erase()
}
