//! Google's Gemini API, `streamGenerateContent`.

use reqwest::{StatusCode, header::HeaderName};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    Broken, Fault, StreamState,
    calls::{Piece, is_made},
    endpoint::Address,
    frames::{Frame, Framing},
    list::{Listed, read_list},
    protocol::{Call, Protocol, arguments, base64, caption, found, is_object, parse, put, schema, temperature},
    text::Delta,
};
use crate::{
    agents::{AgentError, Message, ToolResult},
    wire::{Incomplete, Role, Usage},
};

#[derive(Debug)]
pub(super) struct Gemini;

#[derive(Debug, Deserialize)]
struct List {
    models: Vec<Model>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Model {
    name: String,
    display_name: Option<String>,
    input_token_limit: Option<u64>,
    supported_generation_methods: Option<Vec<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Chunk {
    #[serde(default)]
    candidates: Vec<Candidate>,
    prompt_feedback: Option<PromptFeedback>,
    usage_metadata: Option<Tokens>,
    error: Option<Value>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Candidate {
    #[serde(default)]
    content: Content,
    finish_reason: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
struct Content {
    #[serde(default)]
    parts: Vec<Part>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Part {
    #[serde(default)]
    text: Delta,
    /// The model's thoughts are not its answer.
    #[serde(default)]
    thought: bool,
    function_call: Option<FunctionCall>,
    /// The thoughts that have led to a call, which nobody but Google's servers can read, and which some of their models insist on having back.
    thought_signature: Option<String>,
}

#[derive(Debug, Deserialize)]
struct FunctionCall {
    /// Only later models have one.
    id: Option<String>,
    name: String,
    args: Option<Value>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct PromptFeedback {
    block_reason: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Tokens {
    prompt_token_count: Option<u64>,
    candidates_token_count: Option<u64>,
    thoughts_token_count: Option<u64>,
}

impl Protocol for Gemini {
    fn service(&self) -> &'static str {
        "https://generativelanguage.googleapis.com"
    }

    fn locate(&self, address: &mut Address, model: &str) {
        address.version("v1beta");
        // A tuned model brings its own folder.
        if !model.contains('/') {
            address.append(["models"]);
        }
        address.append(format!("{model}:streamGenerateContent").split('/'));
        address.query("alt", "sse");
    }

    fn key_header(&self, key: &str) -> (HeaderName, String) {
        (HeaderName::from_static("x-goog-api-key"), key.to_owned())
    }

    fn locate_list(&self, address: &mut Address) {
        address.version("v1beta");
        address.append(["models"]);
        address.query("pageSize", "1000");
    }

    fn read_list(&self, list: &[u8]) -> Result<Vec<Listed>, Broken> {
        let List { models } = read_list(list)?;
        let chats = |model: &Model| {
            let methods = model.supported_generation_methods.as_ref();
            methods.is_none_or(|methods| methods.iter().any(|method| method == "generateContent"))
        };
        let listed = models.into_iter().filter(chats).map(|model| Listed {
            title: model.display_name,
            context: model.input_token_limit,
            ..Listed::new(model.name.trim_start_matches("models/").to_owned())
        });
        Ok(listed.collect())
    }

    /// The model is named by the address.
    fn body(&self, call: &Call, history: &[Message]) -> Value {
        let mut body =
            json!({ "contents": history.iter().map(|message| content(&call.model, message)).collect::<Vec<_>>() });
        if let Some(text) = &call.parameters.system {
            body["systemInstruction"] = json!({ "parts": [{ "text": text }] });
        }
        let mut config = json!({});
        put(&mut config, "temperature", temperature(&call.parameters));
        put(&mut config, "maxOutputTokens", call.parameters.max_tokens);
        if tells_thoughts(&call.model) {
            config["thinkingConfig"] = json!({ "includeThoughts": true });
        }
        if config != json!({}) {
            body["generationConfig"] = config;
        }
        if !call.tools.is_empty() {
            // `parameters` takes a part of OpenAPI's schemas and refuses all else, this one takes any JSON Schema.
            let declared = call.tools.iter().map(|tool| {
                json!({ "name": tool.name, "description": tool.description, "parametersJsonSchema": schema(tool) })
            });
            body["tools"] = json!([{ "functionDeclarations": declared.collect::<Vec<_>>() }]);
        }
        body
    }

    fn framing(&self) -> Framing {
        Framing::Events
    }

    fn read(&self, frame: Frame<'_>, state: &mut StreamState) -> Result<(), Fault> {
        let chunk: Chunk = parse(frame)?;
        if let Some(error) = chunk.error {
            return Err(Fault::reported(&error, &[]));
        }
        for candidate in chunk.candidates {
            for part in candidate.content.parts {
                if part.thought {
                    state.think(&part.text);
                } else {
                    state.say(&part.text);
                }
                if let Some(FunctionCall { id, name, args }) = part.function_call {
                    let piece = Piece {
                        id: &id.unwrap_or_default(),
                        name: &name,
                        opaque: part.thought_signature,
                        ..Piece::default()
                    };
                    let args = args.filter(|args| !args.is_null());
                    state.calls.begin(piece, args.map(|args| args.to_string()))?;
                }
            }
            if let Some(reason) = candidate.finish_reason {
                state.finish(incomplete(&reason));
            }
        }
        // A question that it will not answer gets no candidate at all.
        if chunk
            .prompt_feedback
            .is_some_and(|feedback| feedback.block_reason.is_some())
        {
            state.finish(Some(Incomplete::Filter));
        }
        if let Some(tokens) = chunk.usage_metadata {
            let thoughts = tokens.thoughts_token_count.unwrap_or(0);
            let output = tokens
                .candidates_token_count
                .map(|count| count.saturating_add(thoughts));
            state.usage = Usage {
                input: tokens.prompt_token_count,
                output,
            };
        }
        Ok(())
    }

    fn refusal(&self, status: StatusCode, body: &str) -> Option<AgentError> {
        bad_key(status, body)
    }
}

/// A bad key is a bad request to Google's servers, which say so in words.
pub(super) fn bad_key(status: StatusCode, body: &str) -> Option<AgentError> {
    (status == StatusCode::BAD_REQUEST && body.contains("api_key_invalid")).then_some(AgentError::Unauthorized)
}

/// Whether a model tells what it thinks where it is asked to. Those that do not think refuse to be asked.
fn tells_thoughts(model: &str) -> bool {
    let name = model.trim_start_matches("models/");
    let thinks = ["gemini-2.5-", "gemini-3"]
        .iter()
        .any(|family| name.starts_with(family));
    thinks && !["image", "tts", "audio", "live"].iter().any(|kind| name.contains(kind))
}

fn incomplete(reason: &str) -> Option<Incomplete> {
    match reason {
        "STOP" | "FINISH_REASON_UNSPECIFIED" => None,
        "MAX_TOKENS" => Some(Incomplete::Length),
        "SAFETY" | "RECITATION" | "LANGUAGE" | "BLOCKLIST" | "PROHIBITED_CONTENT" | "SPII" => Some(Incomplete::Filter),
        // The kinds of pictures, tools that nobody gave it, and what is added one day.
        _ => Some(Incomplete::Other),
    }
}

/// What stands for the thoughts of a call that another model has made: those that insist on them take this, as their documentation says.
const NO_THOUGHTS: &str = "skip_thought_signature_validator";

fn content(model: &str, message: &Message) -> Value {
    let role = match message.role {
        Role::User => "user",
        Role::Agent => "model",
    };
    let mut parts: Vec<Value> = message.results.iter().map(response).collect();
    for result in &message.results {
        for image in &result.images {
            parts.push(json!({ "text": found(result, image) }));
            parts.push(json!({ "inlineData": { "mimeType": image.mime, "data": base64(image) } }));
        }
    }
    if !message.text.is_empty() {
        parts.push(json!({ "text": message.text }));
    }
    for image in &message.images {
        parts.extend(caption(message, image).map(|text| json!({ "text": text })));
        parts.push(json!({ "inlineData": { "mimeType": image.mime, "data": base64(image) } }));
    }
    for (at, call) in message.calls.iter().enumerate() {
        let mut function = json!({ "name": call.name, "args": arguments(call) });
        put(&mut function, "id", known(&call.id));
        let mut part = json!({ "functionCall": function });
        // An object is what another format keeps there.
        let own = call.opaque.as_deref().filter(|opaque| !is_object(opaque));
        let insists = at == 0 && model.contains("gemini-3");
        put(&mut part, "thoughtSignature", own.or(insists.then_some(NO_THOUGHTS)));
        parts.push(part);
    }
    json!({ "role": role, "parts": parts })
}

fn response(result: &ToolResult) -> Value {
    let field = if result.failed { "error" } else { "output" };
    let mut response = json!({ "name": result.name, "response": { field: result.content } });
    put(&mut response, "id", known(&result.id));
    json!({ "functionResponse": response })
}

/// An id, unless it was made here: models that give none do not ask for one.
fn known(id: &str) -> Option<&str> {
    (!is_made(id)).then_some(id)
}
