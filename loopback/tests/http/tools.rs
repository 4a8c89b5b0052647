//! Tools, called by the words of a message.

use anteroom_loopback::{Config, Loopback};
use serde_json::{Value, json};

use crate::support::{ask, control, post};

/// Asks with these messages, offering two tools; the choice of an answer in one body.
async fn whole(loopback: &Loopback, messages: &Value) -> Value {
    let tool =
        |name: &str| json!({ "type": "function", "function": { "name": name, "parameters": { "type": "object" } } });
    let body = json!({ "model": "m", "messages": messages, "tools": [tool("add"), tool("now")] });
    let response = post(format!("{}/chat/completions", loopback.base_url()), body).await;
    let answer: Value = response.json().await.unwrap();
    if answer["error"].is_object() {
        return answer;
    }
    answer["choices"][0].clone()
}

fn calls(choice: &Value) -> Vec<(&str, &str, &str)> {
    let calls = choice["message"]["tool_calls"].as_array().map(Vec::as_slice);
    calls
        .unwrap_or_default()
        .iter()
        .map(|call| {
            let function = &call["function"];
            (
                call["id"].as_str().unwrap(),
                function["name"].as_str().unwrap(),
                function["arguments"].as_str().unwrap(),
            )
        })
        .collect()
}

#[tokio::test]
async fn a_message_says_which_tools_are_called_and_the_answer_what_they_returned() {
    let loopback = Loopback::start(Config::default()).await.unwrap();
    let asked = "[[before=1]] use tool add with {\"x\": 1} and use tool now; then use tool sub with {\"x\": 2}";
    let mut messages = vec![json!({ "role": "user", "content": asked })];
    let first = whole(&loopback, &json!(messages)).await;
    assert_eq!(
        calls(&first),
        [("call_1", "add", "{\"x\": 1}"), ("call_2", "now", "{}")],
        "{first}"
    );
    assert_eq!(
        (&first["finish_reason"], &first["message"]["content"]),
        (&json!("tool_calls"), &json!("before1 "))
    );
    messages.extend([
        first["message"].clone(),
        json!({ "role": "tool", "tool_call_id": "call_1", "content": "3" }),
        json!({ "role": "tool", "tool_call_id": "call_2", "content": "noon" }),
        json!({ "role": "user", "content": [{ "type": "text", "text": "Picture:" }, { "type": "image_url", "image_url": { "url": "data:," } }] }),
    ]);
    let second = whole(&loopback, &json!(messages)).await;
    assert_eq!(calls(&second), [("call_3", "sub", "{\"x\": 2}")], "{second}");
    messages.extend([
        second["message"].clone(),
        json!({ "role": "tool", "tool_call_id": "call_3", "content": "-1" }),
    ]);
    let last = whole(&loopback, &json!(messages)).await;
    let text = last["message"]["content"].as_str().unwrap();
    assert!(
        text.ends_with("add returned: 3\n\nnow returned: noon\n\nsub returned: -1\n\n"),
        "{text}"
    );
    assert_eq!((calls(&last).len(), &last["finish_reason"]), (0, &json!("stop")));
    let record = loopback.record().requests.pop().unwrap();
    assert_eq!(
        (record.tools, record.results),
        (vec!["add".to_owned(), "now".to_owned()], 3)
    );
}

#[tokio::test]
async fn without_tools_on_offer_nothing_is_called() {
    let loopback = Loopback::start(Config::default()).await.unwrap();
    for message in ["[[tokens=1]] use tool add", "[[tokens=1 reply=tool]] x"] {
        let body = ask(&loopback, message).await.text().await.unwrap();
        assert!(body.contains("Answer to") && !body.contains("tool_calls"), "{body}");
    }
}

#[tokio::test]
async fn a_server_that_takes_no_tools_says_so() {
    let loopback = Loopback::start(Config::default()).await.unwrap();
    control(&loopback, "", json!({ "tools": false })).await;
    let refused = whole(&loopback, &json!([{ "role": "user", "content": "x" }])).await;
    assert_eq!(refused["error"]["message"], "m does not support tools");
    assert_eq!(ask(&loopback, "x").await.status(), 200);
}
