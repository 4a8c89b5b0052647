//! Tasks, in the words of the wire.

use crate::{tasks::TaskFigures, wire::TaskRow};

/// How many tasks are where; `None`: there have never been any here.
pub(super) fn row(of: &TaskFigures) -> Option<TaskRow> {
    (*of != TaskFigures::default()).then_some(TaskRow {
        blocked: of.blocked,
        held: of.held,
        waiting: of.waiting,
        running: of.running,
        done: of.done,
        failed: of.failed,
        cancelled: of.cancelled,
        told: of.told,
        outbox: of.outbox,
        given_up: of.given_up,
    })
}
