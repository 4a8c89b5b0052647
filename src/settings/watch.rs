//! Hearing of edits of `.env`.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

pub use notify::Error as WatchError;
use notify::{RecommendedWatcher, RecursiveMode, Watcher as _};
use tokio::{
    sync::mpsc,
    time::{Instant, sleep},
};

use super::{LONGEST_FILE, file};

/// How long the folder has to be quiet before the file is read: editors write in several steps.
const QUIET: Duration = Duration::from_millis(100);
/// It is read after that time at the latest: something else may write into the folder all the time, a log for one.
const PATIENCE: Duration = Duration::from_millis(500);

/// What the file holds, or why that cannot be told.
type Content = Result<Vec<u8>, String>;

/// Tells when the file's content has changed, however it is written: in place, by rename and replace, through a
/// symbolic link that is swapped. The folder is watched rather than the file, so the file may come and go.
#[derive(Debug)]
pub struct Watch {
    path: PathBuf,
    content: Content,
    events: mpsc::Receiver<()>,
    _watcher: RecommendedWatcher,
}

impl Watch {
    /// Watches this file from now on.
    ///
    /// # Errors
    /// The system cannot watch its folder.
    pub fn start(path: &Path) -> notify::Result<Self> {
        let folder = match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        // One waiting event is as good as many.
        let (tell, events) = mpsc::channel(1);
        let mut watcher = notify::recommended_watcher(move |_event| {
            let _ = tell.try_send(());
        })?;
        watcher.watch(folder, RecursiveMode::NonRecursive)?;
        Ok(Self {
            path: path.to_owned(),
            // Read after the watching has begun: what comes in between is compared.
            content: content(path),
            events,
            _watcher: watcher,
        })
    }

    /// Returns once the content is another one than before. Not cancel-safe: an edit that is being looked at
    /// when this is dropped is told with the next one.
    pub async fn changed(&mut self) {
        loop {
            if self.events.recv().await.is_none() {
                // The watcher has died; nothing will come any more.
                std::future::pending::<()>().await;
            }
            let latest = Instant::now() + PATIENCE;
            sleep(QUIET).await;
            while self.events.try_recv().is_ok() && Instant::now() < latest {
                sleep(QUIET).await;
            }
            let path = self.path.clone();
            let read = tokio::task::spawn_blocking(move || content(&path)).await;
            let content = read.unwrap_or_else(|error| Err(error.to_string()));
            if content != self.content {
                self.content = content;
                return;
            }
        }
    }
}

fn content(path: &Path) -> Content {
    file::read(path, LONGEST_FILE).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    async fn hears(watch: &mut Watch) -> bool {
        tokio::time::timeout(Duration::from_secs(30), watch.changed())
            .await
            .is_ok()
    }

    #[tokio::test]
    async fn every_way_of_editing_is_heard() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join(".env");
        let mut watch = Watch::start(&path).expect("a watch");
        fs::write(&path, "A=1").expect("made");
        assert!(hears(&mut watch).await);
        fs::write(&path, "A=2").expect("written in place");
        assert!(hears(&mut watch).await);
        fs::write(folder.path().join(".env.swp"), "A=3").expect("written beside");
        fs::rename(folder.path().join(".env.swp"), &path).expect("renamed over");
        assert!(hears(&mut watch).await);
        fs::remove_file(&path).expect("removed");
        assert!(hears(&mut watch).await);
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn a_pipe_in_its_place_is_heard_and_not_waited_for() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join(".env");
        fs::write(&path, "A=1").expect("made");
        let mut watch = Watch::start(&path).expect("a watch");
        let made = std::process::Command::new("mkfifo")
            .arg(folder.path().join("pipe"))
            .status();
        assert!(made.expect("mkfifo ran").success());
        fs::rename(folder.path().join("pipe"), &path).expect("renamed over");
        assert!(hears(&mut watch).await);
        fs::remove_file(&path).expect("removed");
        fs::write(&path, "A=1").expect("made");
        assert!(hears(&mut watch).await);
        Watch::start(&path).expect("a watch");
    }

    #[tokio::test]
    async fn an_edit_is_heard_beside_a_log_that_grows_all_the_time() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join(".env");
        let mut watch = Watch::start(&path).expect("a watch");
        let log = folder.path().join("log");
        let writing = tokio::spawn(async move {
            loop {
                tokio::fs::write(&log, "a line").await.expect("written");
                sleep(QUIET / 10).await;
            }
        });
        fs::write(&path, "A=1").expect("made");
        assert!(hears(&mut watch).await);
        writing.abort();
    }

    #[tokio::test]
    async fn what_changes_nothing_is_not_told() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join(".env");
        fs::write(&path, "A=1").expect("made");
        let mut watch = Watch::start(&path).expect("a watch");
        fs::write(&path, "A=1").expect("the same");
        fs::write(folder.path().join("other"), "B=1").expect("another file");
        let told = tokio::time::timeout(Duration::from_secs(1), watch.changed()).await;
        assert!(told.is_err());
        fs::write(&path, "A=2").expect("written");
        assert!(hears(&mut watch).await);
    }
}
