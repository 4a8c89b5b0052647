//! Which key the cookies of a site are signed with, by its fingerprint.

use sqlx::PgConnection;

use crate::store::job::Operation;

/// A site without anybody may begin anew with any key.
const ADMIT: &str = "INSERT INTO site (fingerprint) VALUES ($1) ON CONFLICT (one) DO UPDATE SET fingerprint = excluded.fingerprint \
     WHERE site.fingerprint IS NULL OR site.fingerprint = excluded.fingerprint OR NOT EXISTS (SELECT 1 FROM owners)";

/// See [`crate::store::Store::admits_key`].
pub(in crate::store::postgres) struct Admit(pub(in crate::store::postgres) String);

impl Operation for Admit {
    type Connection = PgConnection;
    type Output = bool;

    async fn run(&self, connection: &mut PgConnection) -> sqlx::Result<bool> {
        let done = sqlx::query(ADMIT).bind(self.0.as_str()).execute(connection).await?;
        Ok(done.rows_affected() > 0)
    }
}
