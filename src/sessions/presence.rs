//! Whether anybody is there: how many feeds of a session are open, and when it last asked for something.

use std::{sync::Mutex, sync::PoisonError, time::Duration};

use tokio::{sync::watch, time::Instant};

/// How present a session's browser is.
#[derive(Debug)]
pub struct Presence {
    feeds: watch::Sender<usize>,
    seen: Mutex<Instant>,
}

/// Counts one open feed for as long as it lives.
#[derive(Debug)]
pub struct Here<'a>(&'a Presence);

impl Presence {
    pub(super) fn new() -> Self {
        Self {
            feeds: watch::Sender::new(0),
            seen: Mutex::new(Instant::now()),
        }
    }

    /// Notes that the browser has asked for something just now.
    pub fn touch(&self) {
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    /// When the browser last asked for something, or a feed of it closed.
    #[must_use]
    pub fn seen(&self) -> Instant {
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Feeds open now.
    #[must_use]
    pub fn feeds(&self) -> usize {
        *self.feeds.borrow()
    }

    /// Counts a feed until the guard is dropped.
    pub fn enter(&self) -> Here<'_> {
        self.come();
        Here(self)
    }

    /// One feed more.
    pub(super) fn come(&self) {
        self.touch();
        self.feeds.send_modify(|feeds| *feeds += 1);
    }

    /// One feed less. Patience counts from the moment the last one closed.
    pub(super) fn go(&self) {
        self.touch();
        self.feeds.send_modify(|feeds| *feeds -= 1);
    }

    /// Returns once no feed has been open, and nothing has been asked, for as long as `patience` says: it is asked
    /// again each time, so that a retuning counts for those who wait. `None` is for ever. Cancel-safe.
    pub async fn gone(&self, patience: impl Fn() -> Option<Duration>) {
        /// How soon a new patience is noticed.
        const LOOK_AGAIN: Duration = Duration::from_secs(5);
        let mut feeds = self.feeds.subscribe();
        loop {
            // The sender lives as long as `self`, so waiting cannot fail.
            let _ = feeds.wait_for(|feeds| *feeds == 0).await;
            let Some(patience) = patience() else {
                tokio::time::sleep(LOOK_AGAIN).await;
                continue;
            };
            let leaves = self.seen() + patience;
            if Instant::now() >= leaves && *feeds.borrow_and_update() == 0 {
                return;
            }
            let look = leaves.min(Instant::now() + LOOK_AGAIN);
            tokio::select! {
                () = tokio::time::sleep_until(look) => {}
                _ = feeds.changed() => {}
            }
        }
    }
}

impl Drop for Here<'_> {
    fn drop(&mut self) {
        self.0.go();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Duration = Duration::from_secs(120);

    #[tokio::test(start_paused = true)]
    async fn a_browser_has_gone_after_the_patience_and_not_before() {
        let presence = Presence::new();
        let here = presence.enter();
        let stayed = tokio::time::timeout(PATIENCE * 3, presence.gone(|| Some(PATIENCE))).await;
        assert!(stayed.is_err(), "a feed is open");
        drop(here);
        let left = Instant::now();
        presence.gone(|| Some(PATIENCE)).await;
        assert!(left.elapsed() >= PATIENCE && left.elapsed() < PATIENCE * 2);
    }

    #[tokio::test(start_paused = true)]
    async fn coming_back_or_asking_for_something_starts_the_patience_anew() {
        let presence = Presence::new();
        let start = Instant::now();
        let gone = presence.gone(|| Some(PATIENCE));
        let come_and_go = async {
            tokio::time::sleep(PATIENCE / 2).await;
            drop(presence.enter());
            tokio::time::sleep(PATIENCE / 2).await;
            presence.touch();
            std::future::pending::<()>().await;
        };
        tokio::select! { () = gone => {} () = come_and_go => {} }
        assert!(start.elapsed() >= PATIENCE * 2);
    }

    #[tokio::test(start_paused = true)]
    async fn endless_patience_is_endless() {
        let presence = Presence::new();
        assert!(
            tokio::time::timeout(PATIENCE * 100, presence.gone(|| None))
                .await
                .is_err()
        );
    }
}
