//! The pages, one a file.
#![expect(
    unreachable_pub,
    reason = "leptos writes a public struct of properties for every component"
)]

mod backends;
pub(crate) mod chat;
pub(crate) mod data;
pub(crate) mod logs;
pub(crate) mod missing;
mod nodes;
pub(crate) mod refreshing;
mod settings;
pub(crate) mod stats;
mod table;
mod tasks;
mod tools;
