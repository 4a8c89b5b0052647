//! How long a page waits before it reconnects.

/// First pause before a new attempt, in milliseconds; doubled each time.
pub(super) const FIRST: f64 = 500.0;
/// Longest pause before a new attempt, but for what chance adds, in milliseconds.
pub(super) const LONGEST: f64 = 10_000.0;
/// Over so long, in milliseconds, pages that nobody waits at spread their return: after a restart or a gap in the network, all of them
/// would else ask for everything in the same instant.
const SPREAD: f64 = 5_000.0;

/// The pause before the next attempt, in milliseconds. `chance` is from 0 to 1.
pub(super) fn pause(base: f64, idle: bool, chance: f64) -> f64 {
    base * (0.75 + chance * 0.5) + at_hand(idle, chance)
}

/// The pause where there is reason to believe that the server can be reached now, in milliseconds.
pub(super) fn at_hand(idle: bool, chance: f64) -> f64 {
    if idle { SPREAD * chance } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_with_work_come_back_at_once_and_idle_ones_spread() {
        assert!(at_hand(false, 0.9) < 1.0);
        assert!(pause(FIRST, false, 1.0) <= FIRST * 1.25);
        let idle: Vec<f64> = (0..100)
            .map(|page| pause(FIRST, true, f64::from(page) / 100.0))
            .collect();
        for within in idle.windows(10) {
            assert!(
                within[9] - within[0] > SPREAD / 12.0,
                "no tenth of them comes at once: {within:?}"
            );
        }
        assert!(idle.iter().all(|pause| *pause <= FIRST * 1.25 + SPREAD));
    }
}
