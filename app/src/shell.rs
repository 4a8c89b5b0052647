//! The HTML document around the pages.

use anteroom::{language::Language, say};
use leptos::{nonce::use_nonce, prelude::*};
use leptos_meta::MetaTags;

use crate::{App, aids::aids, components::plain, words::words};

/// Where the browser finds the built site. The server provides it as a context; without it the names that
/// `cargo leptos` gives are used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AssetUrls {
    /// The script that `wasm-bindgen` made.
    pub js: String,
    /// The WebAssembly.
    pub wasm: String,
    /// The style sheet.
    pub css: String,
    /// The words of each language, in the order of [`Language::ALL`].
    pub words: [String; Language::ALL.len()],
}

impl AssetUrls {
    fn named_by(options: &LeptosOptions) -> Self {
        let (folder, name) = (&options.site_pkg_dir, &options.output_name);
        Self {
            js: format!("/{folder}/{name}.js"),
            wasm: format!("/{folder}/{name}.wasm"),
            css: format!("/{folder}/{name}.css"),
            words: Language::ALL.map(|language| format!("/{folder}/words.{}.json", language.code())),
        }
    }
}

/// Runs before the first paint: the chosen theme, Enter that sends, the end of a long conversation in sight, and what stood in the
/// composer, all of which would otherwise wait for the WebAssembly. The keys are those of [`crate::writing`].
const EARLY: &str = r#"(function () {
  var root = document.documentElement, theme = null;
  var draft = "draft/" + (location.pathname.split("/")[2] || "new");
  try { theme = localStorage.getItem("theme"); } catch (e) {}
  if (theme === "light" || theme === "dark") root.dataset.theme = theme;
  document.addEventListener("keydown", function (event) {
    if (root.dataset.awake || event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    if (event.target.id === "message" && event.target.value.trim()) { event.preventDefault(); event.target.form.requestSubmit(); }
  });
  document.addEventListener("submit", function (event) {
    if (root.dataset.awake) return;
    try {
      if (event.target.id === "composer") localStorage.removeItem(draft);
      else if (/forget/.test(event.target.action)) Object.keys(localStorage).forEach(function (key) {
        if (/^(draft|outbox)\/|^prompts$/.test(key)) localStorage.removeItem(key);
      });
    } catch (e) {}
  });
  document.addEventListener("DOMContentLoaded", function () {
    var log = document.getElementById("log"), message = document.getElementById("message");
    if (log) log.scrollTop = log.scrollHeight;
    try {
      if (message && !message.value) message.value = JSON.parse(localStorage.getItem(draft)).text;
    } catch (e) {}
  });
})();"#;

/// Whether conversations are not to be taken along: then nothing leads there.
fn stays() -> bool {
    #[cfg(feature = "ssr")]
    {
        let engine = use_context::<std::sync::Arc<anteroom::engine::Engine>>();
        engine.is_some_and(|engine| !engine.settings().take_along)
    }
    #[cfg(not(feature = "ssr"))]
    false
}

/// Whether some server of tools wants a key of each person: else nothing leads to where one is given.
fn asks() -> bool {
    #[cfg(feature = "ssr")]
    {
        let engine = use_context::<std::sync::Arc<anteroom::engine::Engine>>();
        engine.is_some_and(|engine| engine.asks_for_credentials())
    }
    #[cfg(not(feature = "ssr"))]
    false
}

/// Whose page it is, for `public/keep.js`.
fn reader() -> Option<String> {
    #[cfg(feature = "ssr")]
    {
        use axum::http::request::Parts;
        let named = with_context(|request: &Parts| crate::server::offline::reader_of(&request.extensions));
        named.flatten()
    }
    #[cfg(not(feature = "ssr"))]
    None
}

/// The document: its head, with the assets, and the body that the browser's half takes over.
pub fn shell(options: LeptosOptions) -> impl IntoView {
    let assets = use_context::<AssetUrls>().unwrap_or_else(|| AssetUrls::named_by(&options));
    let words = words();
    let language = words.language();
    let table = assets.words[language as usize].clone();
    let wake = format!(
        "import init, {{ hydrate }} from {js:?};\nconst words = fetch({table:?}).then((table) => table.json());\n\
         init({{ module_or_path: {wasm:?} }}).then(async () => hydrate(await words));",
        js = assets.js,
        wasm = assets.wasm
    );
    view! {
        <!DOCTYPE html>
        <html lang=language.code() data-reader=reader() data-stays=stays().then_some("") data-asks=asks().then_some("")>
            <head>
                <meta charset="utf-8" />
                <meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover, interactive-widget=resizes-content" />
                <meta name="color-scheme" content="light dark" />
                <meta name="theme-color" content="#f6f8f4" media="(prefers-color-scheme: light)" />
                <meta name="theme-color" content="#0e1513" media="(prefers-color-scheme: dark)" />
                {plain::refresh()}
                <meta name="description" content=say!(words, "site-description") />
                <script nonce=use_nonce()>{EARLY}</script>
                <link rel="stylesheet" href=assets.css />
                <link rel="modulepreload" href=assets.js nonce=use_nonce() />
                <link rel="preload" href=assets.wasm r#as="fetch" r#type="application/wasm" crossorigin="anonymous" />
                <link rel="preload" href=table r#as="fetch" r#type="application/json" crossorigin="anonymous" />
                <link rel="icon" href="/icon.svg" r#type="image/svg+xml" />
                <link rel="apple-touch-icon" href="/icon-180.png" />
                <link rel="manifest" href=format!("/manifest-{}.webmanifest", language.code()) />
                <AutoReload options />
                <script type="module" nonce=use_nonce()>{wake}</script>
                <script defer src="/reading.js" nonce=use_nonce()></script>
                {aids(words)}
                <MetaTags />
            </head>
            <body>
                <App />
            </body>
        </html>
    }
}

/// A document without scripts around what is no page of the app.
#[cfg(feature = "ssr")]
pub(crate) fn document(language: Language, title: String, css: String, content: impl IntoView) -> impl IntoView {
    document_with(language, title, css, (), content)
}

/// The same with more in its head.
#[cfg(feature = "ssr")]
pub(crate) fn document_with(
    language: Language,
    title: String,
    css: String,
    head: impl IntoView,
    content: impl IntoView,
) -> impl IntoView {
    view! {
        <!DOCTYPE html>
        <html lang=language.code()>
            <head>
                <meta charset="utf-8" />
                <meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover" />
                <meta name="color-scheme" content="light dark" />
                <title>{title}</title>
                <link rel="stylesheet" href=css />
                <link rel="icon" href="/icon.svg" r#type="image/svg+xml" />
                {head}
            </head>
            <body>{content}</body>
        </html>
    }
}
