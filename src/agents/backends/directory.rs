//! Names become places: of back ends, and of pools. A name keeps its place while the process runs.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
};

use super::{Bounds, known::Known, lock, meter::Consumption, tokens::Tokens};
use crate::{
    agents::{
        Door, FactoryError,
        providers::{Listed, Server},
    },
    queue::{BackendIndex, BackendPolicy, Policy, PoolIndex, PoolPolicy},
    settings::{BackendLimit, BackendSettings, Catalog, ModelName, ModelSettings, Provider},
};

/// Most models that get a place while the process runs: servers that are asked may have others each time.
const MOST_MODELS: usize = 4000;
/// What Ollama adds to the name of a model that is asked for without a tag.
const NO_TAG: &str = ":latest";

/// One back end, as the settings of now have it.
pub(super) struct Backend {
    pub(super) index: BackendIndex,
    pub(super) settings: BackendSettings,
    /// `None`: what answers is in this process.
    pub(super) server: Option<Arc<Server>>,
    pub(super) known: Arc<Mutex<Known>>,
}

impl Backend {
    pub(super) fn is_auto(&self) -> bool {
        self.settings.limit == BackendLimit::Auto
    }

    /// Whether the queue must not start anything there, because it has not heard yet how much that may be.
    pub(super) fn is_withheld(&self) -> bool {
        self.is_auto() && lock(&self.known).told.throttle.is_none()
    }

    /// Whether it is still the one that was asked.
    pub(super) fn is_same_server(&self, other: &Self) -> bool {
        match (&self.server, &other.server) {
            (Some(own), Some(others)) => Arc::ptr_eq(own, others),
            (own, others) => own.is_none() && others.is_none(),
        }
    }

    /// Whether it is reached in the same way as another one.
    fn is_at(&self, other: &BackendSettings) -> bool {
        let own = &self.settings;
        (own.provider, &own.address, &own.key, &own.origin)
            == (other.provider, &other.address, &other.key, &other.origin)
    }

    /// Whether it takes the requests of programs as they are.
    pub(super) fn relays(&self, door: Door) -> bool {
        self.server.as_ref().is_some_and(|server| server.has_door(door))
    }

    /// Whether OpenAI itself runs it.
    pub(super) fn is_openais_own(&self) -> bool {
        self.settings.provider == Provider::OpenAi && self.server.as_ref().is_some_and(|server| server.is_own())
    }

    /// What it has told of a model.
    pub(super) fn listed(&self, model: &str) -> Option<Listed> {
        let known = lock(&self.known);
        known
            .listed
            .as_ref()?
            .iter()
            .find(|listed| is_called(listed, model))
            .cloned()
    }
}

fn is_called(listed: &Listed, model: &str) -> bool {
    listed.name == model || listed.name.strip_suffix(NO_TAG) == Some(model)
}

/// What is known of one model while the process runs.
#[derive(Debug, Default)]
pub(super) struct ModelKnown {
    pub(super) tokens: Tokens,
    pub(super) consumption: Consumption,
}

/// One model, and the back ends that have it.
pub(super) struct Pool {
    pub(super) settings: ModelSettings,
    /// Whether people may choose it.
    pub(super) offered: bool,
    /// Those that take tickets.
    pub(super) backends: Vec<BackendIndex>,
    pub(super) known: Arc<Mutex<ModelKnown>>,
}

/// All back ends and pools, as the settings of now have them.
pub(super) struct Directory {
    pub(super) catalog: Arc<Catalog>,
    pub(super) bounds: Bounds,
    /// By [`BackendIndex`], with the name: one that is gone is `None`.
    backends: Vec<(String, Option<Arc<Backend>>)>,
    /// By [`PoolIndex`].
    pools: Vec<Pool>,
    /// The pools of the models that are offered, the default first.
    pub(super) offered: Vec<PoolIndex>,
}

impl Directory {
    /// Of a catalog, and of what there was before.
    pub(super) fn new(last: Option<&Self>, catalog: &Arc<Catalog>, bounds: Bounds) -> Result<Self, FactoryError> {
        let mut directory = Self {
            catalog: Arc::clone(catalog),
            bounds,
            backends: last.map_or_else(Vec::new, |last| {
                let names = last.backends.iter().map(|(name, _)| (name.clone(), None));
                names.collect()
            }),
            pools: last.map_or_else(Vec::new, |last| last.pools.iter().map(Pool::gone).collect()),
            offered: Vec::new(),
        };
        for settings in &catalog.backends {
            let at = directory.place_of(&settings.name);
            let before = last.and_then(|last| last.backends.get(at)?.1.as_deref());
            let server = match before {
                Some(before) if before.is_at(settings) => before.server.clone(),
                _ => Server::new(settings)?.map(Arc::new),
            };
            directory.backends[at].1 = Some(Arc::new(Backend {
                index: BackendIndex(index(at)),
                settings: settings.clone(),
                server,
                known: before.map(|before| Arc::clone(&before.known)).unwrap_or_default(),
            }));
        }
        directory.find_models();
        Ok(directory)
    }

