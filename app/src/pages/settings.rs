//! The settings in force, on the stats tab.

use anteroom::{
    language::Words,
    say, text,
    wire::{BadEdit, SettingNote, SettingRow, SettingSource, SettingValue, StatsView},
};
use leptos::prelude::*;

use crate::{browser, erase::Erase as _, format};

/// Every setting, where it comes from, when they last changed, which are not in force because all nodes have something else, and what is
/// wrong with the last edit until it is mended.
pub(super) fn settings(words: &'static Words, view: &StatsView) -> AnyView {
    let changed = match view.settings_changed_at {
        Some(at) => say!(words, "settings-changed", ago = ago(words, at)),
        None => say!(words, "settings-unchanged"),
    };
    let names = view.settings_differ.join(", ");
    let differ = (!names.is_empty()).then(|| say!(words, "settings-differ", names = names));
    let bad = view.bad_edit.as_ref().map(|edit| wrong(words, edit));
    let rows = view.settings.iter().map(|one| row(words, one.clone()));
    view! {
        <section class="panel" data-testid="settings">
            <h2>{text!(words, "settings")}</h2>
            <div role="status">{bad}</div>
            <p class="bad" data-testid="settings-differ">
                {differ}
            </p>
            <p class="quiet" data-testid="settings-changed">
                {changed}
            </p>
            <div class="table-frame" tabindex="0" role="region" aria-label=text!(words, "settings")>
                <table class="settings">
                    <thead>
                        <tr>
                            <th scope="col">{text!(words, "settings-variable")}</th>
                            <th scope="col">{text!(words, "settings-value")}</th>
                            <th scope="col">{text!(words, "settings-from")}</th>
                        </tr>
                    </thead>
                    <tbody>{rows.collect_view()}</tbody>
                </table>
            </div>
        </section>
    }
    .erase()
}

/// A value, or words in its place.
fn shown(words: &Words, value: SettingValue) -> String {
    let instead = match value {
        SettingValue::Text(text) => return text,
        SettingValue::Set => "set",
        SettingValue::Unset => "unset",
        SettingValue::Hidden => "hidden",
    };
    say!(words, "setting-instead", instead = instead)
}

/// What else there is to say of a value.
fn said(words: &Words, note: &SettingNote) -> String {
    match note {
        SettingNote::EnvironmentWins { line } => say!(words, "setting-overridden", line = *line),
        SettingNote::NeedsRestart { then: None } => say!(words, "setting-restart"),
        SettingNote::NeedsRestart { then: Some(then) } => {
            say!(words, "setting-restart-to", then = shown(words, then.clone()))
        }
    }
}

fn row(words: &Words, row: SettingRow) -> AnyView {
    let (hook, key) = (row.name.clone(), row.name.clone());
    let note = row.note.map(|note| {
        let note = said(words, &note);
        view! { <span class="setting-note">{note}</span> }.erase()
    });
    let source = match row.source {
        SettingSource::Environment => "environment",
        SettingSource::DotEnv => "file",
        SettingSource::Default => "default",
    };
    view! {
        <tr data-testid="setting" data-name=hook data-key=key>
            <th scope="row">
                <code>{row.name}</code>
            </th>
            <td>
                <code>{shown(words, row.value)}</code>
                {note}
            </td>
            <td class="source">{say!(words, "setting-source", source = source)}</td>
        </tr>
    }
    .erase()
}

fn wrong(words: &Words, edit: &BadEdit) -> AnyView {
    let head = say!(words, "settings-bad-edit", ago = ago(words, edit.at));
    let what = edit.message.clone();
    view! {
        <div class="bad-edit" data-testid="bad-edit">
            <p>{head}</p>
            <pre tabindex="0">{what}</pre>
        </div>
    }
    .erase()
}

/// How long ago, in words.
fn ago(words: &Words, at: u64) -> String {
    format::some_time_ago(words, at, browser::now())
}
