//! `anteroom migrate --from FOLDER`.

use std::path::Path;

use anteroom::{
    settings::Settings,
    takeover::{TakeoverSummary, take_over},
};
use futures_util::future::LocalBoxFuture;

use super::run::Failure;

/// Takes the site in `folder` over into the database of `DATABASE_URL`.
///
/// # Errors
/// [`Failure`], with words for the operator; nothing is taken over then.
pub fn run(folder: &Path) -> LocalBoxFuture<'_, Result<(), Failure>> {
    Box::pin(async move {
        let loaded = Settings::from_process().map_err(|faults| Failure::Settings(faults.to_string()))?;
        let summary = take_over(folder, &loaded.settings)
            .await
            .map_err(|error| Failure::Other(error.into()))?;
        let TakeoverSummary {
            conversations,
            turns,
            unfinished,
            files,
            bytes,
            missing,
            key,
        } = summary;
        println!(
            "The database has {conversations} conversations, {turns} turns ({unfinished} of them to be answered yet) and {files} files ({bytes} bytes) \
         of {}, which was left as it is.",
            folder.display()
        );
        if missing > 0 {
            println!("The contents of {missing} more files were not there any more.");
        }
        match key {
            None => println!("The cookies' key comes from SECRET_KEY, which has to stay as it is."),
            Some(file) => println!(
                "The cookies' key is not in the database: {} has to be in DATA_DIR at the next start, and in your back-ups.",
                file.display()
            ),
        }
        Ok(())
    })
}
