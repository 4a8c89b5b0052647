//! Anthropic's messages API.

use std::collections::BTreeSet;

use reqwest::header::HeaderName;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    Broken, Fault, StreamState,
    calls::Piece,
    endpoint::Address,
    frames::{Frame, Framing},
    list::{Listed, read_list},
    protocol::{Call, Protocol, arguments, base64, caption, found, parse, put, schema, temperature},
    text::Delta,
};
use crate::{
    agents::{Image, Message, ToolCall, ToolResult, ToolSpec},
    wire::{Incomplete, Role},
};

#[derive(Debug)]
pub(super) struct Anthropic;

/// Faults that it reports inside an answer, with the status that each amounts to.
const FAULTS: [(&str, u16); 3] = [
    ("rate_limit_error", 429),
    ("overloaded_error", 529),
    ("invalid_request_error", 400),
];

#[derive(Debug, Deserialize)]
struct List {
    data: Vec<Model>,
}

#[derive(Debug, Deserialize)]
struct Model {
    id: String,
    display_name: Option<String>,
    max_input_tokens: Option<u64>,
}

/// Serde would read the text of an enum that is tagged inside as UTF-8 only, so the tag is read by itself.
#[derive(Debug, Deserialize)]
struct Tagged<T> {
    r#type: T,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Event {
    MessageStart,
    ContentBlockStart,
    ContentBlockDelta,
    MessageDelta,
    MessageStop,
    Error,
    /// Pings, the end of a block, and what is added one day.
    #[serde(other)]
    Other,
}

#[derive(Debug, Deserialize)]
struct MessageStart {
    message: Started,
}

#[derive(Debug, Deserialize)]
struct Started {
    usage: Option<Tokens>,
}

#[derive(Debug, Deserialize)]
struct BlockStart<T> {
    content_block: T,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum BlockKind {
    ToolUse,
    #[serde(other)]
    Other,
}

#[derive(Debug, Deserialize)]
struct ToolUse {
    id: Option<String>,
    name: String,
    /// Empty, where it comes in pieces.
    input: Option<Value>,
}

#[derive(Debug, Deserialize)]
struct BlockDelta<T> {
    delta: T,
}

/// Which block it is of.
#[derive(Debug, Deserialize)]
struct Placed {
    index: Option<u64>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum DeltaKind {
    TextDelta,
    ThinkingDelta,
    InputJsonDelta,
    #[serde(other)]
    Other,
}

#[derive(Debug, Deserialize)]
struct TextDelta {
    text: Delta,
}

#[derive(Debug, Deserialize)]
struct ThinkingDelta {
    thinking: Delta,
}

#[derive(Debug, Deserialize)]
struct InputJsonDelta {
    partial_json: Delta,
}

#[derive(Debug, Deserialize)]
struct MessageDelta {
    delta: Stop,
    usage: Option<Tokens>,
}

#[derive(Debug, Deserialize)]
struct Stop {
    stop_reason: Option<String>,
}

#[derive(Debug, Deserialize)]
struct ErrorEvent {
    error: Value,
}

#[derive(Debug, Deserialize)]
struct Tokens {
    input_tokens: Option<u64>,
    cache_creation_input_tokens: Option<u64>,
    cache_read_input_tokens: Option<u64>,
    output_tokens: Option<u64>,
}

impl Protocol for Anthropic {
    fn service(&self) -> &'static str {
        "https://api.anthropic.com"
    }

    fn locate(&self, address: &mut Address, _model: &str) {
        address.version("v1");
        address.append(["messages"]);
    }

    fn headers(&self) -> &'static [(&'static str, &'static str)] {
        &[("anthropic-version", "2023-06-01")]
    }

    fn key_header(&self, key: &str) -> (HeaderName, String) {
        (HeaderName::from_static("x-api-key"), key.to_owned())
    }

    fn locate_list(&self, address: &mut Address) {
        address.version("v1");
        address.append(["models"]);
        address.query("limit", "1000");
    }

    fn read_list(&self, list: &[u8]) -> Result<Vec<Listed>, Broken> {
        let List { data } = read_list(list)?;
        let listed = data.into_iter().map(|model| Listed {
            title: model.display_name,
            context: model.max_input_tokens,
            ..Listed::new(model.id)
        });
        Ok(listed.collect())
    }

    fn body(&self, call: &Call, history: &[Message]) -> Value {
        let mut body = json!({
            "model": call.model,
            "max_tokens": call.parameters.max_tokens.unwrap_or_else(|| max_tokens(&call.model)),
            "messages": history.iter().map(message).collect::<Vec<_>>(),
            "stream": true,
        });
        put(&mut body, "system", call.parameters.system.clone());
        // Its scale ends at 1, where the others' goes on to 2.
        put(
            &mut body,
            "temperature",
            temperature(&call.parameters).map(|value| value.min(1.0)),
        );
        offer(call, history, &mut body);
        body
    }

    fn framing(&self) -> Framing {
        Framing::Events
    }

