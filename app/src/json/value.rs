//! A value of JSON that has been parsed: by the browser's own parser in a page, by serde_json anywhere else.

#[cfg(feature = "hydrate")]
use wasm_bindgen::JsCast as _;
use wasm_bindgen::JsValue;
#[cfg(feature = "hydrate")]
use web_sys::js_sys::{Array, JSON, Object, Reflect};

#[cfg(feature = "hydrate")]
use crate::browser;

/// A value, or that there is none where one was looked for.
pub(crate) struct Value(Inner);

#[cfg(feature = "hydrate")]
type Inner = JsValue;
#[cfg(not(feature = "hydrate"))]
type Inner = Option<serde_json::Value>;

#[cfg(feature = "hydrate")]
impl Value {
    /// `None`: the text is no JSON.
    pub(super) fn parse(text: &str) -> Option<Self> {
        JSON::parse(text).ok().map(Self)
    }

    /// The same of a text that the browser has.
    pub(super) fn parse_there(text: &JsValue) -> Option<Self> {
        let parser = Reflect::get(&leptos::prelude::window(), &JsValue::from_str("JSON")).ok()?;
        browser::call(&parser, "parse", std::slice::from_ref(text))
            .ok()
            .map(Self)
    }

    /// Whether it is not there.
    pub(super) fn is_absent(&self) -> bool {
        self.0.is_undefined()
    }

    /// Whether it is not there, or `null`.
    pub(super) fn is_nothing(&self) -> bool {
        self.0.is_undefined() || self.0.is_null()
    }

    /// Whether it has fields.
    pub(super) fn is_object(&self) -> bool {
        self.0.is_object()
    }

    pub(super) fn bool(&self) -> Option<bool> {
        self.0.as_bool()
    }

    pub(super) fn number(&self) -> Option<f64> {
        self.0.as_f64()
    }

    pub(super) fn text(&self) -> Option<String> {
        self.0.as_string()
    }

    /// What stands in an array.
    pub(super) fn items(&self) -> Option<Vec<Self>> {
        let array = self.0.dyn_ref::<Array>()?;
        Some(array.iter().map(Self).collect())
    }

    /// The field of this name.
    pub(super) fn field(&self, name: &str) -> Self {
        Self(Reflect::get(&self.0, &JsValue::from_str(name)).unwrap_or(JsValue::UNDEFINED))
    }

    /// The name of the only field.
    pub(super) fn only_field(&self) -> Option<String> {
        let names = Object::keys(self.0.dyn_ref::<Object>()?);
        (names.length() == 1).then(|| names.get(0).as_string()).flatten()
    }
}

#[cfg(feature = "hydrate")]
impl From<JsValue> for Value {
    fn from(value: JsValue) -> Self {
        Self(value)
    }
}

#[cfg(not(feature = "hydrate"))]
impl Value {
    /// `None`: the text is no JSON.
    pub(super) fn parse(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok().map(Some).map(Self)
    }

    /// The same of a text that the browser has.
    pub(super) fn parse_there(text: &JsValue) -> Option<Self> {
        Self::parse(&text.as_string()?)
    }

    /// Whether it is not there.
    pub(super) const fn is_absent(&self) -> bool {
        self.0.is_none()
    }

    /// Whether it is not there, or `null`.
    pub(super) fn is_nothing(&self) -> bool {
        self.0.as_ref().is_none_or(serde_json::Value::is_null)
    }

    /// Whether it has fields.
    pub(super) fn is_object(&self) -> bool {
        self.0.as_ref().is_some_and(serde_json::Value::is_object)
    }

    pub(super) fn bool(&self) -> Option<bool> {
        self.0.as_ref()?.as_bool()
    }

    pub(super) fn number(&self) -> Option<f64> {
        self.0.as_ref()?.as_f64()
    }

    pub(super) fn text(&self) -> Option<String> {
        self.0.as_ref()?.as_str().map(str::to_owned)
    }

    /// What stands in an array.
    pub(super) fn items(&self) -> Option<Vec<Self>> {
        let items = self.0.as_ref()?.as_array()?;
        Some(items.iter().map(|item| Self(Some(item.clone()))).collect())
    }

    /// The field of this name.
    pub(super) fn field(&self, name: &str) -> Self {
        Self(self.0.as_ref().and_then(|value| value.get(name)).cloned())
    }

    /// The name of the only field.
    pub(super) fn only_field(&self) -> Option<String> {
        let fields = self.0.as_ref()?.as_object()?;
        fields.keys().next().filter(|_| fields.len() == 1).cloned()
    }
}
