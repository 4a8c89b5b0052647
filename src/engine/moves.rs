//! The line's changes, as feeds hear of them.

use std::{sync::Arc, time::Duration};

use tokio::time::sleep;
use tracing::{Instrument as _, info_span};

use super::Engine;

/// Changes that come so close together are looked at together. Meanwhile the slot that has become free is filled, and a model
/// server on the same machine gets to read its next request, before every page in line asks for the cores.
const TOGETHER: Duration = Duration::from_millis(2);

/// Starts telling feeds of changes; it ends when the engine closes.
pub(super) fn spawn(engine: &Arc<Engine>) {
    let teller = Arc::clone(engine);
    let work = async move {
        let mut changes = teller.queue.changes();
        loop {
            tokio::select! {
                () = teller.closing.cancelled() => return,
                // The queue lives as long as the engine.
                _ = changes.changed() => {}
            }
            sleep(TOGETHER).await;
            // Marked before it is told: a change that comes in between is told once more rather than not at all.
            changes.mark_unchanged();
            teller.moves.send_replace(());
        }
    };
    engine.tasks.spawn(work.instrument(info_span!("moves")));
}
