//! The servers over real HTTP.

#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

mod answers;
mod doors;
mod fleet;
mod limits;
mod models;
mod spells;
mod support;
mod tools;
