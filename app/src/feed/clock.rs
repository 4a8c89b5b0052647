//! The page's own time, which goes on between two statuses: estimates count down with it, and what runs grows older.

use std::time::Duration;

use anteroom::wire::{LineView, Status};
use leptos::prelude::*;

use super::Store;
use crate::{
    browser,
    erase::{Look as _, effect, every, memo},
    remaining,
};

/// As often as a number on the screen may change.
const STEP: Duration = Duration::from_secs(1);

/// When something was told, and what time it is now, in milliseconds since the Unix epoch.
#[derive(Clone, Copy)]
pub(crate) struct Clock {
    told: RwSignal<u64>,
    now: RwSignal<u64>,
}

impl Clock {
    pub(super) fn new() -> Self {
        let now = browser::now();
        Self {
            told: RwSignal::new(now),
            now: RwSignal::new(now),
        }
    }

    /// The time, as of the last second. Reactive.
    pub(crate) fn now(self) -> u64 {
        self.now.get().max(self.told.get())
    }

    /// When the status was told. Reactive.
    pub(crate) fn told(self) -> u64 {
        self.told.get()
    }

    /// Seconds since then. Reactive.
    pub(crate) fn elapsed(self) -> f64 {
        crate::format::seconds(self.now().saturating_sub(self.told()))
    }
}

impl Store {
    /// Takes in where this session stands, as it is now.
    pub(super) fn stand(self, status: Status) {
        let now = browser::now();
        self.stand_since(status, now);
        self.clock.now.set(now);
    }

    /// The same, as it was then.
    pub(super) fn stand_since(self, status: Status, told: u64) {
        self.clock.told.set(told);
        self.status.set(status);
    }

    /// A line, with what is left of its estimate. Reactive.
    pub(crate) fn counted_down(self, line: &LineView) -> LineView {
        match line.estimate {
            Some(estimate) if estimate.high > 0.0 => remaining::line(line, self.clock.elapsed()),
            _ => line.clone(),
        }
    }
}

/// Lets the time go on while something on the page depends on it. For the browser; ends with the page.
pub(crate) fn start(store: Store) {
    let counts = memo(move || {
        store.status.look(|status| {
            let waits = |line: &LineView| line.estimate.is_some_and(|estimate| estimate.high > 0.0);
            !status.places.is_empty() || status.lines.iter().any(waits)
        })
    });
    effect(move || {
        if counts.get() {
            every(STEP, move || store.clock.now.set(browser::now()));
        }
    });
}
