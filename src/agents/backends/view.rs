//! What can be seen of back ends and models: for pages, and for figures.

use std::time::Duration;

use tokio::time::Instant;

use super::{
    Backends,
    breaker::Gate,
    directory::{Directory, Pool},
    lock,
    meter::{Consumption, Durations, Spread},
};
use crate::{
    agents::Door,
    queue::{BackendIndex, Outage, PoolIndex},
    settings::ModelName,
    wire::Reason,
};

/// A model that people may choose.
#[derive(Clone, Debug, PartialEq)]
pub struct Offered {
    /// Its id.
    pub name: ModelName,
    /// What people read in place of the id.
    pub title: Option<String>,
    /// The pool of the queue that its tickets are for.
    pub pool: PoolIndex,
    /// Whether it reads pictures, where anybody says so. `true` if all of its back ends do, for any of them may get the question.
    pub vision: Option<bool>,
    /// Longest conversation with its answer, in tokens, where anybody says so. That of the back end with the shortest.
    pub context: Option<u64>,
}

/// How a back end is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health {
    /// It takes tickets.
    Ready,
    /// It has said that it takes no more for now, and is left alone for so long.
    Cooling(Duration),
    /// It has failed, and is left alone for so long.
    Open(Duration),
    /// Another node has found it out of service, and is the one that knows for how long.
    Elsewhere(Outage),
    /// It has failed; one ticket is to show, or is about to, whether it works again.
    HalfOpen,
    /// It finishes what it runs, and gets no more.
    Draining,
}

/// The figures of one back end, since the start.
#[derive(Clone, Debug, PartialEq)]
pub struct BackendFigures {
    /// Its place in the queue's policy, where there is what it runs, and its limit.
    pub index: BackendIndex,
    /// Its name.
    pub name: String,
    /// The place of its models.
    pub place: String,
    /// How it is.
    pub health: Health,
    /// What last went wrong, if nothing good has come since.
    pub trouble: Option<Reason>,
    /// What the operator has to mend, by the name of the fault, if nothing good has come since.
    pub misfit: Option<&'static str>,
    /// Requests under way.
    pub running: usize,
    /// Whether its limit is found out while it runs.
    pub auto: bool,
    /// Answers that came to their end.
    pub answers: u64,
    /// Requests that failed here and were made again, here or elsewhere.
    pub retries: u64,
    /// Requests that failed, by the name of the fault.
    pub faults: Vec<(&'static str, u64)>,
    /// Seconds from the request to the first part of the answer, of the latest answers.
    pub first_part: Option<Spread>,
    /// The same of all answers.
    pub first_parts: Durations,
    /// Tokens a second, of the latest answers.
    pub speed: Option<Spread>,
}

/// The figures of one model, since the start.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelFigures {
    /// The model.
    pub name: ModelName,
    /// What it has read and written, at what cost.
    pub consumption: Consumption,
}

/// All figures.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Figures {
    /// Each back end that there is, in the order of the settings.
    pub backends: Vec<BackendFigures>,
    /// Each model that is offered or has answered.
    pub models: Vec<ModelFigures>,
}

impl Backends {
    /// The models that people may choose, the default first.
    #[must_use]
    pub fn models(&self) -> Vec<Offered> {
        let directory = self.directory();
        let pools = directory
            .offered
            .iter()
            .filter_map(|at| Some((*at, directory.pool(*at)?)));
        pools.map(|(at, pool)| directory.offer_of(at, pool)).collect()
    }

    /// The model that is offered under this id, or, where only one place has it, under this name alone; `None`: there is none.
    #[must_use]
    pub fn find(&self, called: &str) -> Option<(ModelName, PoolIndex)> {
        let directory = self.directory();
        let offered = || {
            let pools = directory.offered.iter();
            pools.filter_map(|at| Some((&directory.pool(*at)?.settings.name, *at)))
        };
        let is_id = |model: &ModelName| {
            let rest = called.strip_prefix(model.name.as_str());
            rest.and_then(|rest| rest.strip_prefix('@')) == Some(model.place.as_str())
        };
        let by_id = offered().find(|(model, _)| is_id(model));
        let by_name = || {
            let mut all = offered().filter(|(model, _)| model.name == called);
            all.next().filter(|_| all.next().is_none())
        };
        by_id.or_else(by_name).map(|(model, at)| (model.clone(), at))
    }

