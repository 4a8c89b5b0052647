//! The parts of an agent's answer, in the format that programs speak.

use bytes::Bytes;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::job::Job;
use crate::{
    agents::Part,
    clock::now_ms,
    jobs::{Overflow, Reader},
    wire::{Incomplete, Usage},
};

/// What ends a stream.
pub(super) const DONE: &[u8] = b"data: [DONE]\n\n";

/// Puts an answer together, or passes it on as it comes.
pub(super) struct Chunks<'a> {
    job: &'a Job,
    streams: bool,
    /// Whether a stream tells its usage.
    usage: bool,
    /// What every chunk says.
    head: Value,
    begun: bool,
    text: String,
    reasoning: String,
}

impl<'a> Chunks<'a> {
    pub(super) fn new(job: &'a Job, called: &str, streams: bool, usage: bool) -> Self {
        let head = json!({
            "id": format!("chatcmpl-{}", job.id().simple()),
            "created": now_ms() / 1000,
            "model": called,
        });
        Self {
            job,
            streams,
            usage,
            head,
            begun: false,
            text: String::new(),
            reasoning: String::new(),
        }
    }

    fn chunk(&self, choices: Value) -> Value {
        let mut chunk = self.head.clone();
        chunk["object"] = "chat.completion.chunk".into();
        chunk["choices"] = choices;
        chunk
    }

    fn say(&mut self, field: &str, piece: &str) -> Result<(), Overflow> {
        let mut delta = json!({ field: piece });
        if !std::mem::replace(&mut self.begun, true) {
            delta["role"] = "assistant".into();
        }
        let chunk = self.chunk(json!([{ "index": 0, "delta": delta, "finish_reason": null }]));
        if self.job.put(event(&chunk)) {
            Ok(())
        } else {
            Err(Overflow)
        }
    }

    /// The end of a stream, or the whole answer.
    pub(super) fn finish(&mut self, usage: Usage, incomplete: Option<Incomplete>) -> Bytes {
        let finish = match incomplete {
            None | Some(Incomplete::Other) => "stop",
            Some(Incomplete::Length) => "length",
            Some(Incomplete::Filter) => "content_filter",
        };
        let (input, output) = (usage.input.unwrap_or(0), usage.output.unwrap_or(0));
        let usage = json!({ "prompt_tokens": input, "completion_tokens": output, "total_tokens": input + output });
        if self.streams {
            let mut end = event(&self.chunk(json!([{ "index": 0, "delta": {}, "finish_reason": finish }]))).to_vec();
            if self.usage {
                let mut chunk = self.chunk(json!([]));
                chunk["usage"] = usage;
                end.extend_from_slice(&event(&chunk));
            }
            end.extend_from_slice(DONE);
            return Bytes::from(end);
        }
        let mut message = json!({ "role": "assistant", "content": std::mem::take(&mut self.text), "refusal": null });
        if !self.reasoning.is_empty() {
            message["reasoning_content"] = std::mem::take(&mut self.reasoning).into();
        }
        let mut whole = self.head.clone();
        whole["object"] = "chat.completion".into();
        whole["choices"] = json!([{ "index": 0, "message": message, "logprobs": null, "finish_reason": finish }]);
        whole["usage"] = usage;
        Bytes::from(whole.to_string())
    }
}

impl Reader for Chunks<'_> {
    fn take(&mut self, part: Part) -> Result<(), Overflow> {
        match part {
            Part::Text(piece) if self.streams => self.say("content", &piece),
            Part::Reasoning(piece) if self.streams => self.say("reasoning_content", &piece),
            Part::Text(piece) => {
                self.text.push_str(&piece);
                self.job.has_room(self.text.len())
            }
            Part::Reasoning(piece) => {
                self.reasoning.push_str(&piece);
                self.job.has_room(self.reasoning.len())
            }
            // No agent has been offered a tool, and nothing is left out.
            Part::ToolCall { .. } | Part::ToolResult { .. } | Part::Notice(_) => Ok(()),
        }
    }

    /// Each part is passed on as it comes.
    fn due(&self) -> Option<Instant> {
        None
    }

    fn pass_on(&mut self) {}
}

fn event(value: &Value) -> Bytes {
    Bytes::from(format!("data: {value}\n\n"))
}
