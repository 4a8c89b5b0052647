//! Whether the text of a result says what is structured in it, so that no model has to read the same twice.

use serde_json::Value;

/// Under this name some servers put a result that is no object.
const WRAPPED: &str = "result";
/// How many values are looked for in the text; those that come first tell.
const LOOKED_FOR: usize = 64;

/// Whether these texts say all of it: one is it, as JSON, or each of its values stands in one.
pub(super) fn is_said(structured: &Value, texts: &[&str]) -> bool {
    if texts.is_empty() {
        return false;
    }
    let wrapped = structured
        .as_object()
        .filter(|object| object.len() == 1)
        .and_then(|object| object.get(WRAPPED));
    let whole = texts.iter().filter_map(|text| serde_json::from_str::<Value>(text).ok());
    let is_it = |said: Value| said == *structured || wrapped.is_some_and(|inner| said == *inner);
    if whole.into_iter().any(is_it) {
        return true;
    }
    let mut values = Vec::new();
    leaves(structured, &mut values);
    values.iter().all(|value| {
        let escaped = Value::String(value.clone()).to_string();
        let escaped = escaped.trim_matches('"');
        texts.iter().any(|text| text.contains(value) || text.contains(escaped))
    })
}

/// The first values in it that say something.
fn leaves(value: &Value, found: &mut Vec<String>) {
    if found.len() >= LOOKED_FOR {
        return;
    }
    match value {
        Value::String(text) => found.push(text.clone()),
        Value::Number(_) | Value::Bool(_) => found.push(value.to_string()),
        Value::Array(all) => all.iter().for_each(|one| leaves(one, found)),
        Value::Object(all) => all.values().for_each(|one| leaves(one, found)),
        Value::Null => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_the_text_says_already_is_told_from_what_it_does_not() {
        let weather = json!({ "temperature": 22.5, "conditions": "Partly cloudy" });
        for (said, texts) in [
            (
                true,
                &["{\"temperature\": 22.5, \"conditions\": \"Partly cloudy\"}"][..],
            ),
            (true, &["Partly cloudy", "at 22.5 degrees"]),
            (false, &["Partly cloudy"]),
            (false, &[]),
        ] {
            assert_eq!(is_said(&weather, texts), said, "{texts:?}");
        }
        assert!(is_said(&json!({ "result": [1, 2] }), &["[1, 2]"]));
        assert!(is_said(&json!({ "a": "x\ny" }), &["{\"b\": \"x\\ny\"}"]));
        // As JSON in ASCII.
        assert!(is_said(&json!({ "a": "é" }), &["{\"a\": \"\\u00e9\"}"]));
        let many: Vec<_> = (0..10_000).collect();
        assert!(!is_said(&json!(many), &["nothing"]));
    }
}
