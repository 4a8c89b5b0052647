//! What the stats tab shows: the limits, the back ends, the nodes, the charts, the server itself, the settings in force.

use anteroom::{
    language::Words,
    say, text,
    wire::{LimitRow, StatsView},
};
use leptos::prelude::*;

use super::{
    backends::backends,
    charts::charts,
    keys::keys,
    nodes::nodes,
    settings::settings,
    table::{Row, durations, none, slots, table},
    tasks::tasks,
    tools::tools,
};
use crate::{erase::Erase as _, format};

/// The figures.
pub(crate) fn stats(words: &'static Words, view: &StatsView) -> AnyView {
    view! {
        {tiles(words, view)}
        {limits(words, view)}
        {backends(words, view)}
        {tasks(words, view)}
        {keys(words, view)}
        {nodes(words, view)}
        {tools(words, view)}
        {charts(words)}
        {settings(words, view)}
    }
    .erase()
}

/// Figures of the server at a glance.
fn tiles(words: &'static Words, view: &StatsView) -> AnyView {
    let tile = |name: &'static str, figure: String| {
        view! {
            <div class="tile">
                <dt>{name}</dt>
                <dd>{figure}</dd>
            </div>
        }
    };
    let memory = view
        .memory
        .map_or_else(|| say!(words, "unknown"), |bytes| words.size(bytes));
    let ratings = format!("{} : {}", words.number(view.good), words.number(view.bad));
    view! {
        <dl class="tiles">
            {tile(text!(words, "tile-model"), view.model.clone())}
            {tile(text!(words, "tile-sessions"), words.number(view.sessions))}
            {tile(text!(words, "tile-connected"), words.number(view.connected))}
            {tile(text!(words, "tile-memory"), memory)} {tile(text!(words, "tile-ratings"), ratings)}
            {tile(text!(words, "tile-uptime"), format::duration(words, view.uptime))}
            {tile(text!(words, "tile-version"), view.version.clone())}
        </dl>
    }
    .erase()
}

/// A row a limit, and a row for each of its lines where they are several.
fn limits(words: &'static Words, view: &StatsView) -> AnyView {
    let heads = [
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
    let rows = view.limits.iter().map(|row| limit(words, row)).collect();
    table(text!(words, "limits"), "stats-row", &heads, rows)
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
