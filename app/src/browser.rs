//! The few things that are asked of the browser directly. None may be called on the server, except [`now`].

use leptos::prelude::*;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{HtmlElement, HtmlTextAreaElement, js_sys};

/// The time, in milliseconds since the Unix epoch.
pub(crate) fn now() -> u64 {
    #[cfg(feature = "hydrate")]
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "whole milliseconds after 1970"
    )]
    {
        js_sys::Date::now() as u64
    }
    #[cfg(not(feature = "hydrate"))]
    {
        let since = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap_or_default();
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    }
}

/// How far the reader's clock is ahead of UTC, in minutes.
pub(crate) fn zone() -> i32 {
    #[expect(clippy::cast_possible_truncation, reason = "whole minutes, less than a day")]
    let behind = js_sys::Date::new_0().get_timezone_offset() as i32;
    -behind
}

/// A time of day as the person's clock shows it, `14:03:27`.
pub(crate) fn clock(at: u64) -> String {
    #[expect(
        clippy::cast_precision_loss,
        reason = "milliseconds since 1970 fit for the next 285,000 years"
    )]
    let date = js_sys::Date::new(&JsValue::from_f64(at as f64));
    format!(
        "{:02}:{:02}:{:02}",
        date.get_hours(),
        date.get_minutes(),
        date.get_seconds()
    )
}

/// Whether the page is in sight.
pub(crate) fn visible() -> bool {
    document().visibility_state() == web_sys::VisibilityState::Visible
}

/// Whether things on the page may move.
pub(crate) fn moves() -> bool {
    let still = window().match_media("(prefers-reduced-motion: reduce)").ok().flatten();
    !still.is_some_and(|still| still.matches())
}

/// Whether the person most likely types on a keyboard of hardware: there is a pointer that can hover.
fn has_keyboard() -> bool {
    window()
        .match_media("(hover: hover)")
        .ok()
        .flatten()
        .is_some_and(|query| query.matches())
}

/// Gives an element the focus, unless that would bring up a keyboard over the page.
pub(crate) fn focus(id: &str) {
    let element = document().get_element_by_id(id).filter(|_| has_keyboard());
    if let Some(element) = element.and_then(|element| element.dyn_into::<HtmlElement>().ok()) {
        let _ = element.focus();
    }
}

/// Gives a control that nothing is typed into the focus. `false`: there is none of this id that could take it.
pub(crate) fn focus_control(id: &str) -> bool {
    let element = document().get_element_by_id(id);
    let Some(element) = element.and_then(|element| element.dyn_into::<HtmlElement>().ok()) else {
        return false;
    };
    let _ = element.focus();
    focused().as_deref() == Some(id)
}

/// The id of what has the focus; empty where it has none. `None`: nothing but the page has it.
pub(crate) fn focused() -> Option<String> {
    let document = document();
    let focused = document.active_element()?;
    let page = document.body().is_some_and(|body| *focused == **body);
    (!page).then(|| focused.id())
}

/// Whether somebody may be typing in this field: it has the focus, and so has this tab.
pub(crate) fn is_typed_in(id: &str) -> bool {
    document().has_focus().unwrap_or(true) && focused().as_deref() == Some(id)
}

/// What stands in a field.
pub(crate) fn typed(id: &str) -> String {
    let field = document().get_element_by_id(id);
    let field = field.and_then(|field| field.dyn_into::<HtmlTextAreaElement>().ok());
    field.map(|field| field.value()).unwrap_or_default()
}

/// Hands what the server has drawn to `public/reading.js`, which puts it into its place.
pub(crate) fn draw(place: &HtmlElement, html: &str) {
    let _ = js_sys::Reflect::set(place, &JsValue::from_str("drawn"), &JsValue::from_str(html));
    if let Ok(drawn) = web_sys::Event::new("drawn") {
        let _ = place.dispatch_event(&drawn);
    }
}

/// Has a text that grows show this HTML. `public/reading.js` touches only what is new of it; before that has come, all is put in anew.
pub(crate) fn grow(place: &HtmlElement, html: &str) {
    if call(&window(), "grow", &[JsValue::clone(place), JsValue::from_str(html)]).is_err() {
        place.set_inner_html(html);
    }
}

/// Closes a popover, if it is open.
pub(crate) fn hide_popover(id: &str) {
    if let Some(element) = document().get_element_by_id(id) {
        // An error means that it was closed already.
        let _ = call(&element, "hidePopover", &[]);
    }
}

/// Puts text on the clipboard. Without the clipboard API, which browsers keep from pages without HTTPS, in the old way.
pub(crate) fn copy(text: &str) {
    let clipboard = js_sys::Reflect::get(&window().navigator(), &JsValue::from_str("clipboard"));
    match clipboard {
        Ok(clipboard) if !clipboard.is_undefined() => {
            let _ = call(&clipboard, "writeText", &[JsValue::from_str(text)]);
        }
        _ => copy_by_selection(text),
    }
}

fn copy_by_selection(text: &str) {
    let document = document();
    let (Some(body), Ok(area)) = (document.body(), document.create_element("textarea")) else {
        return;
    };
    let area: HtmlTextAreaElement = area.unchecked_into();
    area.set_class_name("visually-hidden");
    area.set_value(text);
    let focused = document.active_element();
    if body.append_child(&area).is_ok() {
        area.select();
        let _ = call(&document, "execCommand", &[JsValue::from_str("copy")]);
        area.remove();
    }
    if let Some(focused) = focused {
        let _ = focused.unchecked_into::<HtmlElement>().focus();
    }
}

/// Calls a method that the browser has.
pub(crate) fn call(on: &JsValue, method: &str, arguments: &[JsValue]) -> Result<JsValue, JsValue> {
    let method = js_sys::Reflect::get(on, &JsValue::from_str(method))?;
    let arguments: js_sys::Array = arguments.iter().collect();
    method.dyn_into::<js_sys::Function>()?.apply(on, &arguments)
}
