//! Whether anybody is there: how many feeds of a session are open, and when it last asked for something.

use std::{
    pin::pin,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{sync::Notify, time::Instant};

/// How present a session's browser is.
#[derive(Debug)]
pub struct Presence {
    now: Mutex<Now>,
    /// A feed has opened or closed.
    changed: Notify,
}

#[derive(Clone, Copy, Debug)]
struct Now {
    feeds: usize,
    seen: Instant,
}

/// Counts one open feed for as long as it lives.
#[derive(Debug)]
pub struct Here<'a>(&'a Presence);

impl Presence {
    pub(super) fn new() -> Self {
        Self {
            now: Mutex::new(Now {
                feeds: 0,
                seen: Instant::now(),
            }),
            changed: Notify::new(),
        }
    }

    fn now(&self) -> MutexGuard<'_, Now> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that the browser has asked for something just now.
    pub fn touch(&self) {
        self.now().seen = Instant::now();
    }

    /// When the browser last asked for something, or a feed of it closed.
    #[must_use]
    pub fn seen(&self) -> Instant {
        self.now().seen
    }

    /// Feeds open now.
    #[must_use]
    pub fn feeds(&self) -> usize {
        self.now().feeds
    }

    /// Counts a feed until the guard is dropped.
    pub fn enter(&self) -> Here<'_> {
        self.come();
        Here(self)
    }

    /// One feed more.
    pub(super) fn come(&self) {
        self.change(|feeds| feeds + 1);
    }

    /// One feed less. Patience counts from the moment the last one closed.
    pub(super) fn go(&self) {
        self.change(|feeds| feeds - 1);
    }

    fn change(&self, feeds: impl FnOnce(usize) -> usize) {
        let mut now = self.now();
        *now = Now {
            feeds: feeds(now.feeds),
            seen: Instant::now(),
        };
        drop(now);
        self.changed.notify_waiters();
    }

    /// Returns once no feed has been open, and nothing has been asked, for as long as `patience` says: it is asked
    /// again each time, so that a retuning counts for those who wait. `None` is for ever. Cancel-safe.
    pub async fn gone(&self, patience: impl Fn() -> Option<Duration>) {
        /// How soon a new patience is noticed.
        const LOOK_AGAIN: Duration = Duration::from_secs(5);
        loop {
            let mut changed = pin!(self.changed.notified());
            // Before looking: what changes in between is heard of.
            changed.as_mut().enable();
            let Now { feeds, seen } = *self.now();
            if feeds > 0 {
                changed.await;
                continue;
            }
            let Some(patience) = patience() else {
                tokio::time::sleep(LOOK_AGAIN).await;
                continue;
            };
            let (now, leaves) = (Instant::now(), seen + patience);
            if now >= leaves {
                return;
            }
            tokio::select! {
                () = tokio::time::sleep_until(leaves.min(now + LOOK_AGAIN)) => {}
                () = changed => {}
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
