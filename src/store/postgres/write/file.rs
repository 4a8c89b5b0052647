//! Keeping what is known of an uploaded file.

use sqlx::PgConnection;

use super::owner;
use crate::{
    queue::Owner,
    store::{
        job::Operation,
        postgres::{
            rows::{file_kind_column, integer, paper_column},
            text,
        },
    },
    wire::FileView,
};

const FIND: &str = "SELECT key FROM files WHERE owner = $1 AND id = $2";

/// What is there already stays as it is: a file's content never changes.
const FILE: &str = "INSERT INTO files (owner, id, name, kind, mime, size, uploaded_at, paper) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) \
     ON CONFLICT (owner, id) DO UPDATE SET id = excluded.id RETURNING key";

/// See [`crate::store::Store::add_file`].
pub(in crate::store::postgres) struct AddFile {
    pub(in crate::store::postgres) owner: Owner,
    pub(in crate::store::postgres) file: FileView,
    pub(in crate::store::postgres) now: u64,
}

impl Operation for AddFile {
    type Connection = PgConnection;
    type Output = ();

    async fn run(&self, connection: &mut PgConnection) -> sqlx::Result<()> {
        let owner = owner::key(connection, self.owner).await?;
        add(connection, owner, &self.file, self.now).await.map(drop)
    }
}

/// A file's key, made where there is none.
pub(super) async fn add(connection: &mut PgConnection, owner: i64, file: &FileView, now: u64) -> sqlx::Result<i64> {
    let found = sqlx::query_scalar(FIND).bind(owner).bind(file.id.0);
    if let Some(key) = found.fetch_optional(&mut *connection).await? {
        return Ok(key);
    }
    sqlx::query_scalar(FILE)
        .bind(owner)
        .bind(file.id.0)
        .bind(text::stored(&file.name))
        .bind(file_kind_column(file.kind))
        .bind(file.mime.as_str())
        .bind(integer(file.size))
        .bind(integer(now))
        .bind(paper_column(file))
        .fetch_one(connection)
        .await
}
