//! Rows of SQLite, and how values go into them.

use std::borrow::Cow;

use sqlx::{Row as _, sqlite::SqliteRow};
use uuid::Uuid;

use crate::queue::Owner;
pub(super) use crate::store::rows::*;

/// The columns of [`conversation`]: `o` is its owner, `c` itself.
macro_rules! conversation_columns {
    () => {
        "o.id AS owner, c.id AS conversation, c.title, c.updated_at, c.head, c.shelf"
    };
}

/// The columns of [`choice`]: `h` is the row of the conversation's choices, if it has one.
macro_rules! choice_columns {
    () => {
        "h.model AS chosen_model, h.temperature, h.max_tokens, h.instructions, \
         coalesce(h.without_tools, 0) AS without_tools"
    };
}

/// The columns of [`turn`]: `o` is its owner, `c` its conversation, `t` itself.
macro_rules! turn_columns {
    () => {
        "o.id AS owner, c.id AS conversation, t.id AS turn, t.message, t.answer, t.model, t.backend, t.notices, t.thought_ms, t.reasoning, t.steps, \
         t.state, t.reason, \
         t.counted, t.input_tokens, t.output_tokens, t.accepted_at, t.started_at, t.ended_at, t.attempts, \
         (SELECT p.id FROM turns p WHERE p.key = t.parent) AS parent, \
         (SELECT r.rating FROM ratings r WHERE r.turn = t.key) AS rating, \
         (SELECT json_group_array(json_array(hex(f.id), f.name, f.kind, f.mime, f.size, f.paper) ORDER BY tf.position) \
          FROM turn_files tf JOIN files f ON f.key = tf.file WHERE tf.turn = t.key) AS files"
    };
}

/// The columns of [`step`] that [`turn_columns`] has not.
macro_rules! version_columns {
    () => {
        "(SELECT count(*) FROM turns v WHERE v.parent IS t.parent AND v.conversation = t.conversation) AS versions, \
         (SELECT count(*) FROM turns v WHERE v.parent IS t.parent AND v.conversation = t.conversation AND v.key <= t.key) \
          AS version, \
         (SELECT v.id FROM turns v WHERE v.parent IS t.parent AND v.conversation = t.conversation AND v.key < t.key \
          ORDER BY v.key DESC LIMIT 1) AS earlier, \
         (SELECT v.id FROM turns v WHERE v.parent IS t.parent AND v.conversation = t.conversation AND v.key > t.key \
          ORDER BY v.key LIMIT 1) AS later"
    };
}

pub(super) use {choice_columns, conversation_columns, turn_columns, version_columns};

impl Columns for SqliteRow {
    fn optional_id(&self, column: &str) -> sqlx::Result<Option<Uuid>> {
        let bytes: Option<&[u8]> = self.try_get(column)?;
        bytes.map(Uuid::from_slice).transpose().map_err(undecodable)
    }

    fn optional_text(&self, column: &str) -> sqlx::Result<Option<Cow<'_, str>>> {
        Ok(self.try_get::<Option<&str>, _>(column)?.map(Cow::Borrowed))
    }

    fn optional_integer(&self, column: &str) -> sqlx::Result<Option<i64>> {
        self.try_get(column)
    }

    fn optional_real(&self, column: &str) -> sqlx::Result<Option<f64>> {
        self.try_get(column)
    }

    fn flag(&self, column: &str) -> sqlx::Result<bool> {
        self.try_get(column)
    }
}

/// An id as SQLite has it.
pub(super) fn blob(id: &Uuid) -> &[u8] {
    id.as_bytes()
}

/// An owner likewise: the bytes of the id that the number stands for.
pub(super) fn owner_blob(owner: Owner) -> Vec<u8> {
    owner.0.to_be_bytes().into()
}
