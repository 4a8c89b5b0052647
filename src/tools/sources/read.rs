//! What a resource or a prompt is, once it has been read.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use rmcp::model::{ContentBlock, ResourceContents};
use serde::Deserialize as _;
use serde_json::Value;

use super::clean;
use crate::{
    files::{harmless, image_mime},
    tools::error::ToolError,
    wire::MAX_MESSAGE_BYTES,
};

/// Most characters of an ending of a name.
const LONGEST_ENDING: usize = 8;

/// A resource as a file, which is to be looked at as any file that somebody sends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attachment {
    /// Its name, with that of the server which it is from.
    pub name: String,
    /// What stands in it.
    pub content: Bytes,
}

/// The text of a prompt.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PromptText {
    /// All that is text of it, cleaned.
    pub text: String,
    /// How many pieces are none, and are left out.
    pub left_out: usize,
    /// It is longer than a message may be, and cut.
    pub cut: bool,
}

pub(super) fn unreadable() -> ToolError {
    ToolError::Protocol("what it gives cannot be read".to_owned())
}

/// Of several texts one file, each below the one before; of what is no text, the first.
pub(super) fn attachment(server: &str, name: &str, uri: &str, answer: &Value) -> Result<Attachment, ToolError> {
    let contents = answer
        .get("contents")
        .and_then(Value::as_array)
        .ok_or_else(unreadable)?;
    let (mut texts, mut blob, mut mime) = (Vec::new(), None, None);
    for one in contents {
        match ResourceContents::deserialize(one) {
            Ok(ResourceContents::TextResourceContents { text, mime_type, .. }) => {
                mime = mime.or(mime_type);
                texts.push(text);
            }
            Ok(ResourceContents::BlobResourceContents {
                blob: data, mime_type, ..
            }) if blob.is_none() => {
                blob = Some((data, mime_type));
            }
            _ => {}
        }
    }
    let (content, mime): (Bytes, _) = match blob {
        _ if !texts.is_empty() => (texts.join("\n\n").into(), mime),
        Some((data, mime)) => (STANDARD.decode(data).map_err(|_| unreadable())?.into(), mime),
        None => return Err(unreadable()),
    };
    let mime = mime.unwrap_or_default();
    let name = file_name(name, uri, &ending_of(&content, &mime));
    Ok(Attachment {
        name: harmless(&format!("{server} – {name}")),
        content,
    })
}

/// What its server calls it, or the end of its address, with an ending.
fn file_name(name: &str, uri: &str, ending: &str) -> String {
    let path = uri.split(['?', '#']).next().unwrap_or_default();
    let path = percent_encoding::percent_decode_str(path).decode_utf8_lossy();
    let has_ending = |name: &str| {
        name.rsplit_once('.').is_some_and(|(stem, ending)| {
            let fits =
                (1..=LONGEST_ENDING).contains(&ending.len()) && ending.bytes().all(|b| b.is_ascii_alphanumeric());
            !stem.is_empty() && fits
        })
    };
    let [own, last] = [harmless(name), harmless(&path)];
    if has_ending(&own) {
        own
    } else if has_ending(&last) {
        last
    } else {
        format!("{own}.{ending}")
    }
}

/// The ending of a file of which no name has one.
fn ending_of(content: &[u8], mime: &str) -> String {
    if let Some(picture) = image_mime(content) {
        return picture.trim_start_matches("image/").to_owned();
    }
    if content.starts_with(b"%PDF-") {
        return "pdf".to_owned();
    }
    let kind = mime.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let ending = match kind.as_str() {
        "text/markdown" => "md",
        "text/html" => "html",
        "text/csv" => "csv",
        "application/json" => "json",
        "application/xml" | "text/xml" => "xml",
        _ => "txt",
    };
    ending.to_owned()
}

