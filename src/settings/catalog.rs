//! Who can answer: the models that people may choose, and the back ends that have them.

use std::fmt;

use super::{Provider, Secret, kinds::DEMO};
use crate::queue::Balance;

/// Every model that is offered, and every back end.
#[derive(Clone, Debug, PartialEq)]
pub struct Catalog {
    /// In the order of the settings; no two have the same name.
    pub backends: Vec<BackendSettings>,
    /// Those that are offered, the default first. Each has a back end, unless that is to be asked for its models still.
    pub models: Vec<ModelSettings>,
    /// The places whose servers are asked which models they have, and all of theirs are offered.
    pub asked: Vec<String>,
    /// What the operator says of models, offered or not: one may be found by asking, or be the fallback.
    pub described: Vec<ModelSettings>,
    /// The model that a new conversation starts with.
    pub default: ModelName,
    /// The model that answers where the chosen one cannot.
    pub fallback: Option<ModelName>,
    /// Which back end a ticket gets, of those that are free.
    pub balance: Balance,
}

impl Catalog {
    /// The back ends that have this model, with their places in [`Catalog::backends`]. All of them stand in for each other.
    pub fn pool(&self, model: &ModelName) -> impl Iterator<Item = (usize, &BackendSettings)> {
        let backends = self.backends.iter().enumerate();
        backends.filter(|(_, backend)| backend.pool == model.place && backend.has(&model.name))
    }

    /// What is known of this model, whether it is offered or not.
    #[must_use]
    pub fn about(&self, model: &ModelName) -> ModelSettings {
        let known = self.described.iter().find(|known| known.name == *model);
        known.cloned().unwrap_or_else(|| ModelSettings::new(model.clone()))
    }

    /// How many requests all back ends take at once; `None` where that is no number, or not known yet.
    #[must_use]
    pub fn slots(&self) -> Option<usize> {
        self.backends
            .iter()
            .map(|backend| Option::<usize>::from(backend.limit))
            .sum()
    }
}

/// A model as people choose it: `name@place`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ModelName {
    /// What its servers call it, letter for letter.
    pub name: String,
    /// A provider, or a pool of the file of back ends.
    pub place: String,
}

impl ModelName {
    /// The model of an id as [`Display`](fmt::Display) writes it; `None`: that is no id.
    #[must_use]
    pub fn of_id(id: &str) -> Option<Self> {
        let (name, place) = id.rsplit_once('@')?;
        Some(Self {
            name: name.to_owned(),
            place: place.to_owned(),
        })
    }
}

impl fmt::Display for ModelName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.name, self.place)
    }
}

/// One model that is offered.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelSettings {
    /// Its id.
    pub name: ModelName,
    /// What people read in place of the id.
    pub title: Option<String>,
    /// Longest conversation with its answer, in tokens.
    pub context: Option<u64>,
    /// What a million tokens of questions cost, in whatever money the operator counts in.
    pub input_price: Option<f64>,
    /// What a million tokens of answers cost.
    pub output_price: Option<f64>,
}

impl ModelSettings {
    /// A model of which nothing but its name is known.
    #[must_use]
    pub const fn new(name: ModelName) -> Self {
        Self {
            name,
            title: None,
            context: None,
            input_price: None,
            output_price: None,
        }
    }
}

/// One back end: where a provider's format is spoken, what it has, and how much of it at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackendSettings {
    /// Known to the log, the stats and the metrics by it.
    pub name: String,
    /// The place of its models.
    pub pool: String,
    /// How it is spoken to.
    pub provider: Provider,
    /// Where it is, if not at the provider's own address.
    pub address: Option<String>,
    /// What to name in a message to the operator: a variable, or a file and a name in it.
    pub origin: String,
    /// Its key.
    pub key: Option<Secret>,
    /// The models that it has; `None`: any.
    pub models: Option<Vec<String>>,
    /// How many requests it takes at once.
    pub limit: BackendLimit,
    /// How much of the work it gets where back ends are weighed; at least 1.
    pub weight: u32,
    /// Whether it reads pictures, where the operator says so.
    pub vision: Option<bool>,
    /// Whether it calls tools, where the operator says so.
    pub tools: Option<bool>,
    /// Longest conversation with its answer, in tokens.
    pub context: Option<u64>,
    /// It finishes what it runs, and gets no more.
    pub drain: bool,
}

impl BackendSettings {
    /// Whether it has a model of this name.
    #[must_use]
    pub fn has(&self, model: &str) -> bool {
        match &self.models {
            Some(models) => models.iter().any(|own| own == model),
            None => self.provider != Provider::Builtin || model == DEMO,
        }
    }
}

/// How many requests a back end takes at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BackendLimit {
    /// So many; `None`: no limit of its own.
    Slots(Option<usize>),
    /// Found out while it runs.
    Auto,
}

/// `None` where it is no number, or not known yet.
impl From<BackendLimit> for Option<usize> {
    fn from(limit: BackendLimit) -> Self {
        match limit {
            BackendLimit::Slots(slots) => slots,
            BackendLimit::Auto => None,
        }
    }
}
