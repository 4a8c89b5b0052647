//! Rows of SQLite as rows of PostgreSQL, with the keys that they have: those tell what was stored first.

use std::fmt::Write as _;

use futures_util::TryStreamExt as _;
use sqlx::{AssertSqlSafe, PgConnection, Row as _, SqliteConnection, sqlite::SqliteRow};
use uuid::Uuid;

use super::{TakeoverError, broke_off, id};
use crate::{store::postgres::stored, wire::FileId};

/// Bytes that are sent at once.
const AT_ONCE: usize = 64 * 1024;

/// What is in a column.
#[derive(Clone, Copy, Debug)]
enum Kind {
    Integer,
    Real,
    Flag,
    Id,
    Text,
}

use Kind::{Flag, Id, Integer, Real, Text};

/// A table of both.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) name: &'static str,
    /// Whether its key is counted up.
    counted: bool,
    columns: &'static [(&'static str, Kind)],
}

/// All that lasts, those tables that others refer to first.
pub(super) static TABLES: [Table; 20] = [
    Table {
        name: "owners",
        counted: true,
        columns: &[("key", Integer), ("id", Id)],
    },
    Table {
        name: "conversations",
        counted: true,
        columns: &[
            ("key", Integer),
            ("owner", Integer),
            ("id", Id),
            ("head", Id),
            ("updated_at", Integer),
            ("deleted_at", Integer),
            ("shelf", Integer),
            ("title", Text),
        ],
    },
    Table {
        name: "choices",
        counted: false,
        columns: &[
            ("conversation", Integer),
            ("model", Text),
            ("temperature", Real),
            ("max_tokens", Integer),
            ("instructions", Text),
            ("without_tools", Flag),
        ],
    },
    Table {
        name: "turns",
        counted: true,
        columns: &[
            ("key", Integer),
            ("owner", Integer),
            ("conversation", Integer),
            ("parent", Integer),
            ("id", Id),
            ("state", Text),
            ("reason", Text),
            ("tag", Integer),
            ("arrival", Integer),
            ("attempts", Integer),
            ("accepted_at", Integer),
            ("started_at", Integer),
            ("ended_at", Integer),
            ("thought_ms", Integer),
            ("counted", Flag),
            ("input_tokens", Integer),
            ("output_tokens", Integer),
            ("model", Text),
            ("backend", Text),
            ("notices", Text),
            ("message", Text),
            ("answer", Text),
            ("reasoning", Text),
            ("steps", Text),
        ],
    },
    Table {
        name: "files",
        counted: true,
        columns: &[
            ("key", Integer),
            ("owner", Integer),
            ("id", Id),
            ("name", Text),
            ("kind", Text),
            ("mime", Text),
            ("size", Integer),
            ("uploaded_at", Integer),
            ("paper", Text),
        ],
    },
    Table {
        name: "turn_files",
        counted: false,
        columns: &[("turn", Integer), ("position", Integer), ("file", Integer)],
    },
    Table {
        name: "step_files",
        counted: false,
        columns: &[("turn", Integer), ("file", Integer)],
    },
    Table {
        name: "leaves",
        counted: false,
        columns: &[
            ("conversation", Integer),
            ("tool", Text),
            ("fingerprint", Text),
            ("allowed", Flag),
        ],
    },
    Table {
        name: "follow_ups",
        counted: true,
        columns: &[
            ("key", Integer),
            ("owner", Integer),
            ("conversation", Integer),
            ("id", Id),
            ("created_at", Integer),
            ("held", Text),
            ("message", Text),
        ],
    },
    Table {
        name: "follow_up_files",
        counted: false,
        columns: &[("follow_up", Integer), ("position", Integer), ("file", Integer)],
    },
    Table {
        name: "ratings",
        counted: false,
        columns: &[("turn", Integer), ("rating", Integer)],
    },
    Table {
        name: "orphans",
        counted: false,
        columns: &[("id", Id)],
    },
    Table {
        name: "batches",
        counted: true,
        columns: &[
            ("key", Integer),
            ("owner", Integer),
            ("id", Id),
            ("idempotency", Text),
            ("hash", Text),
            ("created_at", Integer),
            ("ended_at", Integer),
            ("count", Integer),
            ("open", Integer),
            ("ended", Integer),
            ("url", Text),
            ("secret", Text),
        ],
    },
    Table {
        name: "tasks",
        counted: true,
        columns: &[
            ("key", Integer),
            ("owner", Integer),
            ("batch", Integer),
            ("id", Id),
            ("name", Text),
            ("priority", Integer),
            ("state", Text),
            ("reason", Text),
            ("blocked", Integer),
            ("attempts", Integer),
            ("stopped", Integer),
            ("ordinal", Integer),
            ("created_at", Integer),
            ("started_at", Integer),
            ("ended_at", Integer),
            ("counted", Flag),
            ("input_tokens", Integer),
            ("output_tokens", Integer),
            ("model", Text),
            ("metadata", Text),
            ("request", Text),
            ("result", Text),
        ],
    },
    Table {
        name: "task_needs",
        counted: false,
        columns: &[("task", Integer), ("needs", Integer)],
    },
    Table {
        name: "deliveries",
        counted: true,
        columns: &[
            ("key", Integer),
            ("owner", Integer),
            ("batch", Integer),
            ("task", Integer),
            ("attempts", Integer),
            ("created_at", Integer),
            ("due_at", Integer),
        ],
    },
    Table {
        name: "keys",
        counted: true,
        columns: &[
            ("key", Integer),
            ("id", Id),
            ("name", Text),
            ("scopes", Text),
            ("digest", Text),
            ("created_at", Integer),
            ("expires_at", Integer),
            ("revoked_at", Integer),
            ("requests_per_minute", Integer),
            ("tokens_per_minute", Integer),
            ("changes", Integer),
        ],
    },
    Table {
        name: "passes",
        counted: true,
        columns: &[
            ("key", Integer),
            ("id", Id),
            ("conversation", Integer),
            ("digest", Text),
            ("kind", Text),
            ("created_at", Integer),
            ("expires_at", Integer),
            ("used_at", Integer),
            ("revoked_at", Integer),
            ("guest", Text),
        ],
    },
    Table {
        name: "credentials",
        counted: false,
        columns: &[
            ("owner", Integer),
            ("server", Text),
            ("sealed", Text),
            ("given_at", Integer),
        ],
    },
    Table {
        name: "minutes",
        counted: false,
        columns: &[
            ("node", Text),
            ("at", Integer),
            ("running", Integer),
            ("waiting", Integer),
            ("started", Integer),
            ("waited_ms", Integer),
            ("ended", Integer),
            ("browsers", Integer),
            ("memory", Integer),
        ],
    },
];

