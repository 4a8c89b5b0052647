//! The settings as an operator meets them.

mod before;
mod shown;

use std::{collections::BTreeSet, io, path::Path, time::Duration};

use super::{
    BackendLimit, Fault, Faults, Loaded, Provider, Secret, Settings, UpdateRate, dotenv, load, read,
    variables::{self, VARIABLES, Variable},
};
use crate::{
    queue::{Difference, EventIndex, Order},
    wire::Event,
};

const EXAMPLE: &str = include_str!("../../.env.example");
const DOCS: &str = include_str!("../../docs/settings.md");

fn env(pairs: &[(&str, &str)]) -> Result<Loaded, Faults> {
    let pairs = pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Settings::load_with(pairs, None, &one_back_end)
}

fn file(text: &str) -> Result<Loaded, Faults> {
    Settings::load_with([], Some(text), &one_back_end)
}

/// What stands in the files of prompts and of tool servers, by their names, and in the file of back ends, whatever its name, unless there can hardly be one.
pub(super) fn one_back_end(path: &Path) -> io::Result<Vec<u8>> {
    match path.to_str() {
        Some("prompts.toml") => return Ok(b"[[prompt]]\ntext = \"x\"\n".to_vec()),
        Some("mcp.json") => return Ok(br#"{"mcpServers": {"one": {"url": "http://127.0.0.1:1"}}}"#.to_vec()),
        Some("!?") => return Err(io::ErrorKind::NotFound.into()),
        _ => {}
    }
    Ok(b"[[backend]]\nname = \"one\"\nprovider = \"ollama\"\nmodels = [\"m\"]\n".to_vec())
}

/// What others need beside them: a model of each provider, with addresses, so that each variable of a provider changes something; and a
/// database and a key.
pub(super) const WHAT_OTHERS_NEED: [(&str, &str); 7] = [
    ("DATABASE_URL", "postgres://127.0.0.1/needed"),
    ("SECRET_KEY", "needed-0123456789012345678901234"),
    ("MODELS", "m@openai,m@ollama,m@anthropic,m@gemini"),
    ("OPENAI_BASE_URL", "http://127.0.0.1:1"),
    ("OLLAMA_URL", "http://127.0.0.1:1"),
    ("ANTHROPIC_BASE_URL", "http://127.0.0.1:1"),
    ("GEMINI_BASE_URL", "http://127.0.0.1:1"),
];

/// This variable beside those.
fn beside(name: &str, text: &str) -> Result<Loaded, Faults> {
    let mut pairs = WHAT_OTHERS_NEED.to_vec();
    pairs.retain(|(other, _)| *other != name);
    pairs.push((name, text));
    env(&pairs)
}

/// The faults as people read them.
fn said(loaded: Result<Loaded, Faults>) -> String {
    loaded.expect_err("there is a fault").to_string()
}

/// A text for this variable that changes the settings.
pub(super) fn another(variable: &Variable) -> &'static str {
    const TEXTS: [&str; 19] = [
        "7",
        "false",
        "true",
        "fifo",
        "json",
        "warn",
        "weighted",
        "operators",
        "64MB",
        "none",
        "ru",
        "m@ollama",
        "127.0.0.1",
        "127.0.0.1:4000",
        "http://127.0.0.1/0123456789abcdef",
        "postgres://127.0.0.1/anteroom",
        "prompts.toml",
        "mcp.json",
        "model",
    ];
    let defaults = env(&WHAT_OTHERS_NEED).expect("they are right").settings;
    let changes = |text: &&str| beside(variable.name, text).is_ok_and(|loaded| loaded.settings != defaults);
    TEXTS.into_iter().find(changes).expect(variable.name)
}

fn limits(loaded: &Loaded) -> Vec<Option<usize>> {
    loaded.settings.policy.events.iter().map(|event| event.limit).collect()
}

