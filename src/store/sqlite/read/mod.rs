//! Looking things up.

pub(super) mod conversations;
pub(super) mod credentials;
pub(super) mod follow_ups;
pub(super) mod keys;
pub(super) mod minutes;
pub(super) mod passes;
pub(super) mod search;
pub(super) mod steps;
pub(super) mod turns;
pub(super) mod unfinished;
