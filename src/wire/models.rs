//! The models that people may choose from, and what a conversation has been given.

use serde::{Deserialize, Serialize};

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
    /// How freely it chooses its words, from 0 to [`MAX_TEMPERATURE`]. In JSON a whole number of hundredths: with what writes any number
    /// there is, a browser would have 10 KB more to load.
    #[serde(with = "hundredths")]
    pub temperature: Option<f32>,
    /// The longest answer, in tokens, from 1 to [`MAX_ANSWER_TOKENS`].
    pub max_tokens: Option<u32>,
    /// Whether it is answered without tools, though the site has some.
    pub without_tools: bool,
}

mod hundredths {
    use serde::{Deserialize as _, Deserializer, Serialize as _, Serializer};

    #[expect(
        clippy::cast_possible_truncation,
        reason = "what is no temperature is refused as such, or as what it is cut to"
    )]
    pub(super) fn serialize<S: Serializer>(number: &Option<f32>, serializer: S) -> Result<S::Ok, S::Error> {
        number
            .map(|number| (number * 100.0).round() as i32)
            .serialize(serializer)
    }

    #[expect(clippy::cast_precision_loss, reason = "what is too large for it is no temperature")]
    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<f32>, D::Error> {
        let hundredths: Option<i32> = Option::deserialize(deserializer)?;
        Ok(hundredths.map(|hundredths| hundredths as f32 / 100.0))
    }
}

#[cfg(all(test, feature = "server"))]
mod tests {
    use super::*;

    #[test]
    fn a_temperature_is_a_whole_number_of_hundredths_in_json() {
        for (temperature, json) in [
            (Some(0.7), "70"),
            (Some(0.0), "0"),
            (Some(2.0), "200"),
            (Some(-1.0), "-100"),
            (None, "null"),
        ] {
            let choice = Choice {
                temperature,
                ..Choice::default()
            };
            let written = serde_json::to_string(&choice).expect("JSON");
            assert!(written.contains(&format!("\"temperature\":{json},")), "{written}");
            assert_eq!(serde_json::from_str::<Choice>(&written).ok(), Some(choice));
        }
        assert_eq!(serde_json::from_str::<Choice>("{}").ok(), Some(Choice::default()));
    }
}
