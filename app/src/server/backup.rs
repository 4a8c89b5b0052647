//! `anteroom backup FILE`.

use std::path::Path;

use anteroom::{settings::Settings, store::sqlite};

use super::run::Failure;

/// Copies everything that `DATA_DIR` keeps into `file`, whether a server uses it or not.
///
/// # Errors
/// [`Failure`], with words for the operator; nothing of `file` is left then.
pub async fn run(file: &Path) -> Result<(), Failure> {
    let loaded = Settings::from_process().map_err(|faults| Failure::Settings(faults.to_string()))?;
    let summary = sqlite::backup(&loaded.settings.data_dir, file)
        .await
        .map_err(|error| Failure::Other(error.into()))?;
    println!("{summary}");
    Ok(())
}
