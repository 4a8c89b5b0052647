//! Keeping what is known of an uploaded file.

use sqlx::SqliteConnection;

use super::owner;
use crate::{
    queue::Owner,
    store::{
        job::Operation,
        sqlite::rows::{blob, file_kind_column, integer, paper_column},
    },
    wire::FileView,
};

/// What is there already stays as it is: a file's content never changes.
const FILE: &str = "INSERT INTO files (owner, id, name, kind, mime, size, uploaded_at, paper) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) \
     ON CONFLICT (owner, id) DO UPDATE SET id = excluded.id RETURNING key";

/// See [`crate::store::Store::add_file`].
pub(in crate::store::sqlite) struct AddFile {
    pub(in crate::store::sqlite) owner: Owner,
    pub(in crate::store::sqlite) file: FileView,
    pub(in crate::store::sqlite) now: u64,
}

impl Operation for AddFile {
    type Connection = SqliteConnection;
    type Output = ();

    async fn run(&self, connection: &mut SqliteConnection) -> sqlx::Result<()> {
        let owner = owner::key(connection, self.owner).await?;
        add(connection, owner, &self.file, self.now).await.map(drop)
    }
}

/// A file's key, made where there is none.
pub(super) async fn add(connection: &mut SqliteConnection, owner: i64, file: &FileView, now: u64) -> sqlx::Result<i64> {
    sqlx::query_scalar(FILE)
        .bind(owner)
        .bind(blob(&file.id.0))
        .bind(file.name.as_str())
        .bind(file_kind_column(file.kind))
        .bind(file.mime.as_str())
        .bind(integer(file.size))
        .bind(integer(now))
        .bind(paper_column(file))
        .fetch_one(connection)
        .await
}
