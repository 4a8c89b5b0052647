//! The charts of the stats tab. The server draws them; here is which span is asked for, and what is pointed at.

use std::time::Duration;

use anteroom::{
    say, text,
    wire::{Reason, Span},
};
use leptos::{ev, html, prelude::*, task::spawn_local};
use wasm_bindgen::JsCast;
use web_sys::{EventTarget, HtmlElement, HtmlInputElement};

use crate::{
    api, browser,
    erase::{Erase as _, effect, every, live},
    feed::{Link, Store},
    format::{decimal, whole},
    words::words,
};

/// Between two looks.
const EVERY: Duration = Duration::from_secs(5);

/// All charts, and the spans to choose from.
#[component]
pub(crate) fn Charts() -> impl IntoView {
    let store = expect_context::<Store>();
    let words = words();
    let span = RwSignal::new(Span::Quarter);
    let drawn = RwSignal::new(String::new());
    let refusal = RwSignal::new(None::<Reason>);
    let place = NodeRef::<html::Div>::new();
    let ask = move |anyway: bool| {
        // What somebody points at stays as it is.
        let read = || {
            let place = place.get_untracked();
            place.is_some_and(|place| place.matches(":hover, :focus-within").unwrap_or(false))
        };
        if !browser::visible() || store.link.get_untracked() != Link::Live || (!anyway && read()) {
            return;
        }
        let asked = span.get_untracked();
        spawn_local(async move {
            let answer = api::charts(asked, browser::ahead_of_utc()).await;
            // Another span may have been chosen, or another page.
            if span.try_get_untracked() != Some(asked) {
                return;
            }
            refusal.set(answer.as_ref().err().map(|error| error.reason.clone()));
            if let Ok(html) = answer {
                drawn.set(html);
            }
        });
    };
    effect(move || {
        span.track();
        if store.link.get() == Link::Live {
            ask(true);
        }
    });
    effect(move || every(EVERY, move || ask(false)));
    let choice = |one: Span| {
        view! {
            <button
                class="span"
                type="button"
                data-testid="span"
                aria-pressed=live(move || if span.get() == one { "true" } else { "false" })
                on:click=move |_| span.set(one)
            >
                {say!(words, "charts-span", span = one.name())}
            </button>
        }
        .erase()
    };
    let pointed = move |event: ev::MouseEvent| {
        show(event.target(), Some(event.client_x()));
    };
    let moved = move |event: ev::Event| {
        show(event.target(), None);
    };
    view! {
        <section class="panel">
            <div class="charts-head">
                <h2>{text!(words, "charts")}</h2>
                <div class="spans" role="group" aria-label=text!(words, "charts-spans")>
                    {Span::ALL.map(choice).collect_view()}
                </div>
            </div>
            <p class="bad" role="status">{live(move || refusal.get().map(|reason| words.reason(&reason)))}</p>
            <div
                class="charts"
                data-testid="charts"
                node_ref=place
                on:mousemove=pointed
                on:input=moved
                inner_html=live(move || drawn.get())
            ></div>
        </section>
    }
    .erase()
}

/// Says the value at which a chart's slider stands, after it was put below the pointer, if there is one.
#[expect(clippy::cast_precision_loss, reason = "a handful of points")]
fn show(target: Option<EventTarget>, pointer: Option<i32>) -> Option<()> {
    let slider = target?.dyn_into::<HtmlInputElement>().ok()?;
    let values = slider.get_attribute("data-values")?;
    let count = values.split('|').count() as f64;
    if let Some(x) = pointer {
        let frame = slider.get_bounding_client_rect();
        let share = (f64::from(x) - frame.left()) / frame.width().max(1.0);
        let at = (share * count - 0.5).clamp(0.0, count - 1.0);
        slider.set_value(&whole(at).to_string());
    }
    let at: usize = slider.value().parse().ok()?;
    let value = values.split('|').nth(at)?;
    let _ = slider.set_attribute("aria-valuetext", value);
    let chart = slider.closest(".chart").ok()??;
    chart
        .query_selector(".chart-value")
        .ok()??
        .set_text_content(Some(value));
    let cursor = chart.query_selector(".chart-cursor").ok()??;
    let left = format!("{}%", decimal((at as f64 + 0.5) / count * 100.0));
    let _ = cursor
        .dyn_into::<HtmlElement>()
        .ok()?
        .style()
        .set_property("left", &left);
    Some(())
}