/// This limit for every event, but for the one whose limits are those of the back ends.
fn without_chat(limit: Option<usize>) -> [Option<usize>; Event::ALL.len()] {
    Event::ALL.map(|event| limit.filter(|_| event != Event::Chat))
}

fn back_end_limits(loaded: &Loaded) -> Vec<BackendLimit> {
    loaded
        .settings
        .catalog
        .backends
        .iter()
        .map(|backend| backend.limit)
        .collect()
}

fn row(loaded: &Loaded, name: &str) -> (String, String) {
    let row = loaded
        .rows
        .iter()
        .find(|row| row.name == name)
        .expect("every variable has a row");
    (row.value.to_string(), row.source.name().to_owned())
}

#[test]
fn nothing_at_all_is_enough() {
    let loaded = env(&[]).expect("the defaults are right");
    let settings = &loaded.settings;
    assert_eq!(loaded.warnings, [""; 0]);
    assert_eq!(settings.catalog.default.to_string(), "demo@builtin");
    assert_eq!(limits(&loaded), without_chat(Some(1)));
    assert_eq!(back_end_limits(&loaded), [BackendLimit::Slots(Some(1))]);
    let names: Vec<_> = settings.policy.events.iter().map(|event| event.name.as_str()).collect();
    assert_eq!(names, Event::ALL.map(Event::name));
    assert_eq!(settings.policy.max_running, Some(100));
    assert_eq!(settings.policy.max_size, None);
    assert_eq!(settings.abandon_after, Some(Duration::from_secs(120)));
    assert_eq!(settings.session_idle_timeout, Duration::from_secs(3600));
    assert_eq!(settings.max_upload_bytes, 20_000_000);
    assert_eq!(loaded.rows.len(), VARIABLES.len());
    assert_eq!(
        row(&loaded, "SITE_ADDR"),
        ("127.0.0.1:3000".to_owned(), "default".to_owned())
    );
    assert_eq!(
        row(&loaded, "CHAT_CONCURRENCY_LIMIT"),
        ("(unset)".to_owned(), "default".to_owned())
    );
}

#[test]
fn the_example_names_every_variable_and_has_the_values_of_the_design() {
    let (assignments, faults) = dotenv::parse(EXAMPLE);
    assert_eq!(faults, []);
    let named: Vec<_> = assignments.iter().map(|one| one.name.as_str()).collect();
    assert_eq!(
        named,
        VARIABLES.map(|variable| variable.name),
        "the same variables, in the same order"
    );
    for (one, variable) in assignments.iter().zip(VARIABLES) {
        let example = variable.example.first().copied().or(variable.default);
        assert_eq!(one.value.to_string(), example.unwrap_or_default(), "{}", variable.name);
    }

    let loaded = file(EXAMPLE).expect("the example is right");
    assert_eq!(loaded.warnings, [""; 0]);
    let limit = |event: Event| limits(&loaded)[event.index()];
    assert_eq!((limit(Event::Chat), limit(Event::FileUpload)), (Some(3), Some(2)));
    assert_eq!(
        (
            limit(Event::StatsRefresh),
            limit(Event::LogsRefresh),
            limit(Event::Tool)
        ),
        (Some(5), Some(5), Some(4))
    );
    let policy = &loaded.settings.policy;
    assert!(policy.concurrent && policy.queue);
    assert_eq!(
        (policy.max_running, policy.order, policy.max_size),
        (Some(100), Order::Fair, None)
    );
    assert_eq!((policy.max_waiting_per_owner, policy.max_wait), (Some(10), None));
    assert!(policy.events.iter().all(|event| event.concurrency_id.is_none()));
    let settings = &loaded.settings;
    assert_eq!(settings.status_update_rate, UpdateRate::Auto);
    assert_eq!(settings.abandon_after, Some(Duration::from_secs(120)));
    assert_eq!(settings.chat_timeout, Some(Duration::from_secs(300)));
    assert_eq!(settings.catalog.default.to_string(), "demo@builtin");
    assert_eq!(
        back_end_limits(&loaded),
        [BackendLimit::Slots(None)],
        "the three are for all back ends together"
    );
    assert_eq!(
        (settings.site_addr.to_string(), settings.data_dir.to_str()),
        ("127.0.0.1:3000".to_owned(), Some("data"))
    );
    assert_eq!((&settings.secret_key, settings.log_filter.as_str()), (&None, "info"));
}