/// Copies a table. Returns its rows.
pub(super) async fn copy(
    table: &'static Table,
    from: &mut SqliteConnection,
    to: &mut PgConnection,
) -> Result<u64, TakeoverError> {
    let unread = |error: sqlx::Error| broke_off(table.name, &error);
    let columns: Vec<&str> = table.columns.iter().map(|(name, _)| *name).collect();
    let columns = columns.join(", ");
    // A turn that begins its conversation follows none here, and the one with the key 0 there.
    let select = format!("SELECT {columns} FROM {}", table.name).replace("parent", "coalesce(parent, 0) AS parent");
    let mut rows = sqlx::query(AssertSqlSafe(select)).fetch(from);
    let mut copy = to
        .copy_in_raw(&format!("COPY {} ({columns}) FROM STDIN", table.name))
        .await
        .map_err(unread)?;
    let mut lines = String::new();
    while let Some(row) = rows.try_next().await.map_err(unread)? {
        line(table, &row, &mut lines)?;
        if lines.len() > AT_ONCE {
            copy.send(lines.as_bytes()).await.map_err(unread)?;
            lines.clear();
        }
    }
    copy.send(lines.as_bytes()).await.map_err(unread)?;
    let copied = copy.finish().await.map_err(unread)?;
    if table.counted {
        let next = format!(
            "SELECT setval(pg_get_serial_sequence('{0}', 'key'), (SELECT coalesce(max(key), 0) + 1 FROM {0}), false)",
            table.name
        );
        sqlx::query(AssertSqlSafe(next)).execute(to).await.map_err(unread)?;
    }
    Ok(copied)
}

/// A row as a line of PostgreSQL's text format.
fn line(table: &'static Table, row: &SqliteRow, lines: &mut String) -> Result<(), TakeoverError> {
    let unread = |error: sqlx::Error| broke_off(table.name, &error);
    for (at, &(_, kind)) in table.columns.iter().enumerate() {
        if at > 0 {
            lines.push('\t');
        }
        let written = match kind {
            Integer => row
                .try_get::<Option<i64>, _>(at)
                .map(|value| value.map(|value| value.to_string())),
            Real => row
                .try_get::<Option<f64>, _>(at)
                .map(|value| value.map(|value| value.to_string())),
            Flag => row
                .try_get::<Option<bool>, _>(at)
                .map(|value| value.map(|value| value.to_string())),
            Text => row.try_get::<Option<&str>, _>(at).map(|value| value.map(escaped)),
            Id => {
                let bytes: Vec<u8> = row.try_get(at).map_err(unread)?;
                Ok(Some(id(&bytes)?.to_string()))
            }
        };
        match written.map_err(unread)? {
            Some(value) => lines.push_str(&value),
            None => lines.push_str("\\N"),
        }
    }
    lines.push('\n');
    Ok(())
}

