//! How often a lost connection is made again, and the pause before each time, which is the longer the more often it was.
//!
//! Somebody sits in front of a question, and is told soon that it is of no use. A batch runs overnight: it waits until the morning.

use std::time::Duration;

use tokio::time::sleep;

const TRIES: u32 = 12;
const PAUSE: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(15);
/// Tries, and the longest pause, of what nobody sits in front of: some twelve hours.
const TRIES_OVERNIGHT: u32 = 750;
const LONGEST_OVERNIGHT: Duration = Duration::from_secs(60);

/// What is left of it.
pub(super) struct Patience {
    tried: u32,
    most: u32,
    longest: Duration,
}

impl Patience {
    /// Of somebody who waits.
    pub(super) const fn of_a_person() -> Self {
        Self {
            tried: 0,
            most: TRIES,
            longest: LONGEST,
        }
    }

    /// Of what goes on by itself.
    pub(super) const fn overnight() -> Self {
        Self {
            tried: 0,
            most: TRIES_OVERNIGHT,
            longest: LONGEST_OVERNIGHT,
        }
    }

    /// Something has come of it: all is as at the beginning.
    pub(super) fn renew(&mut self) {
        self.tried = 0;
    }

    /// Waits for the next try. `false`: it was tried often enough.
    pub(super) async fn pause(&mut self) -> bool {
        if self.tried == self.most {
            return false;
        }
        self.tried += 1;
        sleep((PAUSE * self.tried).min(self.longest)).await;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn patience_ends_and_is_renewed() {
        let mut patience = Patience::of_a_person();
        for _ in 0..TRIES {
            assert!(patience.pause().await);
        }
        assert!(!patience.pause().await);
        patience.renew();
        assert!(patience.pause().await);
    }

    #[tokio::test(start_paused = true)]
    async fn a_night_is_outlasted() {
        let (begun, mut patience) = (tokio::time::Instant::now(), Patience::overnight());
        while patience.pause().await {}
        assert!(begun.elapsed() > Duration::from_secs(10 * 60 * 60));
    }
}
