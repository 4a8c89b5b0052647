//! What is wrong with a file of back ends, and what nobody may see of it.

use std::path::{Path, PathBuf};

use super::{super::BackendsFile, KEY, Secret, Settings, backend, load, wrong};

#[test]
fn every_fault_is_told_at_once_with_its_line() {
    let file = "\
[[backend]]
name = \"gpu 1\"
provider = \"opnai\"
limit = 0
weight = 0
key = \"a b\"
[[backend]]
name = \"gpu2\"
provider = \"ollama\"
url = \"10.0.0.1:11434\"
limits = 4
limit = 1001
vision = \"perhaps\"
models = []
context = 10
drain = [true]
[[model]]
name = \"qwen\"
input_price = -1
title = \"a\\nb\"
[models]
";
    let expected = [
        "CHAT_TIMEOUT = soon (.env line 2) allowed is a number of seconds",
        "[[backend]]: name = gpu 1 (backends.toml line 2) allowed is a name of up to 64 letters, digits, - and _",
        "[[backend]]: provider = opnai (backends.toml line 3) allowed is builtin, openai, ollama, anthropic or gemini",
        "[[backend]]: limit = 0 (backends.toml line 4) allowed is a whole number from 1 to 1000, or none or auto",
        "[[backend]]: weight = 0 (backends.toml line 5) allowed is a whole number from 1 to 1000",
        "[[backend]]: key = (hidden) (backends.toml line 6) allowed is text without spaces",
        "gpu2: url = 10.0.0.1:11434 (backends.toml line 10) allowed is an http or https address without user name",
        "gpu2: limits (backends.toml line 11) there is no such key; did you mean limit?",
        "gpu2: limit = 1001 (backends.toml line 12) allowed is a whole number from 1 to 1000",
        "gpu2: vision = perhaps (backends.toml line 13) allowed is true or false",
        "gpu2: models (backends.toml line 14) allowed is the name of a model",
        "gpu2: context = 10 (backends.toml line 15) allowed is a whole number from 256",
        "gpu2: drain (backends.toml line 16) allowed is true or false",
        "[[model]]: name = qwen (backends.toml line 18) allowed is name@place",
        "qwen: input_price = -1 (backends.toml line 19) allowed is a number from 0",
        "qwen: title = a\\nb (backends.toml line 20) allowed is text on one line",
        "models (backends.toml line 21) there is no such key; did you mean model?",
    ];
    let said = wrong("CHAT_TIMEOUT=soon", file);
    assert_eq!(said.len(), expected.len(), "{said:#?}");
    for (said, expected) in said.iter().zip(expected) {
        assert!(said.starts_with(expected), "{said}\nis not\n{expected}");
    }
}

