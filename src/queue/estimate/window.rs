//! The last holding times of one event.

use std::time::Duration;

/// How many are kept: enough to see a spread, few enough to follow a change of model within minutes.
const SIZE: usize = 64;

/// A ring of the last holding times, in seconds.
#[derive(Clone, Debug, Default)]
pub(in crate::queue) struct Window {
    seconds: Vec<f64>,
    next: usize,
}

impl Window {
    pub(in crate::queue) fn push(&mut self, held: Duration) {
        let held = held.as_secs_f64();
        if self.seconds.len() < SIZE {
            self.seconds.push(held);
            return;
        }
        self.seconds[self.next] = held;
        self.next = (self.next + 1) % SIZE;
    }

    pub(super) fn seconds(&self) -> &[f64] {
        &self.seconds
    }
}
