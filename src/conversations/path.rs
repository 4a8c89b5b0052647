//! The way of a turn through its line: where it stood when. Looked at now and then, so that it costs little however many wait, and bounded,
//! however long that takes.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use crate::wire::PathPoint;

/// Most points of a path. A longer one is looked at half as often, and keeps every second point.
const MOST: usize = 32;
/// How often a path is looked at in the beginning.
const FIRST: Duration = Duration::from_secs(1);

/// Where somebody has stood so far.
#[derive(Clone, Debug)]
pub(super) struct Path {
    began: Instant,
    /// When to look next.
    next: Instant,
    pause: Duration,
    points: Vec<PathPoint>,
}

impl Path {
    /// One that begins now.
    pub(super) fn new() -> Self {
        let began = Instant::now();
        Self {
            began,
            next: began,
            pause: FIRST,
            points: Vec::new(),
        }
    }

    /// Waits until it is time to look. Cancel-safe.
    pub(super) async fn due(&self) {
        sleep_until(self.next).await;
    }

    /// Notes where it stands now. `None`: nowhere any more.
    pub(super) fn note(&mut self, position: Option<u64>) {
        let now = Instant::now();
        self.next = now + self.pause;
        let Some(position) = position else { return };
        if self.points.last().is_some_and(|last| last.position == position) {
            return;
        }
        if self.points.len() >= MOST {
            self.pause *= 2;
            self.next = now + self.pause;
            let mut nth = 0;
            self.points.retain(|_| {
                nth += 1;
                nth % 2 == 1
            });
        }
        let after = now.saturating_duration_since(self.began).as_millis();
        self.points.push(PathPoint {
            ms: u64::try_from(after).unwrap_or(u64::MAX),
            position,
        });
    }

    /// All of it.
    pub(super) fn points(&self) -> Vec<PathPoint> {
        self.points.clone()
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_long_path_keeps_its_ends_and_is_looked_at_less_often() {
        let mut path = Path::new();
        path.due().await;
        for position in (1..=200).rev() {
            path.note(Some(position));
            // The same place twice is one point.
            path.note(Some(position));
            path.due().await;
        }
        let points = path.points();
        assert!(points.len() <= MOST, "{}", points.len());
        assert_eq!(points.first(), Some(&PathPoint { ms: 0, position: 200 }));
        assert_eq!(points.last().map(|last| last.position), Some(1));
        assert!(
            points
                .windows(2)
                .all(|two| two[0].ms < two[1].ms && two[0].position > two[1].position)
        );
        assert!(path.pause >= 8 * FIRST);
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_stands_nowhere_leaves_no_point() {
        let mut path = Path::new();
        path.note(None);
        advance(FIRST).await;
        path.due().await;
        assert!(path.points().is_empty());
    }
}
