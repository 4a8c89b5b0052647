//! How many feeds are open, all sessions together.

use std::sync::atomic::{AtomicUsize, Ordering};

/// Counts open feeds.
#[derive(Debug, Default)]
pub struct Feeds(AtomicUsize);

/// Counts one open feed for as long as it lives.
#[derive(Debug)]
pub struct OpenFeed<'a>(&'a Feeds);

impl Feeds {
    /// Feeds open now.
    #[must_use]
    pub fn open(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }

    /// Counts a feed until the guard is dropped.
    pub fn enter(&self) -> OpenFeed<'_> {
        self.0.fetch_add(1, Ordering::Relaxed);
        OpenFeed(self)
    }
}

impl Drop for OpenFeed<'_> {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::Relaxed);
    }
}
