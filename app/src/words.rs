//! The words of the page's language.

use anteroom::language::Words;

/// Those that this page is written in. In the browser they are there at any time, on the server only while a component is made: so
/// components take them once, at their beginning.
#[cfg(feature = "hydrate")]
pub(crate) fn words() -> &'static Words {
    // Set before anything else runs.
    static NONE: std::sync::LazyLock<Words> = std::sync::LazyLock::new(Words::default);
    WORDS.get().unwrap_or(&NONE)
}

#[cfg(feature = "hydrate")]
static WORDS: std::sync::OnceLock<Words> = std::sync::OnceLock::new();

/// Takes in the words that the page came with. What cannot be read is told, and leaves keys in the place of words.
#[cfg(feature = "hydrate")]
pub fn take(table: wasm_bindgen::JsValue) {
    match crate::json::read(table.into()) {
        Ok(words) => {
            let _ = WORDS.set(words);
        }
        Err(fault) => leptos::logging::error!("the words of this page cannot be read: {fault}"),
    }
}

/// Those that this page is written in: of the request that is being answered, so only while a component is made.
#[cfg(not(feature = "hydrate"))]
pub(crate) fn words() -> &'static Words {
    Words::of(language())
}

/// The language that the request which is being answered is spoken to in.
#[cfg(not(feature = "hydrate"))]
pub(crate) fn language() -> anteroom::language::Language {
    #[cfg(feature = "ssr")]
    {
        use axum::http::request::Parts;
        let asked = leptos::prelude::with_context(|request: &Parts| request.extensions.get().copied());
        asked.flatten().unwrap_or_default()
    }
    #[cfg(not(feature = "ssr"))]
    {
        Default::default()
    }
}
