//! Passes.

use sqlx::SqliteConnection;
use uuid::Uuid;

use crate::{
    queue::Owner,
    store::{
        PassRecord,
        job::Operation,
        passes::REMEMBERED,
        sqlite::{
            read,
            rows::{blob, integer, owner_blob},
        },
    },
};

/// Those of its conversation that have been over for long.
const LET_GO: &str = "DELETE FROM passes WHERE expires_at < ?3 AND conversation = \
     (SELECT c.key FROM owners o JOIN conversations c ON c.owner = o.key WHERE o.id = ?1 AND c.id = ?2)";

const ADD: &str = "INSERT INTO passes (id, conversation, digest, kind, created_at, expires_at) \
     SELECT ?3, c.key, ?4, ?5, ?6, ?7 FROM owners o JOIN conversations c ON c.owner = o.key \
     WHERE o.id = ?1 AND c.id = ?2 AND c.deleted_at IS NULL AND \
       (SELECT count(*) FROM passes p WHERE p.conversation = c.key AND p.revoked_at IS NULL AND p.expires_at > ?6) < ?8 \
     ON CONFLICT (digest) DO NOTHING";

/// For whoever is refused nothing twice: where this is run again, it is used by the same guest already.
const USE: &str = "UPDATE passes SET used_at = coalesce(used_at, ?3), guest = ?2 \
     WHERE digest = ?1 AND (used_at IS NULL OR guest = ?2) AND revoked_at IS NULL AND expires_at > ?3 \
       AND EXISTS (SELECT 1 FROM conversations c WHERE c.key = passes.conversation AND c.deleted_at IS NULL)";

const REVOKE: &str = "UPDATE passes SET revoked_at = ?3 WHERE id = ?2 AND revoked_at IS NULL AND conversation IN \
     (SELECT c.key FROM owners o JOIN conversations c ON c.owner = o.key WHERE o.id = ?1)";

/// See [`crate::store::PassStore::add_pass`].
pub(in crate::store::sqlite) struct AddPass {
    pub(in crate::store::sqlite) pass: PassRecord,
    pub(in crate::store::sqlite) most: usize,
}

impl Operation for AddPass {
    type Connection = SqliteConnection;
    type Output = bool;

    async fn run(&self, connection: &mut SqliteConnection) -> sqlx::Result<bool> {
        let Self { pass, most } = self;
        sqlx::query(LET_GO)
            .bind(owner_blob(pass.owner))
            .bind(blob(&pass.conversation.0))
            .bind(integer(pass.created_at.saturating_sub(REMEMBERED)))
            .execute(&mut *connection)
            .await?;
        sqlx::query(ADD)
            .bind(owner_blob(pass.owner))
            .bind(blob(&pass.conversation.0))
            .bind(blob(&pass.id))
            .bind(pass.digest.as_str())
            .bind(pass.kind.name())
            .bind(integer(pass.created_at))
            .bind(integer(pass.expires_at))
            .bind(integer(*most as u64))
            .execute(&mut *connection)
            .await?;
        // Also where it was added by a run before this one.
        Ok(read::passes::of_digest(connection, &pass.digest).await?.is_some())
    }
}

/// See [`crate::store::PassStore::use_pass`].
pub(in crate::store::sqlite) struct UsePass {
    pub(in crate::store::sqlite) digest: String,
    pub(in crate::store::sqlite) guest: String,
    pub(in crate::store::sqlite) now: u64,
}

impl Operation for UsePass {
    type Connection = SqliteConnection;
    type Output = Option<PassRecord>;

    async fn run(&self, connection: &mut SqliteConnection) -> sqlx::Result<Option<PassRecord>> {
        let done = sqlx::query(USE)
            .bind(self.digest.as_str())
            .bind(self.guest.as_str())
            .bind(integer(self.now))
            .execute(&mut *connection)
            .await?;
        match done.rows_affected() {
            0 => Ok(None),
            _ => read::passes::of_digest(connection, &self.digest).await,
        }
    }
}

/// See [`crate::store::PassStore::revoke_pass`].
pub(in crate::store::sqlite) struct RevokePass {
    pub(in crate::store::sqlite) owner: Owner,
    pub(in crate::store::sqlite) id: Uuid,
    pub(in crate::store::sqlite) now: u64,
}

impl Operation for RevokePass {
    type Connection = SqliteConnection;
    type Output = bool;

    async fn run(&self, connection: &mut SqliteConnection) -> sqlx::Result<bool> {
        let done = sqlx::query(REVOKE)
            .bind(owner_blob(self.owner))
            .bind(blob(&self.id))
            .bind(integer(self.now))
            .execute(connection)
            .await?;
        Ok(done.rows_affected() > 0)
    }
}
