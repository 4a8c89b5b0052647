//! Messages that stand behind another one.

use sqlx::{PgConnection, postgres::PgRow};

use crate::{
    queue::Owner,
    store::postgres::rows::{self, Columns as _, owner_id},
    wire::{ConversationId, FollowUp},
};

const OF: &str = "SELECT f.id AS follow_up, f.created_at, f.held, f.message, \
       (SELECT coalesce(json_agg(json_build_array(x.id, x.name, x.kind, x.mime, x.size, x.paper) ORDER BY l.position), '[]')::text \
        FROM follow_up_files l JOIN files x ON x.key = l.file WHERE l.follow_up = f.key) AS files \
     FROM owners o JOIN conversations c ON c.owner = o.key JOIN follow_ups f ON f.conversation = c.key \
     WHERE o.id = $1 AND c.id = $2 AND c.deleted_at IS NULL ORDER BY f.key";

const FOLLOWED: &str = "SELECT DISTINCT o.id AS owner, c.id AS conversation \
     FROM follow_ups f JOIN conversations c ON c.key = f.conversation JOIN owners o ON o.key = f.owner \
     WHERE f.held IS NULL AND c.deleted_at IS NULL";

pub(in crate::store::postgres) async fn of(
    connection: &mut PgConnection,
    owner: Owner,
    conversation: ConversationId,
) -> sqlx::Result<Vec<FollowUp>> {
    let found = sqlx::query(OF)
        .bind(owner_id(owner))
        .bind(conversation.0)
        .fetch_all(connection)
        .await?;
    found.iter().map(rows::follow_up).collect()
}

pub(in crate::store::postgres) async fn followed(
    connection: &mut PgConnection,
) -> sqlx::Result<Vec<(Owner, ConversationId)>> {
    let found = sqlx::query(FOLLOWED).fetch_all(connection).await?;
    let read = |row: &PgRow| Ok((rows::owner(row)?, ConversationId(row.id("conversation")?)));
    found.iter().map(read).collect()
}