#[test]
fn the_docs_name_every_variable_and_alias_and_no_other() {
    let words = DOCS.split('`').skip(1).step_by(2);
    let is_variable = |word: &str| word.len() > 4 && word.chars().all(|c| c.is_ascii_uppercase() || c == '_');
    let mut named: BTreeSet<&str> = words.filter(|word| is_variable(word)).collect();
    named.remove(super::ENV_FILE);
    assert_eq!(named, variables::names().collect());
}

#[test]
fn an_events_limit_is_its_own_or_the_default_or_one() {
    let loaded = env(&[
        ("DEFAULT_CONCURRENCY_LIMIT", "7"),
        ("CHAT_CONCURRENCY_LIMIT", "2"),
        ("LOGS_CONCURRENCY_LIMIT", "None"),
    ]);
    let expected = Event::ALL.map(|event| match event {
        Event::Chat => Some(2),
        Event::LogsRefresh => None,
        _ => Some(7),
    });
    assert_eq!(limits(&loaded.expect("right")), expected);
    let loaded = env(&[("DEFAULT_CONCURRENCY_LIMIT", "none"), ("MAX_RUNNING", "none")]).expect("right");
    assert_eq!(limits(&loaded), Event::ALL.map(|_| None));
    assert_eq!(back_end_limits(&loaded), [BackendLimit::Slots(None)]);
    assert_eq!(loaded.settings.policy.max_running, None);
}

#[test]
fn an_old_gradio_file_works_unchanged() {
    let text =
        "GRADIO_ENABLE_QUEUE=False\nGRADIO_CONCURRENCY_LIMIT=4\nGRADIO_MAX_THREADS=40\nGEN_MODEL=llama3.2@ollama\n";
    let loaded = file(text).expect("right");
    assert_eq!(loaded.warnings, [""; 0]);
    assert!(!loaded.settings.policy.queue);
    assert_eq!(limits(&loaded), without_chat(Some(4)));
    assert_eq!(back_end_limits(&loaded), [BackendLimit::Slots(Some(4))]);
    assert_eq!(loaded.settings.policy.max_running, Some(40));
    assert_eq!(loaded.settings.catalog.default.to_string(), "llama3.2@ollama");
    assert_eq!(row(&loaded, "MAX_RUNNING"), ("40".to_owned(), ".env".to_owned()));

    let loaded = file("GRADIO_DEFAULT_CONCURRENCY_LIMIT=6\nGRADIO_SERVER_PORT=7860\n").expect("right");
    assert_eq!(limits(&loaded), without_chat(Some(6)));
    assert_eq!(
        loaded.warnings,
        ["GRADIO_SERVER_PORT (.env line 2) is not a setting of Anteroom and is ignored."]
    );
}

#[test]
fn a_name_wins_over_its_alias_and_says_so() {
    let loaded = file("GRADIO_MAX_THREADS=40\nMAX_RUNNING=9\n").expect("right");
    assert_eq!(loaded.settings.policy.max_running, Some(9));
    assert_eq!(
        loaded.warnings,
        [
            "MAX_RUNNING (.env line 2) and GRADIO_MAX_THREADS (.env line 1) mean the same and differ: MAX_RUNNING is used."
        ]
    );
}

