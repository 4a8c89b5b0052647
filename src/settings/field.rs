//! One variable on its way in, for envy to fill and validator to check.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use validator::{ValidateRange, ValidationError};

use super::kinds::Kind;

/// One variable on its way in. Reading it never fails: envy stops at the first error, and an operator wants them all;
/// what cannot be read is kept as such and fails validation instead.
#[derive(Default)]
pub(super) enum Field<K: Kind> {
    #[default]
    Unset,
    Set(K::Value),
    Unreadable,
}

impl<K: Kind> Field<K> {
    /// The value of a field that has been checked.
    pub(super) fn value(&self) -> K::Value {
        let value = match self {
            Self::Set(value) => Some(value.clone()),
            Self::Unset | Self::Unreadable => K::unset(),
        };
        value.expect("its table gives it a default or says that it may be unset, and validation has passed")
    }

    pub(super) const fn as_ref(&self) -> Option<&K::Value> {
        match self {
            Self::Set(value) => Some(value),
            Self::Unset | Self::Unreadable => None,
        }
    }

    pub(super) const fn is_unset(&self) -> bool {
        matches!(self, Self::Unset)
    }
}

impl<'de, K: Kind> Deserialize<'de> for Field<K> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Ok(K::parse(text.trim()).map_or(Self::Unreadable, Self::Set))
    }
}

/// Validator puts each field that fails into its error. The value may be a key, so there is nothing to put in.
impl<K: Kind> Serialize for Field<K> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_unit()
    }
}

impl<K: Kind> ValidateRange<f64> for Field<K> {
    fn greater_than(&self, max: f64) -> Option<bool> {
        self.as_ref().and_then(K::measure).map(|size| size > max)
    }

    fn less_than(&self, min: f64) -> Option<bool> {
        self.as_ref().and_then(K::measure).map(|size| size < min)
    }
}

/// Code of the error of a field that cannot be read.
pub(super) const UNREADABLE: &str = "unreadable";

/// Checks that there is something that can be read, or nothing at all.
pub(super) fn readable<K: Kind>(field: &Field<K>) -> Result<(), ValidationError> {
    match field {
        Field::Unreadable => Err(ValidationError::new(UNREADABLE)),
        Field::Unset | Field::Set(_) => Ok(()),
    }
}
