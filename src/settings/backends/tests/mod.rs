//! The file of back ends as an operator meets it.

mod faults;
mod property;

use std::path::Path;

use crate::queue::Balance;

use super::super::{
    BackendLimit, Catalog, Fault, Faults, Loaded, Provider, Secret, Settings, documents::code_of_docs, file_named,
};

const KEY: &str = "sk-verysecretverysecret";

/// The settings of this `.env` with this text as the file of back ends.
fn load(dotenv: &str, file: &str) -> Result<Loaded, Faults> {
    let dotenv = format!("BACKENDS_FILE=conf/backends.toml\n{dotenv}");
    Settings::load_with([], Some(&dotenv), &|path| {
        assert_eq!(path, Path::new("conf/backends.toml"));
        Ok(file.as_bytes().to_vec())
    })
}

fn catalog(dotenv: &str, file: &str) -> Catalog {
    let loaded = load(dotenv, file).unwrap_or_else(|faults| panic!("{faults}"));
    Catalog::clone(&loaded.settings.catalog)
}

/// What is wrong, a line each.
fn wrong(dotenv: &str, file: &str) -> Vec<String> {
    let faults = load(dotenv, file).expect_err("there is a fault").faults;
    let line = |fault: &Fault| format!("{} ({}) {}", fault.subject, fault.place, fault.advice);
    faults.iter().map(line).collect()
}

/// One back end with these lines.
fn backend(name: &str, lines: &str) -> String {
    format!("[[backend]]\nname = \"{name}\"\nprovider = \"ollama\"\n{lines}\n")
}

fn names(catalog: &Catalog) -> Vec<String> {
    catalog.models.iter().map(|model| model.name.to_string()).collect()
}

#[test]
fn the_documented_file_is_one() {
    let file = code_of_docs("toml");
    let loaded = load("MODEL=qwen3-8b@gpu\nOPENAI_API_KEY=k\n", &file).unwrap_or_else(|faults| panic!("{faults}"));
    assert_eq!(loaded.warnings, [""; 0]);
    let catalog = &loaded.settings.catalog;
    let limits: Vec<_> = catalog
        .backends
        .iter()
        .map(|one| (&*one.name, &*one.pool, one.limit))
        .collect();
    assert_eq!(
        limits,
        [
            ("gpu1", "gpu", BackendLimit::Slots(Some(8))),
            ("gpu2", "gpu", BackendLimit::Auto),
            ("hosted", "hosted", BackendLimit::Slots(Some(4))),
        ]
    );
    assert_eq!(catalog.backends[2].key, Some(Secret("k".to_owned())));
    assert_eq!(names(catalog), ["qwen3-8b@gpu", "qwen3-32b@gpu", "gpt-4o@hosted"]);
    assert_eq!(
        (catalog.models[0].title.as_deref(), catalog.models[0].context),
        (Some("Small"), Some(32_768))
    );
    let pool = |at: usize| {
        catalog
            .pool(&catalog.models[at].name)
            .map(|(at, _)| at)
            .collect::<Vec<_>>()
    };
    assert_eq!([pool(0), pool(1), pool(2)], [vec![0, 1], vec![0], vec![2]]);
}