#[test]
fn the_environment_wins_over_the_file_and_empty_is_unset() {
    let pairs = [("CHAT_TIMEOUT", "2m"), ("MAX_RUNNING", ""), ("DEMO_SPEED", " ")];
    let environment = pairs.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let loaded = Settings::load(environment, Some("CHAT_TIMEOUT=10\nMAX_RUNNING=8\n")).expect("right");
    assert_eq!(loaded.settings.chat_timeout, Some(Duration::from_secs(120)));
    assert_eq!(
        row(&loaded, "CHAT_TIMEOUT"),
        ("2m".to_owned(), "environment".to_owned())
    );
    assert_eq!(row(&loaded, "MAX_RUNNING"), ("8".to_owned(), ".env".to_owned()));
    assert_eq!(row(&loaded, "DEMO_SPEED"), ("40".to_owned(), "default".to_owned()));
}

#[test]
fn every_fault_is_reported_at_once() {
    let text = said(file(
        "CHAT_CONCURRENCY_LIMIT=0\nFILE_CONCURRENCY_LIMIT=1001\nMAX_RUNNING=many\nENABLE_QUEUE=perhaps\n\
         CHAT_TIMEOUT=soon\nQUEUE_STATUS_UPDATE_RATE=0\nMODEL=gpt-4o@openai\nSECRET_KEY=short\nRUST_LOG=a=b=c\n\
         CHAT_CONCURENCY_ID=gpu\nSTATS_CONCURRENCY_ID=chat\nMAX_UPLOAD_SIZE=2TB\nSITE_ADDR=3000\nthis is no line\n\
         MODEL_RETRIES=-1\nQUEUE_ORDER=lifo\n",
    ));
    let expected = [
        "16 settings are wrong:",
        "CHAT_CONCURRENCY_LIMIT = 0   (.env line 1)\n      allowed is a whole number from 1 to 1000, or none or auto\n",
        "FILE_CONCURRENCY_LIMIT = 1001   (.env line 2)\n",
        "MAX_RUNNING = many   (.env line 3)\n      allowed is a whole number from 1 to 1000, or none\n",
        "ENABLE_QUEUE = perhaps   (.env line 4)\n      allowed is true or false (also",
        "CHAT_TIMEOUT = soon   (.env line 5)\n      allowed is a number of seconds from 0.1 to 2592000 (also written as 500ms, 90s, 2m, 1h), or none\n",
        "QUEUE_STATUS_UPDATE_RATE = 0   (.env line 6)\n      allowed is a number of seconds from 0.05 to 60 (also written as 500ms, 90s, 2m, 1h), or auto\n",
        "MODEL = gpt-4o@openai   (.env line 7)\n      this model needs OPENAI_API_KEY (or OPENAI_BASE_URL,",
        "SECRET_KEY = (hidden)   (.env line 8)\n      allowed is text without spaces of 32 to 4096 characters\n",
        "RUST_LOG = a=b=c   (.env line 9)\n",
        "CHAT_CONCURENCY_ID   (.env line 10)\n      there is no such setting; did you mean CHAT_CONCURRENCY_ID?\n",
        "STATS_CONCURRENCY_ID = chat   (.env line 11)\n      chat is the name of another event;",
        "MAX_UPLOAD_SIZE = 2TB   (.env line 12)\n      allowed is a number of bytes from 1 to 1000000000 (also",
        "SITE_ADDR = 3000   (.env line 13)\n      allowed is an IP address and a port",
        "  .env line 14\n      not of the form NAME=value",
        "MODEL_RETRIES = -1   (.env line 15)\n      allowed is a whole number from 0 to 10\n",
        "QUEUE_ORDER = lifo   (.env line 16)\n      allowed is fair or fifo\n",
    ];
    for part in expected {
        assert!(text.contains(part), "{part}\nis not in\n{text}");
    }
}

#[test]
fn a_key_of_wrong_characters_is_told_apart_from_one_of_wrong_length() {
    let text = said(env(&[("SECRET_KEY", "a b"), ("OPERATOR_KEY", "short")]));
    assert!(text.contains("allowed is text without spaces\n"), "{text}");
    assert!(
        text.contains("allowed is text without spaces of 16 to 4096 characters\n"),
        "{text}"
    );
}

