use serde_json::{Value, json};

use super::*;
use crate::{
    agents::{
        Message, ToolSpec,
        tests::{picture, question, said},
    },
    wire::Role,
};

fn tool(name: &str, description: &str, properties: Value, required: &[&str]) -> ToolSpec {
    let mut schema = json!({ "type": "object", "required": required });
    schema["properties"] = properties;
    ToolSpec {
        name: name.to_owned(),
        description: description.to_owned(),
        schema,
    }
}

fn tools() -> Vec<ToolSpec> {
    let (text, number) = (json!({ "type": "string" }), json!({ "type": "number" }));
    vec![
        tool(
            "calc__get-sum",
            "Adds two numbers and returns their sum.",
            json!({ "a": number, "b": number }),
            &["a", "b"],
        ),
        tool(
            "calc__echo",
            "Echoes back the input.",
            json!({ "message": text }),
            &["message"],
        ),
        tool(
            "files__read_file",
            "Reads the contents of a file.",
            json!({ "path": text, "head": { "type": ["null", "integer"] }, "tail": { "type": "integer" } }),
            &["path"],
        ),
        tool(
            "sky__weather",
            "The weather at a place.",
            json!({ "place": text, "unit": { "enum": ["celsius", "fahrenheit"] }, "days": { "type": "integer", "default": 1 } }),
            &["place", "unit", "days"],
        ),
        tool(
            "web__fetch",
            "Fetches a page.",
            json!({ "url": { "type": "string" } }),
            &["url"],
        ),
        tool(
            "tags__mark",
            "Puts labels on something.",
            json!({ "labels": { "type": "array", "items": text } }),
            &["labels"],
        ),
    ]
}

/// What is called for a message, as name and arguments.
fn called(message: &str) -> Vec<(String, String)> {
    let mut question = question(message);
    question.tools = tools().into();
    let step = step(&question);
    let calls = step.map(|step| step.calls).unwrap_or_default();
    calls.into_iter().map(|call| (call.name, call.arguments)).collect()
}

#[test]
fn a_tool_is_found_by_its_words_and_filled_with_what_the_message_says() {
    for (message, name, arguments) in [
        (
            "What is the sum of 2 and 3.5?",
            "calc__get-sum",
            json!({ "a": 2, "b": 3.5 }),
        ),
        ("Какова сумма 2 и 3,5?", "calc__get-sum", json!({ "a": 2, "b": 3.5 })),
        ("echo hello", "calc__echo", json!({ "message": "hello" })),
        (
            "Please echo \"it's 5 o'clock\"",
            "calc__echo",
            json!({ "message": "it's 5 o'clock" }),
        ),
        (
            "read the file docs/a.md",
            "files__read_file",
            json!({ "path": "docs/a.md" }),
        ),
        (
            "Прочитай файл «мой план.txt»",
            "files__read_file",
            json!({ "path": "мой план.txt" }),
        ),
        (
            "read the first 10 lines of notes.md",
            "files__read_file",
            json!({ "path": "notes.md", "head": 10 }),
        ),
        (
            "How is the weather in New York?",
            "sky__weather",
            json!({ "place": "New York", "unit": "celsius", "days": 1 }),
        ),
        (
            "weather for 3 days in fahrenheit at \"Bern\"",
            "sky__weather",
            json!({ "place": "Bern", "unit": "fahrenheit", "days": 3 }),
        ),
        (
            "Какая погода в Берне?",
            "sky__weather",
            json!({ "place": "Берне", "unit": "celsius", "days": 1 }),
        ),
        (
            "fetch https://example.org/a, please",
            "web__fetch",
            json!({ "url": "https://example.org/a" }),
        ),
        (
            "mark it with \"red\" and \"blue\"",
            "tags__mark",
            json!({ "labels": ["red", "blue"] }),
        ),
    ] {
        let called = called(message);
        assert_eq!(called.len(), 1, "{message}: {called:?}");
        let told: Value = serde_json::from_str(&called[0].1).expect("JSON");
        assert_eq!((&*called[0].0, told), (name, arguments), "{message}");
    }
}

#[test]
fn a_tool_is_used_by_name_with_what_is_given() {
    let pair = |name: &str, arguments: &str| (name.to_owned(), arguments.to_owned());
    for (message, expected) in [
        (
            "Use the tool calc__echo with {\"message\": \"a } b\"}.",
            vec![pair("calc__echo", "{\"message\": \"a } b\"}")],
        ),
        (
            "use the tool ECHO with {\"message\": 1}",
            vec![pair("calc__echo", "{\"message\": 1}")],
        ),
        (
            "Используй инструмент echo с {\"message\": \"ё\"}",
            vec![pair("calc__echo", "{\"message\": \"ё\"}")],
        ),
        ("calc__echo {broken", vec![pair("calc__echo", "{broken")]),
        (
            "use the tool echo with {} and the tool get-sum with {\"a\":1}",
            vec![pair("calc__echo", "{}"), pair("calc__get-sum", "{\"a\":1}")],
        ),
        (
            "call the tool echo \"hello\"",
            vec![pair("calc__echo", "{\"message\":\"hello\"}")],
        ),
        ("use the tool nothing with {}", vec![]),
    ] {
        assert_eq!(called(message), expected, "{message}");
    }
}

#[test]
fn what_it_knows_itself_and_what_no_tool_does_it_answers_itself() {
    for message in [
        "",
        "Hello!",
        "how long is the line?",
        "list all settings",
        "What is the capital of Peru?",
        "как подключить Ollama?",
        "Что это?",
    ] {
        assert_eq!(called(message), vec![], "{message}");
    }
    assert_eq!(step(&question("use the tool echo")), None, "none is on offer");
}

#[test]
fn it_says_what_tools_returned_in_the_language_of_the_question() {
    let result = |content: &str, failed: bool| ToolResult {
        name: "echo".to_owned(),
        content: content.to_owned(),
        failed,
        ..ToolResult::default()
    };
    for (asked, something, nothing, pictures) in [
        ("use the tool echo", "returned this", "returned nothing", "2 pictures"),
        (
            "Используй инструмент echo",
            "вернул",
            "ничего не вернул",
            "2 изображения",
        ),
    ] {
        let mut question = question(asked);
        question.tools = tools().into();
        let mut seen = result("a\n```\nb", false);
        seen.images = vec![picture("a.png"), picture("b.png")];
        question.messages.extend([
            said(Role::Agent, "…"),
            Message {
                results: vec![seen, result(" ", false), result("no such thing", true)],
                ..said(Role::User, "")
            },
        ]);
        let step = step(&question).expect("something to say");
        assert_eq!(step.calls, []);
        for part in [something, nothing, pictures, "````\na\n```\nb\n````", "no such thing"] {
            assert!(step.text.contains(part), "{part}: {}", step.text);
        }
    }
}

#[test]
fn a_long_result_is_shown_in_part() {
    let shown = block(&"é".repeat(SHOWN + 1));
    assert_eq!(shown.matches('é').count(), SHOWN);
    assert!(shown.ends_with("…\n```\n\n"));
}
