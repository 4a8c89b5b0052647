//! Back ends and models, in the words of the wire.

use crate::{
    accounts::Role,
    agents::{self, BackendFigures, ModelFigures, Spread},
    queue::BackendState,
    wire::{BackendRow, Health, ModelRow, Percentiles},
};

/// How a back end is, and how long it is left alone, in whole seconds, where that is known here.
pub(super) fn health(health: agents::Health) -> (Health, Option<f64>) {
    // The last second counts until it is over.
    let whole = |left: std::time::Duration| Some(left.as_secs_f64().ceil());
    match health {
        agents::Health::Ready => (Health::Ready, None),
        agents::Health::Cooling(left) => (Health::Cooling, whole(left)),
        agents::Health::Open(left) => (Health::Out, whole(left)),
        agents::Health::Elsewhere(outage) if outage.cools() => (Health::Cooling, None),
        agents::Health::Elsewhere(_) => (Health::Out, None),
        agents::Health::HalfOpen => (Health::Trying, None),
        agents::Health::Draining => (Health::Draining, None),
    }
}

fn percentiles(spread: Spread) -> Percentiles {
    Percentiles {
        p50: spread.p50,
        p95: spread.p95,
    }
}

/// A back end. What has to be mended is told to whoever can do it.
pub(super) fn row(of: &BackendFigures, state: BackendState, role: Role) -> BackendRow {
    let (health, seconds) = health(of.health);
    BackendRow {
        name: of.name.clone(),
        place: of.place.clone(),
        health,
        seconds,
        outage: match of.health {
            agents::Health::Elsewhere(outage) => Some(outage.name().to_owned()),
            _ => None,
        },
        running: state.running as u64,
        limit: state.limit.map(|limit| limit as u64),
        auto: of.auto,
        first_part: of.first_part.map(percentiles),
        speed: of.speed.map(percentiles),
        answers: of.answers,
        retries: of.retries,
        faults: of
            .faults
            .iter()
            .map(|(kind, count)| ((*kind).to_owned(), *count))
            .collect(),
        misfit: match role {
            Role::Operator => of.misfit.map(str::to_owned),
            Role::Visitor => None,
        },
    }
}

/// A model.
pub(super) fn model(of: &ModelFigures) -> ModelRow {
    ModelRow {
        model: of.name.to_string(),
        answers: of.consumption.answers,
        input: of.consumption.input,
        output: of.consumption.output,
        cost: of.consumption.cost,
    }
}