#[test]
fn a_model_needs_a_key_or_a_server_of_its_own() {
    let with_a_key = Provider::ALL.into_iter().filter_map(|provider| {
        let (url, key) = provider.fields()?;
        let [url, key] = [url, key?].map(|field| variables::of_field(field).expect(field).name);
        Some((provider, key, url))
    });
    let with_a_key: Vec<_> = with_a_key.collect();
    assert!(with_a_key.contains(&(Provider::OpenAi, "OPENAI_API_KEY", "OPENAI_BASE_URL")));
    for (provider, key, url) in with_a_key {
        let model = &*format!("m@{}", provider.name());
        assert!(said(env(&[("MODEL", model)])).contains(key), "{model}");
        assert!(env(&[("MODEL", model), (key, "k-1")]).is_ok(), "{model}");
        assert!(
            env(&[("MODEL", model), (url, "http://127.0.0.1:8000/v1")]).is_ok(),
            "{model}"
        );
    }
    assert!(env(&[("MODEL", "llama3.2@ollama")]).is_ok());
    let text = said(env(&[("MODEL", "gpt-4o@opneai")]));
    assert!(
        text.contains("there is no place opneai; did you mean @openai?"),
        "{text}"
    );
    for model in ["gpt-4o@sky", "gpt-4o"] {
        let text = said(env(&[("MODEL", model)]));
        assert!(Provider::ALL.iter().all(|one| text.contains(one.name())), "{text}");
    }
}

#[test]
fn misspelt_in_the_environment_is_a_warning() {
    let loaded = env(&[("CHAT_CONCURENCY_LIMIT", "2"), ("PATH", "/bin"), ("MODE", "x")]).expect("right");
    assert_eq!(
        loaded.warnings,
        [
            "CHAT_CONCURENCY_LIMIT (environment) is not a setting of Anteroom and is ignored; \
          did you mean CHAT_CONCURRENCY_LIMIT?"
        ]
    );
}

#[test]
fn what_is_misspelt_in_the_environment_is_told_beside_what_ends_the_start() {
    let text = said(env(&[("CHAT_CONCURENCY_LIMIT", "2"), ("CHAT_TIMEOUT", "soon")]));
    for part in [
        "One setting is wrong:",
        "CHAT_TIMEOUT = soon",
        "Also noticed",
        "CHAT_CONCURENCY_LIMIT (environment) is not a setting of Anteroom and is ignored; did you mean CHAT_CONCURRENCY_LIMIT?",
    ] {
        assert!(text.contains(part), "{part}\nis not in\n{text}");
    }
    assert!(!said(env(&[("CHAT_TIMEOUT", "soon")])).contains("Also noticed"));
}

#[test]
fn a_file_that_cannot_be_read_is_told_with_what_the_environment_gets_wrong() {
    let pairs = [
        ("MODEL", "gpt-4o@openai"),
        ("MAX_RUNNING", "0"),
        ("CHAT_CONCURENCY_LIMIT", "2"),
    ];
    let environment = pairs.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let unreadable = Fault::new(".env", "", "this file cannot be read: a pipe is there");
    let faults = load::load(
        &environment.into_iter().collect(),
        Err(unreadable.clone()),
        &one_back_end,
    );
    let faults = faults.expect_err("it is faulty");
    assert_eq!(faults.faults.len(), 2, "its key may stand in the file: {faults}");
    assert_eq!(faults.faults[0], unreadable);
    assert!(faults.faults[1].subject.starts_with("MAX_RUNNING"), "{faults}");
    assert_eq!(faults.warnings.len(), 1, "{faults}");
}

