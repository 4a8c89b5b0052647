//! The settings, explained: the value in force, where it comes from, what it does.

use std::fmt::Write as _;

use crate::{
    settings::{Group, groups},
    wire::SettingRow,
};

/// These settings, one after the other.
pub(super) fn explain(names: &[&str], rows: &[SettingRow]) -> String {
    let known = groups()
        .flat_map(|group| group.variables)
        .filter(|variable| names.contains(&variable.name));
    let mut text = String::new();
    for variable in known {
        let (name, meaning) = (variable.name, variable.meaning);
        let _infallible = writeln!(text, "### `{name}`\n\n{meaning}\n");
        match rows.iter().find(|row| row.name == name) {
            Some(row) => {
                let _infallible = writeln!(text, "- in force: {} (from {})", shown(row), source(row));
            }
            None => text.push_str("- in force: unknown to me\n"),
        }
        let _infallible = writeln!(text, "- allowed: {}\n", variable.allowed());
    }
    text.push_str("Whoever runs this site can change it in `.env`.");
    text
}

/// One group of settings, all of them, or an overview.
pub(super) fn list(title: Option<&str>, all: bool, rows: &[SettingRow]) -> String {
    let groups: Vec<_> = groups().collect();
    let mut text = String::from("These settings are in force here:\n\n");
    let wanted = |group: &&Group| match title {
        Some(title) => group.title == title,
        // The first two are what most people ask for.
        None => all || groups.iter().take(2).any(|first| first.title == group.title),
    };
    for group in groups.iter().filter(wanted) {
        table(group, rows, &mut text);
    }
    if !all || title.is_some() {
        let rest: Vec<_> = groups
            .iter()
            .filter(|group| !wanted(group))
            .map(|group| group.title.to_lowercase())
            .collect();
        let _infallible = writeln!(text, "There are more, for {}: ask for *all settings*.", rest.join(", "));
    }
    text.push_str("Name a variable, and I say more about it: *what does `CHAT_CONCURRENCY_LIMIT` do?*");
    text
}

fn table(group: &Group, rows: &[SettingRow], text: &mut String) {
    let _infallible = writeln!(
        text,
        "### {}\n\n| variable | in force | what it does |\n| --- | --- | --- |",
        group.title
    );
    for variable in group.variables {
        let (name, meaning) = (variable.name, variable.meaning);
        let value = rows
            .iter()
            .find(|row| row.name == name)
            .map_or_else(|| "unknown".to_owned(), shown);
        let _infallible = writeln!(text, "| `{name}` | {value} | {meaning} |");
    }
    text.push('\n');
}

/// A value as code that no value can break out of; what stands in place of a value, as plain words.
fn shown(row: &SettingRow) -> String {
    let value: String = row
        .value
        .chars()
        .map(|c| if c.is_control() || c == '`' || c == '|' { ' ' } else { c })
        .collect();
    match value.trim() {
        "" => "unset".to_owned(),
        "(unset)" | "(hidden)" => value.trim_matches(['(', ')']).to_owned(),
        value => format!("`{value}`"),
    }
}

fn source(row: &SettingRow) -> String {
    match row.source.as_str() {
        "default" => "its default".to_owned(),
        "environment" => "the environment".to_owned(),
        other => format!("`{}`", other.replace('`', " ")),
    }
}
