//! The lock, and what is done before and after it.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::Waker,
    time::Duration,
};

use tokio::{sync::watch, time::Instant};

use super::{
    EventIndex, Left, Observer, Policy, StartRange,
    arena::Key,
    estimate::Curve,
    state::{Effects, Reading, Seen, State},
};

/// What all clones of a queue, its tickets and its permits share.
pub(super) struct Shared {
    /// The queue's only synchronisation. Whatever is decided is decided within one section of it, in which a ticket also
    /// leaves its waker, so no interleaving can lose a wake-up or see a half-made change, and there is no protocol of our
    /// own for a model checker to explore.
    state: Mutex<State>,
    /// Held by whoever computes a curve. Never taken under the other lock.
    computing: Mutex<()>,
    changes: watch::Sender<u64>,
    observer: Arc<dyn Observer>,
}

impl Shared {
    pub(super) fn new(policy: Policy, observer: Arc<dyn Observer>) -> Self {
        Self {
            state: Mutex::new(State::new(policy)),
            computing: Mutex::new(()),
            changes: watch::Sender::new(0),
            observer,
        }
    }

    /// The lock. It is held for a few steps that neither wait nor call out, so it cannot be poisoned by a caller's panic.
    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the state under the lock and carries out the effects after it.
    pub(super) fn change<T>(&self, change: impl FnOnce(&mut State, Instant, &mut Effects) -> T) -> T {
        let now = Instant::now();
        let mut effects = Effects::default();
        let result = change(&mut self.lock(), now, &mut effects);
        // Those first who only look on: tokio runs next what was woken last, which is to be who starts.
        if effects.changed {
            self.changes.send_modify(|changes| *changes += 1);
        }
        effects.wake.wake();
        for (event, how) in effects.left {
            self.observer.left(event, how);
        }
        result
    }

    pub(super) fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    pub(super) fn observer(&self) -> &dyn Observer {
        &*self.observer
    }

    pub(super) fn started(&self, event: EventIndex, waited: Duration) {
        self.observer.started(event, waited);
    }

    /// Frees a slot after work. Returns whose it was, and how long it was held.
    pub(super) fn release(&self, running: Key) -> (EventIndex, Duration) {
        self.change(|state, now, effects| state.release(running, now, effects))
    }

    /// Frees a slot in which nothing was done that counts.
    pub(super) fn give_back(&self, running: Key, how: Left) {
        let event = self.change(|state, now, effects| state.give_back(running, now, effects));
        self.observer.left(event, how);
    }

    pub(super) fn abandon(&self, key: Key, how: Left) {
        self.change(|state, now, effects| state.abandon(key, how, now, effects));
    }

    /// A timer has seen `deadline` pass.
    pub(super) fn expire(&self, deadline: Option<Instant>) {
        self.change(|state, now, effects| state.expire(deadline.map_or(now, |deadline| deadline.max(now)), effects));
    }

    /// How a ticket's wait has ended, if it has; else `waker` will be woken when it does.
    pub(super) fn look(&self, key: Key, waker: &Waker) -> Seen {
        // A waker that is replaced may be the last hold on a task, and its drop may come back to this lock: after it.
        let mut replaced = None;
        let seen = self.lock().look(key, waker, &mut replaced);
        drop(replaced);
        seen
    }

    /// Answers a question about a start. The lock is taken only to look for a curve that somebody else has computed meanwhile, and to
    /// keep a new one for the next reader.
    pub(super) fn answer(&self, reading: Reading) -> Option<StartRange> {
        match reading {
            Reading::Known(range) => range,
            Reading::Compute {
                snapshot,
                key,
                at,
                before,
                now,
            } => {
                // After a change many ask at once, and one computation does for all.
                let _computing = self.computing.lock().unwrap_or_else(PoisonError::into_inner);
                if let Some(range) = self.lock().known_start(at, key, before, now) {
                    return range;
                }
                let curve = Arc::new(Curve::new(&snapshot));
                let range = curve.start(before, now);
                self.lock().keep_curve(at, key, curve);
                range
            }
        }
    }
}
