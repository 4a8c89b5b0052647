//! The line's changes, as feeds hear of them.

use std::{convert::Infallible, sync::Arc, time::Duration};

use tokio::{
    sync::{Notify, watch},
    time::sleep,
};
use tracing::{Instrument as _, info_span};

use super::Engine;
use crate::queue::Changes;

/// Changes that come so close together are looked at together. Meanwhile the slot that has become free is filled, and a model
/// server on the same machine gets to read its next request, before every page in line asks for the cores.
const TOGETHER: Duration = Duration::from_millis(2);

/// Who hears of changes.
#[derive(Debug, Default)]
pub(super) struct Moves {
    told: watch::Sender<()>,
    /// Somebody begins to.
    followed: Notify,
}

impl Moves {
    pub(super) fn follow(&self) -> watch::Receiver<()> {
        let follower = self.told.subscribe();
        self.followed.notify_one();
        follower
    }

    pub(super) fn tell(&self) {
        self.told.send_replace(());
    }

    /// Waits until somebody is there to hear.
    async fn followed(&self) {
        while self.told.receiver_count() == 0 {
            self.followed.notified().await;
        }
    }
}

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

async fn tell(mut changes: Changes, moves: &Moves) -> Infallible {
    loop {
        // Programs need no feeds: where there are none, the requests of programs wake nobody here.
        moves.followed().await;
        changes.changed().await;
        sleep(TOGETHER).await;
        // Marked before it is told: a change that comes in between is told once more rather than not at all.
        changes.mark_unchanged();
        moves.tell();
    }
}

#[cfg(test)]
mod tests {
    use std::{
        future::poll_fn,
        pin::pin,
        sync::atomic::{AtomicUsize, Ordering},
    };

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
        let moves = Arc::new(Moves::default());
        // Each is a change.
        let join = || {
            queue
                .join(EventIndex(0), Owner(1), Instant::now())
                .expect("there is room")
        };
        let mut waiting = Vec::new();
        let mut feed = moves.follow();
        let teller = tokio::spawn({
            let (changes, moves) = (queue.changes(), Arc::clone(&moves));
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

    #[tokio::test(start_paused = true)]
    async fn nothing_is_done_for_nobody_and_who_comes_hears_of_all() {
        let queue = Queue::new(Policy::new([EventPolicy::new("chat", 0)]), Arc::new(()));
        let (moves, polls) = (Arc::new(Moves::default()), Arc::new(AtomicUsize::new(0)));
        let teller = tokio::spawn({
            let (changes, moves, polls) = (queue.changes(), Arc::clone(&moves), Arc::clone(&polls));
            async move {
                let mut told = pin!(tell(changes, &moves));
                poll_fn(|cx| {
                    polls.fetch_add(1, Ordering::Relaxed);
                    told.as_mut().poll(cx)
                })
                .await
            }
        });
        yield_now().await;
        let mut waiting = Vec::new();
        for _ in 0..5 {
            waiting.push(queue.join(EventIndex(0), Owner(1), Instant::now()));
            yield_now().await;
        }
        assert_eq!(polls.load(Ordering::Relaxed), 1, "it was woken");
        let mut feed = moves.follow();
        assert!(timeout(SOON, feed.changed()).await.is_ok(), "of what there was before");
        waiting.push(queue.join(EventIndex(0), Owner(1), Instant::now()));
        assert!(timeout(SOON, feed.changed()).await.is_ok());
        drop(feed);
        // What it was about to hear of is still told; from then on it is left alone.
        waiting.push(queue.join(EventIndex(0), Owner(1), Instant::now()));
        tokio::time::sleep(SOON).await;
        let before = polls.load(Ordering::Relaxed);
        waiting.push(queue.join(EventIndex(0), Owner(1), Instant::now()));
        tokio::time::sleep(SOON).await;
        assert_eq!(polls.load(Ordering::Relaxed), before);
        teller.abort();
    }
}