#[test]
fn every_key_reaches_its_field() {
    let file = "\
        [[backend]]\nname = \"a\"\npool = \"p\"\nprovider = \"OpenAI\"\nurl = \"http://h/v1\"\nkey = \"k\"\nmodels = [\"x\", \"y\"]\nlimit = 0x10\n\
        weight = 3\nvision = true\ntools = false\ncontext = 8_192\ndrain = true\n\
        [[backend]]\nname = \"b\"\nprovider = \"builtin\"\nlimit = \"none\"\nmodels = [\"demo\"]\n\
        [[model]]\nname = \"x@p\"\ntitle = \"X\"\ncontext = 1e3\ninput_price = 2.5\noutput_price = 10\n";
    assert!(
        wrong("MODEL=x@p", file)[0].starts_with("x@p: context = 1e3 (backends.toml line 22) allowed is a whole number")
    );
    let catalog = catalog("MODEL=x@p\nBACKEND_BALANCE=weighted", &file.replace("1e3", "1000"));
    let [a, b] = &catalog.backends[..] else {
        panic!("two back ends")
    };
    assert_eq!((&*a.name, &*a.pool, a.provider), ("a", "p", Provider::OpenAi));
    assert_eq!(
        (a.address.as_deref(), &*a.origin),
        (Some("http://h/v1"), "backends.toml, a")
    );
    assert_eq!(a.key, Some(Secret("k".to_owned())));
    assert_eq!(a.models.as_deref(), Some(&["x".to_owned(), "y".to_owned()][..]));
    assert_eq!((a.limit, a.weight), (BackendLimit::Slots(Some(16)), 3));
    assert_eq!(
        (a.vision, a.tools, a.context, a.drain),
        (Some(true), Some(false), Some(8192), true)
    );
    assert_eq!((b.limit, b.weight, b.drain), (BackendLimit::Slots(None), 1, false));
    assert_eq!((b.vision, b.tools, b.context), (None, None, None));
    assert_eq!(catalog.balance, Balance::Weighted);
    let x = catalog.about(&catalog.default);
    assert_eq!(
        (x.context, x.input_price, x.output_price),
        (Some(1000), Some(2.5), Some(10.0))
    );
    assert_eq!(names(&catalog), ["x@p", "y@p", "demo@b"]);
}

#[test]
fn a_variable_that_the_file_names_is_no_misspelt_setting() {
    let file = "[[backend]]\nname = \"hosted\"\nprovider = \"openai\"\nkey_variable = \"OPENAI_API_KEY2\"\n";
    let loaded = load("MODEL=m@hosted\nOPENAI_API_KEY2=k2\n", file).expect("right");
    assert_eq!(loaded.warnings, [""; 0]);
    assert_eq!(loaded.settings.catalog.backends[0].key, Some(Secret("k2".to_owned())));
    let environment = [
        ("OPENAI_API_KEY2".to_owned(), "from outside".replace(' ', "-")),
        ("MODEL".to_owned(), "m@hosted".to_owned()),
        ("BACKENDS_FILE".to_owned(), "b".to_owned()),
    ];
    let loaded = Settings::load_with(environment, Some("OPENAI_API_KEY2=k2"), &|_| {
        Ok(file.as_bytes().to_vec())
    });
    let loaded = loaded.expect("right");
    assert_eq!(
        loaded.settings.catalog.backends[0].key,
        Some(Secret("from-outside".to_owned())),
        "the environment wins"
    );
}

#[test]
fn addresses_with_commas_are_back_ends() {
    let plain = |dotenv: &str| {
        let loaded = Settings::load([], Some(dotenv)).unwrap_or_else(|faults| panic!("{faults}"));
        Catalog::clone(&loaded.settings.catalog)
    };
    let told = |catalog: &Catalog| -> Vec<(String, Option<String>, String)> {
        let backends = catalog.backends.iter();
        backends
            .map(|one| (one.name.clone(), one.address.clone(), one.origin.clone()))
            .collect()
    };
    let of = |name: &str, address: Option<&str>, origin: &str| {
        (name.to_owned(), address.map(str::to_owned), origin.to_owned())
    };
    assert_eq!(told(&plain("MODEL=m@ollama")), [of("ollama", None, "OLLAMA_URL")]);
    assert_eq!(
        told(&plain("MODEL=m@openai\nOPENAI_API_KEY=k")),
        [of("openai", None, "OPENAI_API_KEY")]
    );
    assert_eq!(
        told(&plain("MODEL=m@ollama\nOLLAMA_URL=http://a:1")),
        [of("ollama", Some("http://a:1"), "OLLAMA_URL")]
    );
    let two = plain(
        "MODEL=m@openai\nOPENAI_BASE_URL='http://a/v1, https://b/v1,'\nOPENAI_API_KEY=k\nMODELS=n@openai,*@ollama,m@openai",
    );
    assert_eq!(
        told(&two),
        [
            of("openai-1", Some("http://a/v1"), "OPENAI_BASE_URL"),
            of("openai-2", Some("https://b/v1"), "OPENAI_BASE_URL"),
            of("ollama", None, "OLLAMA_URL"),
        ]
    );
    assert!(
        two.backends[..2]
            .iter()
            .all(|backend| backend.key == Some(Secret("k".to_owned())))
    );
    assert_eq!(
        (names(&two), two.asked.clone()),
        (
            vec!["m@openai".to_owned(), "n@openai".to_owned()],
            vec!["ollama".to_owned()]
        )
    );
    let faults = Settings::load([], Some("OLLAMA_URL=http://a,b"))
        .expect_err("b is no address")
        .to_string();
    assert!(
        faults.contains("OLLAMA_URL = http://a,b") && faults.contains("or several with commas between"),
        "{faults}"
    );
}

