//! Looking through all that an owner has said.

use futures_util::TryStreamExt as _;
use sqlx::{Row as _, SqliteConnection, sqlite::SqliteRow};

use crate::{
    queue::Owner,
    store::{
        ConversationRecord, Hit,
        rows::Columns as _,
        search::Needle,
        sqlite::rows::{self, conversation_columns, owner_blob},
    },
    wire::{Role, TurnId},
};

/// Every turn of an owner, of the conversation last used first, the newest of each first; from a place on.
pub(in crate::store::sqlite) const TURNS: &str = concat!(
    "SELECT c.key, t.id AS turn, t.message, t.answer, ",
    conversation_columns!(),
    " FROM owners o JOIN conversations c ON c.owner = o.key AND c.deleted_at IS NULL \
     CROSS JOIN turns t ON t.conversation = c.key \
     WHERE o.id = ?1 AND (c.updated_at, c.key) < (?2, ?3) ORDER BY c.updated_at DESC, c.key DESC, t.key DESC"
);

/// Bytes to look through before another task gets its turn.
const AT_A_TIME: usize = 128 * 1024;

/// Streams what an owner has said and looks through it, without holding more than a few rows.
pub(in crate::store::sqlite) async fn search(
    connection: &mut SqliteConnection,
    owner: Owner,
    text: &str,
    most: usize,
) -> sqlx::Result<Vec<Hit>> {
    let Some(needle) = Needle::new(text) else {
        return Ok(Vec::new());
    };
    let mut hits = Vec::new();
    let mut after = (i64::MAX, i64::MAX);
    while hits.len() < most {
        let Some((hit, place)) = next(connection, owner, &needle, after).await? else {
            break;
        };
        hits.push(hit);
        after = place;
    }
    Ok(hits)
}

/// The first hit after a place, and its place. One hit a conversation is enough, so the rest of that is not read.
async fn next(
    connection: &mut SqliteConnection,
    owner: Owner,
    needle: &Needle,
    after: (i64, i64),
) -> sqlx::Result<Option<(Hit, (i64, i64))>> {
    let mut rows = sqlx::query(TURNS)
        .bind(owner_blob(owner))
        .bind(after.0)
        .bind(after.1)
        .fetch(connection);
    let mut title_of = None;
    let mut looked_through = 0;
    while let Some(row) = rows.try_next().await? {
        let key: i64 = row.try_get("key")?;
        let place = (row.try_get("updated_at")?, key);
        if title_of != Some(key) {
            title_of = Some(key);
            let conversation = rows::conversation(&row)?;
            if needle.find_in(&conversation.title).is_some() {
                return Ok(Some((
                    Hit {
                        conversation,
                        turn: None,
                    },
                    place,
                )));
            }
        }
        // The answer came after the message.
        for (column, role) in [("answer", Role::Agent), ("message", Role::User)] {
            let text: &str = row.try_get(column)?;
            if needle.find_in(text).is_some() {
                return Ok(Some((hit(&row, role, text)?, place)));
            }
            looked_through += text.len();
        }
        if looked_through > AT_A_TIME {
            looked_through = 0;
            tokio::task::yield_now().await;
        }
    }
    Ok(None)
}

fn hit(row: &SqliteRow, role: Role, text: &str) -> sqlx::Result<Hit> {
    let conversation: ConversationRecord = rows::conversation(row)?;
    let turn = TurnId(row.id("turn")?);
    Ok(Hit {
        conversation,
        turn: Some((turn, role, text.to_owned())),
    })
}
