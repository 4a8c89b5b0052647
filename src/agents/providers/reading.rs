//! Reading an answer from its bytes, wherever they come from.

use super::{
    Fault, StreamState,
    frames::{Frame, Frames},
    protocol::Protocol,
};
use crate::{
    agents::{AgentError, Part, ToolCall},
    settings::Provider,
    wire::{Incomplete, Usage},
};

/// One answer, as its bytes come in. How they are cut makes no difference.
pub(super) struct Reading {
    protocol: &'static dyn Protocol,
    frames: Frames,
}

impl Reading {
    pub(super) fn new(protocol: &'static dyn Protocol) -> Self {
        Self {
            protocol,
            frames: Frames::new(protocol.framing()),
        }
    }

    /// Takes the next bytes in.
    pub(super) fn push(&mut self, bytes: &[u8], state: &mut StreamState) -> Result<(), Fault> {
        let protocol = self.protocol;
        self.frames.push(bytes, |frame| read(protocol, frame, state))
    }

    /// The bytes have ended, and the answer had not said that it was over.
    pub(super) fn end(&mut self, state: &mut StreamState) -> Fault {
        let protocol = self.protocol;
        let left_over = self.frames.finish(|frame| read(protocol, frame, state));
        // Half a frame cannot be read, but it is the end that is wrong then.
        let reported = left_over
            .err()
            .filter(|fault| fault.error != AgentError::InvalidResponse);
        reported.unwrap_or_else(|| early_end(&self.frames))
    }
}

/// Reads a frame, unless the answer is over: what is sent behind its end is none of it.
fn read(protocol: &dyn Protocol, frame: Frame<'_>, state: &mut StreamState) -> Result<(), Fault> {
    if state.over {
        return Ok(());
    }
    protocol.read(frame, state)
}

/// The fault of a response that has ended before the answer did.
fn early_end(frames: &Frames) -> Fault {
    if frames.count == 0 && frames.strange {
        return Fault::new(AgentError::InvalidResponse, "its response is no stream of events");
    }
    Fault::new(AgentError::CutOff, "its response ended early")
}

/// What a recorded answer says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transcript {
    /// Its text.
    pub text: String,
    /// What the model has told of its thoughts.
    pub reasoning: String,
    /// The tools that it wants used.
    pub calls: Vec<ToolCall>,
    /// Tokens, as far as they were told.
    pub usage: Usage,
    /// Why it has ended, where that was not its own end.
    pub incomplete: Option<Incomplete>,
    /// Why it is no answer, or half of one, if it is not.
    pub fault: Option<AgentError>,
}

/// Reads the body of an answer that was recorded, in the pieces in which it came, as the agent would that asked `provider`.
/// `None`: that provider is no server and sends nothing.
pub fn transcript<'b>(provider: Provider, pieces: impl IntoIterator<Item = &'b [u8]>) -> Option<Transcript> {
    let mut reading = Reading::new(super::of(provider)?);
    let mut state = StreamState::default();
    let ended = pieces.into_iter().find_map(|piece| {
        let outcome = reading.push(piece, &mut state);
        state.end(outcome, false)
    });
    let ended = ended.or_else(|| {
        let fault = reading.end(&mut state);
        state.end(Err(fault), true)
    });
    let (mut text, mut reasoning, mut calls) = (String::new(), String::new(), Vec::new());
    for part in state.take_parts() {
        match part {
            Part::Text(piece) => text.push_str(&piece),
            Part::Reasoning(piece) => reasoning.push_str(&piece),
            Part::ToolCall(call) => calls.push(call),
            Part::ToolResult(_) | Part::Notice(_) => {}
        }
    }
    let fault = match ended {
        Some(Err(fault)) => Some(fault.error),
        _ if text.is_empty() && calls.is_empty() => Some(state.silence()),
        _ => None,
    };
    Some(Transcript {
        text,
        reasoning,
        calls,
        usage: state.usage,
        incomplete: state.incomplete,
        fault,
    })
}

