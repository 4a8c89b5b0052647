//! An answer, whole or piece by piece, read from the format that programs speak.

use axum::http::StatusCode;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    http::Refusal,
    programs::{Done, Source},
    wire::{Reason, Usage},
};

/// What a model has answered.
#[derive(Debug, PartialEq, Serialize, ToSchema)]
pub(in super::super) struct ChatAnswer {
    /// The request.
    id: Uuid,
    /// Who has answered.
    model: String,
    /// What it says.
    text: String,
    /// What it thought before and between, where its server tells.
    #[serde(skip_serializing_if = "Option::is_none")]
    reasoning: Option<String>,
    /// Why it has ended.
    finish: Finish,
    usage: Usage,
    /// Where it comes from, if it was not made for this request. Then it has taken none of the tokens.
    #[serde(skip_serializing_if = "Option::is_none")]
    cached: Option<Source>,
}

/// Why an answer has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(in super::super) enum Finish {
    /// All is said.
    Stop,
    /// It has become as long as it may be.
    Length,
    /// A filter of the model's server.
    Filter,
    /// Something else.
    Other,
}

impl ChatAnswer {
    pub(super) fn read(id: Uuid, done: &Done, cached: Option<Source>) -> Result<Self, Refusal> {
        let mistake = Refusal::new(StatusCode::BAD_GATEWAY, Reason::ModelInvalid);
        let Ok(whole) = serde_json::from_slice(&done.last) else {
            return Err(mistake);
        };
        let mut said = Said::default();
        said.take(&whole);
        Ok(Self {
            id,
            model: said.model,
            text: said.text,
            reasoning: Some(said.reasoning).filter(|reasoning| !reasoning.is_empty()),
            finish: said.finish.unwrap_or(Finish::Other),
            usage: done.usage,
            cached,
        })
    }
}

/// What was read of an answer.
#[derive(Default)]
pub(super) struct Said {
    pub(super) model: String,
    pub(super) text: String,
    pub(super) reasoning: String,
    pub(super) finish: Option<Finish>,
}

impl Said {
    /// Takes in the whole of one, or an event of its stream.
    pub(super) fn take(&mut self, json: &Value) {
        if let Some(model) = json["model"].as_str() {
            model.clone_into(&mut self.model);
        }
        let choices = json["choices"].as_array().into_iter().flatten();
        for choice in choices {
            let delta = choice.get("delta").unwrap_or(&choice["message"]);
            let text = |name: &str| delta[name].as_str().unwrap_or_default();
            self.text += text("content");
            self.text += text("refusal");
            // Servers call it by one of two names, some by both.
            let thought = text("reasoning_content");
            self.reasoning += if thought.is_empty() { text("reasoning") } else { thought };
            self.finish = match choice["finish_reason"].as_str() {
                None => self.finish,
                Some("stop") => Some(Finish::Stop),
                Some("length") => Some(Finish::Length),
                Some("content_filter") => Some(Finish::Filter),
                Some(_) => Some(Finish::Other),
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_answer_is_read_whatever_its_server_calls_things() {
        for (message, text, reasoning) in [
            (json!({ "content": "Hi", "reasoning_content": null }), "Hi", None),
            (
                json!({ "content": "Hi", "reasoning_content": "Hm", "reasoning": "Hm" }),
                "Hi",
                Some("Hm"),
            ),
            (
                json!({ "content": null, "refusal": "No", "reasoning": { "odd": 1 } }),
                "No",
                None,
            ),
        ] {
            let whole = json!({ "model": "m@x", "choices": [{ "message": message, "finish_reason": "length" }] });
            let done = Done {
                last: whole.to_string().into(),
                usage: Usage::default(),
            };
            let answer = ChatAnswer::read(Uuid::nil(), &done, None).expect("an answer");
            assert_eq!((answer.text.as_str(), answer.reasoning.as_deref()), (text, reasoning));
            assert_eq!((answer.model.as_str(), answer.finish), ("m@x", Finish::Length));
        }
    }
}
