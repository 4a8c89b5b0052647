//! A title in place of another one that was made, too.

use sqlx::SqliteConnection;

use crate::{
    queue::Owner,
    store::{
        job::Operation,
        sqlite::rows::{blob, owner_blob},
    },
    wire::ConversationId,
};

pub(in crate::store::sqlite) const RETITLE: &str = "UPDATE conversations SET title = ?4 \
     WHERE owner = (SELECT key FROM owners WHERE id = ?1) AND id = ?2 AND title = ?3 AND deleted_at IS NULL";

/// See [`crate::store::Store::retitle`].
pub(in crate::store::sqlite) struct Retitle {
    pub(in crate::store::sqlite) owner: Owner,
    pub(in crate::store::sqlite) id: ConversationId,
    pub(in crate::store::sqlite) from: String,
    pub(in crate::store::sqlite) to: String,
}

impl Operation for Retitle {
    type Connection = SqliteConnection;
    type Output = bool;

    async fn run(&self, connection: &mut SqliteConnection) -> sqlx::Result<bool> {
        let done = sqlx::query(RETITLE)
            .bind(owner_blob(self.owner))
            .bind(blob(&self.id.0))
            .bind(self.from.as_str())
            .bind(self.to.as_str())
            .execute(connection)
            .await?;
        Ok(done.rows_affected() > 0)
    }
}
