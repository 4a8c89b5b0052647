//! What a call returns, within bounds.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use rmcp::model::{CallToolResult, ContentBlock, ResourceContents};
use serde_json::Value;

use super::structured;
use crate::files::image_mime;

/// Most bytes of text of one call, links included.
pub(super) const MOST_TEXT: usize = 256 << 10;
/// Most pieces of one call.
const MOST_PIECES: usize = 200;

/// What a tool has returned.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ToolOutput {
    /// Piece by piece. What is left out is named by a text, for the model.
    pub content: Vec<Content>,
    /// The tool itself says that it failed; its content says why.
    pub failed: bool,
}

/// A piece of what a tool has returned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// Text; what is structured is JSON.
    Text(String),
    /// A picture that browsers and models know, by its bytes.
    Picture {
        /// Its type, as the bytes say.
        mime: String,
        /// The bytes.
        bytes: Bytes,
    },
    /// Where something is.
    Link {
        /// Its address, of any scheme.
        uri: String,
        /// Its name.
        name: String,
    },
}

/// What comes back, piece by piece, as far as there is room.
#[derive(Debug, Default)]
struct Room {
    content: Vec<Content>,
    /// Bytes of text.
    taken: usize,
    /// Bytes of text that found no room.
    cut: usize,
    /// Pieces that found none.
    left_out: usize,
}

/// What the server has returned.
pub(super) fn of_result(result: CallToolResult) -> ToolOutput {
    let failed = result.is_error.unwrap_or(false);
    of_parts(result.content.into_iter().map(Ok), result.structured_content, failed)
}

/// The same of a result with pieces that are not known here, each of which is named.
pub(super) fn of_value(value: &Value) -> Option<ToolOutput> {
    let pieces = value.get("content")?.as_array()?;
    let pieces = pieces.iter().map(|piece| {
        serde_json::from_value(piece.clone()).map_err(|_| {
            let kind = piece.get("type").and_then(Value::as_str).unwrap_or("unknown");
            kind.chars()
                .filter(|c| c.is_ascii_alphanumeric() || *c == '_')
                .take(40)
                .collect()
        })
    });
    let failed = value.get("isError").and_then(Value::as_bool).unwrap_or(false);
    Some(of_parts(pieces, value.get("structuredContent").cloned(), failed))
}

fn of_parts(
    pieces: impl Iterator<Item = Result<ContentBlock, String>>,
    structured: Option<Value>,
    failed: bool,
) -> ToolOutput {
    let mut room = Room::default();
    for piece in pieces {
        if room.content.len() == MOST_PIECES {
            room.left_out += 1;
            continue;
        }
        match piece {
            Ok(piece) => room.piece(piece),
            Err(kind) => room.left_out(&kind, None),
        }
    }
    // The protocol wants it to stand in the text, too; some servers say something else there.
    if let Some(structured) = structured.filter(|structured| !structured::is_said(structured, &room.texts())) {
        room.text(structured.to_string());
    }
    ToolOutput {
        content: room.done(),
        failed,
    }
}

impl Room {
    fn piece(&mut self, piece: ContentBlock) {
        match piece {
            ContentBlock::Text(text) => self.text(text.text),
            ContentBlock::Image(image) => self.picture(&image.data, &image.mime_type),
            ContentBlock::Audio(audio) => self.left_out("a sound", Some(&audio.mime_type)),
            ContentBlock::ResourceLink(link) => {
                let size = link.uri.len() + link.name.len();
                if self.taken + size > MOST_TEXT {
                    self.cut += size;
                    return;
                }
                self.taken += size;
                self.content.push(Content::Link {
                    uri: link.uri,
                    name: link.title.unwrap_or(link.name),
                });
            }
            ContentBlock::Resource(resource) => match resource.resource {
                ResourceContents::TextResourceContents { text, .. } => self.text(text),
                ResourceContents::BlobResourceContents { blob, mime_type, .. } => {
                    self.picture(&blob, mime_type.as_deref().unwrap_or("a file"));
                }
                _ => self.left_out("a file of a kind that is not known here", None),
            },
            _ => self.left_out("a piece of a kind that is not known here", None),
        }
    }

    fn texts(&self) -> Vec<&str> {
        let texts = self.content.iter().filter_map(|piece| match piece {
            Content::Text(text) => Some(text.as_str()),
            _ => None,
        });
        texts.collect()
    }

    fn text(&mut self, mut text: String) {
        let free = if self.cut == 0 { MOST_TEXT - self.taken } else { 0 };
        if text.len() > free {
            let end = text.floor_char_boundary(free);
            self.cut += text.len() - end;
            text.truncate(end);
        }
        self.taken += text.len();
        if !text.is_empty() {
            self.content.push(Content::Text(text));
        }
    }

    fn picture(&mut self, data: &str, kind: &str) {
        match STANDARD.decode(data) {
            Ok(bytes) => match image_mime(&bytes) {
                Some(mime) => self.content.push(Content::Picture {
                    mime: mime.to_owned(),
                    bytes: bytes.into(),
                }),
                None => self.left_out("a file of a kind that is not shown here", Some(kind)),
            },
            Err(_) => self.left_out("a file that cannot be read", Some(kind)),
        }
    }

