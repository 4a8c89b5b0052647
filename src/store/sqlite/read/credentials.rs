//! What people have given for servers of tools.

use sqlx::SqliteConnection;

use crate::{
    queue::Owner,
    store::{CredentialRecord, credentials::credential, sqlite::rows::owner_blob},
};

const OF: &str = "SELECT c.server, c.sealed, c.given_at FROM owners o JOIN credentials c ON c.owner = o.key \
     WHERE o.id = ?1 ORDER BY c.server";

pub(in crate::store::sqlite) async fn of(
    connection: &mut SqliteConnection,
    owner: Owner,
) -> sqlx::Result<Vec<CredentialRecord>> {
    let found = sqlx::query(OF).bind(owner_blob(owner)).fetch_all(connection).await?;
    found.iter().map(credential).collect()
}
