//! The stats tab: the limits, the back ends, the nodes, the charts, the server itself, the settings in force.

use std::sync::Arc;

use anteroom::{
    language::Words,
    say, text,
    wire::{Event, LimitRow, RefreshKind, StatsView},
};
use leptos::prelude::*;

use super::{
    backends::Backends,
    nodes::Nodes,
    refreshing::{Freshness, keep_fresh},
    settings::Settings,
    table::{Row, durations, none, slots, table},
    tasks::Tasks,
    tools::Tools,
};
use crate::{
    components::charts::Charts,
    erase::{Erase as _, Look as _, choose, live, memo},
    feed::Store,
    format,
    route::Page,
    words::words,
};

/// The stats tab.
#[component]
pub(crate) fn StatsPage() -> impl IntoView {
    let store = expect_context::<Store>();
    let refresh = store.stats;
    let words = words();
    keep_fresh(store, RefreshKind::Stats, refresh);
    let here = memo(move || refresh.view.look(Option::is_some));
    let view = Signal::derive(move || refresh.view.get());
    let figures = move || {
        view! {
            <Tiles view />
            <Limits view />
            <Backends view />
            <Tasks view />
            <Nodes view />
            <Tools view />
            <Charts />
            <Settings view />
        }
        .erase()
    };
    let none = move || view! { <p class="quiet needs-awake">{text!(words, "stats-asking")}</p> }.erase();
    view! {
        <div class="page">
            <header class="page-head">
                <h1>{Page::Stats.name(words)}</h1>
                <Freshness event=Event::StatsRefresh refusal=refresh.refusal />
            </header>
            {choose(move || here.get(), figures, none)}
        </div>
    }
    .erase()
}

/// What the tab shows; `None`: nothing has come yet.
pub(super) type View = Signal<Option<Arc<StatsView>>>;

/// Figures of the server at a glance.
#[component]
fn Tiles(view: View) -> impl IntoView {
    let words = words();
    let tile = move |name: &'static str, read: fn(&Words, &StatsView) -> String| {
        let figure = move || view.look(|view| view.as_deref().map(|view| read(words, view)));
        view! {
            <div class="tile">
                <dt>{name}</dt>
                <dd>{live(figure)}</dd>
            </div>
        }
    };
    view! {
        <dl class="tiles">
            {tile(text!(words, "tile-model"), |_, view| view.model.clone())}
            {tile(text!(words, "tile-sessions"), |words, view| words.number(view.sessions))}
            {tile(text!(words, "tile-connected"), |words, view| words.number(view.connected))}
            {tile(text!(words, "tile-memory"), |words, view| {
                view.memory.map_or_else(|| say!(words, "unknown"), |bytes| words.size(bytes))
            })}
            {tile(text!(words, "tile-ratings"), |words, view| {
                format!("{} : {}", words.number(view.good), words.number(view.bad))
            })}
            {tile(text!(words, "tile-uptime"), |words, view| format::duration(words, view.uptime))}
            {tile(text!(words, "tile-version"), |_, view| view.version.clone())}
        </dl>
    }
    .erase()
}

/// A row a limit, and a row for each of its lines where they are several.
#[component]
fn Limits(view: View) -> impl IntoView {
    let words = words();
    let rows = move || {
        view.look(|view| {
            let rows = view.as_deref().map(|view| view.limits.as_slice()).unwrap_or_default();
            rows.iter().map(|row| limit(words, row)).collect()
        })
    };
    let heads = vec![
        text!(words, "limits-limit"),
        text!(words, "limits-running"),
        text!(words, "limits-waiting"),
        text!(words, "limits-longest"),
        text!(words, "limits-wait"),
        text!(words, "limits-service"),
        text!(words, "limits-done"),
        text!(words, "limits-failed"),
        text!(words, "limits-refused"),
        text!(words, "limits-cancelled"),
        text!(words, "limits-expired"),
    ];
    table(text!(words, "limits"), "stats-row", heads, rows)
}

fn limit(words: &Words, row: &LimitRow) -> Row {
    let (running, share) = slots(words, row.running, row.limit);
    let events: Vec<_> = row.events.iter().map(|event| event.name()).collect();
    let longest = row.longest_wait.map_or_else(none, |wait| format::duration(words, wait));
    let waiting = words.number(row.waiting);
    let waiting = match row.parked {
        0 => waiting,
        parked => say!(words, "limits-parked", waiting = waiting, parked = words.number(parked)),
    };
    let mut cells = vec![running, waiting, longest];
    match &row.counts {
        Some(counts) => {
            cells.push(durations(words, counts.wait.as_ref()));
            cells.push(durations(words, counts.service.as_ref()));
            let ends = [
                counts.done,
                counts.failed,
                counts.refused,
                counts.cancelled,
                counts.expired,
            ];
            cells.extend(ends.map(|count| words.number(count)));
        }
        None => cells.resize(10, none()),
    }
    Row {
        name: row.name.clone(),
        about: match &row.model {
            Some(model) => model.clone(),
            // A limit of one event has its name already.
            None if events == [row.name.as_str()] => String::new(),
            None => events.join(", "),
        },
        share,
        cells,
        ..Row::default()
    }
}
