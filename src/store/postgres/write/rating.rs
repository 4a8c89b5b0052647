//! What a reader thinks of an answer.

use sqlx::PgConnection;

use crate::{
    queue::Owner,
    store::{job::Operation, postgres::rows::owner_id},
    wire::TurnId,
};

const RATE: &str = "INSERT INTO ratings (turn, rating) SELECT t.key, $3 FROM owners o JOIN turns t ON t.owner = o.key \
     WHERE o.id = $1 AND t.id = $2 ON CONFLICT (turn) DO UPDATE SET rating = excluded.rating";

const UNRATE: &str = "DELETE FROM ratings WHERE turn = \
     (SELECT t.key FROM owners o JOIN turns t ON t.owner = o.key WHERE o.id = $1 AND t.id = $2)";

/// See [`crate::store::Store::rate`].
pub(in crate::store::postgres) struct Rate {
    pub(in crate::store::postgres) owner: Owner,
    pub(in crate::store::postgres) turn: TurnId,
    pub(in crate::store::postgres) good: Option<bool>,
}

impl Operation for Rate {
    type Connection = PgConnection;
    type Output = bool;

    async fn run(&self, connection: &mut PgConnection) -> sqlx::Result<bool> {
        let query = sqlx::query(if self.good.is_some() { RATE } else { UNRATE })
            .bind(owner_id(self.owner))
            .bind(self.turn.0);
        let done = match self.good {
            Some(good) => query.bind(if good { 1_i64 } else { -1 }).execute(connection).await?,
            None => query.execute(connection).await?,
        };
        Ok(done.rows_affected() > 0)
    }
}
