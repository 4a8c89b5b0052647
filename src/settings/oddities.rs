//! What is allowed, and yet hardly meant.

use super::{
    BackendLimit, Provider, Settings, Titles,
    backends::BackendsFile,
    gather::{AllGiven, Source},
};

/// A sentence each, for the log.
pub(super) fn oddities(settings: &Settings, given: &AllGiven, file: Option<&BackendsFile>) -> Vec<String> {
    let mut odd = Vec::new();
    limits(settings, given, file, &mut odd);
    if settings
        .chat_timeout
        .is_some_and(|longest| settings.model_stall_timeout > longest)
    {
        odd.push(
            "MODEL_STALL_TIMEOUT is longer than CHAT_TIMEOUT: a silent model server ends turns by CHAT_TIMEOUT."
                .to_owned(),
        );
    }
    if settings.node_addr.is_some() && settings.operator_key.is_none() {
        odd.push(
            "NODE_ADDR is set, and OPERATOR_KEY is not: each node makes one of its own, and the operator's link of one opens nothing on the others."
                .to_owned(),
        );
    }
    if settings.node_addr.is_some() && settings.titles == Titles::Model {
        odd.push(
            "TITLES is model, and NODE_ADDR is set: among several nodes no model is asked for titles, and conversations are called by their first words."
                .to_owned(),
        );
    }
    unused(settings, given, file, &mut odd);
    if let Some(file) = file {
        back_ends(settings, given, file, &mut odd);
    }
    odd
}

/// Limits that another one keeps from being reached.
fn limits(settings: &Settings, given: &AllGiven, file: Option<&BackendsFile>, odd: &mut Vec<String>) {
    let policy = &settings.policy;
    let mut limits: Vec<_> = policy
        .events
        .iter()
        .map(|event| (event.name.as_str(), event.limit))
        .collect();
    limits.extend(
        settings
            .catalog
            .backends
            .iter()
            .map(|backend| (backend.name.as_str(), backend.limit.into())),
    );
    if let Some(cap) = policy.max_running {
        for (name, _) in limits
            .into_iter()
            .filter(|(_, limit)| limit.is_some_and(|limit| limit > cap))
        {
            odd.push(format!(
                "The limit of {name} is more than MAX_RUNNING: no more than {cap} will run."
            ));
        }
    }
    let own: Option<usize> = file.and_then(|file| {
        let limits = file.backends.iter().map(|backend| match backend.limit.as_ref()?.value {
            BackendLimit::Slots(slots) => slots,
            BackendLimit::Auto => None,
        });
        limits.sum()
    });
    let chat = given
        .get("chat_concurrency_limit")
        .and_then(|one| one.text.parse::<usize>().ok());
    if let Some((own, chat)) = own.zip(chat).filter(|(own, chat)| own > chat) {
        odd.push(format!(
            "CHAT_CONCURRENCY_LIMIT is {chat}, and the back ends take {own} together: no more than {chat} answers will run."
        ));
    }
}

/// Servers that are set and not used.
fn unused(settings: &Settings, given: &AllGiven, file: Option<&BackendsFile>, odd: &mut Vec<String>) {
    let catalog = &settings.catalog;
    let only_demo = catalog
        .backends
        .iter()
        .all(|backend| backend.provider == Provider::Builtin);
    let keys_of_file: Vec<_> = file.into_iter().flat_map(BackendsFile::key_variables).collect();
    for provider in Provider::ALL {
        let used = |origin: &str| catalog.backends.iter().any(|backend| backend.origin == origin);
        let Some((variables, (url, key))) = provider.variables().zip(provider.fields()) else {
            continue;
        };
        if used(variables.url) || variables.key.is_some_and(used) {
            continue;
        }
        // Keys in the environment may be there for other programs; in .env they are meant for Anteroom.
        let in_file = key.into_iter().chain([url]).filter_map(|field| given.get(field));
        let in_file = in_file.filter(|one| matches!(one.source, Source::DotEnv { .. }));
        let Some(one) = in_file.into_iter().find(|one| !keys_of_file.contains(&one.name)) else {
            continue;
        };
        let name = provider.name();
        if only_demo {
            odd.push(format!(
                "{} is set, but MODEL is {}: the demo model answers.",
                one.name, catalog.default
            ));
            return;
        }
        let in_place = catalog.backends.iter().any(|backend| backend.pool == name);
        odd.push(if in_place {
            format!(
                "{} is set, but the back ends of {name} stand in {}: it is not used.",
                one.name,
                settings_file(file)
            )
        } else {
            format!(
                "{} is set, but MODEL and MODELS name no model of {name}: it is not used.",
                one.name
            )
        });
    }
}

/// What the file of back ends leaves out.
fn back_ends(settings: &Settings, given: &AllGiven, file: &BackendsFile, odd: &mut Vec<String>) {
    let catalog = &settings.catalog;
    if file.backends.is_empty() {
        odd.push(format!("{} has no [[backend]].", file.name));
    }
    let by_default = given.get("model").is_some_and(|one| one.source == Source::Default);
    if by_default && !file.backends.is_empty() {
        odd.push(format!(
            "MODEL is not set: conversations start with {}, not with a model of {}.",
            catalog.default, file.name
        ));
    }
    for entry in file.backends.iter().filter_map(|backend| backend.name.as_ref()) {
        let unused = catalog
            .backends
            .iter()
            .find(|backend| backend.name == entry.value)
            .filter(|backend| {
                let offered = catalog.models.iter().map(|model| &model.name).chain(&catalog.fallback);
                let mut offered = offered.filter(|name| name.place == backend.pool && backend.has(&name.name));
                offered.next().is_none() && !catalog.asked.contains(&backend.pool)
            });
        if let Some(backend) = unused {
            odd.push(format!(
                "{} has no work: MODEL and MODELS name no model of @{} that it has.",
                backend.name, backend.pool
            ));
        }
    }
}

fn settings_file(file: Option<&BackendsFile>) -> &str {
    file.map_or("BACKENDS_FILE", |file| &file.name)
}
