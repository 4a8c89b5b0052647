//! The migrations, and what a database says about those it has had.

use std::{borrow::Cow, path::Path};

use sqlx::{
    SqlStr, SqliteConnection,
    migrate::{Migrate as _, MigrateError, Migration, MigrationType, Migrator},
};

use super::OpenError;

/// Every migration there has been. One that has been released is never changed: sqlx keeps its checksum in the database.
const MIGRATIONS: &[(i64, &str, &str)] = &[
    (1, "conversations", include_str!("migrations/0001_conversations.sql")),
    (2, "owners", include_str!("migrations/0002_owners.sql")),
    (3, "choices", include_str!("migrations/0003_choices.sql")),
    (4, "keys", include_str!("migrations/0004_keys.sql")),
    (5, "tasks", include_str!("migrations/0005_tasks.sql")),
    (6, "follow_ups", include_str!("migrations/0006_follow_ups.sql")),
    (7, "passes", include_str!("migrations/0007_passes.sql")),
    (8, "ratings", include_str!("migrations/0008_ratings.sql")),
    (9, "minutes", include_str!("migrations/0009_minutes.sql")),
    (10, "steps", include_str!("migrations/0010_steps.sql")),
    (11, "papers", include_str!("migrations/0011_papers.sql")),
    (12, "shelves", include_str!("migrations/0012_shelves.sql")),
    (13, "credentials", include_str!("migrations/0013_credentials.sql")),
    (14, "key_rates", include_str!("migrations/0014_key_rates.sql")),
];

/// The tables that all of them together make, those that others refer to first.
pub(super) const TABLES: [&str; 20] = [
    "owners",
    "conversations",
    "choices",
    "files",
    "turn_files",
    "orphans",
    "turns",
    "follow_ups",
    "follow_up_files",
    "keys",
    "batches",
    "tasks",
    "task_needs",
    "deliveries",
    "ratings",
    "minutes",
    "leaves",
    "step_files",
    "passes",
    "credentials",
];

/// What a database has had of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Migrated {
    /// None: nothing has ever been kept in it.
    Never,
    /// Not all.
    Partly,
    /// All.
    Fully,
}

fn migrator() -> Migrator {
    migrator_to(MIGRATIONS.len())
}

/// With the first so many of them.
fn migrator_to(count: usize) -> Migrator {
    Migrator::with_migrations(
        MIGRATIONS[..count]
            .iter()
            .map(|&(version, name, sql)| {
                let sql = SqlStr::from_static(sql);
                Migration::new(version, Cow::Borrowed(name), MigrationType::Simple, sql, false)
            })
            .collect(),
    )
}

/// Makes a database as a version of this program did that knew the first so many migrations.
#[cfg(test)]
pub(super) async fn migrate_as_before(connection: &mut SqliteConnection, count: usize) {
    let migrator = migrator_to(count);
    migrator.run_direct(None, connection, false).await.expect("migrated");
}

/// Brings a database up to date. Each migration is made whole or not at all.
pub(super) async fn migrate(connection: &mut SqliteConnection, file: &Path) -> Result<(), OpenError> {
    migrator()
        .run_direct(None, connection, false)
        .await
        .map_err(|error| open_error(error, file))
}

/// Looks whether a database can be brought up to date by this version, without changing it.
pub(super) async fn check(connection: &mut SqliteConnection, file: &Path) -> Result<Migrated, OpenError> {
    let migrator = migrator();
    let begun: Option<i64> = sqlx::query_scalar("SELECT 1 FROM sqlite_schema WHERE name = ?1")
        .bind(&*migrator.table_name)
        .fetch_optional(&mut *connection)
        .await
        .map_err(|error| OpenError::of_database(&error, file))?;
    if begun.is_none() {
        return Ok(Migrated::Never);
    }
    let applied = connection
        .list_applied_migrations(&migrator.table_name)
        .await
        .map_err(|error| open_error(error, file))?;
    for one in &applied {
        match migrator.iter().find(|known| known.version == one.version) {
            None => return Err(open_error(MigrateError::VersionMissing(one.version), file)),
            Some(known) if known.checksum != one.checksum => {
                return Err(open_error(MigrateError::VersionMismatch(one.version), file));
            }
            Some(_) => {}
        }
    }
    if applied.len() < migrator.iter().len() {
        return Ok(Migrated::Partly);
    }
    let there: Vec<String> = sqlx::query_scalar("SELECT name FROM sqlite_schema WHERE type = 'table'")
        .fetch_all(connection)
        .await
        .map_err(|error| OpenError::of_database(&error, file))?;
    match TABLES.iter().find(|table| !there.iter().any(|name| name == *table)) {
        Some(missing) => Err(OpenError::Damaged {
            file: file.into(),
            reason: format!("its table {missing} is missing"),
        }),
        None => Ok(Migrated::Fully),
    }
}

fn open_error(error: MigrateError, file: &Path) -> OpenError {
    let file = file.into();
    match error {
        MigrateError::VersionMissing(version) => OpenError::Newer { file, version },
        MigrateError::VersionMismatch(version) => OpenError::Changed { file, version },
        MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => {
            OpenError::of_database(&error, &file)
        }
        other => OpenError::Failed {
            file,
            reason: other.to_string(),
        },
    }
}
