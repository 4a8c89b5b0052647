//! Looking through all that an owner has said. PostgreSQL knows the case of letters as its collation does, which in "C" is that of ASCII
//! alone; so the text is looked through here, as it is for any other store.

use sqlx::{PgConnection, postgres::PgRow};

use crate::{
    queue::Owner,
    store::{
        Hit,
        postgres::rows::{self, Columns as _, conversation_columns, owner_id},
        search::Needle,
    },
    wire::{Role, TurnId},
};

/// Every turn of an owner, of the conversation last used first, the newest of each first; from a place on. The first comparison is there
/// for the index.
const TURNS: &str = concat!(
    "SELECT c.key, t.key AS turn_key, t.id AS turn, t.message, t.answer, ",
    conversation_columns!(),
    " FROM owners o JOIN conversations c ON c.owner = o.key AND c.deleted_at IS NULL \
     JOIN turns t ON t.conversation = c.key \
     WHERE o.id = $1 AND (c.updated_at, c.key) <= ($2, $3) AND (c.updated_at, c.key, t.key) < ($2, $3, $4) \
     ORDER BY c.updated_at DESC, c.key DESC, t.key DESC LIMIT $5"
);

/// Turns that are fetched at once.
const AT_A_TIME: i64 = 64;

/// Where a search is.
#[derive(Clone, Copy, Debug)]
pub(in crate::store::postgres) struct Place {
    updated_at: i64,
    conversation: i64,
    turn: i64,
}

impl Place {
    /// Before all.
    pub(in crate::store::postgres) const BEGIN: Self = Self {
        updated_at: i64::MAX,
        conversation: i64::MAX,
        turn: i64::MAX,
    };
}

/// What some turns have of what is looked for, and where to go on; `None`: those were all.
pub(in crate::store::postgres) type Found = (Vec<Hit>, Option<Place>);

/// Looks through the next few turns. One hit a conversation is enough, so the rest of that is passed over.
pub(in crate::store::postgres) async fn next(
    connection: &mut PgConnection,
    owner: Owner,
    needle: &Needle,
    after: Place,
) -> sqlx::Result<Found> {
    let query = sqlx::query(TURNS)
        .bind(owner_id(owner))
        .bind(after.updated_at)
        .bind(after.conversation)
        .bind(after.turn)
        .bind(AT_A_TIME);
    let found = query.fetch_all(connection).await?;
    let mut hits = Vec::new();
    let mut place = None;
    let mut passed_over = None;
    for row in &found {
        let conversation = row.integer("key")?;
        let mut here = Place {
            updated_at: row.integer("updated_at")?,
            conversation,
            turn: row.integer("turn_key")?,
        };
        if passed_over != Some(conversation)
            && let Some(hit) = look(row, needle)?
        {
            hits.push(hit);
            passed_over = Some(conversation);
        }
        if passed_over == Some(conversation) {
            // Keys begin at one: there is nothing after this within the conversation.
            here.turn = 0;
        }
        place = Some(here);
        // A turn may have a long text.
        tokio::task::consume_budget().await;
    }
    let more = found.len() as i64 == AT_A_TIME;
    Ok((hits, place.filter(|_| more)))
}

/// What a turn has of it: its conversation's title first.
fn look(row: &PgRow, needle: &Needle) -> sqlx::Result<Option<Hit>> {
    let conversation = rows::conversation(row)?;
    if needle.find_in(&conversation.title).is_some() {
        return Ok(Some(Hit {
            conversation,
            turn: None,
        }));
    }
    // The answer came after the message.
    for (column, role) in [("answer", Role::Agent), ("message", Role::User)] {
        let text = row.text(column)?;
        if needle.find_in(&text).is_some() {
            let turn = TurnId(row.id("turn")?);
            return Ok(Some(Hit {
                conversation,
                turn: Some((turn, role, text.into_owned())),
            }));
        }
    }
    Ok(None)
}
