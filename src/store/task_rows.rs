//! Rows of a database as what is stored of tasks.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
};

use uuid::Uuid;

use super::{
    BatchRecord, Delivery, OpenTask, TakenIn, TaskEnd, TaskRecord, TaskState, Webhook,
    rows::{Columns, number, optional_number, owner, read_reason, unknown, written_reason},
};
use crate::wire::{Reason, Usage};

/// The columns of [`task`] but for its result: `o` is its owner, `b` its batch, `t` itself.
macro_rules! task_columns {
    () => {
        "o.id AS owner, b.id AS batch, t.id AS task, t.name, t.priority, t.model, t.state, t.reason, t.blocked, t.attempts, t.ordinal, \
         t.created_at, t.started_at, t.ended_at, t.counted, t.input_tokens, t.output_tokens, t.metadata"
    };
}

/// The columns of [`open`], likewise.
macro_rules! open_columns {
    () => {
        "o.id AS owner, b.id AS batch, t.id AS task, t.name, t.key, t.priority, t.model, t.state, t.blocked, t.attempts, t.stopped"
    };
}

pub(super) use {open_columns, task_columns};

/// `whole`: with its result.
pub(super) fn task(row: &impl Columns, whole: bool) -> sqlx::Result<TaskRecord> {
    let usage = Usage {
        input: optional_number(row, "input_tokens")?,
        output: optional_number(row, "output_tokens")?,
    };
    let result = if whole { row.optional_text("result")? } else { None };
    Ok(TaskRecord {
        id: row.id("task")?,
        owner: owner(row)?,
        batch: row.id("batch")?,
        name: row.optional_text("name")?.map(Cow::into_owned),
        priority: number(row, "priority")?,
        model: row.text("model")?.into_owned(),
        state: state(row)?,
        reason: row.optional_text("reason")?.map(|column| read_reason(&column)),
        blocked: number(row, "blocked")?,
        attempts: number(row, "attempts")?,
        ordinal: optional_number(row, "ordinal")?,
        created_at: number(row, "created_at")?,
        started_at: optional_number(row, "started_at")?,
        ended_at: optional_number(row, "ended_at")?,
        usage: row.flag("counted")?.then_some(usage),
        metadata: row.optional_text("metadata")?.map(Cow::into_owned),
        result: result.map(Cow::into_owned),
    })
}

pub(super) fn open(row: &impl Columns) -> sqlx::Result<OpenTask> {
    Ok(OpenTask {
        id: row.id("task")?,
        owner: owner(row)?,
        batch: row.id("batch")?,
        name: row.optional_text("name")?.map(Cow::into_owned),
        key: row.integer("key")?,
        priority: number(row, "priority")?,
        model: row.text("model")?.into_owned(),
        ran: state(row)? == TaskState::Running,
        blocked: number(row, "blocked")?,
        attempts: number(row, "attempts")?,
        stopped: number(row, "stopped")?,
    })
}

pub(super) fn batch(row: &impl Columns) -> sqlx::Result<BatchRecord> {
    Ok(BatchRecord {
        id: row.id("batch")?,
        created_at: number(row, "created_at")?,
        ended_at: optional_number(row, "ended_at")?,
        count: number(row, "count")?,
        states: Vec::new(),
        url: row.optional_text("url")?.map(Cow::into_owned),
        untold: number(row, "untold")?,
        given_up: number(row, "given_up")?,
    })
}

pub(super) fn delivery(row: &impl Columns) -> sqlx::Result<Delivery> {
    Ok(Delivery {
        key: row.integer("key")?,
        owner: owner(row)?,
        batch: row.id("batch")?,
        task: row.optional_id("task")?,
        attempts: number(row, "attempts")?,
        created_at: number(row, "created_at")?,
        webhook: Webhook {
            url: row.text("url")?.into_owned(),
            secret: row.text("secret")?.into_owned(),
        },
    })
}

pub(super) fn state(row: &impl Columns) -> sqlx::Result<TaskState> {
    let name = row.text("state")?;
    TaskState::of_name(&name).ok_or_else(|| unknown("state of a task", &name))
}

/// Why a task has come to nothing, and why those that need it do, as their columns.
pub(super) fn reasons(end: &TaskEnd) -> (Option<String>, Option<String>) {
    let written = |reason: &Option<_>| reason.as_ref().map(|reason| written_reason(reason).into_owned());
    (written(&end.reason), written(&end.behind))
}

/// Why those come to nothing that need a task which its owner has ended, as a column.
pub(super) fn needs_failed(name: Option<String>, id: Uuid) -> String {
    let name = name.unwrap_or_else(|| id.to_string());
    written_reason(&Reason::TaskNeedsFailed { name }).into_owned()
}

/// Ends of one moment, by batch, each with the last ordinal of its batch after them: which ordinal each has.
pub(super) fn ordinals(ended: &[(i64, i64)], last: &BTreeMap<i64, i64>) -> Vec<(i64, i64)> {
    let mut next = BTreeMap::new();
    for (_, batch) in ended {
        *next
            .entry(*batch)
            .or_insert_with(|| last.get(batch).copied().unwrap_or_default() + 1) -= 1;
    }
    let numbered = ended.iter().map(|(task, batch)| {
        let ordinal = next.entry(*batch).or_default();
        let own = *ordinal;
        *ordinal += 1;
        (*task, own)
    });
    numbered.collect()
}

/// How many of each batch.
pub(super) fn counts(ended: &[(i64, i64)]) -> BTreeMap<i64, i64> {
    let mut counts = BTreeMap::new();
    for (_, batch) in ended {
        *counts.entry(*batch).or_default() += 1;
    }
    counts
}

/// Those of the tasks that are needed which are done; or why they cannot be needed.
pub(super) fn usable(needed: &[Uuid], found: &BTreeMap<Uuid, TaskState>) -> Result<BTreeSet<Uuid>, TakenIn> {
    let those = |is: &dyn Fn(Option<&TaskState>) -> bool| -> Vec<Uuid> {
        let ids = needed.iter().copied();
        ids.filter(|id| is(found.get(id))).collect()
    };
    let unknown = those(&|state| state.is_none());
    if !unknown.is_empty() {
        return Err(TakenIn::Unknown(unknown));
    }
    let failed = those(&|state| matches!(state, Some(TaskState::Failed | TaskState::Cancelled)));
    if !failed.is_empty() {
        return Err(TakenIn::Failed(failed));
    }
    Ok(those(&|state| state == Some(&TaskState::Done)).into_iter().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_of_a_batch_has_the_last_ordinal() {
        let ended = [(10, 1), (11, 2), (12, 1)];
        assert_eq!(counts(&ended), BTreeMap::from([(1, 2), (2, 1)]));
        let numbered = ordinals(&ended, &BTreeMap::from([(1, 5), (2, 1)]));
        assert_eq!(numbered, [(10, 4), (11, 1), (12, 5)]);
    }
}
