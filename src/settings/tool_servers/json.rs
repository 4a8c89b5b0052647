//! JSON whose parts know where they stand in the text.

use std::{fmt, ops::Range};

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::value::RawValue;

/// A value, as a part of the text.
#[derive(Clone, Copy, Debug)]
pub(super) struct Json<'t>(&'t RawValue);

/// The keys of an object in their order, a key that stands twice included.
#[derive(Debug)]
pub(super) struct Object<'t>(Vec<(String, Json<'t>)>);

impl<'t> Json<'t> {
    /// The text as a value.
    pub(super) fn whole(text: &'t str) -> serde_json::Result<Self> {
        serde_json::from_str(text).map(Self)
    }

    /// Which part of `text`, the text that was given as a whole, it is.
    pub(super) fn span(self, text: &str) -> Range<usize> {
        let start = (self.0.get().as_ptr() as usize).saturating_sub(text.as_ptr() as usize);
        start..start + self.0.get().len()
    }

    fn read<T: Deserialize<'t>>(self) -> Option<T> {
        serde_json::from_str(self.0.get()).ok()
    }

    pub(super) fn object(self) -> Option<Object<'t>> {
        self.read()
    }

    pub(super) fn list(self) -> Option<Vec<Self>> {
        Some(self.read::<Vec<&'t RawValue>>()?.into_iter().map(Self).collect())
    }

    pub(super) fn string(self) -> Option<String> {
        self.read()
    }

    pub(super) fn number(self) -> Option<f64> {
        self.read()
    }

    pub(super) fn switch(self) -> Option<bool> {
        self.read()
    }

    pub(super) fn is_null(self) -> bool {
        self.0.get() == "null"
    }
}

impl<'t> Object<'t> {
    pub(super) fn iter(&self) -> impl Iterator<Item = &(String, Json<'t>)> {
        self.0.iter()
    }
}

impl<'de> Deserialize<'de> for Object<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Keys;
        impl<'de> Visitor<'de> for Keys {
            type Value = Object<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut keys = Vec::new();
                while let Some((key, value)) = map.next_entry::<String, &'de RawValue>()? {
                    keys.push((key, Json(value)));
                }
                Ok(Object(keys))
            }
        }
        deserializer.deserialize_map(Keys)
    }
}
