//! OpenAI's wire format.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use serde_json::{Value, json};

use crate::{
    reply::{Of, Piece},
    script::Format,
};

/// What an answer says of the server's build, as real ones do.
const FINGERPRINT: &str = "fp_loopback";

/// The format of one answer.
pub(crate) struct Wire {
    pub(crate) id: u64,
    pub(crate) model: String,
    pub(crate) prompt_tokens: usize,
    /// Whether a stream tells its usage.
    pub(crate) usage: bool,
    /// The reason that the answer is said to have ended for.
    pub(crate) finish: String,
    /// The number of its first call, so that those of all rounds have names of their own.
    pub(crate) first_call: usize,
    /// Whether each piece says how likely it was.
    pub(crate) logprobs: bool,
}

impl Wire {
    fn chunk(&self, choices: &Value) -> Value {
        json!({
            "id": format!("chatcmpl-{}", self.id),
            "object": "chat.completion.chunk",
            "created": 0,
            "model": self.model,
            "system_fingerprint": FINGERPRINT,
            "choices": choices,
        })
    }

    /// What a call is named.
    fn call(&self, index: usize) -> String {
        format!("call_{}", self.first_call + index)
    }

    fn usage(&self, pieces: usize) -> Value {
        json!({
            "prompt_tokens": self.prompt_tokens,
            "completion_tokens": pieces,
            "total_tokens": self.prompt_tokens + pieces,
        })
    }

    /// An answer in one body.
    pub(crate) fn whole(&self, pieces: &[Piece]) -> Bytes {
        let all = |of: &Of| -> String {
            let pieces = pieces.iter().filter(|piece| piece.of == *of);
            pieces.map(|piece| piece.text.as_str()).collect()
        };
        let mut message = json!({ "role": "assistant", "content": all(&Of::Text) });
        if pieces.iter().any(|piece| piece.of == Of::Reasoning) {
            message["reasoning_content"] = all(&Of::Reasoning).into();
        }
        let begins = pieces.iter().filter_map(|piece| match &piece.of {
            Of::Call {
                index,
                name: Some(name),
            } => Some((*index, name)),
            _ => None,
        });
        let calls = begins.map(|(index, name)| {
            let call = json!({ "name": name, "arguments": all(&Of::Call { index, name: None }) });
            json!({ "id": self.call(index), "type": "function", "function": call })
        });
        let calls: Vec<_> = calls.collect();
        if !calls.is_empty() {
            if message["content"] == "" {
                message["content"] = Value::Null;
            }
            message["tool_calls"] = calls.into();
        }
        let answer = json!({
            "id": format!("chatcmpl-{}", self.id),
            "object": "chat.completion",
            "created": 0,
            "model": self.model,
            "system_fingerprint": FINGERPRINT,
            "choices": [{ "index": 0, "message": message, "finish_reason": self.finish }],
            "usage": self.usage(pieces.len()),
        });
        Bytes::from(answer.to_string())
    }
}

impl Format for Wire {
    fn piece(&self, piece: &Piece) -> Bytes {
        let delta = match &piece.of {
            Of::Text => json!({ "role": "assistant", "content": piece.text }),
            Of::Reasoning => json!({ "role": "assistant", "reasoning_content": piece.text }),
            Of::Call {
                index,
                name: Some(name),
            } => {
                let call = json!({ "name": name, "arguments": "" });
                let call = json!([{ "index": index, "id": self.call(*index), "type": "function", "function": call }]);
                json!({ "role": "assistant", "content": null, "tool_calls": call })
            }
            Of::Call { index, name: None } => {
                json!({ "tool_calls": [{ "index": index, "function": { "arguments": piece.text } }] })
            }
        };
        let mut choice = json!({ "index": 0, "delta": delta, "finish_reason": null });
        if self.logprobs {
            let token = json!({ "token": piece.text, "logprob": -0.5, "bytes": null, "top_logprobs": [] });
            choice["logprobs"] = json!({ "content": [token] });
        }
        sse(&self.chunk(&json!([choice])))
    }

    fn finish(&self, pieces: usize) -> Bytes {
        let mut end = sse(&self.chunk(&json!([{ "index": 0, "delta": {}, "finish_reason": self.finish }]))).to_vec();
        if self.usage {
            let mut chunk = self.chunk(&json!([]));
            chunk["usage"] = self.usage(pieces);
            end.extend_from_slice(&sse(&chunk));
        }
        end.extend_from_slice(b"data: [DONE]\n\n");
        Bytes::from(end)
    }
}

/// One event of a stream.
pub(crate) fn sse(value: &Value) -> Bytes {
    Bytes::from(format!("data: {value}\n\n"))
}

/// OpenAI's error body.
pub(crate) fn error_body(status: u16, message: &str) -> Value {
    let (kind, code) = match status {
        401 | 403 => ("invalid_request_error", Some("invalid_api_key")),
        404 => ("invalid_request_error", Some("model_not_found")),
        429 => ("requests", Some("rate_limit_exceeded")),
        500.. => ("server_error", None),
        _ => ("invalid_request_error", None),
    };
    json!({ "error": { "message": message, "type": kind, "param": null, "code": code } })
}

/// A vector for each text: its length in bytes, and its place among the others. `base64`: as clients ask for it that decode floats themselves.
pub(crate) fn embeddings(model: &str, texts: &[String], base64: bool) -> Bytes {
    let vector = |(at, text): (usize, &String)| {
        let vector = [text.len() as f32, at as f32];
        let embedding = if base64 {
            Value::from(STANDARD.encode(vector.map(f32::to_le_bytes).concat()))
        } else {
            json!(vector)
        };
        json!({ "object": "embedding", "index": at, "embedding": embedding })
    };
    let data: Vec<_> = texts.iter().enumerate().map(vector).collect();
    let tokens: usize = texts.iter().map(|text| text.split_whitespace().count()).sum();
    let usage = json!({ "prompt_tokens": tokens, "total_tokens": tokens });
    Bytes::from(json!({ "object": "list", "data": data, "model": model, "usage": usage }).to_string())
}
