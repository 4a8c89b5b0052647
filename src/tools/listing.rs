//! The tools of a server, as models are told of them.

use std::collections::HashMap;

use rmcp::model::{Tool, ToolAnnotations};
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};
use tracing::warn;

use super::names;
use crate::{
    agents::ToolSpec,
    settings::{Leave, ToolServer},
};

/// Most tools of one server: each is read by the model with every question.
pub(super) const MOST: usize = 256;
/// Most characters of a description.
const LONGEST_DESCRIPTION: usize = 8_000;
/// Most bytes of the schema of a tool's arguments.
const LONGEST_SCHEMA: usize = 64 << 10;
/// Most characters of a title.
const LONGEST_TITLE: usize = 100;

/// A tool that a model may be told of.
#[derive(Clone, Debug, PartialEq)]
pub struct Offered {
    /// For the model.
    pub spec: ToolSpec,
    /// Its server's name.
    pub server: String,
    /// What its server calls it.
    pub tool: String,
    /// What people may call it, in the words of its server.
    pub title: Option<String>,
    /// Whether it may be called: as the operator says, or else what follows from what its server says of it.
    pub leave: Leave,
    /// Of its name, its description, its arguments and what else its server says of it, in hexadecimal digits: a tool that has changed has another one.
    pub fingerprint: String,
    /// Whether doing the same twice is as good as once, as its server says: it changes nothing, or nothing more.
    pub repeatable: bool,
}

/// All that a server has.
#[derive(Debug, Default)]
pub(super) struct Listing {
    pub(super) tools: Vec<Offered>,
    places: HashMap<String, usize>,
}

impl Listing {
    /// Of what the server says, without what no model could use, and what nobody may call.
    pub(super) fn new(server: &ToolServer, tools: Vec<Tool>) -> Self {
        let mut listing = Self::default();
        for tool in tools {
            if server.only.as_ref().is_some_and(|only| !only.contains(&*tool.name)) {
                continue;
            }
            let name = tool.name.to_string();
            match offered(server, tool) {
                Ok(tool) if tool.leave == Leave::Deny => {}
                Ok(tool) if listing.places.contains_key(&tool.spec.name) => {
                    warn!(
                        server = server.name,
                        tool = name,
                        "this tool is there twice: the second is left out"
                    );
                }
                Ok(_) if listing.tools.len() == MOST => {
                    warn!(
                        server = server.name,
                        most = MOST,
                        "the server has more tools: the rest is left out"
                    );
                    break;
                }
                Ok(tool) => {
                    listing.places.insert(tool.spec.name.clone(), listing.tools.len());
                    listing.tools.push(tool);
                }
                Err(why) => warn!(server = server.name, tool = name, "this tool is left out: {why}"),
            }
        }
        if let Some(only) = &server.only {
            let missing = only
                .iter()
                .filter(|name| !listing.tools.iter().any(|tool| tool.tool == **name));
            let missing: Vec<_> = missing
                .filter(|name| server.leave.of(name) != Some(Leave::Deny))
                .collect();
            if !missing.is_empty() {
                warn!(
                    server = server.name,
                    ?missing,
                    "the server has no such tools, which MCP_FILE names"
                );
            }
        }
        listing
    }

    /// The one that a model calls so.
    pub(super) fn find(&self, name: &str) -> Option<&Offered> {
        self.tools.get(*self.places.get(name)?)
    }
}

fn offered(server: &ToolServer, tool: Tool) -> Result<Offered, &'static str> {
    let fingerprint = fingerprint(&tool);
    let name = tool.name.into_owned();
    if name.is_empty() || name.len() > 1000 {
        return Err("its name is empty, or too long");
    }
    let schema = schema(&tool.input_schema)?;
    let annotations = tool.annotations.unwrap_or_default();
    let leave = server.leave.of(&name).unwrap_or_else(|| by_default(&annotations));
    let title = tool
        .title
        .or(annotations.title)
        .filter(|title| !title.trim().is_empty());
    Ok(Offered {
        spec: ToolSpec {
            name: names::name(&server.name, &name),
            description: short(tool.description.as_deref().unwrap_or_default(), LONGEST_DESCRIPTION),
            schema,
        },
        server: server.name.clone(),
        title: title.map(|title| short(&title, LONGEST_TITLE)),
        tool: name,
        leave,
        fingerprint,
        repeatable: annotations.read_only_hint == Some(true) || annotations.idempotent_hint == Some(true),
    })
}

/// What its server says of it are hints, and the server one that the operator has chosen. What only reads, and reaches nothing but what its
/// server has, may be called at once. By the protocol's own rule, a server that says nothing of what it reaches reaches anything.
fn by_default(annotations: &ToolAnnotations) -> Leave {
    if annotations.read_only_hint == Some(true) && annotations.open_world_hint == Some(false) {
        Leave::Allow
    } else {
        Leave::Ask
    }
}

/// As every model's format takes it: an object with properties.
fn schema(schema: &Map<String, Value>) -> Result<Value, &'static str> {
    let mut schema = schema.clone();
    match schema.get("type") {
        None => {
            schema.insert("type".to_owned(), json!("object"));
        }
        Some(kind) if kind == "object" => {}
        Some(_) => return Err("its arguments are no object"),
    }
    match schema.get("properties") {
        None => {
            schema.insert("properties".to_owned(), json!({}));
        }
        Some(Value::Object(_)) => {}
        Some(_) => return Err("its arguments are not described by a schema"),
    }
    let schema = Value::Object(schema);
    if schema.to_string().len() > LONGEST_SCHEMA {
        return Err("the schema of its arguments is too large");
    }
    Ok(schema)
}

fn fingerprint(tool: &Tool) -> String {
    let parts = [
        json!(tool.name),
        json!(tool.description),
        json!(tool.input_schema),
        json!(tool.annotations),
    ];
    let mut hash = Sha256::new();
    for part in parts {
        let part = part.to_string();
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    hash.finalize()[..16].iter().map(|byte| format!("{byte:02x}")).collect()
}

fn short(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
