//! The back ends and the queue, kept together: what each may have, and which there are.

use std::sync::Arc;

use tracing::{Instrument as _, info_span};

use super::Engine;
use crate::{
    agents::Backends,
    queue::{Queue, Retuning},
    settings::Settings,
};

/// Has the queue told how many tickets each back end may have, from now on.
pub(super) fn govern(backends: &Arc<Backends>, queue: &Queue, settings: &Settings) {
    if queue.is_common() {
        backends.govern_shared(queue);
    } else {
        let governed = queue.clone();
        backends.govern(move |backend, cap| governed.throttle(backend, cap));
    }
    // Those whose limit is found out were left out until their first one was known.
    queue.propose(backends.fill(settings.policy.clone()), Retuning::Discovered);
}

/// Starts what back ends do by themselves, and tells the queue and the feeds of it; it ends when the engine closes.
pub(super) fn spawn(engine: &Arc<Engine>) {
    let (backends, closing) = (Arc::clone(&engine.backends), engine.closing.clone());
    let keep = async move { backends.keep(closing).await };
    engine.tasks.spawn(keep.instrument(info_span!("back ends")));
    let follower = Arc::clone(engine);
    let follow = async move {
        let mut changes = follower.backends.changes();
        let mut shape = changes.borrow_and_update().shape;
        loop {
            tokio::select! {
                () = follower.closing.cancelled() => return,
                changed = changes.changed() => if changed.is_err() { return },
            }
            let revision = *changes.borrow_and_update();
            if std::mem::replace(&mut shape, revision.shape) != revision.shape {
                follower.refill(Retuning::Discovered);
            }
            // Models, or why nothing of theirs starts, are news for every page.
            follower.moves.tell();
        }
    };
    engine.tasks.spawn(follow.instrument(info_span!("back ends' changes")));
}

impl Engine {
    /// Puts the queue's policy in force with the pools and back ends of now.
    pub(super) fn refill(&self, why: Retuning) {
        let fill = || self.backends.fill(self.settings().policy.clone());
        self.queue.propose(fill(), why);
        if self.backends.settle() {
            self.queue.propose(fill(), why);
        }
    }
}
