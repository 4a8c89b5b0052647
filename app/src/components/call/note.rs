//! Notifications of the browser's own.

use leptos::prelude::*;
use wasm_bindgen::{JsCast, JsValue, closure::Closure};
use web_sys::{Notification, NotificationOptions, NotificationPermission, js_sys};

/// One takes the place of the one before, so that nobody comes back to a heap of them.
const TAG: &str = "anteroom";

/// Whether this browser shows any to a page like this one.
pub(super) fn is_there() -> bool {
    js_sys::Reflect::has(&window(), &JsValue::from_str("Notification")).unwrap_or(false)
}

/// Whether it has been allowed.
pub(super) fn is_allowed() -> bool {
    is_there() && Notification::permission() == NotificationPermission::Granted
}

/// Asks for leave, and tells whether it was given.
pub(super) fn ask(tell: impl FnOnce(bool) + 'static) {
    let answered = Closure::once_into_js(move || tell(is_allowed()));
    // A browser that gives a promise calls back too.
    let _ = Notification::request_permission_with_permission_callback(answered.unchecked_ref());
}

/// Shows one. It leads back to this page.
pub(super) fn show(text: &str) {
    if !is_allowed() {
        return;
    }
    let options = NotificationOptions::new();
    options.set_body(text);
    options.set_tag(TAG);
    options.set_icon("/icon-180.png");
    // Where only a service worker may show them, there are none.
    let Ok(note) = Notification::new_with_options("Anteroom", &options) else {
        return;
    };
    let shown = note.clone();
    let come = Closure::once_into_js(move || {
        let _ = window().focus();
        shown.close();
    });
    note.set_onclick(Some(come.unchecked_ref()));
}
