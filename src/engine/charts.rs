//! What the charts are drawn of.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

use super::Engine;
use crate::{
    clock::now_ms,
    stats::Curves,
    store::{KEPT, Minute, StoreError},
    wire::Span,
};

/// How old what was read last may be: however many look at the charts, the store is asked no more often.
const FRESH: Duration = Duration::from_secs(10);

/// The minutes that were read last.
#[derive(Debug, Default)]
pub(super) struct Minutes(Mutex<Option<(Instant, Arc<[Minute]>)>>);

impl Minutes {
    fn known(&self) -> Option<Arc<[Minute]>> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let fresh = known.as_ref().filter(|(at, _)| at.elapsed() < FRESH);
        fresh.map(|(_, minutes)| Arc::clone(minutes))
    }

    fn keep(&self, minutes: &Arc<[Minute]>) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *known = Some((Instant::now(), Arc::clone(minutes)));
    }
}

impl Engine {
    /// The curves of a span, of all nodes. `offset`: minutes that the clock of whoever looks is ahead of UTC.
    ///
    /// # Errors
    /// The store's.
    pub async fn curves(&self, span: Span, offset: i32) -> Result<Curves, StoreError> {
        let now = now_ms();
        let minutes = match self.minutes.known() {
            Some(minutes) => minutes,
            None => {
                let minutes = self.store.minutes(now.saturating_sub(KEPT)).await?.into();
                self.minutes.keep(&minutes);
                minutes
            }
        };
        let alone = self.membership.is_none();
        Ok(self.stats.curves(&minutes, span, alone, offset, now))
    }
}
