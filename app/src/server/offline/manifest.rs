//! The site as an app: its name, its icons, where it begins.

use anteroom::{
    language::{Language, Words},
    say,
};
use serde_json::{Value, json};

use crate::server::assets::Made;

/// In this language, at `/manifest-<language>.webmanifest`.
pub(super) fn made(language: Language) -> Made {
    Made::new(&name(language), manifest(language).to_string())
}

fn name(language: Language) -> String {
    format!("manifest-{}.webmanifest", language.code())
}

fn manifest(language: Language) -> Value {
    let icon = |src: &str, sizes: &str, kind: &str| json!({ "src": src, "sizes": sizes, "type": kind });
    // Its ground goes to the edges: the system cuts it to its shape.
    let mut maskable = icon("/icon-maskable-512.png", "512x512", "image/png");
    maskable["purpose"] = json!("maskable");
    json!({
        // The same app, whatever its language.
        "id": "/",
        "name": "Anteroom",
        "short_name": "Anteroom",
        "description": say!(Words::of(language), "site-description"),
        "lang": language.code(),
        "start_url": "/",
        "scope": "/",
        "display": "standalone",
        "background_color": "#f6f8f4",
        "theme_color": "#f6f8f4",
        "icons": [
            icon("/icon.svg", "any", "image/svg+xml"),
            icon("/icon-192.png", "192x192", "image/png"),
            icon("/icon-512.png", "512x512", "image/png"),
            maskable,
        ],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_language_has_its_own_manifest_of_the_same_app() {
        for language in Language::ALL {
            let made = manifest(language);
            assert_eq!(made["lang"], language.code());
            assert_eq!([&made["id"], &made["scope"], &made["start_url"]], ["/", "/", "/"]);
            let described = made["description"].as_str().expect("a sentence");
            assert_eq!(described, say!(Words::of(language), "site-description"));
            assert!(!described.contains("site-description"), "a sentence, not its name");
        }
    }
}
