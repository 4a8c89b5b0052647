//! What the document of the API says of requests and answers, compared with real ones.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

/// Shapes that are a model server's, which may say more than is described.
const OPEN: &str = "#/components/schemas/Chat";

/// The document.
pub(crate) struct Shapes(Value);

impl Shapes {
    pub(crate) fn new(document: Value) -> Self {
        Self(document)
    }

    fn at(&self, pointer: &str) -> &Value {
        self.0
            .pointer(pointer)
            .unwrap_or_else(|| panic!("not described: {pointer}"))
    }

    fn operation(path: &str, method: &str) -> String {
        format!("/paths/{}/{method}", path.replace('/', "~1"))
    }

    /// Fails unless this is what is described to be answered there, with this status.
    pub(crate) fn answers(&self, (method, path): (&str, &str), status: u16, answer: &Value) {
        let operation = Self::operation(path, method);
        let schema = self.at(&format!(
            "{operation}/responses/{status}/content/application~1json/schema"
        ));
        self.is(schema, answer);
    }

    /// Fails unless this may be sent there.
    pub(crate) fn takes(&self, (method, path): (&str, &str), body: &Value) {
        let operation = Self::operation(path, method);
        self.is(
            self.at(&format!("{operation}/requestBody/content/application~1json/schema")),
            body,
        );
    }

    /// Fails unless an event is one of those that are described of a stream.
    pub(crate) fn streams(&self, (method, path): (&str, &str), event: &Value) {
        let operation = Self::operation(path, method);
        self.is(
            self.at(&format!("{operation}/responses/200/content/text~1event-stream/schema")),
            event,
        );
    }

    /// Fails unless this is what is described to be told to programs.
    pub(crate) fn tells(&self, message: &Value) {
        self.is(
            self.at("/webhooks/over/post/requestBody/content/application~1json/schema"),
            message,
        );
    }

    fn is(&self, schema: &Value, value: &Value) {
        if let Err(fault) = self.fits(schema, value) {
            panic!("{fault}\nin {value:#}\ndescribed as {schema}");
        }
    }

    /// Whether a value has the shape, and nothing that is not described.
    fn fits(&self, schema: &Value, value: &Value) -> Result<(), String> {
        self.holds(schema, value)?;
        let Value::Object(fields) = value else { return Ok(()) };
        match self.names(schema, value) {
            Some(names) => match fields.keys().find(|name| !names.contains(*name)) {
                Some(name) => Err(format!("`{name}` is not described")),
                None => Ok(()),
            },
            None => Ok(()),
        }
    }

    /// Whether all holds that is said, whatever else there is.
    fn holds(&self, schema: &Value, value: &Value) -> Result<(), String> {
        let Value::Object(said) = schema else { return Ok(()) };
        for (rule, what) in said {
            match (rule.as_str(), what) {
                ("$ref", Value::String(name)) => self.holds(self.at(name.trim_start_matches('#')), value)?,
                ("allOf", Value::Array(all)) => all.iter().try_for_each(|one| self.holds(one, value))?,
                ("oneOf" | "anyOf", Value::Array(any)) => {
                    let faults: Vec<_> = any.iter().filter_map(|one| self.fits(one, value).err()).collect();
                    let fitting = any.len() - faults.len();
                    if fitting == 0 || (rule == "oneOf" && fitting > 1) {
                        return Err(format!("{fitting} of {} fit: {faults:?}", any.len()));
                    }
                }
                ("enum", Value::Array(any)) if !any.contains(value) => {
                    return Err(format!("{value} is none of {what}"));
                }
                ("const", _) if what != value => return Err(format!("{value} is not {what}")),
                ("type", Value::String(kind)) => is_of(kind, value)?,
                ("type", Value::Array(kinds)) => {
                    let kinds: Vec<_> = kinds.iter().filter_map(Value::as_str).collect();
                    if kinds.iter().all(|kind| is_of(kind, value).is_err()) {
                        return Err(format!("{value} is none of {kinds:?}"));
                    }
                }
                ("contentSchema", schema) => {
                    let content = value.as_str().map(serde_json::from_str::<Value>);
                    match content {
                        Some(Ok(content)) => self.fits(schema, &content)?,
                        _ => return Err(format!("{value} has no JSON in it")),
                    }
                }
                ("format", Value::String(format)) if format == "uuid" => {
                    let id = value.as_str().map(uuid::Uuid::try_parse);
                    if matches!(id, Some(Err(_))) {
                        return Err(format!("{value} is no id"));
                    }
                }
                _ => {}
            }
        }
        match value {
            Value::Object(fields) => self.fields_hold(said, fields),
            Value::Array(items) => self.items_hold(said, items),
            _ => Ok(()),
        }
    }