    /// Whether every back end of a pool takes the requests of programs as they are.
    #[must_use]
    pub fn all_relay(&self, pool: PoolIndex, door: Door) -> bool {
        let directory = self.directory();
        directory.backends_of_pool(pool).all(|backend| backend.relays(door))
    }

    /// Whether OpenAI's own servers are all that has this model.
    #[must_use]
    pub fn is_openais_own(&self, pool: PoolIndex) -> bool {
        let directory = self.directory();
        let mut backends = directory.backends_of_pool(pool).peekable();
        backends.peek().is_some() && backends.all(|backend| backend.is_openais_own())
    }

    /// Whether a back end takes the requests of programs as they are.
    #[must_use]
    pub fn relays(&self, backend: BackendIndex, door: Door) -> bool {
        let directory = self.directory();
        directory.backend(backend).is_some_and(|backend| backend.relays(door))
    }

    /// The name of a back end, as the log and the figures have it; `None`: it is gone.
    #[must_use]
    pub fn name_of(&self, backend: BackendIndex) -> Option<String> {
        let directory = self.directory();
        directory.backend(backend).map(|backend| backend.settings.name.clone())
    }

    /// The back end of this name, as a conversation remembers it; `None`: it is gone.
    #[must_use]
    pub fn named(&self, name: &str) -> Option<BackendIndex> {
        let directory = self.directory();
        let mut backends = directory.backends();
        backends
            .find(|backend| backend.settings.name == name)
            .map(|backend| backend.index)
    }

    /// All figures.
    #[must_use]
    pub fn figures(&self) -> Figures {
        let directory = self.directory();
        let now = Instant::now();
        let backends = directory.catalog.backends.iter().filter_map(|settings| {
            let backend = directory
                .backends()
                .find(|backend| backend.settings.name == settings.name)?;
            let known = lock(&backend.known);
            let health = match known.breaker.gate(now) {
                _ if settings.drain => Health::Draining,
                Gate::Free => Health::Ready,
                Gate::Probe | Gate::Probing => Health::HalfOpen,
                Gate::Elsewhere => known.out_elsewhere().map_or(Health::HalfOpen, Health::Elsewhere),
                Gate::Shut { until, cools: true } => Health::Cooling(until - now),
                Gate::Shut { until, cools: false } => Health::Open(until - now),
            };
            Some(BackendFigures {
                index: backend.index,
                name: settings.name.clone(),
                place: settings.pool.clone(),
                health,
                trouble: known.trouble.clone(),
                misfit: known.misfit,
                running: known.running,
                auto: backend.is_auto(),
                answers: known.meter.answers,
                retries: known.meter.retries,
                faults: known.meter.faults.iter().map(|(kind, count)| (*kind, *count)).collect(),
                first_part: known.meter.first(),
                first_parts: known.meter.firsts,
                speed: known.meter.speed(),
            })
        });
        let models = directory.pools().iter().filter_map(|pool| {
            let consumption = lock(&pool.known).consumption;
            (pool.offered || consumption.answers > 0).then(|| ModelFigures {
                name: pool.settings.name.clone(),
                consumption,
            })
        });
        Figures {
            backends: backends.collect(),
            models: models.collect(),
        }
    }
}

impl Directory {
    fn offer_of(&self, at: PoolIndex, pool: &Pool) -> Offered {
        let backends: Vec<_> = pool
            .backends
            .iter()
            .filter_map(|backend| self.backend(*backend))
            .collect();
        let name = &pool.settings.name;
        let titles = || backends.iter().find_map(|backend| backend.listed(&name.name)?.title);
        Offered {
            name: name.clone(),
            title: pool.settings.title.clone().or_else(titles),
            pool: at,
            vision: self.sees(at),
            context: backends.iter().filter_map(|backend| Self::context(pool, backend)).min(),
        }
    }
}
