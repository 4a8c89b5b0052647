//! What a model has written for a tool, looked at before anybody is asked for leave.

use serde_json::{Map, Value};

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
