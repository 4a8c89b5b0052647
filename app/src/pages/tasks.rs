//! Tasks, on the stats tab.

use anteroom::{
    language::Words,
    say, text,
    wire::{StatsView, TaskRow},
};
use leptos::prelude::*;

use super::table::{Row, table};

/// Where tasks are and what programs are told of them, once there have been any.
pub(super) fn tasks(words: &'static Words, view: &StatsView) -> Option<AnyView> {
    let rows = vec![row(words, view.tasks.as_ref()?)];
    let heads = [
        text!(words, "tasks"),
        text!(words, "tasks-blocked"),
        text!(words, "tasks-held"),
        text!(words, "limits-waiting"),
        text!(words, "limits-running"),
        text!(words, "limits-done"),
        text!(words, "limits-failed"),
        text!(words, "limits-cancelled"),
        text!(words, "tasks-told"),
        text!(words, "tasks-outbox"),
        text!(words, "tasks-given-up"),
    ];
    Some(table(text!(words, "tasks"), "task-row", &heads, rows))
}

fn row(words: &Words, of: &TaskRow) -> Row {
    let figures = [
        of.blocked,
        of.held,
        of.waiting,
        of.running,
        of.done,
        of.failed,
        of.cancelled,
        of.told,
        of.outbox,
        of.given_up,
    ];
    Row {
        name: say!(words, "tasks-all"),
        cells: figures.into_iter().map(|figure| words.number(figure)).collect(),
        ..Row::default()
    }
}

#[cfg(test)]
mod tests {
    use anteroom::language::Language;

    use super::*;

    #[test]
    fn each_figure_has_its_place() {
        let of = TaskRow {
            blocked: 1,
            held: 12_345,
            waiting: 3,
            running: 4,
            done: 5,
            failed: 6,
            cancelled: 7,
            told: 8,
            outbox: 9,
            given_up: 10,
        };
        let said = |language| {
            let Row { name, cells, .. } = row(Words::of(language), &of);
            format!("{name}: {}", cells.join(" "))
        };
        assert_eq!(said(Language::English), "At this server: 1 12,345 3 4 5 6 7 8 9 10");
        assert_eq!(
            said(Language::Russian),
            "На этом сервере: 1 12\u{a0}345 3 4 5 6 7 8 9 10"
        );
    }
}
