//! The pages, one a file. What the stats and the logs tab show is drawn by the server alone.
#![expect(
    unreachable_pub,
    reason = "leptos writes a public struct of properties for every component"
)]

#[cfg(feature = "ssr")]
mod backends;
#[cfg(feature = "ssr")]
mod charts;
pub(crate) mod chat;
pub(crate) mod data;
pub(crate) mod drawn;
#[cfg(feature = "ssr")]
mod keys;
#[cfg(feature = "ssr")]
pub(crate) mod logs;
pub(crate) mod missing;
#[cfg(feature = "ssr")]
mod nodes;
pub(crate) mod refreshing;
#[cfg(feature = "ssr")]
mod settings;
#[cfg(feature = "ssr")]
pub(crate) mod stats;
#[cfg(feature = "ssr")]
mod table;
#[cfg(feature = "ssr")]
mod tasks;
#[cfg(feature = "ssr")]
mod tools;
