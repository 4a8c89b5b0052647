//! The figures in Prometheus' text format, version 0.0.4.

use std::{borrow::Cow, fmt::Display, time::Duration};

use super::{
    Gauges,
    figures::{Durations, Figures},
};
use crate::wire::Event;

/// The MIME type of the text.
pub(crate) const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

pub(super) fn text(gauges: &Gauges, events: &[(Event, Figures)], uptime: Duration) -> String {
    let mut text = Text::default();
    let limits = || gauges.lines.iter().map(|line| (label("limit", &line.name), line));

    text.head("anteroom_running", "gauge", "Slots in use.");
    limits().for_each(|(label, line)| text.line("anteroom_running", &label, line.running));
    text.head("anteroom_waiting", "gauge", "Tickets that wait.");
    limits().for_each(|(label, line)| text.line("anteroom_waiting", &label, line.waiting));
    text.head("anteroom_limit", "gauge", "Slots there are; +Inf is unlimited.");
    limits().for_each(|(label, line)| match line.limit {
        Some(limit) => text.line("anteroom_limit", &label, limit),
        None => text.line("anteroom_limit", &label, "+Inf"),
    });
    text.head(
        "anteroom_longest_wait_seconds",
        "gauge",
        "How long the longest-waiting ticket has waited.",
    );
    limits().for_each(|(label, line)| {
        text.line(
            "anteroom_longest_wait_seconds",
            &label,
            line.longest_wait.unwrap_or_default().as_secs_f64(),
        );
    });

    text.head(
        "anteroom_tickets_total",
        "counter",
        "Tickets that ended, by event and how they ended.",
    );
    for (event, figures) in events {
        let outcomes = [
            ("done", figures.done),
            ("failed", figures.failed),
            ("refused", figures.refused),
            ("cancelled", figures.cancelled),
            ("expired", figures.expired),
        ];
        for (outcome, count) in outcomes {
            let labels = format!("{},{}", label("event", event.name()), label("outcome", outcome));
            text.line("anteroom_tickets_total", &labels, count);
        }
    }
    text.head("anteroom_wait_seconds", "summary", "Waits of the tickets that started.");
    events
        .iter()
        .for_each(|(event, figures)| text.summary("anteroom_wait_seconds", *event, &figures.waits));
    text.head("anteroom_service_seconds", "summary", "How long slots were held.");
    events
        .iter()
        .for_each(|(event, figures)| text.summary("anteroom_service_seconds", *event, &figures.services));

    text.head("anteroom_sessions", "gauge", "Sessions in memory.");
    text.line("anteroom_sessions", "", gauges.sessions);
    text.head("anteroom_connected", "gauge", "Browsers connected to a feed.");
    text.line("anteroom_connected", "", gauges.connected);
    text.head("anteroom_uptime_seconds", "gauge", "How long this server has run.");
    text.line("anteroom_uptime_seconds", "", uptime.as_secs_f64());
    text.head("anteroom_build_info", "gauge", "Always 1; the version is its label.");
    text.line("anteroom_build_info", &label("version", env!("CARGO_PKG_VERSION")), 1);
    if let Some(memory) = gauges.memory {
        // The name that Prometheus' own libraries use, so that ready-made dashboards find it.
        text.head("process_resident_memory_bytes", "gauge", "Resident memory.");
        text.line("process_resident_memory_bytes", "", memory);
    }
    text.0
}

/// `name="value"`, escaped as the format wants it.
fn label(name: &str, value: &str) -> String {
    let value: Cow<'_, str> = if value.contains(['\\', '"', '\n']) {
        value
            .replace('\\', r"\\")
            .replace('"', r#"\""#)
            .replace('\n', r"\n")
            .into()
    } else {
        value.into()
    };
    format!("{name}=\"{value}\"")
}

#[derive(Default)]
struct Text(String);

impl Text {
    fn head(&mut self, name: &str, kind: &str, help: &str) {
        self.0
            .push_str(&format!("# HELP {name} {help}\n# TYPE {name} {kind}\n"));
    }

    fn line(&mut self, name: &str, labels: &str, value: impl Display) {
        let labels = if labels.is_empty() {
            String::new()
        } else {
            format!("{{{labels}}}")
        };
        self.0.push_str(&format!("{name}{labels} {value}\n"));
    }

    fn summary(&mut self, name: &str, event: Event, durations: &Durations) {
        let event = label("event", event.name());
        for quantile in [0.5, 0.95, 0.99] {
            if let Some(value) = durations.quantile(quantile) {
                self.line(name, &format!("{event},quantile=\"{quantile}\""), value);
            }
        }
        self.line(&format!("{name}_sum"), &event, durations.sum().as_secs_f64());
        self.line(&format!("{name}_count"), &event, durations.count());
    }
}
