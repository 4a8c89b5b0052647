//! How a turn has ended, in the figures that its owner is told on the logs tab (`logs/told.rs` reads them from the record).

use crate::{
    store::TurnRecord,
    wire::{TurnNotice, TurnState},
};

/// Fields of the record of a turn's end.
pub(super) struct Figures {
    /// How it ended; the message `told` has a case of this name.
    pub(super) told: &'static str,
    pub(super) waited_ms: u64,
    pub(super) took_ms: u64,
    pub(super) characters: usize,
}

impl Figures {
    /// Of a turn that is over.
    pub(super) fn of(turn: &TurnRecord) -> Self {
        let ended = turn.ended_at.unwrap_or(turn.accepted_at);
        let begun = turn.started_at;
        let told = match (&turn.state, begun) {
            (TurnState::Done, _) if turn.notices.contains(&TurnNotice::Cached) => "kept",
            (TurnState::Done, _) => "answered",
            (TurnState::Incomplete { .. }, _) => "incomplete",
            (TurnState::Cancelled, None) => "left",
            (TurnState::Cancelled, _) => "stopped",
            (TurnState::Expired { .. }, None) => "in_vain",
            _ => "failed",
        };
        Self {
            told,
            waited_ms: begun.unwrap_or(ended).saturating_sub(turn.accepted_at),
            took_ms: begun.map_or(0, |begun| ended.saturating_sub(begun)),
            characters: turn.answer.chars().count(),
        }
    }
}
