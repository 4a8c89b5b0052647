//! The arguments of a tool, filled with what a message says: numbers, quoted texts, addresses, paths.

use serde_json::{Map, Value, json};

use super::super::vocabulary;
use crate::agents::ToolSpec;

/// Marks that a text is quoted with.
const QUOTES: [(char, char); 6] = [('"', '"'), ('«', '»'), ('“', '”'), ('„', '“'), ('`', '`'), ('\'', '\'')];

/// What a message has to fill arguments with, each to be used once, in its order.
struct Found {
    numbers: Vec<f64>,
    quoted: Vec<String>,
    addresses: Vec<String>,
    paths: Vec<String>,
    words: Vec<String>,
    /// What stands behind the tool.
    behind: String,
}

/// JSON for a tool. `behind` is the part of the message behind the words that mean it.
pub(super) fn fill(message: &str, behind: &str, tool: &ToolSpec) -> String {
    let mut found = Found::of(message, behind);
    let none = Map::new();
    let fields = tool.schema["properties"].as_object().unwrap_or(&none);
    let required: Vec<&str> = tool.schema["required"]
        .as_array()
        .map(|names| names.iter().filter_map(Value::as_str).collect())
        .unwrap_or_default();
    let mut arguments = Map::new();
    for name in &required {
        let schema = fields.get(*name).unwrap_or(&Value::Null);
        let value = found.value(name, schema).or_else(|| schema.get("default").cloned());
        arguments.insert((*name).to_owned(), value.unwrap_or_else(|| found.anything(schema)));
    }
    // Others only with what is plainly meant for something.
    for (name, schema) in fields.iter().filter(|(name, _)| !required.contains(&name.as_str())) {
        if let Some(value) = found.value(name, schema) {
            arguments.insert(name.clone(), value);
        }
    }
    Value::Object(arguments).to_string()
}

impl Found {
    fn of(message: &str, behind: &str) -> Self {
        let (quoted, rest) = quoted(message);
        let words: Vec<String> = rest
            .split_whitespace()
            .map(|word| {
                word.trim_matches(|c: char| ",;:!?()".contains(c))
                    .trim_end_matches('.')
                    .to_owned()
            })
            .filter(|word| !word.is_empty())
            .collect();
        let is_address = |word: &&String| word.contains("://");
        let number = |word: &String| {
            word.replace(',', ".")
                .parse::<f64>()
                .ok()
                .filter(|number| number.is_finite())
        };
        let is_path = |word: &&String| {
            let inner = |c| word.trim_matches(c).contains(c);
            !is_address(word) && number(word).is_none() && (word.contains('/') || word.contains('\\') || inner('.'))
        };
        Self {
            numbers: words.iter().filter_map(number).collect(),
            addresses: words.iter().filter(is_address).cloned().collect(),
            paths: words.iter().filter(is_path).cloned().collect(),
            behind: behind_words(behind),
            quoted,
            words,
        }
    }

    /// What the message says for a field, if it says anything.
    fn value(&mut self, name: &str, schema: &Value) -> Option<Value> {
        if let Some(only) = schema.get("const") {
            return Some(only.clone());
        }
        if let Some(choices) = schema["enum"].as_array() {
            let said = |choice: &&Value| {
                let choice = choice.as_str().unwrap_or_default();
                self.words
                    .iter()
                    .chain(&self.quoted)
                    .any(|word| word.eq_ignore_ascii_case(choice))
            };
            return choices.iter().find(said).cloned();
        }
        match kind(schema) {
            "number" => next(&mut self.numbers).map(|number| json!(number)).map(whole),
            "integer" => next(&mut self.numbers).map(|number| whole(json!(number.trunc()))),
            "boolean" => self
                .words
                .iter()
                .find_map(|word| matches!(word.as_str(), "true" | "false").then(|| json!(word == "true"))),
            "array" => self.list(name, &schema["items"]),
            "string" => self.text(name, schema).map(Value::from),
            _ => None,
        }
    }

    fn text(&mut self, name: &str, schema: &Value) -> Option<String> {
        let name = name.to_lowercase();
        let means = |words: &[&str]| words.iter().any(|word| name.contains(word));
        if schema["format"] == "uri" || means(&["url", "uri"]) {
            return next(&mut self.addresses);
        }
        if means(&["path", "file", "dir", "folder"]) {
            return next(&mut self.paths).or_else(|| next(&mut self.quoted));
        }
        next(&mut self.quoted)
    }

    /// All that is of the kind of a list's items.
    fn list(&mut self, name: &str, items: &Value) -> Option<Value> {
        let mut values = Vec::new();
        // Only these are used up.
        let is_of_many = matches!(kind(items), "number" | "integer" | "string");
        let is_open = items.get("enum").or_else(|| items.get("const")).is_none();
        while let Some(value) = self.value(name, items) {
            values.push(value);
            if !is_of_many || !is_open {
                break;
            }
        }
        (!values.is_empty()).then(|| values.into())
    }

    /// Something for a field that there has to be.
    fn anything(&mut self, schema: &Value) -> Value {
        if let Some(first) = schema["enum"].as_array().and_then(|choices| choices.first()) {
            return first.clone();
        }
        match kind(schema) {
            "number" | "integer" => json!(0),
            "boolean" => json!(false),
            "array" => json!([]),
            "object" => json!({}),
            "null" => Value::Null,
            _ => std::mem::take(&mut self.behind).into(),
        }
    }
}

/// The kind of value that a field takes; of several, the first.
fn kind(schema: &Value) -> &str {
    match &schema["type"] {
        Value::String(kind) => kind,
        Value::Array(kinds) => kinds
            .iter()
            .filter_map(Value::as_str)
            .find(|kind| *kind != "null")
            .unwrap_or("string"),
        _ if schema["properties"].is_object() => "object",
        _ => "string",
    }
}

fn next<T>(values: &mut Vec<T>) -> Option<T> {
    (!values.is_empty()).then(|| values.remove(0))
}

/// A number without a fraction, as it is written.
fn whole(number: Value) -> Value {
    match number.as_f64() {
        Some(value) if value.fract() == 0.0 && value.abs() < 9e15 => json!(value as i64),
        _ => number,
    }
}

/// What stands between quotation marks, and the rest of the text.
fn quoted(text: &str) -> (Vec<String>, String) {
    let (mut quoted, mut rest) = (Vec::new(), String::new());
    let mut left = text;
    while let Some(c) = left.chars().next() {
        let after = &left[c.len_utf8()..];
        let closing = QUOTES
            .iter()
            .find(|(opening, _)| *opening == c)
            .map(|(_, closing)| *closing);
        // The apostrophe within a word is none.
        let begins = c != '\'' || rest.chars().next_back().is_none_or(char::is_whitespace);
        match closing.filter(|_| begins).and_then(|closing| after.split_once(closing)) {
            Some((inner, after)) => {
                quoted.push(inner.to_owned());
                rest.push(' ');
                left = after;
            }
            None => {
                rest.push(c);
                left = after;
            }
        }
    }
    (quoted, rest)
}

/// Without the small words at its beginning, and the mark at its end.
fn behind_words(behind: &str) -> String {
    let mut rest = behind.trim();
    while let Some((word, after)) = rest.split_once(char::is_whitespace)
        && vocabulary::is_small(&vocabulary::plain(word))
    {
        rest = after.trim_start();
    }
    let rest = rest.trim_end_matches(['?', '!', '.']).trim();
    if vocabulary::is_small(&vocabulary::plain(rest)) {
        return String::new();
    }
    rest.to_owned()
}
