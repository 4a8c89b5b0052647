//! Whatever stands in the file of back ends is read or told of.

use std::{io, path::Path};

use proptest::prelude::*;

use super::{
    super::{BackendsFile, sections},
    BackendLimit, KEY, Loaded, Settings,
};

/// A line that fits somewhere, with a value that fits somewhere.
fn line() -> impl Strategy<Value = String> {
    let keys: Vec<_> = sections()
        .into_iter()
        .flat_map(|(_, keys)| keys)
        .map(|key| key.name)
        .collect();
    let values = [
        "1",
        "0",
        "4",
        "0b11",
        "-0",
        "nan",
        "true",
        "'none'",
        "'auto'",
        "'gpu'",
        "'ollama'",
        "'builtin'",
        "'openai'",
        "'m@gpu'",
        "'http://h'",
        "'http://a,http://b'",
        "'GPU_KEY'",
        "''",
        "\"\\u0000\"",
        "'a'\n'b'",
        "['m', 'n']",
        "[]",
        "[[1]]",
        "{ a = 1 }",
        "1979-05-27",
    ];
    let values = proptest::sample::select(values.to_vec());
    prop_oneof![
        8 => (proptest::sample::select(keys), values).prop_map(|(key, value)| format!("{key} = {value}")),
        1 => "\\PC{0,20}",
    ]
}

/// Values that are right for their keys, so that every other thing about the file can be wrong.
fn right() -> impl Strategy<Value = String> {
    let lines = [
        "pool = 'gpu'",
        "pool = 'openai'",
        "url = 'http://h'",
        "key = 'k'",
        "key_variable = 'GPU_KEY'",
        "models = ['m', 'n']",
        "models = ['demo']",
        "limit = 3",
        "limit = 'auto'",
        "weight = 2",
        "vision = true",
        "drain = true",
    ];
    proptest::sample::select(lines.to_vec()).prop_map(str::to_owned)
}

/// A back end or a model that is mostly right.
fn entry() -> impl Strategy<Value = String> {
    let name = proptest::sample::select(vec!["gpu", "more", "openai", "ollama"]);
    let provider = proptest::sample::select(vec!["ollama", "openai", "builtin"]);
    let lines = proptest::collection::vec(prop_oneof![12 => right(), 1 => line()], 0..4);
    let backend = (name, provider, lines);
    let backend = backend.prop_map(|(name, provider, mut lines)| {
        // A key that stands there twice is no TOML.
        let mut keys = std::collections::BTreeSet::new();
        lines.retain(|line| keys.insert(line.split(' ').next().unwrap_or_default().to_owned()));
        format!(
            "[[backend]]\nname = '{name}'\nprovider = '{provider}'\n{}",
            lines.join("\n")
        )
    });
    let model = proptest::sample::select(vec!["m@gpu", "n@more", "o@openai"]);
    prop_oneof![
        4 => backend,
        2 => model.prop_map(|name| format!("[[model]]\nname = '{name}'\n")),
        1 => line(),
    ]
}

proptest! {
    #[test]
    fn whatever_stands_there_is_read_or_told_of(entries in proptest::collection::vec(entry(), 0..5)) {
        let file = entries.join("\n");
        let (_, faults) = BackendsFile::parse(Path::new("b.toml"), file.as_bytes());
        for fault in &faults {
            prop_assert!(!fault.subject.is_empty() && !fault.advice.is_empty(), "{:?}", fault);
            let said = format!("{fault:?}");
            prop_assert!(!said.contains(KEY));
        }
        let dotenv = format!("BACKENDS_FILE=b.toml\nGPU_KEY={KEY}");
        let load = || Settings::load_with([], Some(&dotenv), &|_: &Path| -> io::Result<Vec<u8>> { Ok(file.clone().into_bytes()) });
        match load() {
            Ok(loaded) => {
                prop_assert!(faults.is_empty());
                whole(&loaded);
                prop_assert_eq!(loaded.reload(load().expect("it was right the first time")).1, []);
            }
            Err(faults) => prop_assert!(!faults.to_string().contains(KEY)),
        }
    }
}

/// What the rest of the program may rely on.
fn whole(loaded: &Loaded) {
    let catalog = &loaded.settings.catalog;
    let mut names: Vec<_> = catalog.backends.iter().map(|backend| &backend.name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), catalog.backends.len(), "no two of one name");
    for model in catalog.models.iter().map(|model| &model.name).chain(&catalog.fallback) {
        assert!(catalog.pool(model).next().is_some(), "nobody has {model}");
    }
    assert_eq!(catalog.models[0].name, catalog.default);
    for backend in &catalog.backends {
        assert!(backend.weight >= 1);
        assert!(!matches!(backend.limit, BackendLimit::Slots(Some(0))), "{backend:?}");
    }
}
