//! Results of other tasks, as parts of a message: `{"type":"result","of":"name"}` in a message's content stands for what that task has answered. It is
//! a part of its own, and no mark within a text: so every text says what it says, and none has to be written otherwise because it looks like a mark.

use serde_json::{Value, json};

/// The kind of a part that stands for a result.
const RESULT: &str = "result";

/// Whether there may be such parts in these messages, in JSON.
pub(super) fn may_be_in(messages: &str) -> bool {
    messages.contains(r#""result""#)
}

/// Replaces what each such part names, by what `name` makes of it.
///
/// # Errors
/// That of the first for which there is nothing.
pub(super) fn rename<E>(messages: &mut Value, mut name: impl FnMut(&str) -> Result<String, E>) -> Result<(), E> {
    for part in parts(messages) {
        let named = part["of"].as_str().unwrap_or_default();
        part["of"] = name(named)?.into();
    }
    Ok(())
}

/// Puts results in the places of their parts; a content that has nothing but text is one text then, which every server reads.
pub(super) fn fill_in(messages: &mut Value, mut result: impl FnMut(&str) -> String) {
    for part in parts(messages) {
        *part = json!({ "type": "text", "text": result(part["of"].as_str().unwrap_or_default()) });
    }
    for content in contents(messages) {
        let Some(parts) = content.as_array() else { continue };
        let is_text = |part: &Value| part["type"] == "text";
        if parts.iter().all(is_text) {
            let texts = parts.iter().filter_map(|part| part["text"].as_str());
            *content = Value::from(texts.collect::<String>());
        }
    }
}

fn contents(messages: &mut Value) -> impl Iterator<Item = &mut Value> {
    let messages = messages.as_array_mut().into_iter().flatten();
    messages.filter_map(|message| message.get_mut("content"))
}

fn parts(messages: &mut Value) -> impl Iterator<Item = &mut Value> {
    let parts = contents(messages).filter_map(Value::as_array_mut).flatten();
    parts.filter(|part| part["type"] == RESULT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_result_takes_the_place_of_its_part_and_of_nothing_else() {
        let literal = r#"{"type":"result","of":"a"} {{a}}"#;
        let mut messages = json!([
            { "role": "system", "content": literal },
            { "role": "user", "content": [{ "type": "text", "text": "Say: " }, { "type": "result", "of": "a" }, { "type": "text", "text": "!" }] },
        ]);
        assert!(may_be_in(&messages.to_string()));
        assert!(!may_be_in(r#"[{"content":"a result"}]"#));
        let renamed: Result<(), ()> = rename(&mut messages, |name| Ok(format!("{name}-id")));
        assert_eq!(renamed, Ok(()));
        assert_eq!(messages[1]["content"][1]["of"], "a-id");
        fill_in(&mut messages, |id| format!("<{id} {literal}>"));
        assert_eq!(messages[0]["content"], literal);
        assert_eq!(messages[1]["content"], format!("Say: <a-id {literal}>!"));
    }

    #[test]
    fn pictures_stay_beside_a_result() {
        let picture = json!({ "type": "image_url", "image_url": { "url": "data:image/png;base64,AA==" } });
        let mut messages = json!([{ "role": "user", "content": [{ "type": "result", "of": "a" }, picture] }]);
        fill_in(&mut messages, |_| "seen".into());
        assert_eq!(
            messages[0]["content"],
            json!([{ "type": "text", "text": "seen" }, picture])
        );
    }

    #[test]
    fn what_has_no_name_is_asked_for_and_refused() {
        let mut messages = json!([{ "role": "user", "content": [{ "type": "result" }] }]);
        assert_eq!(rename(&mut messages, |name| Err(name.to_owned())), Err(String::new()));
    }
}
