//! How often a lost connection is made again, and the pause before each time, which is the longer the more often it was.

use std::time::Duration;

use tokio::time::sleep;

const TRIES: u32 = 12;
const PAUSE: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(15);

/// What is left of it.
#[derive(Default)]
pub(super) struct Patience(u32);

impl Patience {
    /// Something has come of it: all is as at the beginning.
    pub(super) fn renew(&mut self) {
        self.0 = 0;
    }

    /// Waits for the next try. `false`: it was tried often enough.
    pub(super) async fn pause(&mut self) -> bool {
        if self.0 == TRIES {
            return false;
        }
        self.0 += 1;
        sleep((PAUSE * self.0).min(LONGEST)).await;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn patience_ends_and_is_renewed() {
        let mut patience = Patience::default();
        for _ in 0..TRIES {
            assert!(patience.pause().await);
        }
        assert!(!patience.pause().await);
        patience.renew();
        assert!(patience.pause().await);
    }
}
