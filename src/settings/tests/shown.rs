//! Who is shown what is set: addresses and paths are the operator's to see, and keys are nobody's. A kind of value that is new is decided here.

use std::{io, path::Path};

use super::{
    super::{
        Faults, Loaded, Settings, backends,
        variables::{VARIABLES, Variable},
    },
    WHAT_OTHERS_NEED,
};

/// Who is shown a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Seen {
    Everybody,
    TheOperator,
    Nobody,
}

/// What each kind of value asks for: as tables call it, or, of texts, as faults do.
const KINDS: [(&str, Seen); 21] = [
    ("switch", Seen::Everybody),
    ("whole number", Seen::Everybody),
    ("number", Seen::Everybody),
    ("time", Seen::Everybody),
    ("size", Seen::Everybody),
    ("a filter", Seen::Everybody),
    ("letters, digits, `-`, `_`", Seen::Everybody),
    ("`name@place`", Seen::Everybody),
    ("`name@place`, `*@place`", Seen::Everybody),
    ("the name of a model", Seen::Everybody),
    ("text on one line", Seen::Everybody),
    ("IP address and port", Seen::TheOperator),
    ("host and port", Seen::TheOperator),
    ("http(s) address", Seen::TheOperator),
    ("address or network", Seen::TheOperator),
    ("directory", Seen::TheOperator),
    ("file", Seen::TheOperator),
    // What stands there by mistake may be the key itself.
    ("a variable", Seen::TheOperator),
    ("postgres address", Seen::Nobody),
    ("text without spaces", Seen::Nobody),
    // Instructions are the operator's words to the model.
    ("text", Seen::Nobody),
];

fn kind_of(variable: &Variable) -> String {
    let allowed = (variable.kind)();
    match allowed.brief.trim_end_matches(", or several") {
        "text" => allowed.what.into_owned(),
        brief => brief.to_owned(),
    }
}

fn seen_of(variable: &Variable) -> Seen {
    let kind = kind_of(variable);
    let known = KINDS.iter().find(|(known, _)| *known == kind);
    // One of a few words, which stand in the documents.
    let one_of_few = kind
        .split(", ")
        .all(|word| word.starts_with('`') && word.ends_with('`'));
    match known {
        Some((_, seen)) => *seen,
        None if one_of_few => Seen::Everybody,
        None => panic!("{}: who is shown a value of the kind {kind}?", variable.name),
    }
}

/// Every variable, and every key of the file of back ends.
fn everything() -> impl Iterator<Item = &'static Variable> {
    let of_file = backends::sections().into_iter().flat_map(|(_, keys)| keys);
    VARIABLES.iter().chain(of_file)
}

#[test]
fn who_is_shown_a_setting_follows_from_its_kind() {
    for variable in everything() {
        let seen = match (variable.secret, variable.private) {
            (true, _) => Seen::Nobody,
            (false, true) => Seen::TheOperator,
            (false, false) => Seen::Everybody,
        };
        assert_eq!(seen, seen_of(variable), "{}", variable.name);
    }
    for (kind, _) in KINDS {
        assert!(
            everything().any(|one| kind_of(one) == kind),
            "nothing is of the kind {kind} any more"
        );
    }
}

/// A value of such a kind, which stands nowhere else.
fn value(variable: &Variable) -> &'static str {
    match &*kind_of(variable) {
        "IP address and port" => "127.99.98.97:4017",
        "host and port" => "hideaway.internal:4017",
        "http(s) address" => "http://hideaway.internal:4017/v1",
        "address or network" => "10.99.98.0/24",
        "directory" => "/srv/hideaway",
        "file" => "/srv/hideaway/file",
        "postgres address" => "postgres://me:hideaway@db.internal/anteroom",
        _ => "hideaway-01234567890123456789012",
    }
}

/// What a text of these has in it, which nobody else may see.
const MARKS: [&str; 5] = ["hideaway", "4017", "99.98", "/srv", "db.internal"];

fn is_marked(text: &str) -> bool {
    MARKS.iter().any(|mark| text.contains(mark))
}

/// This variable beside what others need, with a file for whatever names one.
fn with(name: &str, text: &str) -> Result<Loaded, Faults> {
    let read = |path: &Path| match path.to_str() {
        Some("/srv/hideaway/file") => Ok(Vec::new()),
        _ => Err(io::ErrorKind::NotFound.into()),
    };
    let others = WHAT_OTHERS_NEED.iter().filter(|(other, _)| *other != name);
    let own = (name, text);
    let pairs = others.chain([&own]);
    let pairs: Vec<_> = pairs
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    Settings::load_with(pairs, None, &read)
}

