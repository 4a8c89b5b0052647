//! What a variable's text can mean: one type a kind of value, each with the words that say what is allowed.

mod names;
mod networks;
mod numbers;
mod texts;
mod words;

use super::allowed::Allowed;

pub(super) use self::{
    names::{DEMO, ModelId, Offer, Place, PlainWord, VariableName, providers},
    networks::Network,
    numbers::{Bytes, Price},
    texts::{BaseUrl, DatabaseUrl, FilePath, HostPort, LogFilter, Text, Title},
};

/// A kind of value that a variable may hold. The name of the value's own type where that says it all.
pub trait Kind {
    /// What the program gets.
    type Value: Clone;

    /// What may be written.
    fn allowed() -> Allowed;

    /// Reads a trimmed text that is not empty; `None` where it is not what is allowed.
    fn parse(text: &str) -> Option<Self::Value>;

    /// Whether it may be written as a list, where there are lists.
    const LIST: bool = false;

    /// How large it is, in the unit that [`Kind::allowed`] speaks of; `None` fits every range.
    fn measure(_value: &Self::Value) -> Option<f64> {
        None
    }

    /// What stands for no text at all; `None`: there has to be one, if only the default.
    fn unset() -> Option<Self::Value> {
        None
    }
}

/// What may be unset.
impl<K: Kind> Kind for Option<K> {
    type Value = Option<K::Value>;

    const LIST: bool = K::LIST;

    fn allowed() -> Allowed {
        K::allowed()
    }

    fn parse(text: &str) -> Option<Self::Value> {
        K::parse(text).map(Some)
    }

    fn measure(value: &Self::Value) -> Option<f64> {
        value.as_ref().and_then(K::measure)
    }

    fn unset() -> Option<Self::Value> {
        Some(None)
    }
}

/// Something, or the word `none` for no bound at all.
pub struct OrNone<K>(std::marker::PhantomData<K>);

impl<K: Kind> Kind for OrNone<K> {
    type Value = Option<K::Value>;

    fn allowed() -> Allowed {
        Allowed {
            or: &["none"],
            ..K::allowed()
        }
    }

    fn parse(text: &str) -> Option<Self::Value> {
        if text.eq_ignore_ascii_case("none") {
            return Some(None);
        }
        K::parse(text).map(Some)
    }

    fn measure(value: &Self::Value) -> Option<f64> {
        value.as_ref().and_then(K::measure)
    }
}

/// One or several, with commas between.
pub struct List<K>(std::marker::PhantomData<K>);

impl<K: Kind> Kind for List<K> {
    type Value = Vec<K::Value>;

    const LIST: bool = true;

    fn allowed() -> Allowed {
        let one = K::allowed();
        Allowed {
            brief: format!("{}, or several", one.brief).into(),
            what: format!("{}, or several with commas between", one.what).into(),
            ..one
        }
    }

    fn parse(text: &str) -> Option<Self::Value> {
        let all = text.split(',').map(str::trim).filter(|one| !one.is_empty());
        let all: Vec<_> = all.map(K::parse).collect::<Option<_>>()?;
        (!all.is_empty()).then_some(all)
    }
}
