//! Whether a piece of an answer says anything, found without keeping what it says.
//!
//! Many servers begin with an event that only names the role, as soon as they have taken the request. Nobody has read anything by then: an
//! answer that breaks off there can be asked for again elsewhere.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{self, IgnoredAny, MapAccess, SeqAccess},
};

/// The `delta` of an event.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Delta {
    /// It has something other than a role in it.
    pub(super) tells: bool,
}

/// Any value of JSON.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Value {
    /// It is something: neither null, nor an empty text, list or object.
    pub(super) tells: bool,
}

#[derive(Deserialize)]
#[serde(field_identifier, rename_all = "lowercase")]
enum Name {
    Role,
    #[serde(other)]
    Other,
}

impl<'de> Deserialize<'de> for Delta {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields;

        impl<'de> de::Visitor<'de> for Fields {
            type Value = Delta;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a delta")
            }

            fn visit_unit<E: de::Error>(self) -> Result<Delta, E> {
                Ok(Delta::default())
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Delta, A::Error> {
                let mut tells = false;
                while let Some(name) = map.next_key()? {
                    match name {
                        Name::Role => drop(map.next_value::<IgnoredAny>()?),
                        Name::Other => tells |= map.next_value::<Value>()?.tells,
                    }
                }
                Ok(Delta { tells })
            }
        }

        deserializer.deserialize_any(Fields)
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;

        impl<'de> de::Visitor<'de> for Any {
            type Value = Value;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("anything")
            }

            fn visit_unit<E: de::Error>(self) -> Result<Value, E> {
                Ok(Value { tells: false })
            }

            fn visit_bool<E: de::Error>(self, _: bool) -> Result<Value, E> {
                Ok(Value { tells: true })
            }

            fn visit_i64<E: de::Error>(self, _: i64) -> Result<Value, E> {
                Ok(Value { tells: true })
            }

            fn visit_u64<E: de::Error>(self, _: u64) -> Result<Value, E> {
                Ok(Value { tells: true })
            }

            fn visit_f64<E: de::Error>(self, _: f64) -> Result<Value, E> {
                Ok(Value { tells: true })
            }

            // Read as bytes: text that was cut between the halves of a pair is none for serde.
            fn visit_bytes<E: de::Error>(self, text: &[u8]) -> Result<Value, E> {
                Ok(Value {
                    tells: !text.is_empty(),
                })
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Value, E> {
                self.visit_bytes(text.as_bytes())
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
                let mut tells = false;
                while seq.next_element::<IgnoredAny>()?.is_some() {
                    tells = true;
                }
                Ok(Value { tells })
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
                let mut tells = false;
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {
                    tells = true;
                }
                Ok(Value { tells })
            }
        }

        deserializer.deserialize_any(Any)
    }
}
