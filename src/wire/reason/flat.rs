//! A reason as it is written: a code, and beside it what there is to say.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

#[cfg(feature = "server")]
use super::Reason;
use super::{Code, StoreFault};

/// `ModelFault` as `model_fault`.
pub(super) fn snake_case(name: &str) -> String {
    let mut snake = String::with_capacity(name.len() + 4);
    for letter in name.chars() {
        if letter.is_ascii_uppercase() && !snake.is_empty() {
            snake.push('_');
        }
        snake.push(letter.to_ascii_lowercase());
    }
    snake
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (name, _) = Self::ALL[*self as usize];
        serializer.serialize_str(&snake_case(name))
    }
}

/// Found in the one list, where a derived match on every name would be one more thing for a browser to load.
impl<'de> Deserialize<'de> for Code {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let code = String::deserialize(deserializer)?;
        let known = Self::ALL.iter().find(|(name, _)| snake_case(name) == code);
        let known = known.map(|(_, known)| *known);
        known.ok_or_else(|| D::Error::custom("a code that this version does not know"))
    }
}

/// Why something did not happen, or ended: a code, and beside it whatever there is to say.
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
#[derive(Serialize, Deserialize)]
pub(super) struct Flat {
    #[cfg_attr(feature = "server", schema(value_type = String, examples("model_unreachable")))]
    pub(super) code: Code,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) bytes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) most: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) files: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) seconds: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) status: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) fault: Option<StoreFault>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) model: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) variable: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) sentence: Option<String>,
}

#[cfg(feature = "server")]
impl utoipa::PartialSchema for Reason {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
        Flat::schema()
    }
}

#[cfg(feature = "server")]
impl utoipa::ToSchema for Reason {
    fn schemas(schemas: &mut Vec<(String, utoipa::openapi::RefOr<utoipa::openapi::Schema>)>) {
        Flat::schemas(schemas);
    }
}

impl Flat {
    pub(super) const fn new(code: Code) -> Self {
        Self {
            code,
            bytes: None,
            most: None,
            files: None,
            seconds: None,
            status: None,
            fault: None,
            name: None,
            model: None,
            variable: None,
            sentence: None,
        }
    }
}