    /// The same settings, with what servers have told since of their models.
    pub(super) fn with_models_found(&self) -> Result<Self, FactoryError> {
        Self::new(Some(self), &self.catalog, self.bounds)
    }

    /// Back ends that have become others are not judged by what those before them did. To be called once this directory is the one in
    /// force.
    pub(super) fn renew_changed(&self, last: &Self) {
        for backend in self.backends() {
            let before = last.backend(backend.index);
            if before.is_some_and(|before| !before.is_at(&backend.settings)) {
                let mut known = lock(&backend.known);
                known.breaker.renew();
                known.auto = super::auto::Auto::default();
                (known.failing_since, known.trouble, known.misfit, known.listed) = (None, None, None, None);
                known.toolless.forget();
            }
        }
    }

    fn place_of(&mut self, name: &str) -> usize {
        let known = self.backends.iter().position(|(known, _)| known == name);
        known.unwrap_or_else(|| {
            self.backends.push((name.to_owned(), None));
            self.backends.len() - 1
        })
    }

    /// Makes the pools.
    fn find_models(&mut self) {
        let catalog = Arc::clone(&self.catalog);
        for model in &catalog.models {
            self.offer(model.clone(), true);
        }
        for place in &catalog.asked {
            for name in self.listed_at(place) {
                let name = ModelName {
                    name,
                    place: place.clone(),
                };
                self.offer(catalog.about(&name), true);
            }
        }
        if let Some(fallback) = &catalog.fallback {
            self.offer(catalog.about(fallback), false);
        }
    }

    /// What the servers of a place have told that they have, in the order of the names.
    fn listed_at(&self, place: &str) -> BTreeSet<String> {
        let here = self.backends().filter(|backend| backend.settings.pool == place);
        let mut all = BTreeSet::new();
        for backend in here {
            let known = lock(&backend.known);
            let names = known.listed.iter().flatten().map(|listed| &listed.name);
            all.extend(names.filter(|name| backend.settings.has(name)).cloned());
        }
        all
    }

    /// Gives a model its pool. One that has it already, as the fallback may, keeps it.
    fn offer(&mut self, model: ModelSettings, offered: bool) {
        let known = self.pools.iter().position(|pool| pool.settings.name == model.name);
        let at = match known {
            Some(at) if self.pools[at].offered => return,
            Some(at) => at,
            None if self.pools.len() >= MOST_MODELS => {
                tracing::warn!(model = %model.name, "this model is not offered: there have been too many since the start");
                return;
            }
            None => {
                self.pools.push(Pool {
                    settings: model.clone(),
                    offered: false,
                    backends: Vec::new(),
                    known: Arc::default(),
                });
                self.pools.len() - 1
            }
        };
        let backends = self.backends_of(&model.name);
        let pool = &mut self.pools[at];
        (pool.settings, pool.offered, pool.backends) = (model, offered, backends);
        if offered {
            self.offered.push(PoolIndex(index(at)));
        }
    }

    /// Those that have a model and take tickets for it.
    fn backends_of(&self, model: &ModelName) -> Vec<BackendIndex> {
        let all: Vec<_> = self.catalog.pool(model).collect();
        let named: BTreeSet<_> = all.iter().map(|(_, settings)| settings.name.as_str()).collect();
        let here: Vec<_> = self
            .backends()
            .filter(|backend| named.contains(&*backend.settings.name))
            .collect();
        // A server that has told what it has, and has not told of this one, is not asked for it, unless none is that has.
        let told: Vec<_> = here
            .iter()
            .filter(|backend| backend.listed(&model.name).is_some())
            .collect();
        let has = |backend: &&&Backend| {
            let silent = lock(&backend.known).listed.is_none();
            told.is_empty() || silent || backend.listed(&model.name).is_some()
        };
        let taking = here.iter().filter(has).filter(|backend| !backend.settings.drain);
        taking.map(|backend| backend.index).collect()
    }

