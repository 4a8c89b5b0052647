//! What people have given for servers of tools.

use sqlx::PgConnection;

use crate::{
    queue::Owner,
    store::{CredentialRecord, credentials::credential, postgres::rows::owner_id},
};

const OF: &str = "SELECT c.server, c.sealed, c.given_at FROM owners o JOIN credentials c ON c.owner = o.key \
     WHERE o.id = $1 ORDER BY c.server";

pub(in crate::store::postgres) async fn of(
    connection: &mut PgConnection,
    owner: Owner,
) -> sqlx::Result<Vec<CredentialRecord>> {
    let found = sqlx::query(OF).bind(owner_id(owner)).fetch_all(connection).await?;
    found.iter().map(credential).collect()
}
