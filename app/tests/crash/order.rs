//! The order of the line, as far as it has been seen, and what may become of it: those in front start, others come; nobody who
//! waits passes another.

use std::collections::{HashMap, HashSet};

use anteroom::wire::TurnId;

/// The order last seen.
#[derive(Debug, Default)]
pub(crate) struct Order(Vec<TurnId>);

impl Order {
    /// Takes in the line as it is now, while it does not move, and compares it with what was seen before.
    pub(crate) fn see(&mut self, mut places: Vec<(u64, TurnId)>) {
        places.sort_unstable();
        let positions: Vec<u64> = places.iter().map(|(position, _)| *position).collect();
        let all: Vec<u64> = (1..=places.len() as u64).collect();
        assert_eq!(positions, all, "every place is taken once");
        let now: Vec<TurnId> = places.into_iter().map(|(_, turn)| turn).collect();
        let rank: HashMap<TurnId, usize> = now.iter().enumerate().map(|(rank, turn)| (*turn, rank)).collect();

        let known: HashSet<&TurnId> = self.0.iter().collect();
        let still: Vec<TurnId> = now.iter().copied().filter(|turn| known.contains(turn)).collect();
        // Those that wait no more have started, so they stood in front of all that still wait.
        let expected: Vec<TurnId> = self.0.iter().copied().filter(|turn| rank.contains_key(turn)).collect();
        assert_eq!(still, expected, "those who wait have changed places");
        let gone = self.0.len() - expected.len();
        assert_eq!(self.0[gone..], expected, "somebody has started out of turn");
        self.0 = now;
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}
