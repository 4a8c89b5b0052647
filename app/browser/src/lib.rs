//! The browser's half of the app, linked. A crate of its own: one that has to be linked waits until all it uses is compiled to the
//! end, and so would the server, were the pages themselves linked.
#![cfg(target_arch = "wasm32")]

/// Wakes the page that the server has rendered. Called by the page's own script once the WebAssembly is there, with the words of the
/// page's language.
#[wasm_bindgen::prelude::wasm_bindgen]
pub fn hydrate(words: wasm_bindgen::JsValue) {
    console_error_panic_hook::set_once();
    anteroom_app::take_words(words);
    leptos::mount::hydrate_body(anteroom_app::App);
}
