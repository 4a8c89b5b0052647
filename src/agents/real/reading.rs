//! Reading an answer from its bytes, wherever they come from.

use super::{
    Fault,
    formats::{self, Format, Heard},
    frames::Frames,
};
use crate::{agents::AgentError, settings::Provider, wire::Usage};

/// One answer, as its bytes come in. How they are cut makes no difference.
pub(super) struct Reading<'f> {
    format: &'f dyn Format,
    frames: Frames,
}

impl<'f> Reading<'f> {
    pub(super) fn new(format: &'f dyn Format) -> Self {
        Self {
            format,
            frames: Frames::new(format.framing()),
        }
    }

    /// Takes the next bytes in.
    pub(super) fn push(&mut self, bytes: &[u8], heard: &mut Heard) -> Result<(), Fault> {
        let format = self.format;
        self.frames.push(bytes, |frame| format.hear(frame, heard))
    }

    /// The bytes have ended, and the answer had not said that it was over.
    pub(super) fn end(&mut self, heard: &mut Heard) -> Fault {
        let format = self.format;
        let left_over = self.frames.finish(|frame| format.hear(frame, heard));
        // Half a frame cannot be read, but it is the end that is wrong then.
        let reported = left_over.err().filter(|fault| fault.error != AgentError::Garbage);
        reported.unwrap_or_else(|| early_end(&self.frames))
    }
}

impl dyn Format + '_ {
    /// Reads a frame, unless the answer is over: what is sent behind its end is none of it.
    fn hear(&self, frame: super::frames::Frame<'_>, heard: &mut Heard) -> Result<(), Fault> {
        if heard.over {
            return Ok(());
        }
        self.read(frame, heard)
    }
}

/// The fault of a response that has ended before the answer did.
fn early_end(frames: &Frames) -> Fault {
    if frames.count == 0 && frames.strange {
        return Fault::new(AgentError::Garbage, "its response is no stream of events");
    }
    Fault::new(AgentError::CutOff, "its response ended early")
}

/// What a recorded answer says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transcript {
    /// Its text.
    pub text: String,
    /// Tokens, as far as they were told.
    pub usage: Usage,
    /// Why it is not whole, if it is not.
    pub fault: Option<AgentError>,
}

/// Reads the body of an answer that was recorded, in the pieces in which it came, as the agent would that asked `provider`.
/// `None`: that provider is no server and sends nothing.
pub fn transcript<'b>(provider: Provider, pieces: impl IntoIterator<Item = &'b [u8]>) -> Option<Transcript> {
    let format = formats::of(provider)?;
    let mut reading = Reading::new(&*format);
    let mut heard = Heard::default();
    let ended = pieces.into_iter().find_map(|piece| {
        let outcome = reading.push(piece, &mut heard);
        heard.end(outcome, false)
    });
    let ended = ended.or_else(|| {
        let fault = reading.end(&mut heard);
        heard.end(Err(fault), true)
    });
    let fault = match ended {
        Some(Err(fault)) => Some(fault.error),
        _ if heard.text.is_empty() => Some(AgentError::Empty),
        _ => None,
    };
    Some(Transcript {
        text: heard.text,
        usage: heard.usage,
        fault,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(provider: Provider, body: &str) -> Transcript {
        let whole = transcript(provider, [body.as_bytes()]).expect("a server");
        for size in 1..body.len() {
            let pieces = transcript(provider, body.as_bytes().chunks(size));
            assert_eq!(pieces.as_ref(), Some(&whole), "in pieces of {size}");
        }
        whole
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
