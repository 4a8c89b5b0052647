//! How slow an upload may be, on a clock that jumps whenever everybody waits.

use std::{fs, path::Path};

use futures_util::{Stream, StreamExt as _};
use tokio::time::{Instant, pause, resume, sleep};

use super::*;

/// A piece every so often. The clock goes on as ever once all of them have been read.
fn pieces(count: usize, size: usize, every: Duration) -> impl Stream<Item = Result<Bytes, Infallible>> + Send {
    stream::unfold(0, move |sent| async move {
        if sent == count {
            resume();
            return None;
        }
        sleep(every).await;
        Some((Ok(Bytes::from(vec![b'x'; size])), sent + 1))
    })
}

/// The files below a folder.
fn files(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten();
    let paths = entries.map(|entry| entry.expect("an entry").path());
    paths
        .flat_map(|path| match path.is_dir() {
            true => files(&path),
            false => vec![path.display().to_string()],
        })
        .collect()
}

/// What becomes of this content, and how long that took. Whatever it was, no slot is held after it.
async fn uploaded(
    client: &Client,
    content: impl Stream<Item = Result<Bytes, Infallible>> + Send,
) -> (Result<FileView, ClientError>, Duration) {
    let begun = Instant::now();
    pause();
    let kept = client.upload("slow.txt", None, content).await;
    let took = begun.elapsed();
    if kept.is_err() {
        resume();
    }
    let lines = client.engine.queue().lines();
    assert_eq!(lines.iter().map(|line| line.running).sum::<usize>(), 0);
    (kept, took)
}

#[tokio::test]
async fn whoever_drips_or_falls_silent_gives_the_slot_back_and_whoever_is_slow_is_waited_for() {
    let folder = tempfile::tempdir().expect("a folder");
    let engine = engine(&folder).await;
    let client = Client::new(Arc::clone(&engine), Principal::visitor(SessionId::random()));
    let second = Duration::from_secs(1);
    let before = files(folder.path());
    // A byte a second comes more often than the head of a request may take, for as long as one likes.
    let (dripped, took) = uploaded(&client, pieces(10_000, 1, second)).await;
    assert!(
        matches!(dripped, Err(ClientError::Upload(UploadError::Stalled))),
        "{dripped:?}"
    );
    assert!(took < 60 * second, "it was waited for: {took:?}");
    // The same of one that was fast at first.
    let burst = stream::iter([Ok::<_, Infallible>(Bytes::from(vec![b'x'; 64 * 1024]))]).chain(stream::pending());
    let (silent, took) = uploaded(&client, burst).await;
    assert!(
        matches!(silent, Err(ClientError::Upload(UploadError::Stalled))),
        "{silent:?}"
    );
    assert!(took < 60 * second, "it was waited for: {took:?}");
    assert_eq!(files(folder.path()), before, "nothing is left of them");

    // As slow as a bad connection, for several minutes.
    let (slow, took) = uploaded(&client, pieces(200, 16 * 1024, 1500 * second / 1000)).await;
    assert_eq!(slow.expect("taken in").size, 200 * 16 * 1024);
    assert!(took >= 300 * second, "{took:?}");
    engine.shutdown(Duration::ZERO).await;
}