#[test]
fn what_does_not_fit_together_is_told_too() {
    let gpu = |lines: &str| backend("gpu", lines);
    for (dotenv, file, expected) in [
        (
            "",
            backend("a", "") + &backend("a", ""),
            "[[backend]]: name = a (backends.toml line 6) another back end has this name, on line 2",
        ),
        (
            "",
            "[[backend]]\nprovider = \"ollama\"\n".to_owned(),
            "[[backend]] (backends.toml line 1) name is missing",
        ),
        (
            "",
            "[[backend]]\nname = \"a\"\n".to_owned(),
            "a (backends.toml line 1) provider is missing",
        ),
        (
            "",
            "[[model]]\ntitle = \"A\"\n".to_owned(),
            "[[model]] (backends.toml line 1) name is missing",
        ),
        (
            "",
            "[backend]\nname = \"a\"\n".to_owned(),
            "backend (backends.toml line 1) write [[backend]], in two brackets",
        ),
        (
            "",
            "model = [1]\n".to_owned(),
            "model (backends.toml line 1) write [[model]]",
        ),
        (
            "",
            "backends = 1\n".to_owned(),
            "backends (backends.toml line 1) there is no such key; did you mean backend?",
        ),
        (
            "",
            "[[backend]]\nname = \"a\"\nprovider = \"openai\"\n".to_owned(),
            "a: provider = openai (backends.toml line 3) openai needs key or key_variable (or url",
        ),
        (
            "",
            "[[backend]]\nname = \"d\"\nprovider = \"builtin\"\nurl = \"http://h\"\n".to_owned(),
            "d: url (backends.toml line 4) builtin is inside Anteroom and has no url",
        ),
        (
            "",
            "[[backend]]\nname = \"d\"\nprovider = \"builtin\"\nmodels = [\"x\"]\n".to_owned(),
            "d: models = x (backends.toml line 4) builtin has demo alone",
        ),
        (
            "",
            gpu("key = \"k\"\nkey_variable = \"K\""),
            "gpu: key_variable = K (backends.toml line 5) key is there, too",
        ),
        (
            "",
            gpu("key_variable = \"K\""),
            "gpu: key_variable = K (backends.toml line 4) this variable is unset",
        ),
        (
            "K=''",
            gpu("key_variable = \"K\""),
            "gpu: key_variable = K (backends.toml line 4) this variable is unset",
        ),
        (
            "K='a b'",
            gpu("key_variable = \"K\""),
            "gpu: key_variable = K (backends.toml line 4) what this variable holds is no key",
        ),
        (
            "SECRET_KEY=0123456789012345678901234567890123456789",
            gpu("key_variable = \"SECRET_KEY\""),
            "gpu: key_variable = SECRET_KEY (backends.toml line 4) this is a setting of Anteroom",
        ),
        (
            "",
            gpu("models = [\"m@gpu\"]"),
            "gpu: models = m@gpu (backends.toml line 4) models stand here without their place: write m",
        ),
        (
            "",
            gpu("pool = \"OpenAI\""),
            "gpu: pool = openai (backends.toml line 4) openai is the name of a provider: a pool of that name has back ends of openai alone",
        ),
        (
            "OLLAMA_URL=http://a,http://b\nMODEL=m@ollama",
            backend("ollama-2", ""),
            "[[backend]]: name = ollama-2 (backends.toml line 2) a back end that OLLAMA_URL describes has this name",
        ),
        (
            "OLLAMA_URL=http://a,http://a\nMODEL=m@ollama",
            String::new(),
            "OLLAMA_URL = http://a,http://a (.env line 2) an address stands there twice",
        ),
        (
            "MODEL=qwen@gpu",
            gpu("models = [\"qwen3\", \"other\"]"),
            "MODEL = qwen@gpu (.env line 2) no back end of gpu has qwen; did you mean qwen3@gpu?",
        ),
        (
            "MODELS=large@gpu",
            gpu("models = [\"qwen3\", \"other\"]"),
            "MODELS = large@gpu (.env line 2) no back end of gpu has large; there is other, qwen3",
        ),
        (
            "FALLBACK_MODEL=m@gpo",
            gpu(""),
            "FALLBACK_MODEL = m@gpo (.env line 2) there is no place gpo; did you mean @gpu?",
        ),
        (
            "MODELS=*@elsewhere",
            gpu(""),
            "MODELS = *@elsewhere (.env line 2) there is no place elsewhere; a place is builtin, openai, ollama, anthropic or gemini, or a pool of BACKENDS_FILE",
        ),
        (
            "",
            gpu("models = [\"a\"]") + "[[model]]\nname = \"b@gpu\"\n",
            "[[model]]: name = b@gpu (backends.toml line 6) no back end of gpu has b; there is a",
        ),
        (
            "MODELS=a@gpu",
            gpu("") + "[[model]]\nname = \"b@sky\"\n",
            "[[model]]: name = b@sky (backends.toml line 6) there is no place sky",
        ),
        (
            "",
            "[[model]]\nname = \"gpt-4o@openai\"\n".to_owned(),
            "[[model]]: name = gpt-4o@openai (backends.toml line 2) this model needs OPENAI_API_KEY (or OPENAI_BASE_URL",
        ),
        (
            "",
            gpu("") + "[[model]]\nname = \"a@gpu\"\n[[model]]\nname = \"a@gpu\"\n",
            "[[model]]: name = a@gpu (backends.toml line 8) this model stands on line 6 already",
        ),
        (
            "",
            "[[backend]\nname = 1".to_owned(),
            "backends.toml line 1 () this is not TOML: ",
        ),
        (
            "",
            "[[backend]]\nname = \"a\"\nname = \"b\"".to_owned(),
            "backends.toml line 3 () this is not TOML: duplicate key",
        ),
    ] {
        let said = wrong(dotenv, &file);
        assert!(said[0].starts_with(expected), "{}\nis not\n{expected}", said[0]);
        assert_eq!(said.len(), 1, "{said:#?}");
    }
}