    /// Those there are now.
    pub(super) fn backends(&self) -> impl Iterator<Item = &Backend> {
        self.backends.iter().filter_map(|(_, backend)| backend.as_deref())
    }

    /// `None`: it is gone.
    pub(super) fn backend(&self, BackendIndex(at): BackendIndex) -> Option<&Arc<Backend>> {
        self.backends.get(usize::try_from(at).ok()?)?.1.as_ref()
    }

    pub(super) fn pool(&self, PoolIndex(at): PoolIndex) -> Option<&Pool> {
        self.pools.get(usize::try_from(at).ok()?)
    }

    /// Every pool that there has been.
    pub(super) fn pools(&self) -> &[Pool] {
        &self.pools
    }

    /// `None`: nobody may have it.
    pub(super) fn pool_of(&self, model: &ModelName) -> Option<PoolIndex> {
        let at = self.pools.iter().position(|pool| pool.settings.name == *model)?;
        let usable = self.pools[at].offered || self.catalog.fallback.as_ref() == Some(model);
        usable.then(|| PoolIndex(index(at)))
    }

    /// The pool of a model, whether or not anybody may have it (any more).
    pub(super) fn place_of_model(&self, model: &ModelName) -> Option<PoolIndex> {
        let at = self.pools.iter().position(|pool| pool.settings.name == *model)?;
        Some(PoolIndex(index(at)))
    }

    /// The same, with places for these models too, which may have gone before the start.
    pub(super) fn with_places_for(&self, models: Vec<ModelName>) -> Result<Self, FactoryError> {
        let mut directory = self.with_models_found()?;
        for model in models {
            if directory.place_of_model(&model).is_none() {
                directory.pools.push(Pool {
                    settings: ModelSettings::new(model),
                    offered: false,
                    backends: Vec::new(),
                    known: Arc::default(),
                });
            }
        }
        Ok(directory)
    }

    /// How long a conversation the operator lets a model have at a back end, in tokens.
    pub(super) fn set_context(pool: &Pool, backend: &Backend) -> Option<u64> {
        [pool.settings.context, backend.settings.context]
            .into_iter()
            .flatten()
            .min()
    }

    /// How long a conversation can be: as the operator says, else as the server does.
    pub(super) fn context(pool: &Pool, backend: &Backend) -> Option<u64> {
        Self::set_context(pool, backend).or_else(|| backend.listed(&pool.settings.name.name)?.context)
    }

    /// Whether a model reads pictures at a back end, where anybody says so.
    pub(super) fn vision(pool: &Pool, backend: &Backend) -> Option<bool> {
        let listed = || backend.listed(&pool.settings.name.name)?.vision;
        backend.settings.vision.or_else(listed)
    }

    /// Whether a model reads pictures wherever it is asked, where anybody says so: which of its back ends a question goes to is known
    /// only as it starts.
    pub(super) fn sees(&self, at: PoolIndex) -> Option<bool> {
        let pool = self.pool(at)?;
        let vision = self.backends_of_pool(at).map(|backend| Self::vision(pool, backend));
        vision
            .reduce(|one, other| match (one, other) {
                (Some(false), _) | (_, Some(false)) => Some(false),
                (None, _) | (_, None) => None,
                (Some(true), Some(true)) => Some(true),
            })
            .flatten()
    }

    /// A policy with these pools and back ends.
    pub(super) fn fill(&self, policy: Policy) -> Policy {
        let backends = self.backends.iter().map(|(name, backend)| {
            let settings = backend.as_ref().map(|backend| &backend.settings);
            BackendPolicy {
                name: name.clone(),
                limit: match settings.map(|settings| settings.limit) {
                    Some(BackendLimit::Slots(slots)) => slots,
                    Some(BackendLimit::Auto) => None,
                    None => Some(0),
                },
                weight: settings.map_or(1, |settings| settings.weight),
            }
        });
        let may_start = |index: &BackendIndex| self.backend(*index).is_some_and(|backend| !backend.is_withheld());
        let pools = self.pools.iter().map(|pool| PoolPolicy {
            name: pool.settings.name.to_string(),
            backends: pool.backends.iter().copied().filter(may_start).collect(),
        });
        Policy {
            pools: pools.collect(),
            backends: backends.collect(),
            balance: self.catalog.balance,
            ..policy
        }
    }
}

impl Pool {
    /// The same, with nothing to offer.
    fn gone(&self) -> Self {
        Self {
            settings: self.settings.clone(),
            offered: false,
            backends: Vec::new(),
            known: Arc::clone(&self.known),
        }
    }
}

/// There are never so many that this is not exact.
fn index(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}
