//! The line's changes, as feeds hear of them.

use std::{convert::Infallible, sync::Arc, time::Duration};

use tokio::{sync::watch, time::sleep};
use tracing::{Instrument as _, info_span};

use super::Engine;
use crate::queue::Changes;

/// Changes that come so close together are looked at together. Meanwhile the slot that has become free is filled, and a model
/// server on the same machine gets to read its next request, before every page in line asks for the cores.
const TOGETHER: Duration = Duration::from_millis(2);

/// Starts telling feeds of changes; it ends when the engine closes.
pub(super) fn spawn(engine: &Arc<Engine>) {
    let teller = Arc::clone(engine);
    let work = async move {
        tokio::select! {
            () = teller.closing.cancelled() => {}
            never = tell(teller.queue.changes(), &teller.moves) => match never {},
        }
    };
    engine.tasks.spawn(work.instrument(info_span!("moves")));
}

async fn tell(mut changes: Changes, moves: &watch::Sender<()>) -> Infallible {
    loop {
        changes.changed().await;
        sleep(TOGETHER).await;
        // Marked before it is told: a change that comes in between is told once more rather than not at all.
        changes.mark_unchanged();
        moves.send_replace(());
    }
}

#[cfg(test)]
mod tests {
    use tokio::{
        task::yield_now,
        time::{Instant, timeout},
    };

    use super::*;
    use crate::queue::{EventIndex, EventPolicy, Owner, Policy, Queue};

    const SOON: Duration = Duration::from_secs(1);

    #[tokio::test(start_paused = true)]
    async fn changes_of_one_moment_are_told_once_and_none_is_lost() {
        let queue = Queue::new(Policy::new([EventPolicy::new("chat", 0)]), Arc::new(()));
        let moves = watch::Sender::new(());
        // Each is a change.
        let join = || {
            queue
                .join(EventIndex(0), Owner(1), Instant::now())
                .expect("there is room")
        };
        let mut waiting = Vec::new();
        let mut feed = moves.subscribe();
        let teller = tokio::spawn({
            let (changes, moves) = (queue.changes(), moves.clone());
            async move { tell(changes, &moves).await }
        });
        for _ in 0..5 {
            waiting.push(join());
            yield_now().await;
        }
        assert!(timeout(SOON, feed.changed()).await.is_ok());
        assert!(timeout(SOON, feed.changed()).await.is_err(), "told twice");
        waiting.push(join());
        assert!(timeout(SOON, feed.changed()).await.is_ok());
        // Just as the last is told.
        waiting.push(join());
        assert!(timeout(SOON, feed.changed()).await.is_ok());
        teller.abort();
    }
}
