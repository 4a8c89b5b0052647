//! The end: nobody is let in any more, what runs may finish, and all is put away.

use std::{sync::atomic::Ordering, time::Duration};

use tracing::{info, warn};

use super::Engine;

/// How long feeds may take to say goodbye.
const GOODBYE: Duration = Duration::from_secs(5);

impl Engine {
    /// Shuts down: lets nobody in, lets what runs finish for `grace`, then stops it.
    pub async fn shutdown(&self, grace: Duration) {
        self.closed.store(true, Ordering::Relaxed);
        self.queue.close();
        self.kept_tasks.close();
        let (unfinished, requests) = (self.conversations.unfinished(), self.programs.unfinished());
        let tasks = self.kept_tasks.unfinished();
        if unfinished + requests + tasks > 0 {
            info!(
                unfinished,
                requests,
                tasks,
                grace_s = grace.as_secs(),
                "waiting for running turns"
            );
        }
        if tokio::time::timeout(grace, self.last_turns()).await.is_err() {
            warn!(
                unfinished = self.conversations.unfinished(),
                requests = self.programs.unfinished(),
                tasks = self.kept_tasks.unfinished(),
                turns = ?self.conversations.on_their_way(),
                "the grace is over: stopping what runs"
            );
            if self.membership.is_some() {
                // It is stopped by that, and runs elsewhere.
                self.queue.leave_now();
            } else {
                self.conversations.stop();
            }
            // Nobody else takes these up.
            self.programs.stop();
            self.conversations.finished().await;
            self.programs.finished().await;
            self.kept_tasks.finished().await;
        }
        self.leave_line().await;
        self.closing.cancel();
        if let Some(part) = self.stats.last_part() {
            // What cannot be kept is a gap in the charts.
            let _ = self.store.keep_minute(part).await;
        }
        self.tools.close().await;
        self.vault.close().await;
        self.store.close().await;
        self.tasks.close();
        // A page that does not read its feed must not keep the server from ending.
        if tokio::time::timeout(GOODBYE, self.tasks.wait()).await.is_err() {
            warn!("some pages did not take their goodbye");
        }
    }
}