/// As the pages tell it.
fn told(faults: &Faults) -> String {
    faults.for_everybody().to_string()
}

#[test]
fn no_address_path_or_key_is_shown_to_whoever_may_not_see_it() {
    let hidden = VARIABLES.iter().filter(|variable| seen_of(variable) != Seen::Everybody);
    for variable in hidden {
        let (name, text, seen) = (variable.name, value(variable), seen_of(variable));
        match with(name, text) {
            Ok(loaded) => {
                let shown = |rows: &[crate::wire::SettingRow]| {
                    assert!(
                        rows.iter()
                            .all(|row| row.name == name || !is_marked(&row.value.to_string()))
                    );
                    let row = rows.iter().find(|row| row.name == name).expect("a row");
                    row.value.to_string()
                };
                let (everybody, operator) = match seen {
                    Seen::Nobody => ("(hidden)", "(hidden)"),
                    _ => ("(set)", text),
                };
                assert_eq!(shown(&loaded.public_rows), everybody, "{name}");
                assert_eq!(shown(&loaded.rows), operator, "{name}");
            }
            // A file of nothing may be too little; what is said of it names the file alone.
            Err(faults) => assert!(!is_marked(&told(&faults)), "{name}: {}", told(&faults)),
        }
        // One that cannot be used is told without what it is.
        for unfit in [
            "!? hideaway",
            "/srv/hideaway/!?",
            "http://hideaway.internal:4017?x",
            "\u{1}hideaway",
        ] {
            if let Err(faults) = with(name, unfit) {
                assert!(!is_marked(&told(&faults)), "{name}: {}", told(&faults));
                let operator = faults.to_string();
                assert!(seen == Seen::TheOperator || !is_marked(&operator), "{name}: {operator}");
            }
        }
    }
    // What only shows beside other settings.
    for (name, text) in [
        ("NODE_ADDR", "hideaway.internal:4017"),
        ("OPENAI_BASE_URL", "http://hideaway.internal:4017"),
    ] {
        let alone = [
            (name.to_owned(), text.to_owned()),
            ("MODEL".to_owned(), "m@nowhere".to_owned()),
        ];
        let faults = Settings::load(alone, None).expect_err("something is missing");
        assert!(!is_marked(&told(&faults)), "{}", told(&faults));
    }
}

#[test]
fn files_that_settings_name_tell_nobody_else_where_anything_is() {
    let backend = "[[backend]]\nname = \"one\"\nprovider = \"ollama\"\n";
    for (variable, content) in [
        ("BACKENDS_FILE", format!("{backend}url = \"hideaway.internal:4017\"")),
        ("BACKENDS_FILE", format!("{backend}key = \"two words: hideaway\"")),
        (
            "BACKENDS_FILE",
            format!("{backend}key = \"hideaway\"\nkey_variable = \"hideaway.internal\""),
        ),
        ("BACKENDS_FILE", format!("{backend}uri = \"http://hideaway.internal\"")),
        (
            "BACKENDS_FILE",
            format!("{backend}url = \"http://hideaway.internal\nlimit = 1"),
        ),
        ("BACKENDS_FILE", format!("{backend}key_variable = \"hideaway\"")),
        ("PROMPTS_FILE", "[[prompt]]\npath = \"/srv/hideaway\"".to_owned()),
        (
            "MCP_FILE",
            r#"{"mcpServers": {"a": {"command": "/srv/hideaway/bin/tool"}}}"#.to_owned(),
        ),
        (
            "MCP_FILE",
            r#"{"mcpServers": {"a": {"command": "${WHERE:-/srv/hideaway/bin/tool}"}}}"#.to_owned(),
        ),
        (
            "MCP_FILE",
            r#"{"mcpServers": {"a": {"command": "sh", "cwd": "/srv/hideaway"}}}"#.to_owned(),
        ),
        (
            "MCP_FILE",
            r#"{"mcpServers": {"a": {"url": "hideaway.internal:4017"}}}"#.to_owned(),
        ),
        (
            "MCP_FILE",
            r#"{"mcpServers": {"a": {"url": "http://h", "headers": {"X": "hideaway\u0001"}}}}"#.to_owned(),
        ),
        (
            "MCP_FILE",
            r#"{"mcpServers": {"a": {"url": "http://h", "type": "/srv/hideaway"}}}"#.to_owned(),
        ),
    ] {
        let read = |_: &Path| Ok(content.clone().into_bytes());
        let pair = (variable.to_owned(), "/srv/hideaway/file".to_owned());
        let faults = Settings::load_with([pair], None, &read).expect_err(&content);
        // The name of the file is told, and its folder is not.
        assert!(!is_marked(&told(&faults)), "{content}\n{}", told(&faults));
    }
}
