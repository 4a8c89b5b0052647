//! A table of figures, each of which changes in its place.

use anteroom::{language::Words, say, wire::Percentiles};
use leptos::prelude::*;

use crate::{
    erase::{Erase as _, Look as _, each, live, memo},
    format,
};

/// One row: what it is of, and its figures as they are written.
#[derive(Clone, Default, PartialEq)]
pub(super) struct Row {
    /// What it is of. Two rows of a table may have the same name, but not the same name and `about`.
    pub(super) name: String,
    /// What else there is to say of it.
    pub(super) about: String,
    /// What is wrong with it.
    pub(super) wrong: String,
    /// How much of it is in use, in percent: drawn below its first figure.
    pub(super) share: Option<u64>,
    /// In the order of the table's heads.
    pub(super) cells: Vec<String>,
}

impl Row {
    fn key(&self) -> String {
        format!("{} {}", self.name, self.about)
    }
}

/// A table. Each row keeps its nodes; only figures change. `heads` are the name's, and the figures'; tests know the rows by `hook`.
pub(super) fn table(
    title: &'static str,
    hook: &'static str,
    heads: Vec<&'static str>,
    rows: impl Fn() -> Vec<Row> + Send + Sync + 'static,
) -> AnyView {
    let rows = memo(rows);
    let labels = heads.clone();
    let row = move |first: Row| {
        let key = first.key();
        let of = memo(move || {
            rows.look(|rows| rows.iter().find(|row| row.key() == key).cloned())
                .unwrap_or_default()
        });
        let text = move |read: fn(&Row) -> &String| live(move || of.look(|row| read(row).clone()));
        let cell = |(at, label): (usize, &&'static str)| {
            let figure = move || of.look(|row| row.cells.get(at).cloned());
            let share = (at == 0 && first.share.is_some()).then(|| {
                let share = move || of.look(|row| row.share.map(|share| share.to_string()));
                view! {
                    <svg class="share" viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true">
                        <rect class="share-all" width="100" height="4" />
                        <rect class="share-busy" width=live(share) height="4" />
                    </svg>
                }
                .erase()
            });
            view! {
                <td data-label=*label>
                    {live(figure)} {share}
                </td>
            }
            .erase()
        };
        let cells = labels[1..].iter().enumerate().map(cell).collect_view();
        view! {
            <tr class=hook data-testid=hook data-name=first.name.clone()>
                <th scope="row">
                    {text(|row| &row.name)} <small>{text(|row| &row.about)}</small>
                    <small class="wrong">{text(|row| &row.wrong)}</small>
                </th>
                {cells}
            </tr>
        }
        .erase()
    };
    let head = |head| view! { <th scope="col">{head}</th> }.erase();
    let heads = heads.into_iter().map(head).collect_view();
    view! {
        <section class="panel">
            <h2>{title}</h2>
            <div class="table-frame" tabindex="0" role="region" aria-label=title>
                <table class="figures">
                    <thead>
                        <tr>{heads}</tr>
                    </thead>
                    <tbody>{each(move || rows.get(), Row::key, row)}</tbody>
                </table>
            </div>
        </section>
    }
    .erase()
}

/// `2 of 3`, and how much that is in percent.
pub(super) fn slots(words: &Words, running: u64, limit: Option<u64>) -> (String, Option<u64>) {
    let said = match limit {
        Some(limit) => say!(words, "limits-of", running = running, limit = limit),
        None => say!(words, "limits-no-limit", running = running),
    };
    let share = limit.map_or(0, |limit| running.min(limit) * 100 / limit.max(1));
    (said, Some(share))
}

/// Two percentiles, as `write` writes them.
pub(super) fn pair(words: &Words, both: Option<&Percentiles>, write: fn(&Words, f64) -> String) -> String {
    both.map_or_else(none, |both| {
        format!("{} / {}", write(words, both.p50), write(words, both.p95))
    })
}

/// Two percentiles of a duration.
pub(super) fn durations(words: &Words, both: Option<&Percentiles>) -> String {
    pair(words, both, format::duration)
}

/// What stands where there is no figure.
pub(super) fn none() -> String {
    "–".to_owned()
}
