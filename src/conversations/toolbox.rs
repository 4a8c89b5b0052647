//! What turns need of tools, whoever has them.

use async_trait::async_trait;
use bytes::Bytes;
use serde_json::{Map, Value};

use crate::{agents::ToolSpec, wire::ToolFault};

/// Whether a tool may be used without asking anybody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leave {
    /// Its owner is asked each time.
    Ask,
    /// It may.
    Allow,
    /// It may not.
    Deny,
}

/// A tool that may be offered to a model.
#[derive(Clone, Debug, PartialEq)]
pub struct Tool {
    /// As a model is told of it.
    pub spec: ToolSpec,
    /// The server that has it.
    pub server: String,
    /// Its name there.
    pub tool: String,
    /// As people should see it.
    pub title: Option<String>,
    /// Whether it may be used.
    pub leave: Leave,
    /// Another one for another version of it.
    pub fingerprint: String,
    /// Whether doing the same twice is as good as once: it changes nothing, or nothing more.
    pub repeatable: bool,
}

/// What a tool has returned.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Output {
    /// In its order.
    pub content: Vec<Content>,
    /// Whether the tool says that it has failed.
    pub failed: bool,
}

/// A part of that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// Plain text.
    Text(String),
    /// A picture.
    Picture {
        /// Its MIME type.
        mime: String,
        /// Its bytes.
        bytes: Bytes,
    },
    /// Something elsewhere.
    Link {
        /// Where.
        uri: String,
        /// What it is called.
        name: String,
    },
}

/// A tool has returned nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallFault {
    /// Why, as a code.
    pub fault: ToolFault,
    /// Why, for the model, in English.
    pub said: String,
}

/// A slot of a server, which may take few calls at once. Dropping it gives it back.
pub(crate) type ServerSlot = Box<dyn Send>;

/// Tells the names of the servers that are waited for, whenever these are others.
pub(crate) type Progress<'a> = &'a (dyn Fn(&[&str]) + Send + Sync);

/// The tools of a site.
#[async_trait]
pub trait Toolbox: Send + Sync + 'static {
    /// Whether there are none at all, for now.
    fn is_empty(&self) -> bool;
    /// What may be offered now. Servers whose tools are not known yet are connected to, which may take a while; those that cannot be are left out.
    /// `waits` is told who is waited for. Cancel-safe.
    async fn offer(&self, waits: Progress<'_>) -> Vec<Tool>;
    /// By the name that a model uses.
    fn find(&self, name: &str) -> Option<Tool>;
    /// A slot of a server, once it has one. Cancel-safe.
    async fn slot(&self, server: &str) -> ServerSlot;
    /// Has a tool used. Dropped, the tool is told that nobody wants it any more.
    ///
    /// # Errors
    /// [`CallFault`].
    async fn call(&self, tool: &Tool, arguments: Map<String, Value>, slot: ServerSlot) -> Result<Output, CallFault>;
}

/// Reads what a model has written for a tool.
///
/// # Errors
/// What is wrong with it, for the model.
pub(super) fn arguments(written: &str, schema: &Value) -> Result<Map<String, Value>, String> {
    let written = if written.trim().is_empty() { "{}" } else { written };
    let arguments = match serde_json::from_str(written) {
        Ok(Value::Object(arguments)) => arguments,
        Ok(_) => return Err("The arguments are no JSON object.".to_owned()),
        Err(fault) => return Err(format!("The arguments are no JSON: {fault}.")),
    };
    let required = schema.get("required").and_then(Value::as_array);
    let missing = required.into_iter().flatten().filter_map(Value::as_str);
    let missing: Vec<_> = missing.filter(|name| !arguments.contains_key(*name)).collect();
    if !missing.is_empty() {
        return Err(format!("These arguments are missing: {}.", missing.join(", ")));
    }
    let properties = schema.get("properties").and_then(Value::as_object);
    for (name, value) in &arguments {
        let property = properties.and_then(|properties| properties.get(name));
        if properties.is_some() && property.is_none() && schema.get("additionalProperties") == Some(&Value::Bool(false))
        {
            return Err(format!("There is no argument called {name}."));
        }
        let wanted = property
            .and_then(|property| property.get("type"))
            .and_then(Value::as_str);
        if let Some(wanted) = wanted.filter(|wanted| !is_of(value, wanted)) {
            return Err(format!("The argument {name} has to be of type {wanted}."));
        }
    }
    Ok(arguments)
}

/// Whether a value is of a type of JSON Schema. One that is not known there is for the server to look at.
fn is_of(value: &Value, wanted: &str) -> bool {
    match wanted {
        "string" => value.is_string(),
        "number" => value.is_number(),
        // 1.0 is a whole number, too.
        "integer" => value.as_f64().is_some_and(|number| number.fract() == 0.0),
        "boolean" => value.is_boolean(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        "null" => value.is_null(),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_does_not_fit_says_why() {
        let schema = json!({
            "type": "object",
            "properties": { "path": { "type": "string" }, "lines": { "type": "integer" }, "any": {} },
            "required": ["path"],
            "additionalProperties": false,
        });
        for fits in [
            r#"{"path":"a"}"#,
            r#"{"path":"a","lines":3,"any":[1]}"#,
            r#"{"path":"","lines":3.0}"#,
        ] {
            assert!(arguments(fits, &schema).is_ok(), "{fits}");
        }
        for (wrong, says) in [
            ("", "missing: path"),
            ("{", "no JSON"),
            ("[1]", "no JSON object"),
            (r#"{"lines":3}"#, "missing: path"),
            (r#"{"path":3}"#, "path has to be of type string"),
            (r#"{"path":"a","lines":3.5}"#, "lines has to be of type integer"),
            (r#"{"path":"a","more":1}"#, "no argument called more"),
        ] {
            let said = arguments(wrong, &schema).expect_err(wrong);
            assert!(said.contains(says), "{wrong}: {said}");
        }
        assert_eq!(arguments(" ", &json!({})), Ok(Map::new()));
    }
}