    fn fields_hold(&self, said: &Map<String, Value>, fields: &Map<String, Value>) -> Result<(), String> {
        let required = said.get("required").and_then(Value::as_array);
        for name in required.into_iter().flatten().filter_map(Value::as_str) {
            if !fields.contains_key(name) {
                return Err(format!("`{name}` is missing"));
            }
        }
        let known = said.get("properties").and_then(Value::as_object);
        for (name, value) in fields {
            let schema = known.and_then(|known| known.get(name));
            schema
                .map_or(Ok(()), |schema| self.fits(schema, value))
                .map_err(|fault| format!("{name}: {fault}"))?;
        }
        Ok(())
    }

    fn items_hold(&self, said: &Map<String, Value>, items: &[Value]) -> Result<(), String> {
        let bound = |name: &str| said.get(name).and_then(Value::as_u64);
        let count = items.len() as u64;
        if bound("minItems").is_some_and(|least| count < least) || bound("maxItems").is_some_and(|most| count > most) {
            return Err(format!("{count} items"));
        }
        let schema = said.get("items");
        let faults = items
            .iter()
            .map(|item| schema.map_or(Ok(()), |schema| self.fits(schema, item)));
        faults.collect()
    }

    /// The fields that a value of this shape may have; `None`: any.
    fn names(&self, schema: &Value, value: &Value) -> Option<BTreeSet<String>> {
        if let Some(name) = schema["$ref"].as_str() {
            let is_open = name.starts_with(OPEN) && !name.ends_with("Event") && !name.ends_with("Answer");
            return if is_open {
                None
            } else {
                self.names(self.at(name.trim_start_matches('#')), value)
            };
        }
        let mut names = BTreeSet::new();
        let fitting = ["oneOf", "anyOf"].into_iter().flat_map(|rule| schema[rule].as_array());
        let fitting = fitting.flatten().filter(|one| self.fits(one, value).is_ok());
        let all = schema["allOf"].as_array().into_iter().flatten();
        let mut is_empty = true;
        for one in all.chain(fitting) {
            names.extend(self.names(one, value)?);
            is_empty = false;
        }
        match schema["properties"].as_object() {
            Some(properties) => names.extend(properties.keys().cloned()),
            None if is_empty => return None,
            None => {}
        }
        Some(names)
    }
}

fn is_of(kind: &str, value: &Value) -> Result<(), String> {
    let is_so = match kind {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("no such type: {other}"),
    };
    if is_so {
        Ok(())
    } else {
        Err(format!("{value} is no {kind}"))
    }
}

#[test]
fn a_value_that_is_not_as_described_is_found() {
    let document = serde_json::json!({
        "paths": { "/a": { "get": { "responses": { "200": { "content": { "application/json": { "schema": { "$ref": "#/components/schemas/A" } } } } } } } },
        "components": { "schemas": {
            "A": { "allOf": [
                { "$ref": "#/components/schemas/B" },
                { "type": "object", "required": ["list"], "properties": {
                    "list": { "type": "array", "maxItems": 1, "items": { "oneOf": [{ "type": "null" }, { "$ref": "#/components/schemas/B" }] } },
                    "kind": { "type": "string", "enum": ["x"] },
                } },
            ] },
            "B": { "type": "object", "properties": { "id": { "type": ["string", "null"], "format": "uuid" } } },
        } },
    });
    let shapes = Shapes::new(document);
    let schema = shapes.at("/paths/~1a/get/responses/200/content/application~1json/schema");
    let id = "0190a3c2-7e0b-7c5e-8d6d-1d3a5b7c9e0f";
    for fits in [
        serde_json::json!({ "list": [], "id": id }),
        serde_json::json!({ "list": [null], "id": null, "kind": "x" }),
        serde_json::json!({ "list": [{ "id": id }] }),
    ] {
        assert_eq!(shapes.fits(schema, &fits), Ok(()), "{fits}");
        shapes.answers(("get", "/a"), 200, &fits);
    }
    for other in [
        serde_json::json!([]),
        serde_json::json!({}),
        serde_json::json!({ "list": {} }),
        serde_json::json!({ "list": [null, null] }),
        serde_json::json!({ "list": [7] }),
        serde_json::json!({ "list": [{ "id": "x" }] }),
        serde_json::json!({ "list": [{ "other": "x" }] }),
        serde_json::json!({ "list": [], "kind": "y" }),
        serde_json::json!({ "list": [], "other": 1 }),
    ] {
        assert!(shapes.fits(schema, &other).is_err(), "{other}");
    }
}