#[test]
fn offered_is_what_models_says_or_else_what_the_file_names() {
    let file = backend("gpu", "models = [\"a\", \"b\"]") + "[[model]]\nname = \"b@gpu\"\ntitle = \"B\"\n";
    assert_eq!(names(&catalog("", &file)), ["demo@builtin", "b@gpu", "a@gpu"]);
    assert_eq!(names(&catalog("MODEL=a@gpu", &file)), ["a@gpu", "b@gpu"]);
    let fewer = catalog("MODEL=a@gpu\nMODELS=a@gpu\nFALLBACK_MODEL=b@gpu", &file);
    assert_eq!(names(&fewer), ["a@gpu"]);
    let fallback = fewer.fallback.clone().expect("there is one");
    assert_eq!(
        fewer.about(&fallback).title.as_deref(),
        Some("B"),
        "known, though it is not offered"
    );
    // All of a place: those that are listed, and what the servers say where nothing is.
    let all = catalog(
        "MODEL=a@gpu\nMODELS=*@gpu,*@any,*@builtin",
        &(file + &backend("any", "")),
    );
    assert_eq!(names(&all), ["a@gpu", "b@gpu", "demo@builtin"]);
    assert_eq!(all.asked, ["any"]);
}

#[test]
fn a_limit_is_its_own_or_that_of_all_or_the_default_or_one() {
    let file = backend("own", "limit = 7") + &backend("none", "");
    let limits = |dotenv: &str| {
        let loaded = load(&format!("MODEL=m@own\n{dotenv}"), &file).expect("right");
        let [own, none] = [0, 1].map(|at| loaded.settings.catalog.backends[at].limit);
        assert_eq!(own, BackendLimit::Slots(Some(7)));
        (loaded.settings.policy.events[0].limit, none)
    };
    for (dotenv, chat, backend) in [
        ("", None, BackendLimit::Slots(Some(1))),
        ("DEFAULT_CONCURRENCY_LIMIT=5", None, BackendLimit::Slots(Some(5))),
        ("DEFAULT_CONCURRENCY_LIMIT=none", None, BackendLimit::Slots(None)),
        ("CHAT_CONCURRENCY_LIMIT=3", Some(3), BackendLimit::Slots(None)),
        ("CHAT_CONCURRENCY_LIMIT=none", None, BackendLimit::Slots(None)),
        ("CHAT_CONCURRENCY_LIMIT=auto", None, BackendLimit::Auto),
        (
            "CHAT_CONCURRENCY_LIMIT=auto\nDEFAULT_CONCURRENCY_LIMIT=5",
            None,
            BackendLimit::Auto,
        ),
        // What shares a limit shares a number.
        (
            "CHAT_CONCURRENCY_ID=gpu\nDEFAULT_CONCURRENCY_LIMIT=5",
            Some(12),
            BackendLimit::Slots(Some(5)),
        ),
    ] {
        assert_eq!(limits(dotenv), (chat, backend), "{dotenv}");
    }
}