#[test]
fn a_node_beside_others_needs_their_database_and_their_key() {
    let address = ("NODE_ADDR", "node-1:3001");
    let [database, key] = [WHAT_OTHERS_NEED[0], WHAT_OTHERS_NEED[1]];
    for (given, missing) in [
        (vec![address], vec!["DATABASE_URL", "SECRET_KEY"]),
        (vec![address, database], vec!["SECRET_KEY"]),
        (vec![address, key], vec!["DATABASE_URL"]),
    ] {
        let faults = env(&given).expect_err("something is missing");
        assert_eq!(faults.faults.len(), missing.len(), "{faults}");
        for (fault, name) in faults.faults.iter().zip(missing) {
            assert_eq!(fault.subject, "NODE_ADDR = node-1:3001");
            assert!(
                fault
                    .advice
                    .starts_with(&format!("this needs {name}, the same on every node"))
            );
        }
    }
    let loaded = env(&[address, database, key]).expect("all is there");
    assert_eq!(loaded.settings.node_addr.as_deref(), Some("node-1:3001"));
    assert!(loaded.warnings[0].contains("OPERATOR_KEY"), "{:?}", loaded.warnings);
    let operator = ("OPERATOR_KEY", "0123456789abcdef");
    let loaded = env(&[address, database, key, operator]).expect("all is there");
    assert_eq!(loaded.warnings, [""; 0]);
    assert_eq!(env(&[]).expect("right").settings.node_addr, None);
    let text = said(env(&[("NODE_ADDR", "0.0.0.0:3001"), database, key]));
    assert!(text.contains("NODE_ADDR = 0.0.0.0:3001"), "{text}");
    assert!(text.contains("no address that stands for all of a machine"), "{text}");
}

#[test]
fn keys_are_shown_nowhere() {
    let key = "sk-verysecretverysecretverysecretverysecret";
    let loaded = env(&[("MODEL", "m@openai"), ("OPENAI_API_KEY", key), ("SECRET_KEY", key)]).expect("right");
    assert_eq!(loaded.settings.catalog.backends[0].key, Some(Secret(key.to_owned())));
    assert!(!format!("{loaded:?}").contains("verysecret"));
    assert_eq!(
        row(&loaded, "OPENAI_API_KEY"),
        ("(hidden)".to_owned(), "environment".to_owned())
    );

    let faulty = [
        "OPENAI_API_KEY='sk verysecret'",
        "OPENAI_API_KEY=sk verysecret",
        "SECRET_KEY=verysecret",
        "OPENAI_BASE_URL=https://me:verysecret@example.org/v1",
        "OPENAI_API_KEYS=verysecret",
    ];
    for text in faulty {
        let faults = file(text).expect_err(text);
        assert!(!format!("{faults} {faults:?}").contains("verysecret"), "{text}");
    }
}

#[test]
fn odd_settings_are_warned_of() {
    let text = "CHAT_CONCURRENCY_LIMIT=50\nMAX_RUNNING=10\nCHAT_TIMEOUT=30\nOPENAI_API_KEY=k\nDATA_DIR=a\nDATA_DIR=b\n";
    let loaded = file(text).expect("odd, but right");
    assert_eq!(loaded.settings.data_dir.to_str(), Some("b"));
    let all = loaded.warnings.join("\n");
    for address in ["ANTHROPIC_BASE_URL", "GEMINI_BASE_URL", "OLLAMA_URL"] {
        let loaded = file(&format!("{address}=http://127.0.0.1:1")).expect("odd, but right");
        assert!(loaded.warnings[0].starts_with(address), "{:?}", loaded.warnings);
    }
    for part in [
        "The limit of chat is more than MAX_RUNNING",
        "longer than CHAT_TIMEOUT",
        "the demo model answers",
        "stands twice",
    ] {
        assert!(all.contains(part), "{part}\nis not in\n{all}");
    }
    assert_eq!(loaded.warnings.len(), 4, "{all}");
}

#[test]
fn a_value_is_shown_on_one_short_line() {
    let text = said(env(&[("QUEUE_ORDER", &format!("\u{1b}[2J\n{}", "x".repeat(1000)))]));
    assert!(text.contains("QUEUE_ORDER = \\u{1b}[2J\\nxxx"), "{text}");
    assert!(text.lines().all(|line| line.chars().count() < 250), "{text}");
}

