//! Anteroom's pages.
#![recursion_limit = "256"]

mod aids;
pub mod api;
mod app;
mod browser;
#[cfg(feature = "ssr")]
pub mod command;
mod components;
mod erase;
mod fault;
mod feed;
mod focus;
mod format;
mod initial;
mod json;
mod location;
mod pages;
mod remaining;
mod route;
#[cfg(feature = "ssr")]
pub mod server;
mod shell;
mod storage;
mod words;
mod writing;

pub use app::App;
pub use shell::{AssetUrls, shell};
#[cfg(feature = "hydrate")]
pub use words::take as take_words;