#[test]
fn what_is_hardly_meant_is_warned_of() {
    let warnings = |dotenv: &str, file: &str| load(dotenv, file).unwrap_or_else(|faults| panic!("{faults}")).warnings;
    let two = backend("a", "limit = 8\nmodels = [\"m\"]") + &backend("b", "limit = 8\nmodels = [\"n\"]");
    for (dotenv, file, expected) in [
        (
            "MODEL=m@a\nCHAT_CONCURRENCY_LIMIT=3",
            &*two,
            "CHAT_CONCURRENCY_LIMIT is 3, and the back ends take 16 together",
        ),
        (
            "MODEL=m@a\nMAX_RUNNING=9\nMODELS=m@a,n@b\nCHAT_CONCURRENCY_LIMIT=10",
            &two,
            "The limit of chat is more than MAX_RUNNING",
        ),
        (
            "MODEL=m@a\nMODELS=m@a",
            &two,
            "b has no work: MODEL and MODELS name no model of @b that it has.",
        ),
        (
            "",
            &two,
            "MODEL is not set: conversations start with demo@builtin, not with a model of backends.toml.",
        ),
        ("", "# nothing", "backends.toml has no [[backend]]."),
        (
            "MODEL=m@a\nGEMINI_API_KEY=k",
            &two,
            "GEMINI_API_KEY is set, but MODEL and MODELS name no model of gemini: it is not used.",
        ),
        (
            "MODEL=m@ollama\nOLLAMA_URL=http://h",
            &backend("ollama", ""),
            "OLLAMA_URL is set, but the back ends of ollama stand in backends.toml: it is not used.",
        ),
    ] {
        let said = warnings(dotenv, file);
        assert!(
            said.iter().any(|said| said.starts_with(expected)),
            "{expected}\nis not in\n{said:#?}"
        );
    }
    assert_eq!(warnings("MODEL=m@a\nCHAT_CONCURRENCY_LIMIT=16", &two), [""; 0]);
}

#[test]
fn an_edit_of_the_file_is_told_entry_by_entry() {
    let before = load(
        "MODEL=m@a",
        &(backend("a", "limit = 4") + &backend("b", "") + "[[model]]\nname = \"m@a\"\n"),
    )
    .expect("right");
    let after = load(
        "MODEL=m@a",
        &(backend("a", "limit = 8") + &backend("c", "drain = true") + "[[model]]\nname = \"m@a\"\ntitle = \"M\"\n"),
    );
    let (active, changes) = before.reload(after.expect("right"));
    let names: Vec<_> = changes
        .iter()
        .map(|change| (&*change.name, change.needs_restart))
        .collect();
    assert_eq!(
        names,
        [
            ("backends.toml, a", false),
            ("backends.toml, b", false),
            ("backends.toml, c", false),
            ("m@a", false)
        ]
    );
    let (limit_before, limit_after) = &changes[0].values;
    assert!(limit_before.to_string().contains("limit = 4") && limit_after.to_string().contains("limit = 8"));
    assert_eq!(changes[1].values.1.to_string(), "(unset)", "it was taken out");
    assert!(changes[2].values.1.to_string().contains("drain = true"));
    assert_eq!(active.settings.catalog.backends[0].limit, BackendLimit::Slots(Some(8)));
    // An edit that changes no meaning is none.
    let same = load("MODEL=m@a", &("# a comment\n".to_owned() + &backend("a", "limit = 4"))).expect("right");
    let spaced = load("MODEL=m@a", &backend("a", "\n\nlimit   =   4 # as before")).expect("right");
    assert_eq!(same.reload(spaced).1, []);
}

#[test]
fn the_file_to_watch_is_the_one_that_would_be_read() {
    let file = |environment: &[(&str, &str)], dotenv: &str| {
        let environment = environment
            .iter()
            .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()));
        let path = file_named("BACKENDS_FILE", &environment.collect(), dotenv)?;
        path.to_str().map(str::to_owned)
    };
    let in_env = "BACKENDS_FILE=old.toml\nBACKENDS_FILE='my backends.toml' # two words\n";
    assert_eq!(file(&[], in_env).as_deref(), Some("my backends.toml"));
    assert_eq!(file(&[("BACKENDS_FILE", "a.toml")], in_env).as_deref(), Some("a.toml"));
    assert_eq!(
        file(&[("BACKENDS_FILE", " ")], in_env).as_deref(),
        Some("my backends.toml")
    );
    assert_eq!(file(&[], "BACKENDS_FILE=\nno line"), None);
}