/// All that is said in a prompt, whoever says it: a person reads it before it is sent.
pub(super) fn prompt(answer: &Value) -> Result<PromptText, ToolError> {
    let messages = answer
        .get("messages")
        .and_then(Value::as_array)
        .ok_or_else(unreadable)?;
    let (mut texts, mut left_out) = (Vec::new(), 0);
    for message in messages {
        let content = message.get("content").map(ContentBlock::deserialize);
        let text = match content {
            Some(Ok(ContentBlock::Text(text))) => Some(text.text),
            Some(Ok(ContentBlock::ResourceLink(link))) => Some(format!("{}: {}", link.name, link.uri)),
            Some(Ok(ContentBlock::Resource(embedded))) => match embedded.resource {
                ResourceContents::TextResourceContents { text, .. } => Some(text),
                _ => None,
            },
            _ => None,
        };
        match text.map(|text| clean::text(&text)) {
            Some(text) if text.trim().is_empty() => {}
            Some(text) => texts.push(text.trim().to_owned()),
            None => left_out += 1,
        }
    }
    let mut text = texts.join("\n\n");
    let cut = text.len() > MAX_MESSAGE_BYTES;
    if cut {
        text.truncate(text.floor_char_boundary(MAX_MESSAGE_BYTES));
    }
    Ok(PromptText { text, left_out, cut })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const PIXEL: &str =
        "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

    fn named(name: &str, uri: &str, contents: &Value) -> String {
        let answer = json!({ "contents": contents });
        attachment("s", name, uri, &answer).expect("a file").name
    }

    #[test]
    fn a_file_says_where_it_is_from_and_has_an_ending_that_fits() {
        let text = |mime: &str| json!([{ "uri": "a://1", "mimeType": mime, "text": "words" }]);
        for (name, uri, contents, expected) in [
            ("notes.md", "a://x/1", text("text/plain"), "s – notes.md"),
            ("The notes", "a://x/notes.md?v=1", text(""), "s – notes.md"),
            (
                "The notes",
                "a://x/1",
                text("text/markdown; charset=utf-8"),
                "s – The notes.md",
            ),
            ("../../etc/passwd", "a://1", text(""), "s – passwd.txt"),
            ("", "a://", text("application/json"), "s – file.json"),
            ("v1.2 of it", "a://1", text(""), "s – v1.2 of it.txt"),
            (
                "A picture",
                "a://1",
                json!([{ "uri": "a://1", "mimeType": "text/plain", "blob": PIXEL }]),
                "s – A picture.png",
            ),
        ] {
            assert_eq!(named(name, uri, &contents), expected);
        }
    }

    #[test]
    fn texts_are_one_file_and_what_cannot_be_read_is_said() {
        let content = |contents: Value| {
            let read = attachment("s", "a", "a://1", &json!({ "contents": contents }));
            read.map(|file| file.content)
        };
        let two = json!([{ "uri": "a://1", "text": "one" }, { "uri": "a://2", "blob": PIXEL }, { "uri": "a://3", "text": "two" }]);
        assert_eq!(content(two), Ok("one\n\ntwo".into()));
        assert_eq!(
            content(json!([{ "uri": "a://1", "blob": PIXEL }])).map(|b| b.len()),
            Ok(70)
        );
        for wrong in [
            json!([]),
            json!([{ "uri": "a://1", "blob": "?" }]),
            json!([{ "uri": "a://1" }]),
            json!("text"),
        ] {
            assert_eq!(content(wrong.clone()), Err(unreadable()), "{wrong}");
        }
    }

    #[test]
    fn a_prompt_is_its_text_cleaned_and_cut() {
        let said = |content: Value| json!({ "role": "user", "content": content });
        let answer = json!({ "messages": [
            said(json!({ "type": "text", "text": " Look\u{202E} at this:\r\n" })),
            said(json!({ "type": "image", "data": PIXEL, "mimeType": "image/png" })),
            said(json!({ "type": "resource", "resource": { "uri": "a://1", "text": "embedded" } })),
            said(json!({ "type": "resource_link", "uri": "a://2", "name": "more" })),
            said(json!({ "type": "hologram" })),
        ] });
        let read = prompt(&answer).expect("a prompt");
        assert_eq!(read.text, "Look at this:\n\nembedded\n\nmore: a://2");
        assert_eq!((read.left_out, read.cut), (2, false));
        let long = json!({ "messages": [said(json!({ "type": "text", "text": "é".repeat(MAX_MESSAGE_BYTES) }))] });
        let long = prompt(&long).expect("a prompt");
        assert!(long.cut && long.text.len() <= MAX_MESSAGE_BYTES);
        assert_eq!(prompt(&json!({})), Err(unreadable()));
    }
}
