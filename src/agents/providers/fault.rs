//! What can go wrong with a request, for the person, for the log, and for the decision to ask again.

use std::{error::Error as _, time::Duration};

use jiff::Timestamp;
use reqwest::{
    Response, StatusCode, Url,
    header::{HeaderMap, LOCATION},
};
use serde_json::Value;
use tokio::time::timeout;

use super::protocol::Protocol;
use crate::agents::AgentError;

/// One attempt's fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::agents) struct Fault {
    /// What the person is told.
    pub(in crate::agents) error: AgentError,
    /// For the operator's log; holds no key, and nothing of what the server said.
    pub(in crate::agents) detail: String,
    /// The body of the server's refusal, for a program whose own request it speaks of. It may hold the person's words, so it is never logged.
    pub(in crate::agents) said: Option<String>,
}

/// What was received cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Broken;

impl From<Broken> for Fault {
    fn from(_: Broken) -> Self {
        Self::new(AgentError::InvalidResponse, "what it sent cannot be read")
    }
}

/// Longest time that the body of a refusal is waited for, and the most that is read of it.
const BODY_WAIT: Duration = Duration::from_secs(5);
const BODY_BYTES: usize = 64 * 1024;
const BODY_SHOWN: usize = 300;

impl Fault {
    pub(in crate::agents) fn new(error: AgentError, detail: impl Into<String>) -> Self {
        Self {
            error,
            detail: detail.into(),
            said: None,
        }
    }

    /// There was no response.
    pub(super) fn of_request(error: reqwest::Error) -> Self {
        let kind = if error.is_connect() || error.is_timeout() {
            AgentError::Unreachable
        } else {
            AgentError::HungUp
        };
        Self::of_connection(kind, error)
    }

    /// The connection could not be made or broke off, which is the `kind` of fault.
    pub(super) fn of_connection(kind: AgentError, error: reqwest::Error) -> Self {
        // Its address may hold a password.
        let error = error.without_url();
        let mut detail = error.to_string();
        let mut source = error.source();
        while let Some(cause) = source {
            detail.push_str(": ");
            detail.push_str(&cause.to_string());
            source = cause.source();
        }
        Self::new(kind, detail)
    }

    /// The server reported a fault inside an answer that had begun well: by a status, by one of the provider's `types`, or in plain
    /// text.
    pub(super) fn reported(error: &Value, types: &[(&str, u16)]) -> Self {
        let code = error["code"].as_u64().or_else(|| error["code"].as_str()?.parse().ok());
        let status = code
            .and_then(|code| u16::try_from(code).ok())
            .filter(|status| (400..600).contains(status));
        let of_type = || {
            let name = error["type"].as_str()?;
            types
                .iter()
                .find(|(known, _)| *known == name)
                .map(|(_, status)| *status)
        };
        let status = status.or_else(of_type).unwrap_or(500);
        let words = ["code", "type", "message"].map(|field| error[field].as_str().unwrap_or_default());
        let words = words.join(" ").to_lowercase();
        let error = match status {
            429 => AgentError::RateLimited { retry_after: None },
            BUSY | OVERLOADED => AgentError::Overloaded {
                status,
                retry_after: None,
            },
            500.. => AgentError::ServerFault { status },
            _ if too_long(&words) => AgentError::TooLong,
            _ if no_tools(&words) => AgentError::ToolsUnsupported,
            _ => AgentError::Rejected { status },
        };
        Self::new(
            error,
            format!("it reported a fault inside its answer (status {status})"),
        )
    }

