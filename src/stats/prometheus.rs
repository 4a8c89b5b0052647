//! The figures as Prometheus reads them, in OpenMetrics' text format. What is a distribution is a histogram: those of several servers
//! can be added up, which quantiles cannot. No label names a person or a session.

use std::{sync::atomic::AtomicU64, time::Duration};

use prometheus_client::{
    encoding::text::{encode_eof, encode_registry},
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram, info::Info},
    registry::{Metric, Registry, Unit},
};

use super::{Gauges, figures::Outcomes};
use crate::{agents::AnswerFigures, queue::LineState, wire::Event};

/// The MIME type of the text.
pub(crate) const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Upper bounds of the histograms' buckets, in seconds: from what nobody notices to the longest that somebody may wait or be answered.
const BUCKETS: [f64; 16] = [
    0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 900.0, 3600.0,
];

/// One label, and its value.
type Label = [(&'static str, String); 1];
/// A number that need not be whole.
type Fraction = Gauge<f64, AtomicU64>;

/// Durations by event.
#[derive(Debug)]
pub(super) struct Durations {
    family: Family<Label, Histogram, fn() -> Histogram>,
    /// The same, in the order of [`Event::ALL`]: what records one looks for no label.
    events: [Histogram; Event::ALL.len()],
}

impl Default for Durations {
    fn default() -> Self {
        let family = Family::new_with_constructor((|| Histogram::new(BUCKETS)) as fn() -> Histogram);
        let events = Event::ALL.map(|event| family.get_or_create_owned(&of(event)));
        Self { family, events }
    }
}

impl Durations {
    /// Counts one; nothing for an event that there is none of.
    pub(super) fn record(&self, event: usize, duration: Duration) {
        if let Some(histogram) = self.events.get(event) {
            histogram.observe(duration.as_secs_f64());
        }
    }
}

fn of(event: Event) -> Label {
    [("event", event.name().to_owned())]
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
    lines(&mut registry, &gauges.lines);
    registry.register(
        "tickets",
        "Tickets that ended, by event and how they ended",
        tickets(events),
    );
    seconds(
        &mut registry,
        "wait",
        "Waits of the tickets that started",
        waits.family.clone(),
    );
    seconds(
        &mut registry,
        "service",
        "How long slots were held",
        services.family.clone(),
    );

    answers(&mut registry, gauges.answers);
    registry.register("sessions", "Sessions in memory", gauge(gauges.sessions));
    registry.register("connected", "Browsers connected to a feed", gauge(gauges.connected));
    let up = Fraction::default();
    up.set(uptime.as_secs_f64());
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

/// What each limit is doing.
fn lines(registry: &mut Registry, lines: &[LineState]) {
    let (running, waiting) = (Family::<Label, Gauge>::default(), Family::<Label, Gauge>::default());
    let (limit, longest) = (
        Family::<Label, Fraction>::default(),
        Family::<Label, Fraction>::default(),
    );
    for line in lines {
        let label = [("limit", line.name.clone())];
        running.get_or_create(&label).set(whole(line.running as u64));
        waiting.get_or_create(&label).set(whole(line.waiting as u64));
        let slots = line.limit.map_or(f64::INFINITY, |limit| limit as f64);
        limit.get_or_create(&label).set(slots);
        let waited = line.longest_wait.unwrap_or_default();
        longest.get_or_create(&label).set(waited.as_secs_f64());
    }
    registry.register("running", "Slots in use", running);
    registry.register("waiting", "Tickets that wait", waiting);
    registry.register("limit", "Slots there are; infinite is unlimited", limit);
    seconds(
        registry,
        "longest_wait",
        "How long the longest-waiting ticket has waited",
        longest,
    );
}

/// The answers that are kept, and what came of looking for them.
fn answers(registry: &mut Registry, figures: AnswerFigures) {
    let looks = Family::<[(&'static str, &'static str); 1], Counter>::default();
    for (found, count) in [("hit", figures.hits), ("miss", figures.misses)] {
        looks.get_or_create(&[("found", found)]).inc_by(count);
    }
    registry.register(
        "answer_cache_questions",
        "Questions that a kept answer was looked for, and whether there was one",
        looks,
    );
    registry.register("answer_cache_entries", "Answers that are kept", gauge(figures.entries));
    let bytes = gauge(figures.bytes);
    registry.register_with_unit(
        "answer_cache",
        "Memory of the answers that are kept",
        Unit::Bytes,
        bytes,
    );
}

fn tickets(events: &[(Event, Outcomes)]) -> Family<[(&'static str, &'static str); 2], Counter> {
    let tickets = Family::<_, Counter>::default();
    for (event, outcomes) in events {
        for (outcome, count) in outcomes {
            let labels = [("event", event.name()), ("outcome", outcome)];
            tickets.get_or_create(&labels).inc_by(*count);
        }
    }
    tickets
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