#[test]
fn a_model_that_nobody_has_is_told_once_the_file_can_be_read() {
    let said = wrong("MODEL=m@gpu", "[[backend]]\nname = \"gpu\"\nprovider = \"olama\"\n");
    assert_eq!(said.len(), 1, "{said:#?}");
    assert!(said[0].contains("provider = olama"), "{said:#?}");
}

#[test]
fn a_file_that_cannot_be_read_is_a_fault_of_its_variable() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("backends.toml");
    let load = |path: &Path| Settings::load([("BACKENDS_FILE".to_owned(), path.display().to_string())], None);
    let said = |path: &Path| {
        let faults = load(path).expect_err("it is faulty");
        assert_eq!(faults.faults.len(), 1, "{faults}");
        let public = faults.for_everybody().to_string();
        assert!(!public.contains(&*folder.path().to_string_lossy()), "{public}");
        faults.to_string()
    };
    assert!(
        said(&path).contains("this file cannot be read: No such file"),
        "{}",
        said(&path)
    );
    assert!(said(folder.path()).contains("this file cannot be read: a folder is there"));
    let huge = std::fs::File::create(&path).expect("made");
    huge.set_len(1 << 30).expect("set");
    assert!(said(&path).contains("more than 1048576 bytes"));
    std::fs::write(&path, b"# a\n\xff").expect("written");
    assert!(
        said(&path).contains("backends.toml line 2\n      not valid UTF-8"),
        "{}",
        said(&path)
    );
    std::fs::write(&path, backend("gpu", "")).expect("written");
    let loaded = load(&path).expect("it is one now");
    assert_eq!(loaded.settings.catalog.backends.len(), 2);
    let row = loaded
        .public_rows
        .iter()
        .find(|row| row.name == "BACKENDS_FILE")
        .expect("a row");
    assert_eq!(row.value.to_string(), "(set)");
}

#[test]
fn keys_are_in_nothing_that_is_shown() {
    let with_key = backend("gpu", &format!("key = \"{KEY}\""));
    let loaded = load("", &with_key).expect("right");
    assert_eq!(loaded.settings.catalog.backends[0].key, Some(Secret(KEY.to_owned())));
    assert!(!format!("{loaded:?}").contains("verysecret"));
    let variable = load(&format!("GPU_KEY={KEY}"), &backend("gpu", "key_variable = \"GPU_KEY\"")).expect("right");
    assert_eq!(variable.settings.catalog.backends[0].key, Some(Secret(KEY.to_owned())));
    assert!(!format!("{variable:?}").contains("verysecret"));
    let (_, changes) = load("", &backend("gpu", "key = \"other\""))
        .expect("right")
        .reload(loaded);
    assert!(!format!("{changes:?}").contains("verysecret"));
    assert_eq!(changes.len(), 1, "{changes:?}");
    for lines in [
        format!("key = \"two words of {KEY}\""),
        format!("key = [\"{KEY}\"]"),
        format!("kee = \"{KEY}\""),
        format!("key = \"{KEY}"),
        format!("key = {KEY}"),
        format!("url = \"https://me:{KEY}@h/v1\""),
        format!("url = \"https://h/v1?key={KEY}\""),
    ] {
        let faults = load("", &backend("gpu", &lines)).expect_err(&lines);
        assert!(!format!("{faults}{faults:?}").contains("verysecret"), "{faults}");
    }
    let faults = load(
        &format!("GPU_KEY='{KEY} {KEY}'"),
        &backend("gpu", "key_variable = \"GPU_KEY\""),
    )
    .expect_err("no key");
    assert!(!format!("{faults}{faults:?}").contains("verysecret"), "{faults}");
}

#[test]
fn addresses_are_the_operators() {
    let faults = load("", &backend("gpu", "url = \"10.1.2.3:8000\"")).expect_err("no address");
    assert!(faults.to_string().contains("10.1.2.3"));
    let public = faults.for_everybody().to_string();
    assert!(
        public.contains("gpu: url = (set)   (backends.toml line 4)") && !public.contains("10.1.2.3"),
        "{public}"
    );
}

#[test]
fn a_name_of_the_file_is_told_without_its_folders() {
    let (file, _) = BackendsFile::parse(&PathBuf::from("/srv/secret/backends.toml"), b"");
    assert_eq!(file.place(3), "backends.toml line 3");
}