#[test]
fn a_file_may_be_missing_unless_it_was_asked_for() {
    let dir = tempfile::tempdir().expect("a directory to write in");
    let path = dir.path().join("my.env");
    assert_eq!(read(&path, false), Ok(None));
    let fault = read(&path, true).expect_err("it is not there");
    assert!(fault.subject.ends_with("my.env"), "{fault:?}");
    assert_eq!(fault.place, "named by ANTEROOM_ENV_FILE");
    assert!(fault.advice.starts_with("this file cannot be read:"), "{fault:?}");
    let fault = read(dir.path(), false).expect_err("a directory is no file");
    assert!(fault.advice.contains("a folder is there"), "{fault:?}");
    let huge = std::fs::File::create(&path).expect("made");
    huge.set_len(1 << 30).expect("set");
    let fault = read(&path, true).expect_err("it is too large");
    assert!(fault.advice.contains("more than 1048576 bytes"), "{fault:?}");
    std::fs::write(&path, b"DATA_DIR=d\xff\n").expect("written");
    let text = read(&path, true).expect("it is there now");
    assert!(said(Settings::load([], text.as_deref())).contains("not valid UTF-8"));
}

#[test]
fn what_is_not_utf_8_is_a_fault() {
    assert!(said(env(&[("DATA_DIR", "d\u{fffd}ta")])).contains("not valid UTF-8"));
}

#[test]
fn every_variable_reaches_its_field() {
    let defaults = env(&WHAT_OTHERS_NEED).expect("they are right").settings;
    for variable in &VARIABLES {
        for name in variable.all_names() {
            let other = beside(name, another(variable)).expect(name).settings;
            assert_ne!(other, defaults, "{name}");
            // What fits none of those that can be wrong is told with the name that was written.
            if let Err(faults) = beside(name, "!?") {
                assert!(faults.to_string().contains(&format!("{name} = ")), "{faults}");
            }
        }
    }
    let loaded = env(&[
        ("MODEL", "m@anthropic"),
        ("FALLBACK_MODEL", "m@gemini"),
        ("ANTHROPIC_API_KEY", "a"),
        ("GEMINI_API_KEY", "g"),
        ("SYSTEM_PROMPT", "Be kind."),
        ("DATA_DIR", "d"),
    ]);
    let settings = loaded.expect("right").settings;
    let keys: Vec<_> = settings
        .catalog
        .backends
        .iter()
        .map(|backend| backend.key.clone())
        .collect();
    assert_eq!(keys, ["a", "g"].map(|key| Some(Secret(key.to_owned()))));
    assert_eq!(settings.system_prompt.as_deref(), Some("Be kind."));
    assert_eq!(settings.data_dir.to_str(), Some("d"));
}

#[test]
fn what_differs_from_the_policy_of_all_is_named_as_it_is_set() {
    let events = (0..Event::ALL.len()).map(EventIndex);
    let of_events = events.flat_map(|event| [Difference::Limit(event), Difference::ConcurrencyId(event)]);
    let line = [
        Difference::Concurrent,
        Difference::Queue,
        Difference::Order,
        Difference::MaxRunning,
        Difference::MaxSize,
        Difference::MaxWaitingPerOwner,
        Difference::MaxWait,
        Difference::Balance,
    ];
    let names: Vec<_> = of_events
        .chain(line)
        .map(|difference| super::name_of(&difference))
        .collect();
    for name in &names {
        assert!(
            VARIABLES.iter().any(|variable| variable.name == *name),
            "there is no {name}"
        );
    }
    assert_eq!(names[..2], ["CHAT_CONCURRENCY_LIMIT", "CHAT_CONCURRENCY_ID"]);
    assert_eq!(super::name_of(&Difference::Backend("rack".to_owned())), "rack");
    assert_eq!(super::name_of(&Difference::Pool("small@gpu".to_owned())), "small@gpu");
}
