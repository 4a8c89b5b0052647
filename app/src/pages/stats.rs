//! The stats tab: the limits, the last quarter of an hour, the house, the settings in force.

use std::sync::Arc;

use anteroom::wire::{Event, LimitRow, Percentiles, RefreshKind, Sample, StatsView};
use leptos::prelude::*;

use super::{
    refreshing::{Freshness, keep_fresh},
    settings::Settings,
};
use crate::{
    components::chart::{Chart, Series},
    erase::{Erase as _, choose, each, live, memo},
    feed::Store,
    format,
};

/// The stats tab.
#[component]
pub(crate) fn StatsPage() -> impl IntoView {
    let store = expect_context::<Store>();
    let refresh = store.stats;
    keep_fresh(store, RefreshKind::Stats, refresh);
    let here = memo(move || refresh.view.with(Option::is_some));
    let view = Signal::derive(move || refresh.view.get());
    let figures = move || {
        view! {
            <Tiles view />
            <Limits view />
            <Charts view />
            <Settings view />
        }
        .erase()
    };
    let none = || view! { <p class="quiet">"Asking for the figures…"</p> }.erase();
    view! {
        <div class="page">
            <header class="page-head">
                <h1>"Stats"</h1>
                <Freshness event=Event::StatsRefresh refusal=refresh.refusal />
            </header>
            {choose(move || here.get(), figures, none)}
        </div>
    }
    .erase()
}

type View = Signal<Option<Arc<StatsView>>>;

/// A figure of the house at a glance.
#[component]
fn Tiles(view: View) -> impl IntoView {
    let tile = move |name: &'static str, read: fn(&StatsView) -> String| {
        let figure = move || view.with(|view| view.as_deref().map(read));
        view! {
            <div class="tile">
                <dt>{name}</dt>
                <dd>{live(figure)}</dd>
            </div>
        }
    };
    view! {
        <dl class="tiles">
            {tile("Model", |view| view.model.clone())}
            {tile("Sessions", |view| view.sessions.to_string())}
            {tile("Connected", |view| view.connected.to_string())}
            {tile("Memory", |view| view.memory.map_or_else(|| "unknown".to_owned(), format::size))}
            {tile("Uptime", |view| format::duration(view.uptime))}
            {tile("Version", |view| view.version.clone())}
        </dl>
    }
    .erase()
}

fn pair(percentiles: Option<&Percentiles>) -> String {
    percentiles.map_or_else(
        || "–".to_owned(),
        |both| format!("{} / {}", format::duration(both.p50), format::duration(both.p95)),
    )
}

