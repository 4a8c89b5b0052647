//! Names: of models, places, providers, limits, variables.

use super::{
    super::{ModelName, Provider, allowed::Allowed},
    Kind,
};

/// A name of letters, digits, `-` and `_`: of a limit, a back end, a pool.
pub(in crate::settings) struct PlainWord;

impl Kind for PlainWord {
    type Value = String;

    fn allowed() -> Allowed {
        Allowed::just(
            "letters, digits, `-`, `_`",
            "a name of up to 64 letters, digits, - and _",
        )
    }

    fn parse(text: &str) -> Option<String> {
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        (text.len() <= 64 && text.chars().all(plain)).then(|| text.to_owned())
    }
}

/// What a model server calls a model.
pub(in crate::settings) struct ModelId;

impl Kind for ModelId {
    type Value = String;

    fn allowed() -> Allowed {
        Allowed::just(
            "the name of a model",
            "the name of a model, as its server writes it, without commas",
        )
    }

    fn parse(text: &str) -> Option<String> {
        let whole = !text.is_empty() && text.len() <= 256 && text != ALL;
        (whole && !text.contains(|c: char| c == ',' || c.is_control())).then(|| text.to_owned())
    }
}

/// The only model inside Anteroom.
pub(in crate::settings) const DEMO: &str = "demo";

/// Stands for every model of a place.
const ALL: &str = "*";

/// The part of `name@place` behind the last `@`: a pool, or a provider, whose name is known in any case.
pub(in crate::settings) struct Place;

impl Kind for Place {
    type Value = String;

    fn allowed() -> Allowed {
        PlainWord::allowed()
    }

    fn parse(text: &str) -> Option<String> {
        let place = PlainWord::parse(text.trim()).filter(|place| !place.is_empty())?;
        Some(match Provider::parse(&place) {
            Some(provider) => provider.name().to_owned(),
            None => place,
        })
    }
}

/// The providers' names, for a sentence.
pub(in crate::settings) fn providers() -> String {
    let [others @ .., last] = Provider::ALL.map(Provider::name);
    format!("{} or {last}", others.join(", "))
}

impl Kind for ModelName {
    type Value = Self;

    fn allowed() -> Allowed {
        Allowed::just(
            "`name@place`",
            format!(
                "name@place, the place being {} or a pool of BACKENDS_FILE \
                 (such as gpt-4o@openai, llama3.2@ollama, demo@builtin)",
                providers().replace(" or ", ", ")
            ),
        )
    }

    fn parse(text: &str) -> Option<Self> {
        let (name, at) = text.rsplit_once('@')?;
        let (name, place) = (ModelId::parse(name.trim())?, Place::parse(at)?);
        let known = place != Provider::Builtin.name() || name == DEMO;
        known.then_some(Self { name, place })
    }
}

/// What an item of `MODELS` offers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::settings) enum Offer {
    /// One model.
    Model(ModelName),
    /// `*@place`: whatever its servers have.
    All(String),
}

impl Kind for Offer {
    type Value = Self;

    fn allowed() -> Allowed {
        Allowed::just(
            "`name@place`, `*@place`",
            "name@place or *@place (such as gpt-4o@openai; *@ollama for all that it has)",
        )
    }

    fn parse(text: &str) -> Option<Self> {
        match text.rsplit_once('@') {
            Some((name, at)) if name.trim() == ALL => Place::parse(at).map(Self::All),
            _ => ModelName::parse(text).map(Self::Model),
        }
    }
}

impl Kind for Provider {
    type Value = Self;

    fn allowed() -> Allowed {
        let brief = Self::ALL.map(|provider| format!("`{}`", provider.name())).join(", ");
        Allowed::just(brief, providers())
    }

    fn parse(text: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|provider| provider.name().eq_ignore_ascii_case(text))
    }
}

/// The name of a variable of the environment.
pub(in crate::settings) struct VariableName;

impl Kind for VariableName {
    type Value = String;

    fn allowed() -> Allowed {
        Allowed::just("a variable", "the name of a variable: letters, digits and _")
    }

    fn parse(text: &str) -> Option<String> {
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let begins = !text.starts_with(|c: char| c.is_ascii_digit());
        (begins && text.len() <= 128 && text.chars().all(plain)).then(|| text.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_is_a_name_at_a_place() {
        let model = ModelName::parse("meta/llama-3:8b@OpenAI").expect("a model");
        assert_eq!(
            (model.name.as_str(), model.place.as_str()),
            ("meta/llama-3:8b", "openai")
        );
        assert_eq!(model.to_string(), "meta/llama-3:8b@openai");
        let model = ModelName::parse("llama@sha256:1@GPU-1").expect("a model");
        assert_eq!(model.to_string(), "llama@sha256:1@GPU-1");
        for text in [
            "gpt-4o",
            "@openai",
            "gpt-4o@",
            "other@builtin",
            "*@openai",
            "a,b@gpu",
            "a@g p",
        ] {
            assert_eq!(ModelName::parse(text), None, "{text}");
        }
    }

    #[test]
    fn an_offer_is_a_model_or_all_of_a_place() {
        assert_eq!(Offer::parse("* @Ollama"), Some(Offer::All("ollama".to_owned())));
        let model = ModelName::parse("a@gpu").expect("a model");
        assert_eq!(Offer::parse("a@gpu"), Some(Offer::Model(model)));
        for text in ["*", "a", "*@", "*@a b"] {
            assert_eq!(Offer::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_variable_has_the_name_of_one() {
        for (text, right) in [
            ("GPU_KEY", true),
            ("key2", true),
            ("2KEY", false),
            ("GPU-KEY", false),
            ("$KEY", false),
        ] {
            assert_eq!(VariableName::parse(text).is_some(), right, "{text}");
        }
    }
}
