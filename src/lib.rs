//! Anteroom's engine: a fair line in front of a language model, and all that stands behind a page of chat.
//!
//! The engine knows no screen. `docs/ARCHITECTURE.md` is the map of its rooms.

pub mod language;
pub mod wire;

#[cfg(feature = "server")]
pub mod accounts;
#[cfg(feature = "server")]
pub mod agents;
#[cfg(feature = "server")]
mod alarm;
#[cfg(feature = "server")]
pub mod backup;
#[cfg(feature = "server")]
mod blocking;
#[cfg(feature = "server")]
pub mod client;
#[cfg(feature = "server")]
mod clock;
#[cfg(feature = "server")]
mod conversations;
#[cfg(feature = "server")]
pub mod credentials;
#[cfg(feature = "server")]
mod data_dir;
#[cfg(feature = "server")]
pub mod engine;
#[cfg(feature = "server")]
pub mod files;
#[cfg(feature = "server")]
pub mod http;
#[cfg(feature = "server")]
mod jobs;
#[cfg(feature = "server")]
mod journal;
#[cfg(feature = "server")]
pub mod logs;
#[cfg(all(test, feature = "server"))]
mod map;
#[cfg(feature = "server")]
pub mod markdown;
#[cfg(feature = "server")]
pub mod nodes;
#[cfg(feature = "server")]
mod own_program;
#[cfg(feature = "server")]
mod panics;
#[cfg(feature = "server")]
pub mod papers;
#[cfg(feature = "server")]
pub mod programs;
#[cfg(feature = "server")]
pub mod queue;
#[cfg(feature = "server")]
pub mod sessions;
#[cfg(feature = "server")]
pub mod settings;
#[cfg(feature = "server")]
pub mod stats;
#[cfg(feature = "server")]
mod store;
#[cfg(feature = "server")]
pub mod takeover;
#[cfg(feature = "server")]
mod tasks;
#[cfg(feature = "server")]
pub mod tls;
#[cfg(feature = "server")]
pub mod tools;

#[cfg(feature = "server")]
pub use store::open_log;