/// A row a limit. Each row keeps its node; only figures change.
#[component]
fn Limits(view: View) -> impl IntoView {
    let names = memo(move || {
        view.with(|view| {
            view.as_deref()
                .map(|view| view.limits.iter().map(|row| row.line.name.clone()).collect::<Vec<_>>())
                .unwrap_or_default()
        })
    });
    let row = move |name: String| {
        let of = {
            let name = name.clone();
            memo(move || {
                view.with(|view| {
                    view.as_deref()
                        .and_then(|view| view.limits.iter().find(|row| row.line.name == name).cloned())
                })
            })
        };
        let cell = move |label: &'static str, read: fn(&LimitRow) -> String| {
            let figure = move || of.with(|row| row.as_ref().map(read));
            view! { <td data-label=label>{live(figure)}</td> }
        };
        let hook = name.clone();
        let events = move || {
            of.with(|row| {
                let line = &row.as_ref()?.line;
                let events: Vec<_> = line.events.iter().map(|event| event.name()).collect();
                // A limit of one event has its name already.
                (events != [line.name.as_str()]).then(|| events.join(", "))
            })
        };
        let share = move || {
            of.with(|row| {
                row.as_ref().map(|row| {
                    #[expect(clippy::cast_precision_loss, reason = "a share of a bar")]
                    let share = row
                        .line
                        .limit
                        .map_or(0.0, |limit| row.line.running as f64 / limit.max(1) as f64);
                    format::whole(share.min(1.0) * 100.0).to_string()
                })
            })
        };
        let running = move || {
            of.with(|row| {
                row.as_ref().map(|row| match row.line.limit {
                    Some(limit) => format!("{} of {limit}", row.line.running),
                    None => format!("{} · no limit", row.line.running),
                })
            })
        };
        view! {
            <tr data-testid="stats-row" data-limit=hook>
                <th scope="row">
                    {name}
                    <small>{live(events)}</small>
                </th>
                <td data-label="Running" class="running-cell">
                    {live(running)}
                    <svg class="share" viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true">
                        <rect class="share-all" width="100" height="4" />
                        <rect class="share-busy" width=live(share) height="4" />
                    </svg>
                </td>
                {cell("Waiting", |row| row.line.waiting.to_string())}
                {cell("Longest wait", |row| row.longest_wait.map_or_else(|| "–".to_owned(), format::duration))}
                {cell("Wait p50 / p95", |row| pair(row.wait.as_ref()))}
                {cell("Service p50 / p95", |row| pair(row.service.as_ref()))}
                {cell("Done", |row| row.done.to_string())}
                {cell("Failed", |row| row.failed.to_string())}
                {cell("Refused", |row| row.refused.to_string())}
                {cell("Cancelled", |row| row.cancelled.to_string())}
                {cell("Expired", |row| row.expired.to_string())}
            </tr>
        }
        .erase()
    };
    view! {
        <section class="panel">
            <h2>"Limits"</h2>
            <div class="table-frame" tabindex="0" role="region" aria-label="Limits">
                <table class="limits">
                    <thead>
                        <tr>
                            <th scope="col">"Limit"</th>
                            <th scope="col">"Running"</th>
                            <th scope="col">"Waiting"</th>
                            <th scope="col">"Longest wait"</th>
                            <th scope="col">"Wait p50 / p95"</th>
                            <th scope="col">"Service p50 / p95"</th>
                            <th scope="col">"Done"</th>
                            <th scope="col">"Failed"</th>
                            <th scope="col">"Refused"</th>
                            <th scope="col">"Cancelled"</th>
                            <th scope="col">"Expired"</th>
                        </tr>
                    </thead>
                    <tbody>
                        {each(move || names.get(), Clone::clone, row)}
                    </tbody>
                </table>
            </div>
        </section>
    }
    .erase()
}

/// The last 15 minutes.
#[component]
fn Charts(view: View) -> impl IntoView {
    let points = move |read: &dyn Fn(&Sample) -> Option<f64>| {
        view.with(|view| {
            let samples = view.as_deref().map(|view| view.samples.as_slice()).unwrap_or_default();
            samples
                .iter()
                .filter_map(|sample| read(sample).map(|value| (sample.ago, value)))
                .collect::<Vec<_>>()
        })
    };
    let line = Signal::derive(move || {
        vec![
            Series {
                name: "running",
                class: "accent",
                points: points(&|sample| Some(count(sample.running.iter().sum()))),
            },
            Series {
                name: "waiting",
                class: "ink",
                points: points(&|sample| Some(count(sample.waiting.iter().sum()))),
            },
        ]
    });
    let done = Signal::derive(move || {
        vec![Series {
            name: "turns ended",
            class: "ink",
            points: points(&|sample| Some(count(sample.done))),
        }]
    });
    let sessions = Signal::derive(move || {
        vec![Series {
            name: "sessions",
            class: "ink",
            points: points(&|sample| Some(count(sample.sessions))),
        }]
    });
    let memory = Signal::derive(move || {
        vec![Series {
            name: "memory",
            class: "ink",
            points: points(&|sample| sample.memory.map(|bytes| count(bytes) / MEGABYTE)),
        }]
    });
    view! {
        <section class="panel">
            <h2>"The last 15 minutes"</h2>
            <div class="charts">
                <Chart title="The lines" series=line unit=whole />
                <Chart title="Done" series=done unit=whole />
                <Chart title="Sessions" series=sessions unit=whole />
                <Chart title="Memory" series=memory unit=|value| format!("{} MB", whole(value)) />
            </div>
        </section>
    }
    .erase()
}

const MEGABYTE: f64 = 1024.0 * 1024.0;

#[expect(clippy::cast_precision_loss, reason = "a point of a chart")]
const fn count(value: u64) -> f64 {
    value as f64
}

fn whole(value: f64) -> String {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "made of whole figures"
    )]
    let value = value.round().max(0.0) as u64;
    value.to_string()
}
