//! What is done every few seconds: samples for the charts, and letting idle sessions go.

use std::{sync::Arc, time::Duration};

use tokio::time::{MissedTickBehavior, interval};
use tracing::{Instrument as _, info_span};

use super::Engine;
use crate::{sessions::Bounds, stats::SAMPLE_EVERY};

/// Between two looks for idle sessions.
const SWEEP: Duration = Duration::from_secs(10);

/// Starts the housekeeping; it ends when the engine closes.
pub(super) fn spawn(engine: &Arc<Engine>) {
    let keeper = Arc::clone(engine);
    let work = async move {
        let mut sample = interval(SAMPLE_EVERY);
        let mut sweep = interval(SWEEP);
        sample.set_missed_tick_behavior(MissedTickBehavior::Skip);
        sweep.set_missed_tick_behavior(MissedTickBehavior::Skip);
        loop {
            tokio::select! {
                () = keeper.closing.cancelled() => return,
                _ = sample.tick() => keeper.stats.sample(&keeper.gauges()),
                _ = sweep.tick() => evict(&keeper).await,
                () = keeper.sessions.crowded() => evict(&keeper).await,
            }
        }
    };
    engine.tasks.spawn(work.instrument(info_span!("housekeeping")));
}

async fn evict(engine: &Engine) {
    let settings = engine.settings();
    let bounds = Bounds {
        idle: settings.session_idle_timeout,
        max: settings.max_sessions,
    };
    for id in engine.sessions.evict(bounds) {
        tracing::debug!(session = ?id, "session left memory");
        engine.session_left(id).await;
    }
}
