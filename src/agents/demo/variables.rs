//! The settings, explained: the value in force, where it comes from, what it does.

use super::voice::Voice;
use crate::{
    say,
    settings::{Group, groups},
    wire::{SettingRow, SettingValue},
};

/// These settings, one after the other.
pub(super) fn explain(voice: Voice, names: &[&str], rows: &[SettingRow]) -> String {
    let known = groups()
        .flat_map(|group| group.variables)
        .filter(|variable| names.contains(&variable.name));
    let mut text = String::new();
    for variable in known {
        let value = match rows.iter().find(|row| row.name == variable.name) {
            Some(row) => sourced(voice, row),
            None => say!(voice.demo, "demo-setting-unknown"),
        };
        text.push_str(&say!(
            voice.demo,
            "demo-setting",
            name = variable.name,
            meaning = variable.meaning,
            value = value,
            allowed = variable.allowed(),
        ));
        text.push_str("\n\n");
    }
    text.push_str(&say!(voice.demo, "demo-setting-change"));
    text
}

/// One group of settings, all of them, or an overview.
pub(super) fn list(voice: Voice, wanted: Option<&str>, all: bool, rows: &[SettingRow]) -> String {
    let mut text = say!(voice.demo, "demo-settings");
    text.push_str("\n\n");
    let mut rest = Vec::new();
    for (place, group) in groups().enumerate() {
        let is_wanted = match wanted {
            Some(wanted) => group.title == wanted,
            // The first two are what most people ask for.
            None => all || place < 2,
        };
        let title = title(voice, place);
        if is_wanted {
            table(voice, &title, &group, rows, &mut text);
        } else {
            rest.push(title.to_lowercase());
        }
    }
    if !rest.is_empty() {
        text.push_str(&say!(voice.demo, "demo-settings-more", rest = rest.join(", ")));
        text.push('\n');
    }
    text.push_str(&say!(voice.demo, "demo-settings-ask"));
    text
}

/// What a group is called, by its place among them.
fn title(voice: Voice, place: usize) -> String {
    say!(voice.demo, "demo-settings-group", group = place)
}

fn table(voice: Voice, title: &str, group: &Group, rows: &[SettingRow], text: &mut String) {
    text.push_str(&say!(voice.demo, "demo-settings-table", title = title));
    for variable in group.variables {
        let row = rows.iter().find(|row| row.name == variable.name);
        let value = row.map_or_else(|| instead(voice, "unknown"), |row| shown(voice, row));
        text.push('\n');
        text.push_str(&say!(
            voice.demo,
            "demo-settings-row",
            name = variable.name,
            value = value,
            meaning = variable.meaning,
        ));
    }
    text.push_str("\n\n");
}

/// A value as code that no value can break out of; what stands in place of a value, as plain words.
fn shown(voice: Voice, row: &SettingRow) -> String {
    let value = match &row.value {
        SettingValue::Text(text) => text,
        SettingValue::Unset => return instead(voice, "unset"),
        SettingValue::Hidden => return instead(voice, "hidden"),
        SettingValue::Set => return instead(voice, "set"),
    };
    let harmless = |c: char| if c.is_control() || c == '`' || c == '|' { ' ' } else { c };
    let value: String = value.chars().map(harmless).collect();
    match value.trim() {
        "" => instead(voice, "unset"),
        value => format!("`{value}`"),
    }
}

/// What stands in place of a value.
fn instead(voice: Voice, what: &str) -> String {
    say!(voice.demo, "demo-value", what = what)
}

/// A value, and where it comes from.
fn sourced(voice: Voice, row: &SettingRow) -> String {
    say!(
        voice.demo,
        "demo-setting-from",
        source = row.source.name(),
        value = shown(voice, row),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{language::Language, wire::SettingSource};

    #[test]
    fn every_group_has_its_title() {
        let english = Voice::of(Language::English);
        let told: Vec<_> = (0..groups().count()).map(|place| title(english, place)).collect();
        let titles: Vec<_> = groups().map(|group| group.title).collect();
        assert_eq!(told, titles);
    }

    #[test]
    fn what_stands_for_a_value_is_said_in_words() {
        let row = |value: SettingValue, source: SettingSource| SettingRow {
            name: "DATA_DIR".to_owned(),
            value,
            source,
            note: None,
        };
        let unset = row(SettingValue::Unset, SettingSource::Default);
        let text = row(SettingValue::Text("a`b".to_owned()), SettingSource::DotEnv);
        let set = row(SettingValue::Set, SettingSource::Environment);
        let hidden = row(SettingValue::Hidden, SettingSource::Environment);
        let [english, russian] = [Language::English, Language::Russian].map(Voice::of);
        assert_eq!(sourced(english, &unset), "unset (from its default)");
        assert_eq!(sourced(russian, &unset), "не задано (по умолчанию)");
        assert_eq!(sourced(english, &text), "`a b` (from `.env`)");
        assert_eq!(sourced(russian, &text), "`a b` (из `.env`)");
        assert_eq!(shown(russian, &hidden), "скрыто");
        assert_eq!(shown(russian, &set), "задано");
        assert_eq!(shown(english, &set), "`(set)`");
    }
}
