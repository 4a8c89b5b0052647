//! Functions that a model may call, and what came of that, as a chat has them. Tools that only OpenAI's own servers have are refused.

use serde_json::{Map, Value, json};

use super::unsupported;
use crate::programs::RequestFault;

/// The functions that may be called.
pub(super) fn offered(tools: &Value) -> Result<Option<Value>, RequestFault> {
    let Some(tools) = tools.as_array().filter(|tools| !tools.is_empty()) else {
        return Ok(None);
    };
    let tools = tools.iter().enumerate().map(|(at, tool)| {
        if tool["type"] != "function" {
            return Err(unsupported("tools"));
        }
        let param = format!("tools[{at}]");
        let mut function = Map::new();
        function.insert("name".to_owned(), text(tool, "name", &param)?.into());
        for name in ["description", "parameters", "strict"] {
            if !tool[name].is_null() {
                function.insert(name.to_owned(), tool[name].clone());
            }
        }
        Ok(json!({ "type": "function", "function": function }))
    });
    tools.collect::<Result<Value, _>>().map(Some)
}

/// Which of them is to be called; `None`: whoever answers may choose.
pub(super) fn choice(choice: &Value) -> Result<Option<Value>, RequestFault> {
    match choice {
        Value::Null => Ok(None),
        Value::String(how) if matches!(how.as_str(), "auto" | "none" | "required") => Ok(Some(choice.clone())),
        Value::Object(named) if named.get("type").is_some_and(|kind| kind == "function") => {
            let name = text(choice, "name", "tool_choice")?;
            Ok(Some(json!({ "type": "function", "function": { "name": name } })))
        }
        _ => Err(unsupported("tool_choice")),
    }
}

/// Adds a call to the message in which the model has made it.
pub(super) fn add_call(messages: &mut Vec<Value>, item: &Value, param: &str) -> Result<(), RequestFault> {
    let call = json!({
        "id": text(item, "call_id", param)?,
        "type": "function",
        "function": { "name": text(item, "name", param)?, "arguments": text(item, "arguments", param)? },
    });
    let said = messages.last_mut().filter(|last| last["role"] == "assistant");
    match said.and_then(Value::as_object_mut) {
        Some(said) => {
            let calls = said.entry("tool_calls").or_insert_with(|| json!([]));
            calls
                .as_array_mut()
                .into_iter()
                .for_each(|calls| calls.push(call.clone()));
        }
        None => messages.push(json!({ "role": "assistant", "content": null, "tool_calls": [call] })),
    }
    Ok(())
}

/// What a call has brought.
pub(super) fn outcome(item: &Value, param: &str) -> Result<Value, RequestFault> {
    let content = match &item["output"] {
        Value::Array(parts) => {
            let parts = parts.iter().map(|part| match part["type"].as_str() {
                Some("input_text") => Ok(json!({ "type": "text", "text": part["text"] })),
                _ => Err(unsupported(&format!("{param}.output"))),
            });
            parts.collect::<Result<Value, _>>()?
        }
        _ => text(item, "output", param)?.into(),
    };
    Ok(json!({ "role": "tool", "tool_call_id": text(item, "call_id", param)?, "content": content }))
}

/// A field that has to be a text.
fn text<'a>(item: &'a Value, name: &str, param: &str) -> Result<&'a str, RequestFault> {
    item[name].as_str().ok_or_else(|| {
        let param = format!("{param}.{name}");
        RequestFault::of(&param, format!("`{param}` has to be a text."))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_are_offered_as_a_chat_has_them() {
        let schema = json!({ "type": "object", "properties": {} });
        let tools = json!([
            { "type": "function", "name": "f", "description": "Looks.", "parameters": schema, "strict": true },
            { "type": "function", "name": "g", "parameters": null },
        ]);
        let expected = json!([
            { "type": "function", "function": { "name": "f", "description": "Looks.", "parameters": schema, "strict": true } },
            { "type": "function", "function": { "name": "g" } },
        ]);
        assert_eq!(offered(&tools), Ok(Some(expected)));
        assert_eq!(offered(&json!([])), Ok(None));
        let param = |tools: Value| offered(&tools).expect_err("refused").param;
        assert_eq!(param(json!([{ "type": "web_search" }])).as_deref(), Some("tools"));
        assert_eq!(param(json!([{ "type": "function" }])).as_deref(), Some("tools[0].name"));
    }

    #[test]
    fn one_of_them_may_be_asked_for() {
        for how in ["auto", "none", "required"] {
            assert_eq!(choice(&json!(how)), Ok(Some(json!(how))));
        }
        let named = json!({ "type": "function", "name": "f" });
        let expected = json!({ "type": "function", "function": { "name": "f" } });
        assert_eq!(choice(&named), Ok(Some(expected)));
        assert_eq!(choice(&Value::Null), Ok(None));
        for other in [json!("other"), json!({ "type": "allowed_tools" }), json!(1)] {
            assert!(choice(&other).is_err(), "{other}");
        }
    }

    #[test]
    fn calls_stand_in_the_message_that_made_them() {
        let call = |id: &str| json!({ "type": "function_call", "call_id": id, "name": "f", "arguments": "{}", "id": "fc_1", "status": "completed" });
        let mut messages = vec![json!({ "role": "user", "content": "Rain?" })];
        for id in ["a", "b"] {
            add_call(&mut messages, &call(id), "input[1]").expect("taken");
        }
        let output = json!({ "type": "function_call_output", "call_id": "a", "output": "rain" });
        messages.push(outcome(&output, "input[3]").expect("taken"));
        let parts = json!({ "call_id": "b", "output": [{ "type": "input_text", "text": "sun" }] });
        messages.push(outcome(&parts, "input[4]").expect("taken"));
        let function = json!({ "name": "f", "arguments": "{}" });
        assert_eq!(
            messages[1..],
            [
                json!({ "role": "assistant", "content": null, "tool_calls": [
                    { "id": "a", "type": "function", "function": function },
                    { "id": "b", "type": "function", "function": function },
                ] }),
                json!({ "role": "tool", "tool_call_id": "a", "content": "rain" }),
                json!({ "role": "tool", "tool_call_id": "b", "content": [{ "type": "text", "text": "sun" }] }),
            ]
        );
        let fault = add_call(&mut messages, &json!({ "call_id": "c", "name": "f" }), "input[5]");
        assert_eq!(fault.expect_err("refused").param.as_deref(), Some("input[5].arguments"));
        let picture = json!({ "call_id": "b", "output": [{ "type": "input_image" }] });
        assert_eq!(
            outcome(&picture, "input[5]").expect_err("refused").param.as_deref(),
            Some("input[5].output")
        );
    }
}