    /// The server refused. Reads the body, which may hold the person's own words and is therefore logged at debug only.
    pub(super) async fn of_refusal(response: Response, asked: &Asked<'_>) -> Self {
        let status = response.status();
        let retry_after = retry_after(response.headers(), Timestamp::now());
        let leads_to = elsewhere(response.url(), response.headers());
        let said = body(response).await.map(|body| match asked.key {
            Some(key) => body.replace(key, "(hidden)"),
            None => body,
        });
        if let Some(body) = &said {
            let shown: String = body.chars().take(BODY_SHOWN).collect();
            tracing::debug!(
                backend = asked.backend,
                status = status.as_u16(),
                body = shown,
                "the model server's refusal"
            );
        }
        let body = said.as_deref().unwrap_or_default().to_lowercase();
        let error = if status.is_redirection() {
            AgentError::Redirected {
                origin: asked.origin.to_owned(),
            }
        } else if asked.images && no_vision(&body) {
            AgentError::VisionUnsupported
        } else if asked.tools && no_tools(&body) {
            AgentError::ToolsUnsupported
        } else {
            let told = asked.protocol.refusal(status, &body);
            told.unwrap_or_else(|| of_status(status, retry_after, asked.model, &body))
        };
        if let (AgentError::Redirected { origin }, Some(to)) = (&error, leads_to) {
            // Outside the span of the session, whose records its browser may see: an address is for the operator.
            tracing::warn!(parent: None, to, origin, "the model server's address leads elsewhere");
        }
        Self {
            said,
            ..Self::new(error, format!("status {}", status.as_u16()))
        }
    }
}

/// 503.
const BUSY: u16 = StatusCode::SERVICE_UNAVAILABLE.as_u16();
/// What Anthropic's servers say in its place.
const OVERLOADED: u16 = 529;

/// What a refusal means by its status, and by words that all of them use.
fn of_status(status: StatusCode, retry_after: Option<Duration>, model: &str, body: &str) -> AgentError {
    match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => AgentError::Unauthorized,
        StatusCode::NOT_FOUND => AgentError::UnknownModel {
            model: model.to_owned(),
        },
        StatusCode::TOO_MANY_REQUESTS => AgentError::RateLimited { retry_after },
        _ if matches!(status.as_u16(), BUSY | OVERLOADED) => AgentError::Overloaded {
            status: status.as_u16(),
            retry_after,
        },
        _ if status.is_server_error() => AgentError::ServerFault {
            status: status.as_u16(),
        },
        _ if too_long(body) => AgentError::TooLong,
        _ => AgentError::Rejected {
            status: status.as_u16(),
        },
    }
}

/// What a refusal has to be judged by.
#[derive(Clone, Copy)]
pub(super) struct Asked<'a> {
    /// What the provider's words mean.
    pub(super) protocol: &'static dyn Protocol,
    /// Its name for the log.
    pub(super) backend: &'a str,
    /// The model, as people should see it.
    pub(super) model: &'a str,
    /// The key that no log may hold.
    pub(super) key: Option<&'a str>,
    /// Where the address is set.
    pub(super) origin: &'a str,
    /// Whether there were pictures in the history.
    pub(super) images: bool,
    /// Whether tools were offered, or used in it.
    pub(super) tools: bool,
}

/// Where a redirect leads. What may hold a secret, which is all but scheme, host and port, is left out.
fn elsewhere(from: &Url, headers: &HeaderMap) -> Option<String> {
    let to = from.join(headers.get(LOCATION)?.to_str().ok()?).ok()?;
    let origin = to.origin();
    let name = origin.is_tuple().then(|| origin.ascii_serialization())?;
    Some(if origin == from.origin() {
        format!("another path of {name}")
    } else {
        name
    })
}

async fn body(mut response: Response) -> Option<String> {
    let mut body = Vec::new();
    // What has come by then is enough.
    let _late = timeout(BODY_WAIT, async {
        while let Ok(Some(bytes)) = response.chunk().await {
            body.extend_from_slice(&bytes);
            if body.len() >= BODY_BYTES {
                break;
            }
        }
    })
    .await;
    body.truncate(BODY_BYTES);
    (!body.is_empty()).then(|| String::from_utf8_lossy(&body).into_owned())
}

/// Whether a refusal, in small letters, says that the model takes no pictures. There is no status or code for it:
/// each server has words of its own.
fn no_vision(body: &str) -> bool {
    let pictures = ["image", "vision", "multimodal", "multi-modal", "mmproj"];
    let unable = [
        "support",
        "not a multimodal",
        "not a multi-modal",
        "missing",
        "does not",
        "cannot",
        "at most 0",
    ];
    let too_much = ["exceed", "too large", "too many"];
    let says = |words: &[&str]| words.iter().any(|word| body.contains(word));
    says(&pictures) && says(&unable) && !says(&too_much)
}

