//! What is done every so often: samples for the charts, letting idle sessions go, removing what was deleted or is too old.

use std::{sync::Arc, time::Duration};

use tokio::time::{MissedTickBehavior, interval};
use tracing::{Instrument as _, debug, info, info_span, warn};

use super::Engine;
use crate::{
    accounts::browser_of, clock::now_ms, sessions::Bounds, stats::SAMPLE_EVERY, store::StoreError, wire::FeedEvent,
};

/// Between two looks for idle sessions.
const SWEEP: Duration = Duration::from_secs(5);
/// How long a session with nothing in it is kept for a page that has lost its connection.
const BLANK: Duration = Duration::from_secs(10);
/// Between two removals.
const PURGE: Duration = Duration::from_secs(60);
/// How long a deleted conversation can be brought back, at least.
const UNDO: Duration = Duration::from_secs(60);
/// After the start, the database is looked through: those who come back come first.
const INSPECT_AFTER: Duration = Duration::from_secs(5);
/// Milliseconds of a day.
const DAY: u64 = 24 * 3600 * 1000;

/// Starts the housekeeping; it ends when the engine closes.
pub(super) fn spawn(engine: &Arc<Engine>) {
    let keeper = Arc::clone(engine);
    let work = async move {
        let mut sample = every(SAMPLE_EVERY);
        let mut sweep = every(SWEEP);
        let mut purging = every(PURGE);
        loop {
            tokio::select! {
                () = keeper.closing.cancelled() => return,
                _ = sample.tick() => sample_line(&keeper).await,
                _ = sweep.tick() => evict(&keeper),
                () = keeper.sessions.crowded() => evict(&keeper),
                _ = purging.tick() => purge(&keeper).await,
            }
        }
    };
    engine.tasks.spawn(work.instrument(info_span!("housekeeping")));
}

/// Has what is stored looked through, once; that ends with the engine, too.
pub(super) fn inspect(engine: &Arc<Engine>) {
    let inspected = Arc::clone(engine);
    let work = async move {
        tokio::select! {
            () = inspected.closing.cancelled() => {}
            () = tokio::time::sleep(INSPECT_AFTER) => inspected.store.inspect().await,
        }
    };
    engine.tasks.spawn(work.instrument(info_span!("inspection")));
}

fn every(period: Duration) -> tokio::time::Interval {
    let mut interval = interval(period);
    interval.set_missed_tick_behavior(MissedTickBehavior::Skip);
    interval
}

/// A piece of the charts. A minute that cannot be kept is a gap in them: nothing that anybody has to be told of.
async fn sample_line(engine: &Engine) {
    if let Some(minute) = engine.stats.sample(&engine.gauges(), now_ms())
        && let Err(error) = engine.store.keep_minute(minute).await
    {
        debug!(%error, "a minute of the charts could not be kept");
    }
}

fn evict(engine: &Engine) {
    let settings = engine.settings();
    let bounds = Bounds {
        idle: settings.session_idle_timeout,
        blank: BLANK.min(settings.session_idle_timeout),
        max: settings.max_sessions,
    };
    for id in engine.sessions.evict(bounds) {
        tracing::debug!(session = ?id, "session left memory");
        engine.logs.forget(id);
    }
}

async fn purge(engine: &Engine) {
    engine.conversations.expire_answers();
    engine.programs.sweep();
    engine.kept_tasks.purge().await;
    let now = now_ms();
    let deleted_before = now.saturating_sub(u64::try_from(UNDO.as_millis()).unwrap_or(u64::MAX));
    let retention = engine.settings().retention_days;
    let unused_before = retention.map(|days| now.saturating_sub(u64::from(days) * DAY));
    let purged = match engine.store.purge(deleted_before, unused_before).await {
        Ok(purged) => purged,
        // That nothing can be written was said at the start.
        Err(StoreError::ReadOnly(_)) => return,
        Err(error) => {
            warn!(%error, "what was deleted, or is too old, could not be removed yet");
            return;
        }
    };
    engine.remove_files(&purged.files).await;
    if !purged.conversations.is_empty() {
        info!(
            conversations = purged.conversations.len(),
            "conversations older than RETENTION_DAYS are removed"
        );
    }
    for (owner, id) in purged.conversations {
        if let Some(session) = engine.sessions.find(browser_of(owner)) {
            session.journal().append(FeedEvent::ConversationRemoved { id });
        }
    }
}
