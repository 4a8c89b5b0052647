//! Anteroom's pages.
#![recursion_limit = "256"]

pub mod api;
mod app;
mod browser;
mod components;
mod erase;
mod feed;
mod first;
mod focus;
mod format;
mod json;
mod pages;
#[cfg(feature = "ssr")]
pub mod server;
mod shell;
mod storage;
mod writing;

pub use app::App;
pub use shell::{AssetUrls, shell};

/// Wakes the page that the server has rendered. Called by the page's own script once the WebAssembly is there.
#[cfg(feature = "hydrate")]
#[wasm_bindgen::prelude::wasm_bindgen]
pub fn hydrate() {
    console_error_panic_hook::set_once();
    leptos::mount::hydrate_body(App);
}
