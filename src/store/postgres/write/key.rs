//! Which key the cookies of a site are signed with, by its fingerprint.

use sqlx::PgConnection;

use crate::store::{job::Operation, postgres::node};

/// Of two that come at once, the second is to see what the first has done.
const ONE_AT_A_TIME: &str = "SELECT FROM site FOR UPDATE";

/// A site without anybody may begin anew with any key, unless another process is at work over the same database, which holds the lock then,
/// too.
const ADMIT: &str = "INSERT INTO site (fingerprint) VALUES ($1) ON CONFLICT (one) DO UPDATE SET fingerprint = excluded.fingerprint \
     WHERE site.fingerprint IS NULL OR site.fingerprint = excluded.fingerprint OR (NOT EXISTS (SELECT 1 FROM owners) AND $2)";

/// See [`crate::store::Store::admits_key`].
pub(in crate::store::postgres) struct Admit(pub(in crate::store::postgres) String);

impl Operation for Admit {
    type Connection = PgConnection;
    type Output = bool;

    async fn run(&self, connection: &mut PgConnection) -> sqlx::Result<bool> {
        sqlx::query(ONE_AT_A_TIME).execute(&mut *connection).await?;
        let alone = node::is_alone(connection).await?;
        let done = sqlx::query(ADMIT)
            .bind(self.0.as_str())
            .bind(alone)
            .execute(connection)
            .await?;
        Ok(done.rows_affected() > 0)
    }
}
