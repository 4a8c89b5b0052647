//! A table of figures.

use anteroom::{language::Words, say, wire::Percentiles};
use leptos::prelude::*;

use crate::{erase::Erase as _, format};

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

/// A table. A row keeps its nodes from one drawing to the next, by its `data-key`. `heads` are the name's, and the figures'; tests know the
/// rows by `hook`.
pub(super) fn table(title: &'static str, hook: &'static str, heads: &[&'static str], rows: Vec<Row>) -> AnyView {
    let row = |row: Row| {
        let key = format!("{} {}", row.name, row.about);
        let name = row.name.clone();
        let share = row.share.map(|share| {
            view! {
                <svg class="share" viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true">
                    <rect class="share-all" width="100" height="4" />
                    <rect class="share-busy" width=share.to_string() height="4" />
                </svg>
            }
            .erase()
        });
        // Below the first figure.
        let shares = std::iter::once(share).chain(std::iter::repeat_with(|| None));
        let cells = row.cells.into_iter().zip(&heads[1..]).zip(shares);
        let cells = cells.map(|((figure, label), share)| view! { <td data-label=*label>{figure} {share}</td> }.erase());
        view! {
            <tr class=hook data-testid=hook data-name=name data-key=key>
                <th scope="row">
                    {row.name} <small>{row.about}</small> <small class="wrong">{row.wrong}</small>
                </th>
                {cells.collect_view()}
            </tr>
        }
        .erase()
    };
    let rows = rows.into_iter().map(row).collect_view();
    let head = |head: &&'static str| view! { <th scope="col">{*head}</th> }.erase();
    view! {
        <section class="panel">
            <h2>{title}</h2>
            <div class="table-frame" tabindex="0" role="region" aria-label=title>
                <table class="figures">
                    <thead>
                        <tr>{heads.iter().map(head).collect_view()}</tr>
                    </thead>
                    <tbody>{rows}</tbody>
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
