//! Where a conversation stands in the list.

use sqlx::{PgConnection, Row as _};

use crate::{
    queue::Owner,
    store::{
        job::Operation,
        postgres::rows::{self, owner_id},
    },
    wire::{ConversationId, Shelf, Shelving},
};

const SHELVE: &str = "UPDATE conversations SET shelf = (shelf & $3) | $4 \
     WHERE owner = (SELECT key FROM owners WHERE id = $1) AND id = $2 AND deleted_at IS NULL RETURNING shelf";

/// See [`crate::store::Store::shelve`].
pub(in crate::store::postgres) struct Shelve {
    pub(in crate::store::postgres) owner: Owner,
    pub(in crate::store::postgres) id: ConversationId,
    pub(in crate::store::postgres) shelving: Shelving,
}

impl Operation for Shelve {
    type Connection = PgConnection;
    type Output = Option<Shelf>;

    async fn run(&self, connection: &mut PgConnection) -> sqlx::Result<Option<Shelf>> {
        let (stays, added) = rows::shelving_columns(self.shelving);
        let row = sqlx::query(SHELVE)
            .bind(owner_id(self.owner))
            .bind(self.id.0)
            .bind(stays)
            .bind(added)
            .fetch_optional(connection)
            .await?;
        row.map(|row| row.try_get("shelf").map(rows::read_shelf)).transpose()
    }
}
