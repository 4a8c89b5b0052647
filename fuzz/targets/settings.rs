//! Settings from a `.env` and a file of back ends that anybody may have edited.
//!
//! Input: `NAME=value` lines of the environment, a line `---`, the text of `.env`, another such line, the file of back ends; with one such line
//! the environment and `.env`, without any `.env` alone.
#![no_main]

use std::{io, path::Path, time::Duration};

use anteroom::settings::{BackendLimit, Catalog, Loaded, Settings};
use libfuzzer_sys::{Corpus, fuzz_target};

/// Nothing that is shown may hold it.
const KEY: &str = "sk-dont-show-this-0123456789-0123456789";
const LONGEST: Duration = Duration::from_secs(30 * 24 * 3600);

fuzz_target!(|text: &str| -> Corpus {
    // A `$NAME` stands for a variable of the process, or for the key where the file says so.
    if text.contains('$') {
        return Corpus::Reject;
    }
    let (environment, rest) = text.split_once("\n---\n").unwrap_or(("", text));
    let (file, backends) = rest.split_once("\n---\n").unwrap_or((rest, ""));
    let environment: Vec<_> = environment
        .lines()
        .filter_map(|line| line.split_once('='))
        .chain([("SECRET_KEY", KEY), ("GPU_KEY", KEY)])
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let file = format!("OPENAI_API_KEY={KEY}\n{file}");
    let read = |_: &Path| -> io::Result<Vec<u8>> { Ok(backends.as_bytes().to_vec()) };
    let load = || Settings::load_with(environment.clone(), Some(&file), &read);

    let said = match load() {
        Ok(loaded) => {
            check(&loaded);
            let (again, changes) = loaded.reload(load().expect("it was good the first time"));
            assert!(changes.is_empty(), "nothing was edited: {changes:?}");
            assert_eq!(again.settings, loaded.settings);
            format!("{loaded:?}")
        }
        Err(faults) => {
            assert!(!faults.faults.is_empty());
            for fault in &faults.faults {
                assert!(!fault.subject.is_empty() && !fault.advice.is_empty(), "{fault:?}");
            }
            assert_eq!(load().expect_err("it was wrong the first time"), faults);
            format!("{faults}{faults:?}")
        }
    };
    assert!(!said.contains(KEY), "the key is shown: {said}");
    Corpus::Keep
});

/// What the rest of the program may rely on.
fn check(loaded: &Loaded) {
    let settings = &loaded.settings;
    let policy = &settings.policy;
    let limits = policy
        .events
        .iter()
        .map(|event| event.limit)
        .chain([policy.max_running]);
    assert!(limits.flatten().all(|limit| (1..=1000).contains(&limit)), "{policy:?}");
    for event in &policy.events {
        let stranger = |id: &str| {
            policy
                .events
                .iter()
                .any(|other| other.name == id && other.name != event.name)
        };
        assert!(!event.concurrency_id.as_deref().is_some_and(stranger), "{policy:?}");
    }
    let times = [
        policy.max_wait,
        settings.abandon_after,
        settings.chat_timeout,
        Some(settings.model_stall_timeout),
        Some(settings.demo_first_token),
        Some(settings.session_idle_timeout),
        Some(settings.shutdown_grace),
    ];
    assert!(times.into_iter().flatten().all(|time| time <= LONGEST), "{times:?}");
    assert!(settings.max_sessions > 0 && settings.max_upload_bytes > 0 && settings.demo_speed > 0);
    check_catalog(&settings.catalog);
    for row in &loaded.rows {
        assert!(!row.value.to_string().contains(char::is_control), "{row:?}");
    }
}

/// Every model has somebody to answer, and everybody has a name of their own.
fn check_catalog(catalog: &Catalog) {
    assert_eq!(catalog.models[0].name, catalog.default, "{catalog:?}");
    for model in catalog.models.iter().map(|model| &model.name).chain(&catalog.fallback) {
        assert!(catalog.pool(model).next().is_some(), "{model}: {catalog:?}");
    }
    for (at, backend) in catalog.backends.iter().enumerate() {
        let earlier = &catalog.backends[..at];
        assert!(earlier.iter().all(|other| other.name != backend.name), "{catalog:?}");
        assert!(backend.weight > 0, "{backend:?}");
        if let BackendLimit::Slots(Some(limit)) = backend.limit {
            assert!((1..=1000).contains(&limit), "{backend:?}");
        }
    }
}
