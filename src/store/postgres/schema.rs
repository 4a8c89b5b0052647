//! The migrations, and what a database says about those it has had.

use std::{borrow::Cow, time::Duration};

use sqlx::{
    PgConnection, SqlStr,
    migrate::{Migrate as _, MigrateError, Migration, MigrationType, Migrator},
};

use super::{OpenError, faults, link::Place};

/// Every migration there has been. One that has been released is never changed: sqlx keeps its checksum in the database.
const MIGRATIONS: &[(i64, &str, &str)] = &[
    (1, "conversations", include_str!("migrations/0001_conversations.sql")),
    (2, "nodes", include_str!("migrations/0002_nodes.sql")),
    (3, "keys", include_str!("migrations/0003_keys.sql")),
    (4, "tasks", include_str!("migrations/0004_tasks.sql")),
    (5, "format", include_str!("migrations/0005_format.sql")),
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

/// The tables that all of them together make.
pub(super) const TABLES: [&str; 28] = [
    "nodes",
    "site",
    "owners",
    "conversations",
    "choices",
    "turns",
    "files",
    "turn_files",
    "orphans",
    "contents",
    "pieces",
    "beats",
    "log",
    "log_head",
    "log_snapshot",
    "keys",
    "batches",
    "tasks",
    "task_needs",
    "deliveries",
    "follow_ups",
    "follow_up_files",
    "ratings",
    "minutes",
    "leaves",
    "step_files",
    "passes",
    "credentials",
];

/// How long others, who start at the same time, may take for the same.
const PATIENCE: Duration = Duration::from_secs(60);

fn migrator() -> Migrator {
    up_to(MIGRATIONS.len())
}

/// The first so many migrations.
pub(super) fn up_to(count: usize) -> Migrator {
    Migrator::with_migrations(
        MIGRATIONS
            .iter()
            .take(count)
            .map(|&(version, name, sql)| {
                let sql = SqlStr::from_static(sql);
                Migration::new(version, Cow::Borrowed(name), MigrationType::Simple, sql, false)
            })
            .collect(),
    )
}

/// Brings a database up to date. Each migration is made whole or not at all. Of several who do so at once, sqlx has one at a time, by a
/// lock; the others find that it is done. Where it is done already, no right to make tables is needed.
pub(super) async fn migrate(connection: &mut PgConnection, place: &Place) -> Result<(), OpenError> {
    if !is_up_to_date(connection, place).await? {
        make(connection, place).await?;
    }
    // A database of before whose tables have gone would be met only by whoever needs them.
    let missing: Vec<String> =
        sqlx::query_scalar("SELECT name FROM unnest($1::text[]) name WHERE to_regclass(name) IS NULL")
            .bind(&TABLES[..])
            .fetch_all(connection)
            .await
            .map_err(|error| OpenError::of(&error, place))?;
    match missing.first() {
        None => Ok(()),
        Some(table) => Err(OpenError::Damaged {
            place: place.clone(),
            reason: format!("its table {table} is missing"),
        }),
    }
}

async fn make(connection: &mut PgConnection, place: &Place) -> Result<(), OpenError> {
    let patience = sqlx::AssertSqlSafe(format!("SET lock_timeout = '{}s'", PATIENCE.as_secs()));
    sqlx::raw_sql(patience)
        .execute(&mut *connection)
        .await
        .map_err(|error| OpenError::of(&error, place))?;
    migrator()
        .run_direct(None, connection, false)
        .await
        .map_err(|error| open_error(error, place))
}

/// Looks at what it has had of them, before anything is written: what cannot be used stays as it is.
pub(super) async fn is_up_to_date(connection: &mut PgConnection, place: &Place) -> Result<bool, OpenError> {
    let migrator = migrator();
    let begun: bool = sqlx::query_scalar("SELECT to_regclass($1) IS NOT NULL")
        .bind(&*migrator.table_name)
        .fetch_one(&mut *connection)
        .await
        .map_err(|error| OpenError::of(&error, place))?;
    if !begun {
        return Ok(false);
    }
    let applied = connection
        .list_applied_migrations(&migrator.table_name)
        .await
        .map_err(|error| open_error(error, place))?;
    for one in &applied {
        match migrator.iter().find(|known| known.version == one.version) {
            None => return Err(open_error(MigrateError::VersionMissing(one.version), place)),
            Some(known) if known.checksum != one.checksum => {
                return Err(open_error(MigrateError::VersionMismatch(one.version), place));
            }
            Some(_) => {}
        }
    }
    Ok(applied.len() == migrator.iter().count())
}

fn open_error(error: MigrateError, place: &Place) -> OpenError {
    let place = place.clone();
    match error {
        MigrateError::VersionMissing(version) => OpenError::Newer { place, version },
        MigrateError::VersionMismatch(version) => OpenError::Changed { place, version },
        MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => {
            match faults::code(&error).as_deref() {
                // The name of a table is taken, or that of the function.
                Some("42P07" | "42710" | "42723") => OpenError::Taken {
                    place,
                    reason: faults::said(&error),
                },
                _ => OpenError::of(&error, &place),
            }
        }
        other => OpenError::Failed {
            place,
            reason: other.to_string(),
        },
    }
}