/// Whether a refusal, in small letters, says that the model takes no tools, or that its server is not set up for them. There is no code for it
/// either, and several statuses.
fn no_tools(body: &str) -> bool {
    let plain = body.replace(['`', '\'', '"', '\\'], "");
    let tools = [
        "tools",
        "tool use",
        "tool calling",
        "tool calls",
        "function calling",
        "function calls",
        "functions",
    ];
    let unable = [
        "is not supported",
        "are not supported",
        "not supported",
        "is not enabled",
        "is unsupported",
    ];
    let phrases = [
        "support tool",
        "support function call",
        "unsupported param: tools",
        "unsupported parameter: tools",
        "tools param requires",
        "tool choice requires",
    ];
    phrases.iter().any(|phrase| plain.contains(phrase))
        || tools
            .iter()
            .any(|tools| unable.iter().any(|unable| plain.contains(&format!("{tools} {unable}"))))
}

/// Whether a refusal, in small letters, says that the question is more than the model can read. OpenAI's servers and llama.cpp have a code
/// for it, the others words.
fn too_long(body: &str) -> bool {
    let codes = ["context_length_exceeded", "exceed_context_size_error"];
    let words = [
        "maximum context length",
        "maximum model length",
        "available context size",
        "context window",
        "context length",
        "prompt is too long",
        "input is too long",
        "maximum number of tokens",
    ];
    codes.into_iter().chain(words).any(|word| body.contains(word))
}

