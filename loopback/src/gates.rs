//! Where requests wait until a test lets them go on, so that no test has to sleep.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::{Semaphore, watch};

/// The gates by name, and the hold.
#[derive(Debug)]
pub(crate) struct Gates {
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    named: HashMap<String, watch::Sender<bool>>,
    hold: Arc<Semaphore>,
}

impl Gates {
    pub(crate) fn new() -> Self {
        Self {
            inner: Mutex::new(Inner {
                named: HashMap::new(),
                hold: Arc::new(Semaphore::new(0)),
            }),
        }
    }

    /// Returns once the gate is open. It stays open for those who come later.
    pub(crate) async fn pass(&self, name: &str) {
        let mut gate = self.lock().named.entry(name.to_owned()).or_default().subscribe();
        // An error means that a reset has taken the gate away: go on.
        let _open = gate.wait_for(|open| *open).await;
    }

    pub(crate) fn open(&self, name: &str) {
        self.lock().named.entry(name.to_owned()).or_default().send_replace(true);
    }

    /// Returns once released; first come, first released.
    pub(crate) async fn wait_for_release(&self) {
        let hold = Arc::clone(&self.lock().hold);
        // An error means that the hold was lifted: go on.
        if let Ok(permit) = hold.acquire().await {
            permit.forget();
        }
    }

    /// Lets one held request go on, or the next one that would be held.
    pub(crate) fn release_one(&self) {
        self.lock().hold.add_permits(1);
    }

    /// Lets every held request go on, and forgets releases that nobody has used.
    pub(crate) fn lift_hold(&self) {
        let mut inner = self.lock();
        inner.hold.close();
        inner.hold = Arc::new(Semaphore::new(0));
    }

    /// Closes every gate for those to come and lets go those who wait.
    pub(crate) fn reset(&self) {
        self.lock().named.clear();
        self.lift_hold();
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
