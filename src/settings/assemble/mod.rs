//! From the settings and the file of back ends to the [`Catalog`]: which back ends there are (`of_file.rs`, `of_variables.rs`), which models
//! they offer, and whether each that is named has one.

mod of_file;
mod of_variables;

use std::collections::{BTreeMap, BTreeSet};

use crate::queue::Balance;

use super::{
    BackendLimit, BackendSettings, Catalog, ModelName, ModelSettings, Provider,
    backends::{At, BackendsFile},
    faults::Fault,
    gather::{AllGiven, printable},
    kinds::{DEMO, Offer, providers},
    load::fault,
    suggest,
    tables::{Raw, backend_limit},
    variables,
};

/// What the catalog is made of.
pub(super) struct Sources<'s> {
    pub(super) raw: &'s Raw,
    pub(super) given: &'s AllGiven,
    /// `None`: none is named, or it cannot be read.
    pub(super) file: Option<&'s BackendsFile>,
    /// Whatever the file has was understood, or there is none.
    pub(super) whole: bool,
    /// The value of a variable of the environment or of `.env`.
    pub(super) variable: &'s dyn Fn(&str) -> Option<String>,
}

/// The catalog. Only where there are no faults is it one that can be used.
pub(super) fn assemble(sources: &Sources<'_>) -> (Catalog, Vec<Fault>) {
    let mut assembly = Assembly {
        sources,
        limit: backend_limit(sources.raw),
        backends: Vec::new(),
        lines: BTreeMap::new(),
        tried: BTreeSet::new(),
        faults: Vec::new(),
    };
    assembly.backends_of_the_file();
    let described = assembly.described();
    let wanted = assembly.wanted();
    for (model, origin) in &wanted.models {
        assembly.look_for_model(model, *origin);
    }
    for (place, origin) in &wanted.all_of {
        assembly.look_for_place(place, *origin);
    }
    if let Some((model, origin)) = &wanted.fallback {
        assembly.look_for_model(model, *origin);
    }
    // What is described and not offered wants no server, and yet has to be a model of one.
    for name in sources.file.into_iter().flat_map(BackendsFile::names) {
        let place = &name.value.place;
        let offered = wanted.models.iter().any(|(model, _)| *model == name.value);
        if !offered && (assembly.has_place(place) || Provider::of(place).is_none()) {
            assembly.look_for_model(&name.value, Origin::Entry(name));
        }
    }
    let catalog = assembly.catalog(wanted, described);
    (catalog, assembly.faults)
}

