//! What was said of tools.

use sqlx::PgConnection;

use crate::{
    queue::Owner,
    store::{
        Leave,
        postgres::rows::{self, owner_id},
    },
    wire::ConversationId,
};

const LEAVES: &str = "SELECT l.tool, l.fingerprint, l.allowed \
     FROM owners o JOIN conversations c ON c.owner = o.key JOIN leaves l ON l.conversation = c.key \
     WHERE o.id = $1 AND c.id = $2 AND c.deleted_at IS NULL ORDER BY l.tool";

pub(in crate::store::postgres) async fn leaves(
    connection: &mut PgConnection,
    owner: Owner,
    conversation: ConversationId,
) -> sqlx::Result<Vec<Leave>> {
    let found = sqlx::query(LEAVES)
        .bind(owner_id(owner))
        .bind(conversation.0)
        .fetch_all(connection)
        .await?;
    found.iter().map(rows::leave).collect()
}
