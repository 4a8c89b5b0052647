//! The settings in force, on the stats tab.

use std::sync::Arc;

use anteroom::{
    language::Words,
    say, text,
    wire::{BadEdit, SettingNote, SettingRow, SettingSource, SettingValue, StatsView},
};
use leptos::prelude::*;

use crate::{
    browser,
    erase::{Erase as _, Look as _, each, live, memo},
    format,
    words::words,
};

/// Every setting, where it comes from, when they last changed, which are not in force because all nodes have something else, and what is
/// wrong with the last edit until it is mended.
#[component]
pub(crate) fn Settings(view: Signal<Option<Arc<StatsView>>>) -> impl IntoView {
    let words = words();
    let rows = memo(move || view.look(|view| view.as_deref().map(|view| view.settings.clone()).unwrap_or_default()));
    let bad_edit = memo(move || view.look(|view| view.as_deref().and_then(|view| view.bad_edit.clone())));
    let changed_at = memo(move || view.look(|view| view.as_deref().and_then(|view| view.settings_changed_at)));
    let changed = move || match changed_at.get() {
        // Read again with every refresh, so that it does not stand still.
        Some(at) => view.look(|_| say!(words, "settings-changed", ago = ago(words, at))),
        None => say!(words, "settings-unchanged"),
    };
    let differ = move || {
        view.look(|view| {
            let names = view.as_deref().map(|view| view.settings_differ.join(", "));
            let names = names.filter(|names| !names.is_empty())?;
            Some(say!(words, "settings-differ", names = names))
        })
    };
    let bad = move || bad_edit.get().map(|edit| wrong(words, &edit));
    let key = move |row: &SettingRow| {
        let note = row.note.as_ref().map(|note| said(words, note)).unwrap_or_default();
        format!("{} {} {} {note}", row.name, row.value, row.source.name())
    };
    view! {
        <section class="panel" data-testid="settings">
            <h2>{text!(words, "settings")}</h2>
            <div role="status">{live(bad)}</div>
            <p class="bad" data-testid="settings-differ">
                {live(differ)}
            </p>
            <p class="quiet" data-testid="settings-changed">
                {live(changed)}
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
                    <tbody>{each(move || rows.get(), key, move |one| row(words, one))}</tbody>
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

fn row(words: &'static Words, row: SettingRow) -> AnyView {
    let hook = row.name.clone();
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
        <tr data-testid="setting" data-name=hook>
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
