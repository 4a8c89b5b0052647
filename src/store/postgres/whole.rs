//! A transaction that is one statement: one way to the server and back, its commit included.
//!
//! A message with its place in the line, and an outcome with the slot that it gives back, mostly come alone, and somebody waits for each. Said step by
//! step, each is three ways: the beginning, the change, the entry with the commit. As one statement, outside of any transaction, all of it is there or
//! nothing, as it is by steps; what fails is done by steps, which tell what was wrong.
//!
//! Values are parameters here, as everywhere: as literals of one long message they would get into the server's log with whatever fails.
//!
//! A statement with parameters ends with a message of its own, behind which the server commits. Whoever were stopped between the two would hold the end of the
//! log for as long as he is, and no limit of the server's is for that. So only what is given to the system in one piece is said so ([`MOST`]).

use std::{borrow::Cow, sync::LazyLock};

use sqlx::{
    AssertSqlSafe, PgConnection, Postgres, SqlSafeStr as _, SqlStr,
    postgres::{PgArguments, PgRow},
    query::Query,
};
use uuid::Uuid;

use super::{append::Append, node::Node};
use crate::{
    nodes::{Incarnation, Peer},
    store::job::Writes,
};

/// Most bytes of values. As the server has answered all that came before, nothing else is in the way of so many: the system takes them at once, and sends
/// them whatever becomes of this process.
const MOST: usize = 8 * 1024;

/// An entry of the log by itself.
static ENTRY: LazyLock<Whole> = LazyLock::new(|| Whole::new("done AS (SELECT FROM held)", 0, Found::OrNot));

/// A statement with its values.
pub(super) type Bound = Query<'static, Postgres, PgArguments>;

impl Writes for PgConnection {
    type Rest = Rest;
}

/// What a transaction says beside the one change that it makes.
pub(in crate::store) struct Rest {
    /// Whose.
    node: Uuid,
    /// The number of its group.
    batch: i64,
    /// What is appended to the log with it.
    entry: Option<Appended>,
    /// What the server has said, once it has: a row, or none where this process has no row any more, and nothing is written.
    pub(super) answer: Option<PgRow>,
}

/// An entry of the log, as `log_append` takes it.
#[derive(Debug)]
pub(super) struct Appended {
    pub(super) sequence: i64,
    pub(super) gone: Vec<Incarnation>,
    pub(super) unless_heard: Option<Peer>,
    pub(super) payload: Vec<u8>,
}

/// Whether what a change is about has to be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// Where it is not, nothing is written.
    Always,
    /// Where it is not, the rest is written.
    OrNot,
}

/// The statements of a kind of change: with an entry of the log and without.
#[derive(Debug)]
pub(super) struct Whole {
    alone: String,
    with_entry: String,
}

impl Whole {
    /// Of the parts of a `WITH`, of which `done` has a row for what is changed. They write nothing where `held`, which stands before them, is empty: the row of
    /// this process, which is the transaction's until it ends. They have so many parameters.
    pub(super) fn new(parts: &str, parameters: usize, found: Found) -> Self {
        let [node, batch, sequence, gone, unless_node, unless_beats, payload] =
            std::array::from_fn(|place| format!("${}", parameters + 1 + place));
        let made = match found {
            // Divides by nothing, which ends the statement.
            Found::Always => "1 / d.rows",
            Found::OrNot => "d.rows",
        };
        let begin = format!(
            "WITH held AS (UPDATE nodes SET batch = {batch} WHERE id = {node} AND batch < {batch} RETURNING id), {parts} "
        );
        let from = "FROM held CROSS JOIN (SELECT count(*) AS rows FROM done) d";
        Self {
            alone: format!("{begin}SELECT {made} {from}"),
            // The end of the log is all nodes': whatever the change has to wait for comes first, so the append is given something of what that has come to.
            with_entry: format!(
                "{begin}SELECT a.status, a.number, a.at, encode(a.digest, 'hex') AS digest {from} CROSS JOIN LATERAL \
                 log_append({node}, {sequence} + 0 * ({made}), {gone}, {unless_node}, {unless_beats}, {payload}) a"
            ),
        }
    }
}

impl Rest {
    /// Of the group of this number, with its entry.
    pub(super) fn of(node: Node, batch: i64, append: Option<&Append>) -> Self {
        Self {
            node: node.id(),
            batch,
            entry: append.map(Append::as_parameters),
            answer: None,
        }
    }

    /// Says all that there is to say where there is no change. `None`: it is too much for one statement.
    pub(super) async fn say_alone(&mut self, connection: &mut PgConnection) -> Option<sqlx::Result<()>> {
        self.say(connection, &ENTRY, 0, sqlx::query).await
    }

    /// Makes a change whose texts have so many bytes, and says the rest. `None`: it is too much for one statement, and nothing has been done.
    pub(super) async fn say(
        &mut self,
        connection: &mut PgConnection,
        whole: &'static Whole,
        bytes: usize,
        bind: impl FnOnce(SqlStr) -> Bound,
    ) -> Option<sqlx::Result<()>> {
        let entry = self.entry.as_ref().map_or(0, |entry| entry.payload.len());
        if bytes + entry > MOST {
            return None;
        }
        Some(self.said(connection, whole, bind).await)
    }

    async fn said(
        &mut self,
        connection: &mut PgConnection,
        whole: &'static Whole,
        bind: impl FnOnce(SqlStr) -> Bound,
    ) -> sqlx::Result<()> {
        let statement = match self.entry {
            Some(_) => &whole.with_entry,
            None => &whole.alone,
        };
        // There is nothing in it but what is written here and beside the changes.
        let statement = AssertSqlSafe(Cow::Borrowed(&**statement)).into_sql_str();
        let mut said = bind(statement).bind(self.node).bind(self.batch);
        if let Some(entry) = &self.entry {
            let id = |node: &Incarnation| Uuid::from_u128(node.0);
            said = said
                .bind(entry.sequence)
                .bind(entry.gone.iter().map(id).collect::<Vec<_>>())
                .bind(entry.unless_heard.map(|peer| id(&peer.node)))
                .bind(entry.unless_heard.map(|peer| peer.beats.cast_signed()))
                .bind(&*entry.payload);
        }
        self.answer = said.fetch_optional(connection).await?;
        Ok(())
    }
}