fn escaped(text: &str) -> String {
    let text = stored(text);
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\\' => escaped.push_str("\\\\"),
            '\n' => escaped.push_str("\\n"),
            '\r' => escaped.push_str("\\r"),
            '\t' => escaped.push_str("\\t"),
            other => escaped.push(other),
        }
    }
    escaped
}

/// Whether a database has as many rows in a table as the other.
pub(super) async fn compare(
    table: &'static Table,
    from: &mut SqliteConnection,
    to: &mut PgConnection,
) -> Result<(), TakeoverError> {
    let mut sql = String::new();
    // Writing into a String does not fail.
    let _ = write!(sql, "SELECT count(*) FROM {}", table.name);
    let unread = |error: sqlx::Error| broke_off(table.name, &error);
    let here: i64 = sqlx::query_scalar(AssertSqlSafe(sql.clone()))
        .fetch_one(from)
        .await
        .map_err(unread)?;
    let there: i64 = sqlx::query_scalar(AssertSqlSafe(sql))
        .fetch_one(to)
        .await
        .map_err(unread)?;
    if here == there {
        return Ok(());
    }
    Err(TakeoverError::Differs {
        what: table.name,
        here: here.unsigned_abs(),
        there: there.unsigned_abs(),
    })
}

/// Whether nobody has anything in a database.
pub(super) async fn is_empty(to: &mut PgConnection) -> Result<bool, TakeoverError> {
    let empty = "SELECT NOT EXISTS (SELECT 1 FROM owners) AND NOT EXISTS (SELECT 1 FROM contents) AND NOT EXISTS (SELECT 1 FROM keys)";
    let found = sqlx::query_scalar(empty).fetch_one(to).await;
    found.map_err(|error| broke_off("the site", &error))
}

/// The files whose contents are to be copied.
pub(super) async fn files(from: &mut SqliteConnection) -> Result<Vec<FileId>, TakeoverError> {
    let ids = sqlx::query_scalar("SELECT DISTINCT id FROM files")
        .fetch_all(from)
        .await;
    let ids: Vec<Vec<u8>> = ids.map_err(|error| broke_off("files", &error))?;
    ids.iter().map(|bytes| id(bytes).map(FileId)).collect()
}

pub(super) async fn begin_content(to: &mut PgConnection, id: Uuid) -> Result<(), TakeoverError> {
    let begun = sqlx::query("INSERT INTO contents (id, finished) VALUES ($1, true)").bind(id);
    let begun = begun.execute(to).await;
    begun.map(drop).map_err(|error| broke_off("a file's content", &error))
}

pub(super) async fn add_piece(to: &mut PgConnection, id: Uuid, number: i64, piece: &[u8]) -> Result<(), TakeoverError> {
    let added = sqlx::query("INSERT INTO pieces (content, number, bytes) VALUES ($1, $2, $3)")
        .bind(id)
        .bind(number)
        .bind(piece)
        .execute(to)
        .await;
    added.map(drop).map_err(|error| broke_off("a file's content", &error))
}

/// Notes which key the cookies are signed with.
pub(super) async fn set_key(to: &mut PgConnection, fingerprint: &str) -> Result<(), TakeoverError> {
    let set = sqlx::query("UPDATE site SET fingerprint = $1").bind(fingerprint);
    let set = set.execute(to).await;
    set.map(drop)
        .map_err(|error| broke_off("the key's fingerprint", &error))
}

/// Conversations, turns, and those that are not over.
pub(super) async fn figures(to: &mut PgConnection) -> Result<(u64, u64, u64), TakeoverError> {
    let counted = sqlx::query(
        "SELECT (SELECT count(*) FROM conversations), count(*), count(*) FILTER (WHERE state IN ('waiting', 'running')) FROM turns",
    )
    .fetch_one(to)
    .await
    .and_then(|row| Ok((row.try_get::<i64, _>(0)?, row.try_get::<i64, _>(1)?, row.try_get::<i64, _>(2)?)));
    let (conversations, turns, unfinished) = counted.map_err(|error| broke_off("the site", &error))?;
    Ok((
        conversations.unsigned_abs(),
        turns.unsigned_abs(),
        unfinished.unsigned_abs(),
    ))
}

/// Contents of files, and their bytes.
pub(super) async fn contents(to: &mut PgConnection) -> Result<(u64, u64), TakeoverError> {
    let counted =
        sqlx::query("SELECT (SELECT count(*) FROM contents), coalesce(sum(length(bytes)), 0)::bigint FROM pieces")
            .fetch_one(to)
            .await
            .and_then(|row| Ok((row.try_get::<i64, _>(0)?, row.try_get::<i64, _>(1)?)));
    let (contents, bytes) = counted.map_err(|error| broke_off("the contents of files", &error))?;
    Ok((contents.unsigned_abs(), bytes.unsigned_abs()))
}
