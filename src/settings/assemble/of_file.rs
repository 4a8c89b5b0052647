//! The back ends and the models of the file.

use std::collections::HashMap;

use super::{
    super::{
        BackendSettings, ModelSettings, Provider, Secret,
        backends::{At, Backend, Model},
        gather::printable,
        kinds::{DEMO, Kind as _, Place},
        variables::VARIABLES,
    },
    Assembly,
};

impl Assembly<'_> {
    pub(super) fn backends_of_the_file(&mut self) {
        let Some(file) = self.sources.file else { return };
        for entry in &file.backends {
            let title = entry.name.as_ref().map_or("[[backend]]", |name| &*name.value);
            let missing = [("name", entry.name.is_none()), ("provider", entry.provider.is_none())];
            // What stands there and cannot be read has been told of.
            for (key, _) in missing
                .into_iter()
                .filter(|(_, missing)| *missing && self.sources.whole)
            {
                self.at(
                    entry.line,
                    title,
                    format!("{key} is missing, which every back end needs"),
                );
            }
            let (Some(name), Some(provider)) = (&entry.name, &entry.provider) else {
                continue;
            };
            if let Some(first) = self.lines.get(&name.value) {
                let advice = format!("another back end has this name, on line {first}: choose another");
                self.at(name.line, format!("[[backend]]: name = {}", name.value), advice);
                continue;
            }
            self.lines.insert(name.value.clone(), name.line);
            self.backend_of_the_file(&file.name, entry, name, provider);
        }
    }

    fn backend_of_the_file(&mut self, file: &str, entry: &Backend, name: &At<String>, provider: &At<Provider>) {
        let title = &*name.value;
        let pool = entry.pool.as_ref().unwrap_or(name);
        let place = Place::parse(&pool.value).unwrap_or_else(|| pool.value.clone());
        if let Some(owner) = Provider::of(&place).filter(|owner| *owner != provider.value) {
            let advice = format!(
                "{place} is the name of a provider: a pool of that name has back ends of {} alone; choose another pool",
                owner.name()
            );
            self.at(pool.line, format!("{title}: pool = {place}"), advice);
        }
        self.check_server(title, entry, provider);
        self.check_models(title, entry, &place, provider.value);
        let key = self.key(title, entry);
        self.backends.push(BackendSettings {
            name: name.value.clone(),
            pool: place,
            provider: provider.value,
            address: entry.url.as_ref().map(|url| url.value.clone()),
            origin: format!("{file}, {title}"),
            key,
            models: entry.models.as_ref().map(|models| models.value.clone()),
            limit: entry.limit.as_ref().map_or(self.limit, |limit| limit.value),
            weight: entry.weight.as_ref().map_or(1, |weight| weight.value),
            vision: entry.vision.as_ref().map(|vision| vision.value),
            tools: entry.tools.as_ref().map(|tools| tools.value),
            context: entry.context.as_ref().map(|context| context.value),
            drain: entry.drain.as_ref().is_some_and(|drain| drain.value),
        });
    }

    /// Whether it says enough of where its server is, and not too much.
    fn check_server(&mut self, title: &str, entry: &Backend, provider: &At<Provider>) {
        let name = provider.value.name();
        let Some(servers) = provider.value.variables() else {
            let lines = [
                ("url", entry.url.as_ref().map(|url| url.line)),
                ("key", entry.key.as_ref().map(|key| key.line)),
                (
                    "key_variable",
                    entry.key_variable.as_ref().map(|variable| variable.line),
                ),
            ];
            for (key, line) in lines {
                if let Some(line) = line {
                    let advice = format!("{name} is inside Anteroom and has no {key}: leave it out");
                    self.at(line, format!("{title}: {key}"), advice);
                }
            }
            return;
        };
        let has_key = entry.key.is_some() || entry.key_variable.is_some();
        if servers.key.is_some() && !has_key && entry.url.is_none() && self.sources.whole {
            let advice =
                format!("{name} needs key or key_variable (or url, for a server of your own that asks for no key)");
            self.at(provider.line, format!("{title}: provider = {name}"), advice);
        }
    }

    /// Names that nothing can be asked for by.
    fn check_models(&mut self, title: &str, entry: &Backend, place: &str, provider: Provider) {
        let Some(models) = &entry.models else { return };
        for model in &models.value {
            let own = model.rsplit_once('@').filter(|(_, at)| *at == place);
            let advice = match own {
                Some((name, _)) => format!("models stand here without their place: write {}", printable(name)),
                None if provider == Provider::Builtin && model != DEMO => {
                    format!("{} has {DEMO} alone", provider.name())
                }
                None => continue,
            };
            self.at(models.line, format!("{title}: models = {}", printable(model)), advice);
        }
    }

    /// The key that the entry has or names.
    fn key(&mut self, title: &str, entry: &Backend) -> Option<Secret> {
        let Some(At { value: name, line }) = &entry.key_variable else {
            return entry.key.as_ref().map(|key| key.value.clone());
        };
        let own = VARIABLES.iter().find(|variable| variable.is_called(name));
        let text = (self.sources.variable)(name);
        let key = text.as_deref().and_then(Secret::parse);
        let advice = if entry.key.is_some() {
            "key is there, too: leave one of them out".to_owned()
        } else if own.is_some_and(|variable| !holds_a_key(variable.field)) {
            "this is a setting of Anteroom that holds no key of a model server: name another variable".to_owned()
        } else if text.is_none() {
            "this variable is unset: set it in the environment or in .env".to_owned()
        } else if key.is_none() {
            format!(
                "what this variable holds is no key: allowed is {}",
                Secret::allowed().sentence(None)
            )
        } else {
            return key;
        };
        self.at_kept(*line, &format!("{title}: key_variable"), name, advice);
        None
    }

    /// What the file says of models.
    pub(super) fn described(&mut self) -> Vec<ModelSettings> {
        let Some(file) = self.sources.file else {
            return Vec::new();
        };
        let mut lines = HashMap::new();
        let mut described = Vec::new();
        for entry in &file.models {
            let Model {
                line,
                name,
                title,
                context,
                input_price,
                output_price,
            } = entry;
            let Some(name) = name else {
                if self.sources.whole {
                    self.at(
                        *line,
                        "[[model]]",
                        "name is missing, which every model needs: its id, name@place",
                    );
                }
                continue;
            };
            if let Some(first) = lines.get(&name.value) {
                let advice = format!("this model stands on line {first} already: leave one of them out");
                self.at(
                    name.line,
                    format!("[[model]]: name = {}", printable(&name.value.to_string())),
                    advice,
                );
                continue;
            }
            lines.insert(&name.value, name.line);
            described.push(ModelSettings {
                name: name.value.clone(),
                title: title.as_ref().map(|title| title.value.clone()),
                context: context.as_ref().map(|context| context.value),
                input_price: input_price.as_ref().map(|price| price.value),
                output_price: output_price.as_ref().map(|price| price.value),
            });
        }
        described
    }
}

/// Whether the variable of this field has the key of a provider.
fn holds_a_key(field: &str) -> bool {
    let fields = Provider::ALL.into_iter().filter_map(Provider::fields);
    fields.filter_map(|(_, key)| key).any(|key| key == field)
}
