//! The stats tab: the limits, the last quarter of an hour, the server itself, the settings in force.

use std::sync::Arc;

use anteroom::{
    language::Words,
    say, text,
    wire::{Event, LimitRow, Percentiles, RefreshKind, Sample, StatsView},
};
use leptos::prelude::*;

use super::{
    refreshing::{Freshness, keep_fresh},
    settings::Settings,
};
use crate::{
    components::chart::{Chart, MINUTES, Series},
    erase::{Erase as _, Look as _, choose, each, live, memo},
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
            <Charts view />
            <Settings view />
        }
        .erase()
    };
    let none = move || view! { <p class="quiet">{text!(words, "stats-asking")}</p> }.erase();
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

type View = Signal<Option<Arc<StatsView>>>;

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
            {tile(text!(words, "tile-uptime"), |words, view| format::duration(words, view.uptime))}
            {tile(text!(words, "tile-version"), |_, view| view.version.clone())}
        </dl>
    }
    .erase()
}

fn pair(words: &Words, percentiles: Option<&Percentiles>) -> String {
    percentiles.map_or_else(
        || "–".to_owned(),
        |both| {
            format!(
                "{} / {}",
                format::duration(words, both.p50),
                format::duration(words, both.p95)
            )
        },
    )
}

/// A row a limit. Each row keeps its node; only figures change.
#[component]
fn Limits(view: View) -> impl IntoView {
    let words = words();
    let names = memo(move || {
        view.look(|view| {
            view.as_deref()
                .map(|view| view.limits.iter().map(|row| row.line.name.clone()).collect::<Vec<_>>())
                .unwrap_or_default()
        })
    });
    let row = move |name: String| {
        let of = {
            let name = name.clone();
            memo(move || {
                view.look(|view| {
                    view.as_deref()
                        .and_then(|view| view.limits.iter().find(|row| row.line.name == name).cloned())
                })
            })
        };
        let cell = move |label: &'static str, read: fn(&Words, &LimitRow) -> String| {
            let figure = move || of.look(|row| row.as_ref().map(|row| read(words, row)));
            view! { <td data-label=label>{live(figure)}</td> }
        };
        let hook = name.clone();
        let events = move || {
            of.look(|row| {
                let line = &row.as_ref()?.line;
                let events: Vec<_> = line.events.iter().map(|event| event.name()).collect();
                // A limit of one event has its name already.
                (events != [line.name.as_str()]).then(|| events.join(", "))
            })
        };
        let share = move || {
            of.look(|row| {
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
            of.look(|row| {
                row.as_ref().map(|row| match row.line.limit {
                    Some(limit) => say!(words, "limits-of", running = row.line.running, limit = limit),
                    None => say!(words, "limits-no-limit", running = row.line.running),
                })
            })
        };
        view! {
            <tr data-testid="stats-row" data-limit=hook>
                <th scope="row">
                    {name}
                    <small>{live(events)}</small>
                </th>
                <td data-label=text!(words, "limits-running") class="running-cell">
                    {live(running)}
                    <svg class="share" viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true">
                        <rect class="share-all" width="100" height="4" />
                        <rect class="share-busy" width=live(share) height="4" />
                    </svg>
                </td>
                {cell(text!(words, "limits-waiting"), |words, row| words.number(row.line.waiting))}
                {cell(text!(words, "limits-longest"), |words, row| {
                    row.longest_wait.map_or_else(|| "–".to_owned(), |wait| format::duration(words, wait))
                })}
                {cell(text!(words, "limits-wait"), |words, row| pair(words, row.wait.as_ref()))}
                {cell(text!(words, "limits-service"), |words, row| pair(words, row.service.as_ref()))}
                {cell(text!(words, "limits-done"), |words, row| words.number(row.done))}
                {cell(text!(words, "limits-failed"), |words, row| words.number(row.failed))}
                {cell(text!(words, "limits-refused"), |words, row| words.number(row.refused))}
                {cell(text!(words, "limits-cancelled"), |words, row| words.number(row.cancelled))}
                {cell(text!(words, "limits-expired"), |words, row| words.number(row.expired))}
            </tr>
        }
        .erase()
    };
    view! {
        <section class="panel">
            <h2>{text!(words, "limits")}</h2>
            <div class="table-frame" tabindex="0" role="region" aria-label=text!(words, "limits")>
                <table class="limits">
                    <thead>
                        <tr>
                            <th scope="col">{text!(words, "limits-limit")}</th>
                            <th scope="col">{text!(words, "limits-running")}</th>
                            <th scope="col">{text!(words, "limits-waiting")}</th>
                            <th scope="col">{text!(words, "limits-longest")}</th>
                            <th scope="col">{text!(words, "limits-wait")}</th>
                            <th scope="col">{text!(words, "limits-service")}</th>
                            <th scope="col">{text!(words, "limits-done")}</th>
                            <th scope="col">{text!(words, "limits-failed")}</th>
                            <th scope="col">{text!(words, "limits-refused")}</th>
                            <th scope="col">{text!(words, "limits-cancelled")}</th>
                            <th scope="col">{text!(words, "limits-expired")}</th>
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
    let words = words();
    let points = move |read: &dyn Fn(&Sample) -> Option<f64>| {
        view.look(|view| {
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
                name: text!(words, "chart-running"),
                class: "accent",
                points: points(&|sample| Some(count(sample.running.iter().sum()))),
            },
            Series {
                name: text!(words, "chart-waiting"),
                class: "ink",
                points: points(&|sample| Some(count(sample.waiting.iter().sum()))),
            },
        ]
    });
    let done = Signal::derive(move || {
        vec![Series {
            name: text!(words, "chart-ended"),
            class: "ink",
            points: points(&|sample| Some(count(sample.done))),
        }]
    });
    let sessions = Signal::derive(move || {
        vec![Series {
            name: text!(words, "chart-sessions"),
            class: "ink",
            points: points(&|sample| Some(count(sample.sessions))),
        }]
    });
    let memory = Signal::derive(move || {
        vec![Series {
            name: text!(words, "chart-memory"),
            class: "ink",
            points: points(&|sample| sample.memory.map(count)),
        }]
    });
    view! {
        <section class="panel">
            <h2>{say!(words, "charts", minutes = MINUTES)}</h2>
            <div class="charts">
                <Chart title=text!(words, "chart-lines") series=line unit=whole />
                <Chart title=text!(words, "chart-done") series=done unit=whole />
                <Chart title=text!(words, "tile-sessions") series=sessions unit=whole />
                <Chart title=text!(words, "tile-memory") series=memory unit=|words, value| words.size(format::whole(value)) />
            </div>
        </section>
    }
    .erase()
}

#[expect(clippy::cast_precision_loss, reason = "a point of a chart")]
const fn count(value: u64) -> f64 {
    value as f64
}

fn whole(words: &Words, value: f64) -> String {
    words.number(format::whole(value))
}
