//! The last holding times of one event.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// How many are kept: enough to see a spread, few enough to follow a change of model within minutes.
const SIZE: usize = 64;

/// A ring of the last holding times.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::queue::machine) struct Window {
    held: Vec<Duration>,
    next: usize,
}

impl Window {
    pub(in crate::queue::machine) fn push(&mut self, held: Duration) {
        if self.held.len() < SIZE {
            self.held.push(held);
            return;
        }
        self.held[self.next] = held;
        self.next = (self.next + 1) % SIZE;
    }

    /// The mean; `None` of none.
    pub(in crate::queue::machine) fn mean(&self) -> Option<Duration> {
        let count = u32::try_from(self.held.len()).ok().filter(|count| *count > 0)?;
        Some(self.held.iter().sum::<Duration>() / count)
    }

    /// Adds them to a sum and a count of such times.
    pub(in crate::queue::machine) fn add_to(&self, (sum, count): (Duration, u32)) -> (Duration, u32) {
        let all = self.held.iter().fold(sum, |sum, held| sum.saturating_add(*held));
        (all, count + u32::try_from(self.held.len()).unwrap_or(0))
    }

    /// Whether pushing alone can have made it.
    pub(in crate::queue::machine) fn is_sound(&self) -> bool {
        self.held.len() <= SIZE && self.next < SIZE && (self.next == 0 || self.held.len() == SIZE)
    }

    pub(super) fn seconds(&self) -> impl Iterator<Item = f64> {
        self.held.iter().map(Duration::as_secs_f64)
    }
}
