//! The figures as Prometheus reads them, in OpenMetrics' text format. What is a distribution is a histogram: those of several servers
//! can be added up, which quantiles cannot. No label names a person or a session.

mod backends;
mod nodes;
mod ordered;
mod tasks;
mod tools;

use std::time::Duration;

use prometheus_client::{
    encoding::text::{encode_eof, encode_registry},
    metrics::{
        counter::ConstCounter,
        gauge::{ConstGauge, Gauge},
        histogram::Histogram,
        info::Info,
    },
    registry::{Metric, Registry, Unit},
};

use self::ordered::Ordered;
use super::{Gauges, figures::Outcomes};
use crate::{agents::AnswerFigures, wire::Event};

/// The MIME type of the text.
pub(crate) const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Upper bounds of the histograms' buckets, in seconds: from what nobody notices to the longest that somebody may wait or be answered.
const BUCKETS: [f64; 16] = [
    0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 900.0, 3600.0,
];

/// Durations by event, in the order of [`Event::ALL`].
#[derive(Debug)]
pub(super) struct Durations([Histogram; Event::ALL.len()]);

impl Default for Durations {
    fn default() -> Self {
        Self(std::array::from_fn(|_| Histogram::new(BUCKETS)))
    }
}

impl Durations {
    /// Counts one; nothing for an event that there is none of.
    pub(super) fn record(&self, event: usize, duration: Duration) {
        if let Some(histogram) = self.0.get(event) {
            histogram.observe(duration.as_secs_f64());
        }
    }

    fn by_event(&self) -> Ordered<Histogram> {
        let all = Event::ALL.into_iter().zip(&self.0);
        all.map(|(event, histogram)| (vec![("event", event.name().to_owned())], histogram.clone()))
            .collect()
    }
}

/// The whole text.
pub(super) fn text(
    gauges: &Gauges,
    events: &[(Event, Outcomes)],
    waits: &Durations,
    services: &Durations,
    uptime: Duration,
) -> String {
    let mut registry = Registry::with_prefix("anteroom");
    limits(&mut registry, gauges);
    registry.register(
        "tickets",
        "Tickets that ended, by event and how they ended",
        tickets(events),
    );
    seconds(
        &mut registry,
        "wait",
        "Waits of the tickets that started",
        waits.by_event(),
    );
    seconds(
        &mut registry,
        "service",
        "How long slots were held",
        services.by_event(),
    );
    backends::register(&mut registry, gauges);
    if let Some(all) = &gauges.nodes {
        nodes::register(&mut registry, all);
    }
    tasks::register(&mut registry, &gauges.tasks);
    tools::register(&mut registry, &gauges.tool_calls);
    answers(&mut registry, gauges.answers);
    let ratings = [("good", gauges.ratings.good), ("bad", gauges.ratings.bad)];
    let ratings: Ordered<_> = ratings
        .into_iter()
        .map(|(rating, count)| (vec![("rating", rating.to_owned())], ConstCounter::new(count)))
        .collect();
    registry.register("ratings", "What readers think of answers", ratings);
    registry.register("sessions", "Sessions in memory", gauge(gauges.sessions));
    registry.register("connected", "Browsers connected to a feed", gauge(gauges.connected));
    let up = ConstGauge::new(uptime.as_secs_f64());
    seconds(&mut registry, "uptime", "How long this server has run", up);
    let version = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
    registry.register("build", "The version is its label", version);

    let mut text = String::new();
    let mut written = encode_registry(&mut text, &registry);
    if let Some(memory) = gauges.memory {
        // The name that Prometheus' own libraries use, so that ready-made dashboards find it.
        let mut process = Registry::with_prefix("process");
        process.register_with_unit("resident_memory", "Resident memory", Unit::Bytes, gauge(memory));
        written = written.and_then(|()| encode_registry(&mut text, &process));
    }
    written
        .and_then(|()| encode_eof(&mut text))
        .expect("writing to a string cannot fail");
    text
}

/// What each limit is doing, all its lines together: what several of them have in common counts once.
fn limits(registry: &mut Registry, gauges: &Gauges) {
    let by_limit = || {
        let limits = gauges.limits.iter();
        limits.map(|limit| (vec![("limit", limit.name.clone())], limit))
    };
    let running: Ordered<_> = by_limit()
        .map(|(label, limit)| (label, gauge(limit.running as u64)))
        .collect();
    let waiting: Ordered<_> = by_limit()
        .map(|(label, limit)| (label, gauge(gauges.waiting(limit))))
        .collect();
    let parked: Ordered<_> = by_limit()
        .map(|(label, limit)| (label, gauge(limit.parked as u64)))
        .collect();
    let slots: Ordered<_> = by_limit().map(|(label, limit)| (label, slots(limit.limit))).collect();
    let longest: Ordered<_> = by_limit()
        .map(|(label, limit)| {
            let waited = gauges.longest_wait(limit).unwrap_or_default();
            (label, ConstGauge::new(waited.as_secs_f64()))
        })
        .collect();
    registry.register("running", "Slots in use", running);
    registry.register("waiting", "Tickets that wait", waiting);
    registry.register(
        "parked",
        "Tickets that have given their slot back for a while and are in no line",
        parked,
    );
    registry.register("limit", "Slots there are; infinite is unlimited", slots);
    seconds(
        registry,
        "longest_wait",
        "How long the longest-waiting ticket has waited",
        longest,
    );
}

/// The answers that are kept, and what came of looking for them.
fn answers(registry: &mut Registry, figures: AnswerFigures) {
    let looks = [("hit", figures.hits), ("miss", figures.misses)];
    let looks: Ordered<ConstCounter<u64>> = looks
        .into_iter()
        .map(|(found, count)| (vec![("found", found.to_owned())], ConstCounter::new(count)))
        .collect();
    registry.register(
        "answer_cache_questions",
        "Questions that a kept answer was looked for, and whether there was one",
        looks,
    );
    registry.register("answer_cache_entries", "Answers that are kept", gauge(figures.entries));
    registry.register_with_unit(
        "answer_cache",
        "Memory of the answers that are kept",
        Unit::Bytes,
        gauge(figures.bytes),
    );
}

fn tickets(events: &[(Event, Outcomes)]) -> Ordered<ConstCounter<u64>> {
    let all = events.iter().flat_map(|(event, outcomes)| {
        outcomes.iter().map(|(outcome, count)| {
            let labels = vec![("event", event.name().to_owned()), ("outcome", (*outcome).to_owned())];
            (labels, ConstCounter::new(*count))
        })
    });
    all.collect()
}

/// A number of slots, of which none may mean that there is no end of them.
fn slots(limit: Option<usize>) -> ConstGauge<f64> {
    ConstGauge::new(limit.map_or(f64::INFINITY, |limit| limit as f64))
}

fn seconds(registry: &mut Registry, name: &str, help: &str, metric: impl Metric) {
    registry.register_with_unit(name, help, Unit::Seconds, metric);
}

fn gauge(value: u64) -> Gauge {
    let gauge = Gauge::default();
    gauge.set(whole(value));
    gauge
}

fn whole(value: u64) -> i64 {
    value.try_into().unwrap_or(i64::MAX)
}
