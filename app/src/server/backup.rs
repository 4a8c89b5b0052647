//! `anteroom backup FILE`: for what is kept in `DATA_DIR`.

use std::path::Path;

use anteroom::{
    backup::{BackupSummary, backup},
    settings::Settings,
};
use futures_util::future::LocalBoxFuture;

use super::run::Failure;

/// Copies everything that `DATA_DIR` keeps into `file`, whether a server uses it or not.
///
/// # Errors
/// [`Failure`], with words for the operator; nothing of `file` is left then.
pub fn run(file: &Path) -> LocalBoxFuture<'_, Result<(), Failure>> {
    Box::pin(async move {
        let loaded = Settings::from_process().map_err(|faults| Failure::Settings(faults.to_string()))?;
        if loaded.settings.database_url.is_some() {
            return Err(anyhow::anyhow!(
            "everything is in the database of DATABASE_URL, which PostgreSQL's own tools back up: pg_dump --format=custom. Keep SECRET_KEY as well. \
             See docs/postgres.md"
        )
        .into());
        }
        let summary = backup(&loaded.settings.data_dir, file)
            .await
            .map_err(|error| Failure::Other(error.into()))?;
        let BackupSummary {
            conversations,
            turns,
            files,
            key,
            bytes,
            ..
        } = summary;
        println!(
            "{} holds {conversations} conversations, {turns} turns and {files} files ({bytes} bytes).",
            file.display()
        );
        if !key {
            println!("The cookies' key is not in it: it comes from SECRET_KEY, which has to be kept as well.");
        }
        println!("docs/operating.md says how to restore it.");
        Ok(())
    })
}
