//! The queue's tests: rule by rule, against a plain model, and under real threads.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod backends;
mod estimates;
mod idle;
mod model;
mod pair;
mod parked;
mod paused;
mod pools;
mod property;
mod replay;
mod restore;
mod retune;
mod rules;
mod simulated;
mod support;
mod tally;
mod threads;
mod witness;