/// `retry-after-ms`, or `Retry-After` in seconds or as a date (RFC 9110, section 10.2.3).
fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let text = |name: &str| headers.get(name)?.to_str().ok().map(str::trim);
    if let Some(ms) = text("retry-after-ms").and_then(|text| text.parse::<f64>().ok()) {
        return Duration::try_from_secs_f64(ms / 1000.0).ok();
    }
    let value = text("retry-after")?;
    if let Ok(seconds) = value.parse::<f64>() {
        return Duration::try_from_secs_f64(seconds).ok();
    }
    let date = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(value).ok()?;
    Some(Duration::try_from(date.duration_since(now)).unwrap_or(Duration::ZERO))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{super::openai, *};

    #[test]
    fn retry_after_is_read_in_every_form() {
        let now: Timestamp = "2026-01-02T03:04:05Z".parse().expect("a timestamp");
        let cases = [
            ("retry-after", "3", Some(3000)),
            ("retry-after", "1.5", Some(1500)),
            ("retry-after", "Fri, 02 Jan 2026 03:04:12 GMT", Some(7000)),
            ("retry-after", "Fri, 02 Jan 2026 03:04:00 GMT", Some(0)),
            ("retry-after", "soon", None),
            ("retry-after", "-1", None),
            ("retry-after-ms", "250", Some(250)),
        ];
        for (name, value, expected) in cases {
            let headers: HeaderMap = [(name.parse().expect("a name"), value.parse().expect("a value"))]
                .into_iter()
                .collect();
            assert_eq!(
                retry_after(&headers, now),
                expected.map(Duration::from_millis),
                "{value}"
            );
        }
        assert_eq!(retry_after(&HeaderMap::new(), now), None);
    }

    #[test]
    fn a_redirect_is_told_without_what_may_be_secret() {
        let from = Url::parse("https://user:pass@models.example/v1/chat/completions?key=1").expect("an address");
        for (location, expected) in [
            (
                "https://me:secret@other.example:8443/v1?token=secret",
                Some("https://other.example:8443"),
            ),
            ("http://models.example/v1", Some("http://models.example")),
            ("//other.example", Some("https://other.example")),
            ("/secret?token=secret", Some("another path of https://models.example")),
            ("data:text/plain,secret", None),
            ("https://", None),
        ] {
            let headers: HeaderMap = [(LOCATION, location.parse().expect("a value"))].into_iter().collect();
            assert_eq!(elsewhere(&from, &headers).as_deref(), expected, "{location}");
        }
        assert_eq!(elsewhere(&from, &HeaderMap::new()), None);
    }

    #[test]
    fn a_lack_of_vision_is_told_from_other_refusals() {
        for body in [
            "invalid content type. image_url is only supported by certain models.",
            "google/gemma-2-9b is not a multimodal model",
            "image input is not supported - hint: if this is unexpected, you may need to provide the mmproj",
            "this model is missing data required for image input",
            "no endpoints found that support image input",
        ] {
            assert!(no_vision(body), "{body}");
        }
        for body in [
            "image exceeds 5 mb maximum",
            "context length exceeded",
            "the server does not support this",
        ] {
            assert!(!no_vision(body), "{body}");
        }
    }

    #[test]
    fn a_lack_of_tools_is_told_from_other_refusals() {
        for body in [
            // Ollama, OpenRouter, vLLM, llama.cpp twice, OpenAI, Groq, Gemini twice, DeepSeek.
            r#"{"error":"registry.ollama.ai/library/gemma3:latest does not support tools"}"#,
            "no endpoints found that support tool use. to learn more about provider routing, visit: …",
            r#"{"message":"\"auto\" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set"}"#,
            "tools param requires --jinja flag",
            r#"{"code":500,"message":"unsupported param: tools","type":"server_error"}"#,
            "unsupported parameter: 'tools' is not supported with this model.",
            "`tool calling` is not supported with this model",
            "function calling is not enabled for models/gemma-3-27b-it",
            "tool use with function calling is unsupported",
            "deepseek-reasoner does not support function calling",
        ] {
            assert!(no_tools(body), "{body}");
        }
        for body in [
            "invalid schema for function 'add': schema must be a json schema of 'type: \"object\"'",
            "tools.0.custom.input_schema: json schema is invalid. it must match draft 2020-12",
            "messages.2: `tool_use` ids were found without `tool_result` blocks immediately after",
            "invalid 'tools': array too long. expected an array with maximum length 128",
            "this model's maximum context length is 4096 tokens",
        ] {
            assert!(!no_tools(body), "{body}");
        }
    }

    #[test]
    fn each_server_says_in_its_own_words_that_a_question_is_too_long() {
        for body in [
            // OpenAI, vLLM twice, llama.cpp, Anthropic, Gemini, Mistral.
            "\"code\": \"context_length_exceeded\"",
            "this model's maximum context length is 4096 tokens. however, you requested 5000 tokens",
            "the decoder prompt (length 5000) is longer than the maximum model length of 4096",
            "the request exceeds the available context size, try increasing it",
            "prompt is too long: 215000 tokens > 200000 maximum",
            "the input token count (1200000) exceeds the maximum number of tokens allowed (1048576)",
            "prompt contains 40000 tokens, too large for model with 32768 maximum context length",
        ] {
            assert!(too_long(body), "{body}");
        }
        for body in [
            "messages: text must not be empty",
            "max_tokens: 9000 > 8192",
            "image exceeds 5 mb maximum",
        ] {
            assert!(!too_long(body), "{body}");
        }
    }

    #[test]
    fn reported_faults_keep_their_kind() {
        let kind = |error: Value| Fault::reported(&error, &openai::FAULTS).error;
        assert_eq!(
            kind(json!({ "type": "overloaded_error" })),
            AgentError::Overloaded {
                status: 529,
                retry_after: None
            }
        );
        assert_eq!(
            kind(json!({ "code": 503, "status": "UNAVAILABLE" })),
            AgentError::Overloaded {
                status: 503,
                retry_after: None
            }
        );
        assert_eq!(kind(json!({ "code": "400" })), AgentError::Rejected { status: 400 });
        assert_eq!(
            kind(json!({ "code": "rate", "type": "requests" })),
            AgentError::RateLimited { retry_after: None }
        );
        assert_eq!(
            kind(json!({ "code": "context_length_exceeded", "type": "invalid_request_error" })),
            AgentError::TooLong
        );
        assert_eq!(kind(json!("out of memory")), AgentError::ServerFault { status: 500 });
    }
}
