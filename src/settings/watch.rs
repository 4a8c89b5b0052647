//! Hearing of edits of `.env`, and of the file of back ends.

use std::{
    collections::BTreeSet,
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

/// Tells when a file's content has changed, however it is written: in place, by rename and replace, through a
/// symbolic link that is swapped. The folder is watched rather than the file, so the file may come and go.
#[derive(Debug)]
pub struct Watch {
    /// What each file held when it was last looked at.
    contents: Vec<(PathBuf, Content)>,
    folders: BTreeSet<PathBuf>,
    events: mpsc::Receiver<()>,
    watcher: RecommendedWatcher,
}

impl Watch {
    /// Watches these files from now on.
    ///
    /// # Errors
    /// The system cannot watch a folder of theirs.
    pub fn start(paths: Vec<PathBuf>) -> notify::Result<Self> {
        // One waiting event is as good as many.
        let (tell, events) = mpsc::channel(1);
        let watcher = notify::recommended_watcher(move |_event| {
            let _ = tell.try_send(());
        })?;
        let mut watch = Self {
            contents: Vec::new(),
            folders: BTreeSet::new(),
            events,
            watcher,
        };
        watch.follow(paths)?;
        Ok(watch)
    }

    /// Watches these files in place of those of before. Of one that was watched already no edit is missed; edits of the others count from
    /// now on. Blocks for as long as reading them takes.
    ///
    /// # Errors
    /// The system cannot watch a folder of theirs: the first such fault. The others are watched.
    pub fn follow(&mut self, paths: Vec<PathBuf>) -> notify::Result<()> {
        let folders: BTreeSet<PathBuf> = paths.iter().map(|path| folder(path).to_owned()).collect();
        let mut watched = Ok(());
        for folder in folders.difference(&self.folders.clone()) {
            match self.watcher.watch(folder, RecursiveMode::NonRecursive) {
                Ok(()) => {
                    self.folders.insert(folder.clone());
                }
                Err(error) => watched = watched.and(Err(error)),
            }
        }
        for folder in self.folders.clone().difference(&folders) {
            self.folders.remove(folder);
            // One that has been removed is not watched any more as it is.
            let _ = self.watcher.unwatch(folder);
        }
        let mut before = std::mem::take(&mut self.contents);
        let known = |before: &mut Vec<(PathBuf, Content)>, path: &Path| {
            let at = before.iter().position(|(known, _)| known == path)?;
            Some(before.swap_remove(at).1)
        };
        // Read after the watching has begun: what comes in between is compared.
        let contents = paths.into_iter().map(|path| {
            let content = known(&mut before, &path).unwrap_or_else(|| content(&path));
            (path, content)
        });
        self.contents = contents.collect();
        watched
    }

    /// Returns once the content of one is another than before. Not cancel-safe: an edit that is being looked at
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
            let paths: Vec<_> = self.contents.iter().map(|(path, _)| path.clone()).collect();
            let read = move || paths.into_iter().map(|path| content(&path)).collect::<Vec<_>>();
            let Ok(contents) = tokio::task::spawn_blocking(read).await else {
                // The runtime ends.
                continue;
            };
            let mut changed = false;
            for ((_, before), now) in self.contents.iter_mut().zip(contents) {
                changed |= *before != now;
                *before = now;
            }
            if changed {
                return;
            }
        }
    }
}

fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
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
        let mut watch = Watch::start(vec![path.clone()]).expect("a watch");
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
        let mut watch = Watch::start(vec![path.clone()]).expect("a watch");
        let made = std::process::Command::new("mkfifo")
            .arg(folder.path().join("pipe"))
            .status();
        assert!(made.expect("mkfifo ran").success());
        fs::rename(folder.path().join("pipe"), &path).expect("renamed over");
        assert!(hears(&mut watch).await);
        fs::remove_file(&path).expect("removed");
        fs::write(&path, "A=1").expect("made");
        assert!(hears(&mut watch).await);
        Watch::start(vec![path.clone()]).expect("a watch");
    }

    #[tokio::test]
    async fn an_edit_is_heard_beside_a_log_that_grows_all_the_time() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join(".env");
        let mut watch = Watch::start(vec![path.clone()]).expect("a watch");
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
        let mut watch = Watch::start(vec![path.clone()]).expect("a watch");
        fs::write(&path, "A=1").expect("the same");
        fs::write(folder.path().join("other"), "B=1").expect("another file");
        let told = tokio::time::timeout(Duration::from_secs(1), watch.changed()).await;
        assert!(told.is_err());
        fs::write(&path, "A=2").expect("written");
        assert!(hears(&mut watch).await);
    }

    #[tokio::test]
    async fn several_files_are_heard_and_others_may_take_their_place() {
        let [one, two] = [(); 2].map(|()| tempfile::tempdir().expect("a folder"));
        let env = one.path().join(".env");
        let [first, second] = [&one, &two].map(|folder| folder.path().join("backends.toml"));
        let mut watch = Watch::start(vec![env.clone(), first.clone()]).expect("a watch");
        fs::write(&first, "a").expect("made");
        assert!(hears(&mut watch).await);
        // Written while nobody listens, and before the other file takes the place of the first.
        fs::write(&env, "A=1").expect("made");
        watch.follow(vec![env.clone(), second.clone()]).expect("watched");
        assert!(hears(&mut watch).await, "an edit from before is not missed");
        fs::write(&second, "b").expect("made");
        assert!(hears(&mut watch).await);
        fs::write(&first, "c").expect("written");
        let told = tokio::time::timeout(Duration::from_secs(1), watch.changed()).await;
        assert!(told.is_err(), "nobody follows it any more");
        let nowhere = one.path().join("none").join("backends.toml");
        assert!(watch.follow(vec![env.clone(), nowhere]).is_err());
        fs::write(&env, "A=2").expect("written");
        assert!(hears(&mut watch).await, "the other file is watched all the same");
    }
}
