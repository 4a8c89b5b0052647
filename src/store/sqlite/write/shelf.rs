//! Where a conversation stands in the list.

use sqlx::{Row as _, SqliteConnection};

use crate::{
    queue::Owner,
    store::{
        job::Operation,
        sqlite::rows::{self, blob, owner_blob},
    },
    wire::{ConversationId, Shelf, Shelving},
};

pub(in crate::store::sqlite) const SHELVE: &str = "UPDATE conversations SET shelf = (shelf & ?3) | ?4 \
     WHERE owner = (SELECT key FROM owners WHERE id = ?1) AND id = ?2 AND deleted_at IS NULL RETURNING shelf";

/// See [`crate::store::Store::shelve`].
pub(in crate::store::sqlite) struct Shelve {
    pub(in crate::store::sqlite) owner: Owner,
    pub(in crate::store::sqlite) id: ConversationId,
    pub(in crate::store::sqlite) shelving: Shelving,
}

impl Operation for Shelve {
    type Connection = SqliteConnection;
    type Output = Option<Shelf>;

    async fn run(&self, connection: &mut SqliteConnection) -> sqlx::Result<Option<Shelf>> {
        let (stays, added) = rows::shelving_columns(self.shelving);
        let row = sqlx::query(SHELVE)
            .bind(owner_blob(self.owner))
            .bind(blob(&self.id.0))
            .bind(stays)
            .bind(added)
            .fetch_optional(connection)
            .await?;
        row.map(|row| row.try_get("shelf").map(rows::read_shelf)).transpose()
    }
}
