//! A token bucket: it holds a minute's worth, and fills evenly.

use std::time::Duration;

use tokio::time::Instant;

const MINUTE: f64 = 60.0;

/// What somebody may still use. It may be owed, too: what was used is often known only afterwards.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bucket {
    level: f64,
    /// How much it holds: keys have rates of their own.
    limit: u64,
    at: Instant,
}

impl Bucket {
    /// As it is for who has used nothing.
    pub(super) fn full(limit: u64, now: Instant) -> Self {
        Self {
            level: limit as f64,
            limit,
            at: now,
        }
    }

    /// As it is now. A limit that was lowered meanwhile holds at once.
    pub(super) fn filled(self, limit: u64, now: Instant) -> Self {
        let more = now.saturating_duration_since(self.at).as_secs_f64() * limit as f64 / MINUTE;
        Self {
            level: (self.level + more).min(limit as f64),
            limit,
            at: now,
        }
    }

    /// Whether it is full by now.
    pub(super) fn is_full(self, now: Instant) -> bool {
        self.filled(self.limit, now).has(self.limit as f64)
    }

    /// With so much less, or more.
    pub(super) fn changed(self, by: f64) -> Self {
        Self {
            level: self.level + by,
            ..self
        }
    }

    /// Whether there is as much.
    pub(super) fn has(self, much: f64) -> bool {
        self.level >= much
    }

    /// How much there is, as a whole number.
    pub(super) fn left(self) -> u64 {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "between nothing and a limit"
        )]
        let left = self.level.max(0.0).floor() as u64;
        left
    }

    /// How long it takes until there is as much.
    pub(super) fn until(self, much: f64, limit: u64) -> Duration {
        let seconds = (much - self.level) * MINUTE / limit as f64;
        Duration::try_from_secs_f64(seconds.max(0.0)).unwrap_or(Duration::MAX)
    }
}