/// Where a model or a place is named.
#[derive(Clone, Copy)]
enum Origin<'f> {
    /// The variable of this field.
    Field(&'static str),
    /// An entry of the file.
    Entry(&'f At<ModelName>),
}

/// What is named in the settings.
struct Wanted<'f> {
    /// The models that are offered, the default first.
    models: Vec<(ModelName, Origin<'f>)>,
    /// The places of which all models are offered.
    all_of: Vec<(String, Origin<'f>)>,
    fallback: Option<(ModelName, Origin<'f>)>,
}

struct Assembly<'s> {
    sources: &'s Sources<'s>,
    /// The limit of a back end without one.
    limit: BackendLimit,
    backends: Vec<BackendSettings>,
    /// Where the file has the back end of this name.
    lines: BTreeMap<String, usize>,
    /// Providers whose variables have been turned into back ends.
    tried: BTreeSet<&'static str>,
    faults: Vec<Fault>,
}

impl<'s> Assembly<'s> {
    /// A fault of this line of the file.
    fn at(&mut self, line: usize, subject: impl Into<String>, advice: impl Into<String>) {
        let place = self.sources.file.map(|file| file.place(line)).unwrap_or_default();
        self.faults.push(Fault::new(subject, place, advice));
    }

    /// The same about a value that is the operator's alone to see.
    fn at_kept(&mut self, line: usize, subject: &str, value: &str, advice: String) {
        let place = self.sources.file.map(|file| file.place(line)).unwrap_or_default();
        self.faults.push(Fault {
            in_public: Some(format!("{subject} = (set)")),
            ..Fault::new(format!("{subject} = {value}"), place, advice)
        });
    }

    /// A fault of what is named there.
    fn blame(&mut self, origin: Origin<'_>, advice: String) {
        match origin {
            Origin::Field(field) => {
                let given = self.sources.given.get(field);
                let variable = variables::of_field(field);
                self.faults
                    .extend(variable.map(|variable| fault(variable, given, advice)));
            }
            Origin::Entry(name) => self.at(
                name.line,
                format!("[[model]]: name = {}", printable(&name.value.to_string())),
                advice,
            ),
        }
    }

    /// Every model that is named.
    fn wanted(&self) -> Wanted<'s> {
        let Sources { raw, file, .. } = *self.sources;
        let mut models: Vec<_> = raw
            .model
            .as_ref()
            .map(|model| (model.clone(), Origin::Field("model")))
            .into_iter()
            .collect();
        let mut all_of = Vec::new();
        if let Some(offers) = raw.models.as_ref().and_then(Option::as_ref) {
            for offer in offers {
                match offer {
                    Offer::Model(model) => models.push((model.clone(), Origin::Field("models"))),
                    Offer::All(place) => all_of.push((place.clone(), Origin::Field("models"))),
                }
            }
        } else {
            let described = file.into_iter().flat_map(BackendsFile::names);
            models.extend(described.map(|name| (name.value.clone(), Origin::Entry(name))));
            for backend in &self.backends {
                let names = backend.models.iter().flatten();
                models.extend(names.map(|name| (id(name, &backend.pool), Origin::Field("backends_file"))));
            }
        }
        let fallback = raw.fallback_model.as_ref().and_then(Option::as_ref);
        Wanted {
            models,
            all_of,
            fallback: fallback.map(|model| (model.clone(), Origin::Field("fallback_model"))),
        }
    }

    fn has_place(&self, place: &str) -> bool {
        self.backends.iter().any(|backend| backend.pool == place)
    }

    /// Looks that somebody has this model.
    fn look_for_model(&mut self, model: &ModelName, origin: Origin<'_>) {
        self.look_for_place(&model.place, origin);
        let there: Vec<_> = self
            .backends
            .iter()
            .filter(|backend| backend.pool == model.place)
            .collect();
        // One that could not be read may be the one that has it.
        if !self.sources.whole || there.is_empty() || there.iter().any(|backend| backend.has(&model.name)) {
            return;
        }
        let known: BTreeSet<&str> = there
            .iter()
            .flat_map(|backend| match &backend.models {
                Some(models) => models.iter().map(String::as_str).collect(),
                None => vec![DEMO],
            })
            .collect();
        let rest = match suggest::among(&model.name, known.iter().copied()) {
            Some(meant) => format!("did you mean {}@{}?", printable(meant), model.place),
            None => format!(
                "there is {}",
                printable(&known.into_iter().collect::<Vec<_>>().join(", "))
            ),
        };
        let advice = format!("no back end of {} has {}; {rest}", model.place, printable(&model.name));
        self.blame(origin, advice);
    }

    /// Looks that there are back ends at this place, and makes those that variables describe. Those of the file are all there are, where it
    /// has some: who lists a provider's servers there does not expect others.
    fn look_for_place(&mut self, place: &str, origin: Origin<'_>) {
        if self.has_place(place) {
            return;
        }
        if let Some(provider) = Provider::of(place) {
            if self.tried.insert(provider.name()) {
                self.backends_of_variables(provider, origin);
            }
        } else if self.sources.whole {
            let pools = self.backends.iter().map(|backend| &*backend.pool);
            let mut known: BTreeSet<&str> = pools.collect();
            known.extend(Provider::ALL.map(Provider::name));
            let rest = match suggest::among(place, known.into_iter()) {
                Some(meant) => format!("did you mean @{meant}?"),
                None => format!("a place is {}, or a pool of BACKENDS_FILE", providers()),
            };
            self.blame(origin, format!("there is no place {place}; {rest}"));
        }
    }

    fn catalog(&self, wanted: Wanted<'_>, described: Vec<ModelSettings>) -> Catalog {
        let raw = self.sources.raw;
        let mut names: Vec<_> = wanted.models.into_iter().map(|(model, _)| model).collect();
        let mut asked = Vec::new();
        for (place, _) in wanted.all_of {
            let mut ask = false;
            for backend in self.backends.iter().filter(|backend| backend.pool == place) {
                match &backend.models {
                    Some(models) => names.extend(models.iter().map(|model| id(model, &place))),
                    None if backend.provider == Provider::Builtin => names.push(id(DEMO, &place)),
                    None => ask = true,
                }
            }
            if ask && !asked.contains(&place) {
                asked.push(place);
            }
        }
        let default = names.first().cloned();
        let mut catalog = Catalog {
            backends: self.backends.clone(),
            models: Vec::new(),
            asked,
            described,
            default: default.unwrap_or_else(|| id(DEMO, Provider::Builtin.name())),
            fallback: wanted.fallback.map(|(model, _)| model),
            balance: raw.backend_balance.as_ref().copied().unwrap_or(Balance::LeastLoaded),
        };
        let mut seen = BTreeSet::new();
        names.retain(|name| seen.insert(name.clone()));
        catalog.models = names.iter().map(|name| catalog.about(name)).collect();
        catalog
    }
}

fn id(name: &str, place: &str) -> ModelName {
    ModelName {
        name: name.to_owned(),
        place: place.to_owned(),
    }
}