#[cfg(test)]
mod calls;
#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// An answer of these deltas, each what stands between the quotes of its JSON, and of nothing else.
    fn answer(provider: Provider, deltas: &[Vec<u8>]) -> Vec<u8> {
        let (before, after, end) = match provider {
            Provider::Builtin => ("", "", ""),
            Provider::OpenAi => (
                "data: {\"choices\":[{\"delta\":{\"content\":\"",
                "\"}}]}\n\n",
                "data: [DONE]\n\n",
            ),
            Provider::Ollama => ("{\"message\":{\"content\":\"", "\"}}\n", "{\"done\":true}\n"),
            Provider::Anthropic => (
                "data: {\"type\":\"content_block_delta\",\"delta\":{\"type\":\"text_delta\",\"text\":\"",
                "\"}}\n\n",
                "data: {\"type\":\"message_stop\"}\n\n",
            ),
            Provider::Gemini => (
                "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"",
                "\"}]}}]}\n\n",
                "data: {\"candidates\":[{\"finishReason\":\"STOP\"}]}\n\n",
            ),
        };
        let mut body = Vec::new();
        for delta in deltas {
            body.extend([before.as_bytes(), delta, after.as_bytes()].concat());
        }
        body.extend_from_slice(end.as_bytes());
        body
    }

    fn heard(provider: Provider, deltas: &[Vec<u8>]) -> Option<Transcript> {
        transcript(provider, [&answer(provider, deltas)[..]])
    }

    /// Bytes as a JSON string may have them, whether or not they are text.
    fn quoted(bytes: &[u8]) -> Vec<u8> {
        let quoted = bytes.iter().flat_map(|&byte| match byte {
            0..0x20 | b'"' | b'\\' => format!("\\u{byte:04x}").into_bytes(),
            byte => vec![byte],
        });
        quoted.collect()
    }

    #[test]
    fn halves_that_find_no_other_and_bytes_that_are_no_text_are_replaced() {
        for provider in [
            Provider::OpenAi,
            Provider::Ollama,
            Provider::Anthropic,
            Provider::Gemini,
        ] {
            for (deltas, expected) in [
                (&["\\ud83d", "\\ude00"][..], "\u{1f600}"),
                (&["a\\ud83d", "", "\\ude00b"], "a\u{1f600}b"),
                (&["\\ud83d", "x"], "\u{fffd}x"),
                (&["\\ude00", "x"], "\u{fffd}x"),
                (&["x\\uD83D"], "x\u{fffd}"),
                (&["\\ud83d\\n"], "\u{fffd}\n"),
            ] {
                let deltas: Vec<_> = deltas.iter().map(|delta| delta.as_bytes().to_vec()).collect();
                let heard = heard(provider, &deltas).expect("a server");
                assert_eq!(
                    (heard.text.as_str(), heard.fault),
                    (expected, None),
                    "{provider:?} {deltas:x?}"
                );
            }
            let heard = heard(provider, &[b"a\xffb".to_vec(), b"\xc3".to_vec(), b"\xa9".to_vec()]).expect("a server");
            assert_eq!(
                (heard.text.as_str(), heard.fault),
                ("a\u{fffd}b\u{e9}", None),
                "{provider:?}"
            );
        }
    }

    #[test]
    fn bytes_that_are_no_text_harm_nothing_wherever_they_are() {
        let body = b"data: {\"\xff\":\"\xfe\",\"id\":\"\xff\",\"choices\":[{\"delta\":{\"content\":\"Hi\"},\"finish_reason\":\"\xff\"}]}\n\n";
        let heard = transcript(Provider::OpenAi, [&body[..]]).expect("a server");
        assert_eq!((heard.text.as_str(), heard.fault), ("Hi", None));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn an_answer_that_is_cut_anywhere_is_the_same(text in "\\PC{1,20}|[\u{1f600}-\u{1f64f}e\\\\\"\n]{1,20}", size in 1..6_usize) {
            let units: Vec<u16> = text.encode_utf16().collect();
            let by_unit: Vec<Vec<u8>> = units
                .chunks(size)
                .map(|units| units.iter().flat_map(|unit| format!("\\u{unit:04x}").into_bytes()).collect())
                .collect();
            let by_byte: Vec<Vec<u8>> = text.as_bytes().chunks(size).map(quoted).collect();
            for provider in [Provider::OpenAi, Provider::Ollama, Provider::Anthropic, Provider::Gemini] {
                for deltas in [&by_unit, &by_byte] {
                    let heard = heard(provider, deltas).expect("a server");
                    prop_assert_eq!((&heard.text, heard.fault), (&text, None));
                }
            }
        }
    }

    #[test]
    fn each_server_says_in_its_own_way_why_an_answer_is_not_whole() {
        let openai = |reason: &str| {
            format!("data: {{\"choices\":[{{\"delta\":{{\"content\":\"a\"}},\"finish_reason\":\"{reason}\"}}]}}\n\n")
        };
        let anthropic = |reason: &str| {
            let text =
                "data: {\"type\":\"content_block_delta\",\"delta\":{\"type\":\"text_delta\",\"text\":\"a\"}}\n\n";
            format!(
                "{text}data: {{\"type\":\"message_delta\",\"delta\":{{\"stop_reason\":\"{reason}\"}}}}\n\ndata: {{\"type\":\"message_stop\"}}\n\n"
            )
        };
        let gemini = |reason: &str| {
            format!(
                "data: {{\"candidates\":[{{\"content\":{{\"parts\":[{{\"text\":\"a\"}}]}},\"finishReason\":\"{reason}\"}}]}}\n\n"
            )
        };
        let ollama = |reason: &str| {
            format!("{{\"message\":{{\"content\":\"a\"}},\"done\":true,\"done_reason\":\"{reason}\"}}\n")
        };
        let (length, filter, other) = (
            Some(Incomplete::Length),
            Some(Incomplete::Filter),
            Some(Incomplete::Other),
        );
        for (provider, body, expected) in [
            (Provider::OpenAi, openai("stop"), None),
            (Provider::OpenAi, openai("eos"), None),
            (Provider::OpenAi, openai("length"), length),
            (Provider::OpenAi, openai("content_filter"), filter),
            (Provider::OpenAi, openai("abort"), other),
            (Provider::Ollama, ollama("stop"), None),
            (Provider::Ollama, ollama("length"), length),
            (Provider::Anthropic, anthropic("end_turn"), None),
            (Provider::Anthropic, anthropic("max_tokens"), length),
            (Provider::Anthropic, anthropic("model_context_window_exceeded"), length),
            (Provider::Anthropic, anthropic("refusal"), filter),
            (Provider::Gemini, gemini("STOP"), None),
            (Provider::Gemini, gemini("MAX_TOKENS"), length),
            (Provider::Gemini, gemini("SAFETY"), filter),
            (Provider::Gemini, gemini("RECITATION"), filter),
            (Provider::Gemini, gemini("PROHIBITED_CONTENT"), filter),
            (Provider::Gemini, gemini("OTHER"), other),
        ] {
            let heard = said(provider, &body);
            assert_eq!(
                (heard.text.as_str(), heard.incomplete, heard.fault),
                ("a", expected, None),
                "{body}"
            );
            let silent = said(provider, &body.replace("\"a\"", "\"\""));
            assert_eq!(silent.fault, Some(AgentError::of_silence(expected)), "{body}");
        }
    }

    pub(super) fn said(provider: Provider, body: &str) -> Transcript {
        let whole = transcript(provider, [body.as_bytes()]).expect("a server");
        for size in 1..body.len() {
            let pieces = transcript(provider, body.as_bytes().chunks(size));
            assert_eq!(pieces.as_ref(), Some(&whole), "in pieces of {size}");
        }
        whole
    }

    #[test]
    fn thoughts_are_put_together_like_text_and_apart_from_it() {
        for (provider, before, after) in [
            (
                Provider::OpenAi,
                "data: {\"choices\":[{\"delta\":{\"reasoning_content\":\"",
                "\"}}]}\n\n",
            ),
            (
                Provider::OpenAi,
                "data: {\"choices\":[{\"delta\":{\"reasoning\":\"",
                "\"}}]}\n\n",
            ),
            (Provider::Ollama, "{\"message\":{\"thinking\":\"", "\"}}\n"),
            (
                Provider::Anthropic,
                "data: {\"type\":\"content_block_delta\",\"delta\":{\"type\":\"thinking_delta\",\"thinking\":\"",
                "\"}}\n\n",
            ),
            (
                Provider::Gemini,
                "data: {\"candidates\":[{\"content\":{\"parts\":[{\"thought\":true,\"text\":\"",
                "\"}]}}]}\n\n",
            ),
        ] {
            for (thoughts, expected) in [
                (&["\\ud83d", "", "\\ude00"][..], "\u{1f600}"),
                (&["a", "b\\ud83d"], "ab\u{fffd}"),
            ] {
                let thoughts: String = thoughts.iter().map(|piece| format!("{before}{piece}{after}")).collect();
                let text =
                    String::from_utf8(answer(provider, &[b"\\ud83d".to_vec(), b"\\ude00!".to_vec()])).expect("text");
                let heard = said(provider, &format!("{thoughts}{text}"));
                assert_eq!(
                    (&*heard.reasoning, &*heard.text, heard.fault),
                    (expected, "\u{1f600}!", None),
                    "{before}"
                );
            }
            let broken = [
                before.as_bytes(),
                b"a\xc3",
                after.as_bytes(),
                before.as_bytes(),
                b"\xa9\xff",
                after.as_bytes(),
            ];
            let body = [broken.concat(), answer(provider, &[b"Hi".to_vec()])].concat();
            let heard = transcript(provider, [&body[..]]).expect("a server");
            assert_eq!((&*heard.reasoning, &*heard.text), ("a\u{e9}\u{fffd}", "Hi"), "{before}");
        }
    }

    #[test]
    fn thoughts_that_come_as_text_are_told_apart_in_every_format() {
        for provider in [
            Provider::OpenAi,
            Provider::Ollama,
            Provider::Anthropic,
            Provider::Gemini,
        ] {
            let deltas = ["<th", "ink>hm</think", ">\\n", "Hi"].map(|delta| delta.as_bytes().to_vec());
            let body = String::from_utf8(answer(provider, &deltas)).expect("text");
            let heard = said(provider, &body);
            assert_eq!(
                (&*heard.reasoning, &*heard.text, heard.fault),
                ("hm", "Hi", None),
                "{provider:?}"
            );
        }
    }

    #[test]
    fn what_is_sent_behind_the_end_is_none_of_the_answer() {
        let text = |text: &str| format!("data: {{\"choices\":[{{\"delta\":{{\"content\":\"{text}\"}}}}]}}\n\n");
        let body = format!("{}data: [DONE]\n\n{}", text("Hi"), text("!"));
        let heard = said(Provider::OpenAi, &body);
        assert_eq!((heard.text.as_str(), heard.fault), ("Hi", None));
    }

    #[test]
    fn counts_beyond_all_sense_are_no_fault() {
        let most = u64::MAX;
        let gemini = format!(
            "data: {{\"candidates\":[{{\"content\":{{\"parts\":[{{\"text\":\"Hi\"}}]}},\"finishReason\":\"STOP\"}}],\
             \"usageMetadata\":{{\"candidatesTokenCount\":{most},\"thoughtsTokenCount\":{most}}}}}\n\n"
        );
        assert_eq!(said(Provider::Gemini, &gemini).usage.output, Some(most));
        let anthropic = format!(
            "data: {{\"type\":\"message_start\",\"message\":{{\"usage\":{{\"input_tokens\":{most},\
             \"cache_creation_input_tokens\":{most},\"cache_read_input_tokens\":1}}}}}}\n\n"
        );
        assert_eq!(said(Provider::Anthropic, &anthropic).usage.input, Some(most));
    }
}
