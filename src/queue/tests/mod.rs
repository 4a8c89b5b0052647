//! The queue's tests: rule by rule, against a plain model, and under real threads.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod rank;
mod rules;
mod support;
