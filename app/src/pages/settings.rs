//! The settings in force, on the stats tab.

use std::sync::Arc;

use anteroom::wire::{BadEdit, SettingRow, StatsView};
use leptos::prelude::*;

use crate::{
    browser,
    erase::{Erase as _, each, live, memo},
    format,
};

/// Every setting, where it comes from, when they last changed, and what is wrong with the last edit until it is mended.
#[component]
pub(crate) fn Settings(view: Signal<Option<Arc<StatsView>>>) -> impl IntoView {
    let rows = memo(move || view.with(|view| view.as_deref().map(|view| view.settings.clone()).unwrap_or_default()));
    let bad_edit = memo(move || view.with(|view| view.as_deref().and_then(|view| view.bad_edit.clone())));
    let changed_at = memo(move || view.with(|view| view.as_deref().and_then(|view| view.settings_changed_at)));
    let changed = move || match changed_at.get() {
        // Read again with every refresh, so that it does not stand still.
        Some(at) => view.with(|_| format!("Last changed {}, without a restart.", ago(at))),
        None => "As they were at the start. An edit of .env takes effect at once.".to_owned(),
    };
    let bad = move || bad_edit.get().map(|edit| wrong(&edit));
    let key = |row: &SettingRow| format!("{} {} {} {:?}", row.name, row.value, row.source, row.note);
    view! {
        <section class="panel" data-testid="settings">
            <h2>"Settings in force"</h2>
            <div role="status">{live(bad)}</div>
            <p class="quiet" data-testid="settings-changed">
                {live(changed)}
            </p>
            <div class="table-frame" tabindex="0" role="region" aria-label="Settings in force">
                <table class="settings">
                    <thead>
                        <tr>
                            <th scope="col">"Variable"</th>
                            <th scope="col">"Value"</th>
                            <th scope="col">"From"</th>
                        </tr>
                    </thead>
                    <tbody>{each(move || rows.get(), key, row)}</tbody>
                </table>
            </div>
        </section>
    }
    .erase()
}

fn row(row: SettingRow) -> AnyView {
    let hook = row.name.clone();
    let note = row
        .note
        .map(|note| view! { <span class="setting-note">{note}</span> }.erase());
    view! {
        <tr data-testid="setting" data-name=hook>
            <th scope="row">
                <code>{row.name}</code>
            </th>
            <td>
                <code>{row.value}</code>
                {note}
            </td>
            <td class="source">{row.source}</td>
        </tr>
    }
    .erase()
}

fn wrong(edit: &BadEdit) -> AnyView {
    let head = format!(
        "The last edit ({}) was not taken over, and nothing has changed:",
        ago(edit.at)
    );
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
fn ago(at: u64) -> String {
    match format::ago(at, browser::now()).as_str() {
        "now" => "just now".to_owned(),
        other => format!("{other} ago"),
    }
}
