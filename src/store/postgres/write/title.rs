//! A title in place of another one that was made, too.

use sqlx::PgConnection;

use crate::{
    queue::Owner,
    store::{
        job::Operation,
        postgres::{rows::owner_id, text},
    },
    wire::ConversationId,
};

const RETITLE: &str = "UPDATE conversations SET title = $4 \
     WHERE owner = (SELECT key FROM owners WHERE id = $1) AND id = $2 AND title = $3 AND deleted_at IS NULL";

/// See [`crate::store::Store::retitle`].
pub(in crate::store::postgres) struct Retitle {
    pub(in crate::store::postgres) owner: Owner,
    pub(in crate::store::postgres) id: ConversationId,
    pub(in crate::store::postgres) from: String,
    pub(in crate::store::postgres) to: String,
}

impl Operation for Retitle {
    type Connection = PgConnection;
    type Output = bool;

    async fn run(&self, connection: &mut PgConnection) -> sqlx::Result<bool> {
        let done = sqlx::query(RETITLE)
            .bind(owner_id(self.owner))
            .bind(self.id.0)
            .bind(text::stored(&self.from))
            .bind(text::stored(&self.to))
            .execute(connection)
            .await?;
        Ok(done.rows_affected() > 0)
    }
}
