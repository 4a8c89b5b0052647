//! The few icons, drawn with the wordmark's stroke.

use leptos::prelude::*;

use crate::erase::Erase as _;

/// An icon by its path, on a grid of 24.
#[component]
pub(crate) fn Icon(
    /// The path, stroked.
    path: &'static str,
) -> impl IntoView {
    view! {
        <svg class="icon" viewBox="0 0 24 24" aria-hidden="true">
            <path d=path />
        </svg>
    }
    .erase()
}

pub(crate) const SEND: &str = "M12 20V5M5.5 11.5 12 5l6.5 6.5";
pub(crate) const STOP: &str = "M7 7h10v10H7z";
pub(crate) const ATTACH: &str =
    "m20 11.5-8.2 8.2a5 5 0 0 1-7.1-7.1l8.5-8.5a3.3 3.3 0 0 1 4.7 4.7l-8.4 8.4a1.7 1.7 0 0 1-2.4-2.4l7.7-7.7";
pub(crate) const COPY: &str = "M9 9h10v11H9zM5 15V4h10";
pub(crate) const AGAIN: &str = "M19.5 12a7.5 7.5 0 1 1-2.3-5.4M19.5 3.5v4h-4";
pub(crate) const CLOSE: &str = "m6.5 6.5 11 11m0-11-11 11";
pub(crate) const MENU: &str = "M4 8h16M4 16h16";
pub(crate) const PLUS: &str = "M12 5v14M5 12h14";
pub(crate) const DOWN: &str = "M12 5v14M6 13l6 6 6-6";
pub(crate) const UNFOLD: &str = "m7 10 5 5 5-5";
pub(crate) const TUNE: &str = "M4 8h9M19 8h1M16 5.5v5M4 16h1M11 16h9M8 13.5v5";
pub(crate) const LEFT: &str = "m14.5 6-6 6 6 6";
pub(crate) const RIGHT: &str = "m9.5 6 6 6-6 6";
pub(crate) const MORE: &str = "M5 12h.01M12 12h.01M19 12h.01";
pub(crate) const PENCIL: &str = "m4.5 19.5 1-4.5L16 4.5l3.5 3.5L9 18.5z";
pub(crate) const SAVE: &str = "M12 4v10.5M7.5 10.5 12 15l4.5-4.5M5 19.5h14";
pub(crate) const PHONE: &str = "M7.5 3.5h9v17h-9zM11 17.5h2";
pub(crate) const BRANCH: &str = "M7 4v16M7 13c0-4 10-2 10-6.5M17 3.5a1.5 1.5 0 1 1 0 3 1.5 1.5 0 0 1 0-3";
pub(crate) const GOOD: &str =
    "M4 11h3v8.5H4zM7 11l3.5-7.5c1.4 0 2.2 1 2.2 2.3V9H18a1.8 1.8 0 0 1 1.8 2.1l-1 6.4a2.2 2.2 0 0 1-2.2 2H7";
pub(crate) const BAD: &str =
    "M4 13h3V4.5H4zM7 13l3.5 7.5c1.4 0 2.2-1 2.2-2.3V15H18a1.8 1.8 0 0 0 1.8-2.1l-1-6.4a2.2 2.2 0 0 0-2.2-2H7";
pub(crate) const MANY: &str = "m4 7 1.5 1.5L8 5.5M4 16l1.5 1.5L8 14.5M11.5 7H20M11.5 16H20";
pub(crate) const PROMPTS: &str = "M6 4.5h12v15l-6-4-6 4z";
pub(crate) const PIN: &str = "M9 3.5h6l-.5 6.5 3 3.5h-11l3-3.5zM12 13.5v7";
pub(crate) const ARCHIVE: &str = "M4 5h16v4H4zM5.5 9v10.5h13V9M10 13h4";
pub(crate) const BIN: &str = "M4.5 7h15M9.5 7V4.5h5V7M6.5 7l1 13h9l1-13";
pub(crate) const FILE: &str = "M6.5 3.5h7l4 4v13h-11zM13.5 3.5v4h4";
pub(crate) const SYSTEM: &str = "M4 5h16v11H4zM9 20h6";
pub(crate) const LIGHT: &str = "M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8M12 2.5v2M12 19.5v2M2.5 12h2M19.5 12h2M5.3 5.3l1.4 1.4M17.3 17.3l1.4 1.4M5.3 18.7l1.4-1.4M17.3 6.7l1.4-1.4";
pub(crate) const DARK: &str = "M20 13.5A8 8 0 1 1 10.5 4 6.3 6.3 0 0 0 20 13.5";
pub(crate) const BELL: &str = "M6 16.5V11a6 6 0 0 1 12 0v5.5l1.5 1.5h-15zM10 20.5h4";
pub(crate) const KNOCK: &str =
    "M5 20.5V9a6 6 0 0 1 12 0v11.5M3 20.5h16M19.5 7.5a4 4 0 0 0-1.5-3M22 6.5a7 7 0 0 0-2.5-4.5M8.5 13h.01";
