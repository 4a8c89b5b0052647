//! What steps need beside their turns: leave for a whole conversation, and the files that tools have returned.

use sqlx::PgConnection;

use super::file;
use crate::{
    queue::Owner,
    store::{
        Leave,
        job::Operation,
        postgres::{rows::owner_id, text},
    },
    wire::{ConversationId, FileView, TurnId},
};

const LEAVE: &str = "INSERT INTO leaves (conversation, tool, fingerprint, allowed) \
     SELECT c.key, $3, $4, $5 FROM owners o JOIN conversations c ON c.owner = o.key \
     WHERE o.id = $1 AND c.id = $2 AND c.deleted_at IS NULL \
     ON CONFLICT (conversation, tool) DO UPDATE SET fingerprint = excluded.fingerprint, allowed = excluded.allowed";

const FORGET: &str = "DELETE FROM leaves WHERE tool = $3 AND conversation = \
     (SELECT c.key FROM owners o JOIN conversations c ON c.owner = o.key WHERE o.id = $1 AND c.id = $2 AND c.deleted_at IS NULL)";

const TURN: &str = "SELECT t.key, t.owner FROM owners o JOIN turns t ON t.owner = o.key WHERE o.id = $1 AND t.id = $2";

const CARRY: &str = "INSERT INTO step_files (turn, file) VALUES ($1, $2) ON CONFLICT DO NOTHING";

/// See [`crate::store::StepStore::keep_leave`].
pub(in crate::store::postgres) struct KeepLeave {
    pub(in crate::store::postgres) owner: Owner,
    pub(in crate::store::postgres) conversation: ConversationId,
    pub(in crate::store::postgres) leave: Leave,
}

impl Operation for KeepLeave {
    type Connection = PgConnection;
    type Output = bool;

    async fn run(&self, connection: &mut PgConnection) -> sqlx::Result<bool> {
        let done = sqlx::query(LEAVE)
            .bind(owner_id(self.owner))
            .bind(self.conversation.0)
            .bind(text::stored(&self.leave.tool))
            .bind(text::stored(&self.leave.fingerprint))
            .bind(self.leave.allowed)
            .execute(connection)
            .await?;
        Ok(done.rows_affected() > 0)
    }
}

/// See [`crate::store::StepStore::forget_leave`].
pub(in crate::store::postgres) struct ForgetLeave {
    pub(in crate::store::postgres) owner: Owner,
    pub(in crate::store::postgres) conversation: ConversationId,
    pub(in crate::store::postgres) tool: String,
}

impl Operation for ForgetLeave {
    type Connection = PgConnection;
    type Output = bool;

    async fn run(&self, connection: &mut PgConnection) -> sqlx::Result<bool> {
        let done = sqlx::query(FORGET)
            .bind(owner_id(self.owner))
            .bind(self.conversation.0)
            .bind(text::stored(&self.tool))
            .execute(connection)
            .await?;
        Ok(done.rows_affected() > 0)
    }
}

/// See [`crate::store::StepStore::add_step_file`].
pub(in crate::store::postgres) struct AddStepFile {
    pub(in crate::store::postgres) owner: Owner,
    pub(in crate::store::postgres) turn: TurnId,
    pub(in crate::store::postgres) file: FileView,
    pub(in crate::store::postgres) now: u64,
}

impl Operation for AddStepFile {
    type Connection = PgConnection;
    type Output = bool;

    async fn run(&self, connection: &mut PgConnection) -> sqlx::Result<bool> {
        let found: Option<(i64, i64)> = sqlx::query_as(TURN)
            .bind(owner_id(self.owner))
            .bind(self.turn.0)
            .fetch_optional(&mut *connection)
            .await?;
        let Some((turn, owner)) = found else { return Ok(false) };
        let file = file::add(connection, owner, &self.file, self.now).await?;
        sqlx::query(CARRY).bind(turn).bind(file).execute(connection).await?;
        Ok(true)
    }
}
