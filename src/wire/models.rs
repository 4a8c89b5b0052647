//! The models that people may choose from, and what a conversation has been given.

use serde::{Deserialize, Deserializer, Serialize, de::Error as _};

/// Longest instructions of a conversation, in bytes of UTF-8.
pub const MAX_INSTRUCTIONS_BYTES: usize = 64 * 1024;
/// Highest temperature that a conversation may have; the lowest is 0.
pub const MAX_TEMPERATURE: f32 = 2.0;
/// The most that the longest answer of a conversation may have, in tokens; the least is 1.
pub const MAX_ANSWER_TOKENS: u32 = 1_000_000;

/// A model that is offered.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelInfo {
    /// Its name and its place, `name@place`: what a [`Choice`], a turn and a line call it.
    pub id: String,
    /// As people should see it; `None`: as its name.
    pub title: Option<String>,
    /// Whether it looks at pictures; `None` is unknown.
    pub vision: Option<bool>,
}

/// What a conversation's owner has chosen for it. All of it may be missing: then it is as the site has it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Choice {
    /// The model that answers, by its [`ModelInfo::id`]; `None`: the default one, whichever that is by then.
    pub model: Option<String>,
    /// What the model is told before all that is said; empty: what the site tells it.
    pub instructions: String,
    /// How freely it chooses its words, from 0 to [`MAX_TEMPERATURE`].
    #[serde(deserialize_with = "finite")]
    pub temperature: Option<f32>,
    /// The longest answer, in tokens, from 1 to [`MAX_ANSWER_TOKENS`].
    pub max_tokens: Option<u32>,
}

/// JSON has numbers that this type does not, and none for what they would become.
fn finite<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<f32>, D::Error> {
    match Option::<f32>::deserialize(deserializer)? {
        Some(number) if !number.is_finite() => Err(D::Error::custom("a number out of its range")),
        number => Ok(number),
    }
}

#[cfg(all(test, feature = "server"))]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_told_of_a_choice_is_not_chosen_and_every_number_is_one() {
        let read = |json: &str| serde_json::from_str::<Choice>(json).ok();
        assert_eq!(read("{}"), Some(Choice::default()));
        let cool = Choice {
            temperature: Some(0.1),
            ..Choice::default()
        };
        assert_eq!(read(r#"{"temperature":0.1}"#).as_ref(), Some(&cool));
        assert_eq!(read(&serde_json::to_string(&cool).expect("JSON")), Some(cool));
        for wrong in ["1e39", "-1e39", "1e400", "\"0\""] {
            assert_eq!(read(&format!(r#"{{"temperature":{wrong}}}"#)), None, "{wrong}");
        }
    }
}
