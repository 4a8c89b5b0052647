//! A JSON value: the browser's own, or, on the server and in tests, serde's.

#[cfg(feature = "hydrate")]
use wasm_bindgen::JsCast as _;
#[cfg(feature = "hydrate")]
use web_sys::js_sys;

use super::{Read, Unreadable};

#[cfg(feature = "hydrate")]
type Value = wasm_bindgen::JsValue;
#[cfg(not(feature = "hydrate"))]
type Value = serde_json::Value;

/// A JSON value. What is not there is `null`.
pub(crate) struct Json(Value);

impl Json {
    /// A field of an object.
    pub(super) fn field<T: Read>(&self, name: &'static str) -> Result<T, Unreadable> {
        T::read(&self.get(name)).map_err(|unreadable| unreadable.within(name))
    }
}

#[cfg(feature = "hydrate")]
impl Json {
    /// Parses a text; `None`: it is not JSON.
    pub(super) fn parse(text: &str) -> Option<Self> {
        js_sys::JSON::parse(text).ok().map(Self)
    }

    fn get(&self, name: &str) -> Self {
        // An error means that this is no object.
        Self(js_sys::Reflect::get(&self.0, &name.into()).unwrap_or(Value::NULL))
    }

    pub(super) fn is_null(&self) -> bool {
        self.0.is_null() || self.0.is_undefined()
    }

    pub(super) fn flag(&self) -> Option<bool> {
        self.0.as_bool()
    }

    pub(super) fn number(&self) -> Option<f64> {
        self.0.as_f64()
    }

    pub(super) fn text(&self) -> Option<String> {
        self.0.as_string()
    }

    pub(super) fn items(&self) -> Option<Vec<Self>> {
        let items = self.0.dyn_ref::<js_sys::Array>()?;
        Some(items.iter().map(Self).collect())
    }

    /// The tag of an enum, and what it holds.
    pub(super) fn variant(&self) -> Option<(String, Self)> {
        if let Some(tag) = self.text() {
            return Some((tag, Self(Value::NULL)));
        }
        let tag = js_sys::Object::keys(self.0.dyn_ref::<js_sys::Object>()?)
            .get(0)
            .as_string()?;
        let content = self.get(&tag);
        Some((tag, content))
    }
}

#[cfg(not(feature = "hydrate"))]
impl Json {
    /// Parses a text; `None`: it is not JSON.
    pub(super) fn parse(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok().map(Self)
    }

    fn get(&self, name: &str) -> Self {
        Self(self.0.get(name).cloned().unwrap_or_default())
    }

    pub(super) fn is_null(&self) -> bool {
        self.0.is_null()
    }

    pub(super) fn flag(&self) -> Option<bool> {
        self.0.as_bool()
    }

    pub(super) fn number(&self) -> Option<f64> {
        self.0.as_f64()
    }

    pub(super) fn text(&self) -> Option<String> {
        self.0.as_str().map(str::to_owned)
    }

    pub(super) fn items(&self) -> Option<Vec<Self>> {
        Some(self.0.as_array()?.iter().cloned().map(Self).collect())
    }

    /// The tag of an enum, and what it holds.
    pub(super) fn variant(&self) -> Option<(String, Self)> {
        if let Some(tag) = self.text() {
            return Some((tag, Self(Value::Null)));
        }
        let (tag, content) = self.0.as_object()?.iter().next()?;
        Some((tag.clone(), Self(content.clone())))
    }
}