    fn read(&self, frame: Frame<'_>, state: &mut StreamState) -> Result<(), Fault> {
        match parse::<Tagged<Event>>(frame)?.r#type {
            Event::MessageStart => count(parse::<MessageStart>(frame)?.message.usage, state),
            Event::ContentBlockStart => {
                if let BlockKind::ToolUse = parse::<BlockStart<Tagged<BlockKind>>>(frame)?.content_block.r#type {
                    begin(frame, state)?;
                }
            }
            Event::ContentBlockDelta => match parse::<BlockDelta<Tagged<DeltaKind>>>(frame)?.delta.r#type {
                DeltaKind::TextDelta => state.say(&parse::<BlockDelta<TextDelta>>(frame)?.delta.text),
                DeltaKind::ThinkingDelta => state.think(&parse::<BlockDelta<ThinkingDelta>>(frame)?.delta.thinking),
                DeltaKind::InputJsonDelta => {
                    let arguments = parse::<BlockDelta<InputJsonDelta>>(frame)?.delta.partial_json;
                    state.calls.add(Piece {
                        place: parse::<Placed>(frame)?.index,
                        arguments: &arguments.0,
                        ..Piece::default()
                    })?;
                }
                DeltaKind::Other => {}
            },
            Event::MessageDelta => {
                let MessageDelta { delta, usage } = parse(frame)?;
                if let Some(reason) = delta.stop_reason {
                    state.finish(incomplete(&reason));
                }
                count(usage, state);
            }
            Event::MessageStop => {
                state.finished = true;
                state.over = true;
            }
            Event::Error => return Err(Fault::reported(&parse::<ErrorEvent>(frame)?.error, &FAULTS)),
            Event::Other => {}
        }
        Ok(())
    }
}

/// Offers the tools. Where there are none any more, those that were used are named all the same, which the API insists on, and are not to be used.
fn offer(call: &Call, history: &[Message], body: &mut Value) {
    let tool =
        |tool: &ToolSpec| json!({ "name": tool.name, "description": tool.description, "input_schema": schema(tool) });
    let mut tools: Vec<Value> = call.tools.iter().map(tool).collect();
    if tools.is_empty() {
        let used = history.iter().flat_map(|message| &message.calls);
        let names: BTreeSet<&str> = used.map(|call| call.name.as_str()).collect();
        let bare = |name: &str| json!({ "name": name, "input_schema": { "type": "object" } });
        tools.extend(names.into_iter().map(bare));
        if !tools.is_empty() {
            body["tool_choice"] = json!({ "type": "none" });
        }
    }
    if !tools.is_empty() {
        body["tools"] = tools.into();
    }
}

/// A call begins. Some servers that speak the format have all of its input here.
fn begin(frame: Frame<'_>, state: &mut StreamState) -> Result<(), Fault> {
    let ToolUse { id, name, input } = parse::<BlockStart<ToolUse>>(frame)?.content_block;
    let piece = Piece {
        place: parse::<Placed>(frame)?.index,
        id: &id.unwrap_or_default(),
        name: &name,
        ..Piece::default()
    };
    let whole = input.filter(|input| input.as_object().is_some_and(|fields| !fields.is_empty()));
    state.calls.begin(piece, whole.map(|input| input.to_string()))
}

fn incomplete(reason: &str) -> Option<Incomplete> {
    match reason {
        "max_tokens" | "model_context_window_exceeded" => Some(Incomplete::Length),
        "refusal" => Some(Incomplete::Filter),
        _ => None,
    }
}

/// The counts come in parts, and later ones replace earlier ones.
fn count(tokens: Option<Tokens>, state: &mut StreamState) {
    let Some(tokens) = tokens else { return };
    if let Some(input) = tokens.input_tokens {
        let cached = [tokens.cache_creation_input_tokens, tokens.cache_read_input_tokens];
        state.usage.input = Some(cached.into_iter().flatten().fold(input, u64::saturating_add));
    }
    state.usage.output = tokens.output_tokens.or(state.usage.output);
}

/// The API wants a bound and refuses one above the model's own: 4,096 for the first models of Claude 3 and those
/// before; every later one takes this much.
fn max_tokens(model: &str) -> u32 {
    const SHORT: [&str; 5] = [
        "claude-3-opus",
        "claude-3-sonnet",
        "claude-3-haiku",
        "claude-2",
        "claude-instant",
    ];
    if SHORT.iter().any(|name| model.contains(name)) {
        4096
    } else {
        8192
    }
}

fn message(message: &Message) -> Value {
    let role = match message.role {
        Role::User => "user",
        Role::Agent => "assistant",
    };
    // Results have to be first.
    let mut blocks: Vec<Value> = message.results.iter().map(result).collect();
    for image in &message.images {
        blocks.extend(caption(message, image).map(|text| json!({ "type": "text", "text": text })));
        blocks.push(picture(image));
    }
    // A block of blank text is refused.
    if !message.text.trim().is_empty() {
        blocks.push(json!({ "type": "text", "text": message.text }));
    }
    blocks.extend(message.calls.iter().map(called));
    json!({ "role": role, "content": blocks })
}

fn picture(image: &Image) -> Value {
    let source = json!({ "type": "base64", "media_type": image.mime, "data": base64(image) });
    json!({ "type": "image", "source": source })
}

fn called(call: &ToolCall) -> Value {
    json!({ "type": "tool_use", "id": id(&call.id), "name": call.name, "input": arguments(call) })
}

fn result(result: &ToolResult) -> Value {
    let mut blocks = Vec::new();
    if !result.content.trim().is_empty() {
        blocks.push(json!({ "type": "text", "text": result.content }));
    }
    for image in &result.images {
        blocks.push(json!({ "type": "text", "text": found(result, image) }));
        blocks.push(picture(image));
    }
    let mut told = json!({ "type": "tool_result", "tool_use_id": id(&result.id) });
    if !blocks.is_empty() {
        told["content"] = blocks.into();
    }
    if result.failed {
        told["is_error"] = true.into();
    }
    told
}

/// An id, which other models may have given: the API takes fewer characters than they do.
fn id(id: &str) -> String {
    let fit = |c: char| {
        if c.is_ascii_alphanumeric() || matches!(c, '_' | '-') {
            c
        } else {
            '_'
        }
    };
    id.chars().map(fit).collect()
}
