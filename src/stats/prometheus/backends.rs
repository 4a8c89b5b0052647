//! Back ends and models.

use std::fmt;

use prometheus_client::{
    encoding::{EncodeMetric, MetricEncoder, NoLabelSet},
    metrics::{MetricType, TypedMetric, counter::ConstCounter, gauge::ConstGauge},
    registry::Registry,
};

use super::{Ordered, gauge, ordered::Label, seconds, slots};
use crate::{
    agents::{BackendFigures, Durations},
    queue::BackendState,
    stats::{Gauges, backends::health},
    wire::Health,
};

/// Durations that a back end has counted, as a histogram.
#[derive(Debug)]
pub(super) struct Counted(pub(super) Durations);

impl EncodeMetric for Counted {
    fn encode(&self, mut encoder: MetricEncoder<'_>) -> fmt::Result {
        let buckets: Vec<_> = self.0.buckets().collect();
        let count = buckets.iter().map(|(_, count)| count).sum();
        encoder.encode_histogram::<NoLabelSet>(self.0.sum(), count, &buckets, None)
    }

    fn metric_type(&self) -> MetricType {
        Self::TYPE
    }
}

impl TypedMetric for Counted {
    const TYPE: MetricType = MetricType::Histogram;
}

/// Adds what is known of each back end and each model.
pub(super) fn register(registry: &mut Registry, gauges: &Gauges) {
    backends(registry, &gauges.backends);
    models(registry, gauges);
}

fn backends(registry: &mut Registry, all: &[(BackendFigures, BackendState)]) {
    let label = |of: &BackendFigures| ("backend", of.name.clone());
    let running: Ordered<_> = all
        .iter()
        .map(|(of, state)| (vec![label(of)], gauge(state.running as u64)))
        .collect();
    registry.register("backend_running", "Tickets that a back end has", running);
    let limits: Ordered<_> = all
        .iter()
        .map(|(of, state)| (vec![label(of)], slots(state.limit)))
        .collect();
    registry.register(
        "backend_limit",
        "Tickets that a back end may have now; infinite is unlimited",
        limits,
    );
    let states: Ordered<_> = all
        .iter()
        .flat_map(|(of, _)| {
            let (now, _) = health(of.health);
            Health::ALL.map(|state| {
                (
                    vec![label(of), ("state", state.name().to_owned())],
                    gauge(u64::from(state == now)),
                )
            })
        })
        .collect();
    registry.register("backend_state", "1 for the state that a back end is in", states);
    let counter = |count: fn(&BackendFigures) -> u64| -> Ordered<_> {
        all.iter()
            .map(|(of, _)| (vec![label(of)], ConstCounter::new(count(of))))
            .collect()
    };
    registry.register(
        "backend_answers",
        "Answers that came to their end",
        counter(|of| of.answers),
    );
    registry.register(
        "backend_retries",
        "Requests that failed and were made again, here or elsewhere",
        counter(|of| of.retries),
    );
    let faults: Ordered<_> = all
        .iter()
        .flat_map(|(of, _)| {
            let labels = |kind: &str| vec![label(of), ("kind", kind.to_owned())];
            of.faults
                .iter()
                .map(move |(kind, count)| (labels(kind), ConstCounter::new(*count)))
        })
        .collect();
    registry.register("backend_faults", "Requests that failed, by fault", faults);
    let firsts: Ordered<_> = all
        .iter()
        .map(|(of, _)| (vec![label(of)], Counted(of.first_parts)))
        .collect();
    seconds(
        registry,
        "backend_first_token",
        "From a request to the first part of its answer",
        firsts,
    );
    let speeds: Ordered<_> = all
        .iter()
        .filter_map(|(of, _)| Some((of, of.speed?)))
        .flat_map(|(of, speed)| {
            [("0.5", speed.p50), ("0.95", speed.p95)].map(|(quantile, tokens)| {
                let labels = vec![label(of), ("quantile", quantile.to_owned())];
                (labels, ConstGauge::new(tokens))
            })
        })
        .collect();
    registry.register(
        "backend_tokens_per_second",
        "Tokens a second of the latest answers",
        speeds,
    );
    let pauses: Ordered<_> = all
        .iter()
        .map(|(of, _)| {
            let (_, left) = health(of.health);
            (vec![label(of)], ConstGauge::new(left.unwrap_or_default()))
        })
        .collect();
    seconds(
        registry,
        "backend_left_alone",
        "How long a back end gets no tickets yet; 0 where it gets some, is tried or is another node's to tell",
        pauses,
    );
}

fn models(registry: &mut Registry, gauges: &Gauges) {
    let lines = gauges.lines.iter();
    let waiting: Ordered<_> = lines
        .filter_map(|line| Some((vec![("model", line.model.clone()?)], gauge(line.state.waiting as u64))))
        .collect();
    registry.register(
        "model_waiting",
        "Tickets that wait, of a model with a line of its own",
        waiting,
    );
    let label = |model: &crate::settings::ModelName| -> Label { ("model", model.to_string()) };
    let models = &gauges.models;
    let answers: Ordered<_> = models
        .iter()
        .map(|of| (vec![label(&of.name)], ConstCounter::new(of.consumption.answers)))
        .collect();
    registry.register("model_answers", "Answers that came to their end", answers);
    let tokens: Ordered<_> = models
        .iter()
        .flat_map(|of| {
            [("input", of.consumption.input), ("output", of.consumption.output)].map(|(direction, count)| {
                let labels = vec![label(&of.name), ("direction", direction.to_owned())];
                (labels, ConstCounter::new(count))
            })
        })
        .collect();
    registry.register("model_tokens", "Tokens read and written", tokens);
    let costs: Ordered<_> = models
        .iter()
        .filter_map(|of| Some((vec![label(&of.name)], ConstCounter::new(of.consumption.cost?))))
        .collect();
    registry.register(
        "model_cost",
        "What tokens have cost, in whatever the prices are counted",
        costs,
    );
}
