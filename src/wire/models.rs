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
    /// How freely it chooses its words, from 0 to [`MAX_TEMPERATURE`].
    pub temperature: Option<f32>,
    /// The longest answer, in tokens, from 1 to [`MAX_ANSWER_TOKENS`].
    pub max_tokens: Option<u32>,
}