    fn left_out(&mut self, what: &str, kind: Option<&str>) {
        let kind = kind.map(|kind| format!(" ({})", kind.chars().take(60).collect::<String>()));
        self.text(format!("[left out: {what}{}]", kind.unwrap_or_default()));
    }

    fn done(mut self) -> Vec<Content> {
        if self.cut > 0 {
            let notice = format!("[cut: {} more bytes of text]", self.cut);
            self.content.push(Content::Text(notice));
        }
        if self.left_out > 0 {
            let notice = format!("[left out: {} more pieces]", self.left_out);
            self.content.push(Content::Text(notice));
        }
        self.content
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const PIXEL: &str =
        "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

    fn output(value: &Value) -> ToolOutput {
        let known = serde_json::from_value(value.clone());
        known.map_or_else(|_| of_value(value).expect("content"), of_result)
    }

    fn text(text: &str) -> Content {
        Content::Text(text.to_owned())
    }

    #[test]
    fn every_kind_of_content_is_taken_or_named() {
        let taken = output(&json!({ "content": [
            { "type": "text", "text": "words" },
            { "type": "image", "data": PIXEL, "mimeType": "image/jpeg" },
            { "type": "image", "data": "PHN2Zz4=", "mimeType": "image/svg+xml" },
            { "type": "image", "data": "?", "mimeType": "image/png" },
            { "type": "audio", "data": "AAAA", "mimeType": "audio/wav" },
            { "type": "resource_link", "uri": "file:///a", "name": "a" },
            { "type": "resource", "resource": { "uri": "x://1", "text": "embedded" } },
            { "type": "resource", "resource": { "uri": "x://2", "blob": PIXEL } },
            { "type": "resource", "resource": { "uri": "x://3", "blob": "AAAA", "mimeType": "application/zip" } },
        ], "isError": true }));
        let picture = Content::Picture {
            mime: "image/png".to_owned(),
            bytes: STANDARD.decode(PIXEL).expect("base64").into(),
        };
        let link = Content::Link {
            uri: "file:///a".to_owned(),
            name: "a".to_owned(),
        };
        assert!(taken.failed);
        assert_eq!(
            taken.content,
            [
                text("words"),
                picture.clone(),
                text("[left out: a file of a kind that is not shown here (image/svg+xml)]"),
                text("[left out: a file that cannot be read (image/png)]"),
                text("[left out: a sound (audio/wav)]"),
                link,
                text("embedded"),
                picture,
                text("[left out: a file of a kind that is not shown here (application/zip)]"),
            ]
        );
    }

    #[test]
    fn a_kind_that_is_not_known_is_named_and_the_rest_kept() {
        let taken = of_value(&json!({ "content": [{ "type": "hologram", "x": 1 }, { "type": "text", "text": "a" }] }));
        assert_eq!(
            taken.expect("content").content,
            [text("[left out: hologram]"), text("a")]
        );
        assert_eq!(of_value(&json!({ "other": 1 })), None);
    }

    #[test]
    fn what_is_structured_is_text_where_none_says_it() {
        let said = |texts: &[&str], structured: &Value| {
            let texts: Vec<_> = texts
                .iter()
                .map(|text| json!({ "type": "text", "text": text }))
                .collect();
            output(&json!({ "content": texts, "structuredContent": structured })).content
        };
        assert_eq!(said(&[], &json!({ "b": 1 })), [text("{\"b\":1}")]);
        assert_eq!(
            said(&["2 orders"], &json!({ "orders": ["tea", "pot"] })),
            [text("2 orders"), text("{\"orders\":[\"tea\",\"pot\"]}")]
        );
        assert_eq!(said(&["{ \"b\": 1 }"], &json!({ "b": 1 })), [text("{ \"b\": 1 }")]);
        assert_eq!(
            said(&["as it is"], &json!({ "result": "as it is" })),
            [text("as it is")]
        );
    }

    #[test]
    fn text_is_cut_at_a_character_and_says_so() {
        let long = "é".repeat(MOST_TEXT);
        let cut = output(&json!({ "content": [
            { "type": "text", "text": "x" }, { "type": "text", "text": long }, { "type": "text", "text": "more" },
        ] }));
        let [first, second, notice] = &cut.content[..] else {
            panic!("{}", cut.content.len());
        };
        assert_eq!(first, &text("x"));
        let Content::Text(second) = second else { panic!() };
        assert_eq!(second.len(), MOST_TEXT - 2);
        assert_eq!(
            notice,
            &text(&format!("[cut: {} more bytes of text]", MOST_TEXT + 2 + 4))
        );
        let many = vec![json!({ "type": "text", "text": "x" }); MOST_PIECES + 3];
        let many = output(&json!({ "content": many }));
        assert_eq!(many.content.len(), MOST_PIECES + 1);
        assert_eq!(many.content.last(), Some(&text("[left out: 3 more pieces]")));
    }
}
