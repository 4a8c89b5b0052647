//! The machine's tests: its parts against plain lists, and whole runs against their replay.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod backlog;
mod rank;
