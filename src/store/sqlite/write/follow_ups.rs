//! Messages that stand behind another one: kept, changed, and gone once they are turns.

use sqlx::{Row as _, SqliteConnection};

use super::file;
use crate::{
    queue::Owner,
    store::{
        Added,
        job::Operation,
        rows::written_reason,
        sqlite::rows::{Columns as _, blob, integer, owner_blob},
    },
    wire::{ConversationId, FollowUp, Reason, TurnId},
};

const FIND: &str = "SELECT c.key, c.owner, (SELECT count(*) FROM follow_ups f WHERE f.conversation = c.key) AS count, \
       EXISTS (SELECT 1 FROM follow_ups f JOIN owners w ON w.key = f.owner WHERE w.id = ?1 AND f.id = ?3) AS known \
     FROM owners o JOIN conversations c ON c.owner = o.key WHERE o.id = ?1 AND c.id = ?2 AND c.deleted_at IS NULL";

const ADD: &str = "INSERT INTO follow_ups (owner, conversation, id, created_at, held, message) \
     VALUES (?1, ?2, ?3, ?4, (SELECT held FROM follow_ups WHERE conversation = ?2 AND held IS NOT NULL LIMIT 1), ?5) \
     RETURNING key";

const CARRY: &str = "INSERT INTO follow_up_files (follow_up, position, file) VALUES (?1, ?2, ?3)";

const ONE: &str = "SELECT f.key, c.id AS conversation FROM owners o JOIN follow_ups f ON f.owner = o.key \
     JOIN conversations c ON c.key = f.conversation WHERE o.id = ?1 AND f.id = ?2";

const HOLD: &str = "UPDATE follow_ups SET held = ?3 WHERE conversation = \
     (SELECT c.key FROM owners o JOIN conversations c ON c.owner = o.key WHERE o.id = ?1 AND c.id = ?2)";

const REWORD: &str = "UPDATE turns SET message = ?3 WHERE owner = (SELECT key FROM owners WHERE id = ?1) AND id = ?2 \
     AND state IN ('waiting', 'running')";

/// See [`crate::store::FollowUpStore::add_follow_up`].
pub(in crate::store::sqlite) struct AddFollowUp {
    pub(in crate::store::sqlite) owner: Owner,
    pub(in crate::store::sqlite) conversation: ConversationId,
    pub(in crate::store::sqlite) follow_up: FollowUp,
    pub(in crate::store::sqlite) most: usize,
}

impl Operation for AddFollowUp {
    type Connection = SqliteConnection;
    type Output = Added;

    async fn run(&self, connection: &mut SqliteConnection) -> sqlx::Result<Added> {
        let FollowUp {
            id, message, files, at, ..
        } = &self.follow_up;
        let found = sqlx::query(FIND)
            .bind(owner_blob(self.owner))
            .bind(blob(&self.conversation.0))
            .bind(blob(&id.0))
            .fetch_optional(&mut *connection)
            .await?;
        let Some(found) = found else {
            return Ok(Added::NoConversation);
        };
        if found.try_get("known")? {
            return Ok(Added::Kept);
        }
        let count: i64 = found.try_get("count")?;
        if usize::try_from(count).is_ok_and(|count| count >= self.most) {
            return Ok(Added::TooMany);
        }
        let owner: i64 = found.try_get("owner")?;
        let key: i64 = sqlx::query_scalar(ADD)
            .bind(owner)
            .bind(found.try_get::<i64, _>("key")?)
            .bind(blob(&id.0))
            .bind(integer(*at))
            .bind(message.as_str())
            .fetch_one(&mut *connection)
            .await?;
        for (position, view) in (0_i64..).zip(files) {
            let file = file::add(connection, owner, view, *at).await?;
            sqlx::query(CARRY)
                .bind(key)
                .bind(position)
                .bind(file)
                .execute(&mut *connection)
                .await?;
        }
        Ok(Added::Kept)
    }
}

/// Another text for one, or none: then it goes.
pub(in crate::store::sqlite) struct ChangeFollowUp {
    pub(in crate::store::sqlite) owner: Owner,
    pub(in crate::store::sqlite) id: TurnId,
    pub(in crate::store::sqlite) message: Option<String>,
}

impl Operation for ChangeFollowUp {
    type Connection = SqliteConnection;
    type Output = Option<ConversationId>;

    async fn run(&self, connection: &mut SqliteConnection) -> sqlx::Result<Option<ConversationId>> {
        let found = sqlx::query(ONE)
            .bind(owner_blob(self.owner))
            .bind(blob(&self.id.0))
            .fetch_optional(&mut *connection)
            .await?;
        let Some(found) = found else { return Ok(None) };
        let key: i64 = found.try_get("key")?;
        let change = match &self.message {
            Some(message) => sqlx::query("UPDATE follow_ups SET message = ?2 WHERE key = ?1")
                .bind(key)
                .bind(message.as_str()),
            None => sqlx::query("DELETE FROM follow_ups WHERE key = ?1").bind(key),
        };
        change.execute(connection).await?;
        Ok(Some(ConversationId(found.id("conversation")?)))
    }
}

/// See [`crate::store::FollowUpStore::hold_follow_ups`].
pub(in crate::store::sqlite) struct HoldFollowUps {
    pub(in crate::store::sqlite) owner: Owner,
    pub(in crate::store::sqlite) conversation: ConversationId,
    pub(in crate::store::sqlite) held: Option<Reason>,
}

impl Operation for HoldFollowUps {
    type Connection = SqliteConnection;
    type Output = ();

    async fn run(&self, connection: &mut SqliteConnection) -> sqlx::Result<()> {
        sqlx::query(HOLD)
            .bind(owner_blob(self.owner))
            .bind(blob(&self.conversation.0))
            .bind(self.held.as_ref().map(written_reason))
            .execute(connection)
            .await
            .map(drop)
    }
}

/// See [`crate::store::FollowUpStore::reword`].
pub(in crate::store::sqlite) struct Reword {
    pub(in crate::store::sqlite) owner: Owner,
    pub(in crate::store::sqlite) turn: TurnId,
    pub(in crate::store::sqlite) message: String,
}

impl Operation for Reword {
    type Connection = SqliteConnection;
    type Output = bool;

    async fn run(&self, connection: &mut SqliteConnection) -> sqlx::Result<bool> {
        let done = sqlx::query(REWORD)
            .bind(owner_blob(self.owner))
            .bind(blob(&self.turn.0))
            .bind(self.message.as_str())
            .execute(connection)
            .await?;
        Ok(done.rows_affected() > 0)
    }
}
