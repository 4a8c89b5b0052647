//! `.env.example` and the tables of `docs/settings.md`, as the tables of settings make them.
//!
//! The test compares both with what is there. `UPDATE_DOCS=1 cargo test -p anteroom --lib settings::documents` writes them.

use std::{env, fs, path::Path};

use super::{
    Settings, backends,
    variables::{Group, Variable, groups},
};

const EXAMPLE_HEAD: &str = "\
# Anteroom's settings. `cargo xtask run` copies this file to .env where there is none; edit .env, not this file.
#
# A variable that is empty or missing has its default. The real environment wins over .env.
# Times are seconds, or written as 500ms, 2m, 1h. Put a value with spaces, quotes, # or $ in 'single quotes'.
";

const TABLE_HEAD: &str = "\
| variable | default | allowed | what it does |
| --- | --- | --- | --- |
";

/// Characters of a heading in `.env.example`.
const WIDTH: usize = 118;

fn example() -> String {
    let mut text = EXAMPLE_HEAD.to_owned();
    for Group { title, variables } in groups() {
        text.push_str(&format!("\n{:-<WIDTH$}\n", format!("# --- {title} ")));
        for variable in variables {
            if !variable.comment.is_empty() {
                text.push('\n');
            }
            for line in variable.comment {
                text.push_str(&format!("# {line}\n"));
            }
            let value = variable
                .example
                .first()
                .copied()
                .or(variable.default)
                .unwrap_or_default();
            text.push_str(&format!("{}={value}\n", variable.name));
        }
    }
    text
}

fn table(variables: &[Variable]) -> String {
    let rows = variables.iter().map(row).collect::<String>();
    format!("{TABLE_HEAD}{rows}")
}

/// The same of keys, which are no variables.
fn table_of_keys(keys: &[Variable]) -> String {
    table(keys).replacen("variable", "key", 1)
}

fn row(variable: &Variable) -> String {
    let mut name = code(variable.name);
    if !variable.aliases.is_empty() {
        let aliases: Vec<_> = variable.aliases.iter().copied().map(code).collect();
        name.push_str(&format!(" (also {})", aliases.join(", ")));
    }
    let mut default = variable.default.map_or_else(|| "unset".to_owned(), code);
    if let [example] = variable.example {
        default.push_str(&format!(" ({})", code(example)));
    }
    format!(
        "| {name} | {default} | {} | {} |\n",
        variable.allowed(),
        variable.meaning
    )
}

fn code(text: &str) -> String {
    format!("`{text}`")
}

/// The page with each group's table in place of the one under its heading, and each of the file of back ends.
fn with_tables(page: &str) -> String {
    let groups = groups().map(|group| (format!("## {}", group.title), table(group.variables)));
    let sections = backends::sections().map(|(header, keys)| (format!("### `[[{header}]]`"), table_of_keys(keys)));
    groups.chain(sections).fold(page.to_owned(), |page, (heading, table)| {
        let heading = format!("\n{heading}\n\n");
        let (before, after) = page
            .split_once(&heading)
            .expect("the page has a heading for each table");
        let end = after
            .split_inclusive('\n')
            .take_while(|line| line.starts_with('|'))
            .map(str::len)
            .sum::<usize>();
        format!("{before}{heading}{table}{}", &after[end..])
    })
}

/// The first example of this language in `docs/settings.md`.
pub(super) fn code_of_docs(language: &str) -> String {
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/settings.md")).expect("a page");
    let (_, after) = page.split_once(&format!("```{language}\n")).expect("it has an example");
    after.split_once("```").expect("which ends").0.to_owned()
}

/// All examples of this language on a page.
fn examples_of(page: &str, language: &str) -> Vec<String> {
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(page)).expect("a page");
    let fence = format!("```{language}\n");
    let blocks = page.split(&fence).skip(1);
    blocks
        .filter_map(|block| Some(block.split_once("```")?.0.to_owned()))
        .collect()
}

/// Compares the file with what it should be, or writes that.
fn check(path: &str, make: impl FnOnce(&str) -> String) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    let there = fs::read_to_string(&file).expect("a file of the repository");
    let made = make(&there);
    if env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&file, made).expect("written");
        return;
    }
    let differing = there.lines().zip(made.lines()).find(|(there, made)| there != made);
    assert!(
        there == made,
        "{path} is not what src/settings/tables/ says, at {differing:?}: write it with \
         UPDATE_DOCS=1 cargo test -p anteroom --lib settings::documents"
    );
}

#[test]
fn the_documents_say_what_the_tables_say() {
    check(".env.example", |_| example());
    check("docs/settings.md", with_tables);
    // What a run of the fuzzer begins with.
    check("fuzz/seeds/settings/example", |_| example());
}

#[test]
fn a_field_is_called_in_the_way_of_fields() {
    for variable in groups().flat_map(|group| group.variables) {
        let snake = variable.field.chars().all(|c| c.is_ascii_lowercase() || c == '_');
        assert!(snake, "envy knows {} by its field in small letters", variable.name);
    }
}

#[test]
fn every_setting_has_its_row_and_a_whole_sentence() {
    let rows = Settings::load([], None).expect("the defaults are sound").rows;
    let variables: Vec<_> = groups().flat_map(|group| group.variables).collect();
    assert_eq!(
        rows.iter().map(|row| &*row.name).collect::<Vec<_>>(),
        variables.iter().map(|variable| variable.name).collect::<Vec<_>>()
    );
    let keys = backends::sections().into_iter().flat_map(|(_, keys)| keys);
    for variable in variables.into_iter().chain(keys) {
        assert!(variable.meaning.ends_with(['.', '`']), "{}", variable.name);
    }
}

/// Whoever copies an example has settings that are sound, and the models that it names.
#[test]
fn every_example_of_the_page_of_models_can_be_copied() {
    let [file] = &examples_of("docs/models.md", "toml")[..] else {
        panic!("one file of back ends is shown")
    };
    let read = |_: &Path| Ok(file.clone().into_bytes());
    let examples = examples_of("docs/models.md", "ini");
    assert!(examples.len() >= 10, "{examples:?}");
    for example in &examples {
        let loaded = Settings::load_with([], Some(example), &read);
        let loaded = loaded.unwrap_or_else(|faults| panic!("{example}{faults}"));
        assert!(loaded.warnings.is_empty(), "{example}{:?}", loaded.warnings);
        let catalog = &loaded.settings.catalog;
        assert!(catalog.pool(&catalog.default).count() > 0, "{example}");
    }
    let pooled = examples.iter().find(|example| example.contains("BACKENDS_FILE"));
    let loaded = Settings::load_with([], pooled.map(String::as_str), &read).expect("sound");
    let catalog = &loaded.settings.catalog;
    let pools: Vec<_> = catalog
        .models
        .iter()
        .map(|model| (model.name.to_string(), catalog.pool(&model.name).count()))
        .collect();
    let expected = [("qwen3-8b@gpu", 2), ("gpt-4o-mini@hosted", 1), ("llama3.2@desk", 1)];
    assert_eq!(pools, expected.map(|(name, count)| (name.to_owned(), count)));
}
