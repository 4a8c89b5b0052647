//! OpenAI's wire format.

use bytes::Bytes;
use serde_json::{Value, json};

use crate::{reply::Piece, script::Format};

/// The format of one answer.
pub(crate) struct Wire {
    pub(crate) id: u64,
    pub(crate) model: String,
    pub(crate) prompt_tokens: usize,
    /// Whether a stream tells its usage.
    pub(crate) usage: bool,
    /// The reason that the answer is said to have ended for.
    pub(crate) finish: String,
}

impl Wire {
    fn chunk(&self, choices: &Value) -> Value {
        json!({
            "id": format!("chatcmpl-{}", self.id),
            "object": "chat.completion.chunk",
            "created": 0,
            "model": self.model,
            "choices": choices,
        })
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
        let all = |reasoning: bool| -> String {
            let pieces = pieces.iter().filter(|piece| piece.reasoning == reasoning);
            pieces.map(|piece| piece.text.as_str()).collect()
        };
        let mut message = json!({ "role": "assistant", "content": all(false) });
        if pieces.iter().any(|piece| piece.reasoning) {
            message["reasoning_content"] = all(true).into();
        }
        let answer = json!({
            "id": format!("chatcmpl-{}", self.id),
            "object": "chat.completion",
            "created": 0,
            "model": self.model,
            "choices": [{ "index": 0, "message": message, "finish_reason": self.finish }],
            "usage": self.usage(pieces.len()),
        });
        Bytes::from(answer.to_string())
    }
}

impl Format for Wire {
    fn piece(&self, piece: &Piece) -> Bytes {
        let name = if piece.reasoning {
            "reasoning_content"
        } else {
            "content"
        };
        let delta = json!({ "role": "assistant", name: piece.text });
        sse(&self.chunk(&json!([{ "index": 0, "delta": delta, "finish_reason": null }])))
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
