//! Conversations: listed, found, changed.

use futures_util::TryStreamExt as _;
use sqlx::{Row as _, SqliteConnection, SqlitePool};

use super::{
    rows::{bytes, conversation, conversation_columns, turn_id, whole},
    writer::{Running, Write},
};
use crate::{
    sessions::SessionId,
    store::{ConversationRecord, Hit, search::find_in},
    wire::{ConversationId, Role, TurnId},
};

/// See [`Store::conversations`](crate::store::Store::conversations).
pub(super) async fn page(
    readers: &SqlitePool,
    session: SessionId,
    after: Option<ConversationId>,
    most: usize,
) -> sqlx::Result<Vec<ConversationRecord>> {
    let rows = sqlx::query(concat!(
        "SELECT ",
        conversation_columns!(),
        " FROM conversations c WHERE c.session = ?1 AND c.deleted_at IS NULL AND (?2 IS NULL OR (c.updated_at, c.id) <
            (SELECT a.updated_at, a.id FROM conversations a WHERE a.id = ?2 AND a.session = ?1))
         ORDER BY c.updated_at DESC, c.id DESC LIMIT ?3"
    ))
    .bind(bytes(session.0))
    .bind(after.map(|after| bytes(after.0)))
    .bind(i64::try_from(most).unwrap_or(i64::MAX))
    .fetch_all(readers)
    .await?;
    rows.iter().map(conversation).collect()
}

/// See [`Store::conversation`](crate::store::Store::conversation).
pub(super) async fn one(
    readers: &SqlitePool,
    session: SessionId,
    id: ConversationId,
) -> sqlx::Result<Option<ConversationRecord>> {
    let row = sqlx::query(concat!(
        "SELECT ",
        conversation_columns!(),
        " FROM conversations c WHERE c.id = ? AND c.session = ? AND c.deleted_at IS NULL"
    ))
    .bind(bytes(id.0))
    .bind(bytes(session.0))
    .fetch_optional(readers)
    .await?;
    row.as_ref().map(conversation).transpose()
}

/// See [`Store::search`](crate::store::Store::search).
pub(super) async fn search(
    readers: &SqlitePool,
    session: SessionId,
    text: &str,
    most: usize,
) -> sqlx::Result<Vec<Hit>> {
    // In the order of the index, so that nothing is sorted and the first hits need not wait for the last.
    let mut rows = sqlx::query(concat!(
        "SELECT ",
        conversation_columns!(),
        ", t.number, t.id, t.message, t.answer
         FROM conversations c CROSS JOIN turns t ON t.conversation = c.id
         WHERE c.session = ? AND c.deleted_at IS NULL ORDER BY c.updated_at DESC, c.id DESC"
    ))
    .bind(bytes(session.0))
    .fetch(readers);
    let mut hits: Vec<Hit> = Vec::new();
    // The conversation that is being read, and the newest hit in it.
    let mut newest: Option<(ConversationId, i64)> = None;
    while let Some(row) = rows.try_next().await? {
        let record = conversation(&row)?;
        let number: i64 = row.try_get("number")?;
        if newest.is_none_or(|(id, _)| id != record.id) {
            if hits.len() == most {
                break;
            }
            newest = Some((record.id, -1));
            if find_in(&record.title, text).is_some() {
                hits.push(Hit {
                    conversation: record.clone(),
                    turn: None,
                });
            }
        }
        let found = hits.last().filter(|hit| hit.conversation.id == record.id);
        let better = match found {
            None => true,
            Some(hit) => hit.turn.is_some() && newest.is_some_and(|(_, newest)| newest < number),
        };
        if !better {
            continue;
        }
        let place = [(Role::User, "message"), (Role::Agent, "answer")]
            .into_iter()
            .find_map(|(role, column)| {
                let whole: &str = row.try_get(column).ok()?;
                find_in(whole, text).map(|_| (role, whole.to_owned()))
            });
        if let Some((role, whole)) = place {
            let hit = Hit {
                turn: Some((turn_id(&row)?, role, whole)),
                conversation: record,
            };
            newest = Some((hit.conversation.id, number));
            match hits
                .last_mut()
                .filter(|last| last.conversation.id == hit.conversation.id)
            {
                Some(last) => *last = hit,
                None => hits.push(hit),
            }
        }
    }
    Ok(hits)
}

/// What is changed of a conversation.
pub(super) enum Change {
    Show(TurnId),
    Rename(String),
    Delete { now: u64 },
    Undelete,
}

/// A change of one conversation of a session; the output says whether there is such a one.
pub(super) struct Changed {
    pub(super) session: SessionId,
    pub(super) conversation: ConversationId,
    pub(super) change: Change,
}

impl Write for Changed {
    type Output = bool;

    fn run<'c>(&'c mut self, connection: &'c mut SqliteConnection) -> Running<'c, bool> {
        Box::pin(async move {
            let (session, id) = (bytes(self.session.0), bytes(self.conversation.0));
            let query = match &self.change {
                Change::Show(head) => sqlx::query(
                    "UPDATE conversations SET head = ?3 WHERE session = ?1 AND id = ?2 AND deleted_at IS NULL
                     AND EXISTS (SELECT 1 FROM turns WHERE session = ?1 AND id = ?3 AND conversation = ?2)",
                )
                .bind(session)
                .bind(id)
                .bind(bytes(head.0)),
                Change::Rename(title) => sqlx::query(
                    "UPDATE conversations SET title = ?3 WHERE session = ?1 AND id = ?2 AND deleted_at IS NULL",
                )
                .bind(session)
                .bind(id)
                .bind(title),
                Change::Delete { now } => sqlx::query(
                    "UPDATE conversations SET deleted_at = ?3 WHERE session = ?1 AND id = ?2 AND deleted_at IS NULL",
                )
                .bind(session)
                .bind(id)
                .bind(whole(*now)),
                Change::Undelete => sqlx::query(
                    "UPDATE conversations SET deleted_at = NULL WHERE session = ?1 AND id = ?2 AND deleted_at IS NOT NULL",
                )
                .bind(session)
                .bind(id),
            };
            Ok(query.execute(connection).await?.rows_affected() > 0)
        })
    }
}
