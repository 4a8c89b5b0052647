//! The id of a message that is too long to be kept.

use rmcp::model::RequestId;

/// Most bytes of a key or an id.
const LONGEST: usize = 200;

/// Reads a JSON object as it passes, and remembers its `id` alone.
#[derive(Debug, Default)]
pub(super) struct Skim {
    depth: u32,
    in_string: bool,
    escaped: bool,
    /// A key of the outermost object may begin.
    at_key: bool,
    reads: Reads,
    word: Vec<u8>,
    is_id: bool,
    id: Option<Vec<u8>>,
}

/// What becomes of the bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
enum Reads {
    #[default]
    Nothing,
    Key,
    Id,
}

impl Skim {
    /// Reads on.
    pub(super) fn feed(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.byte(*byte);
        }
    }

    /// The id, where there was one.
    pub(super) fn id(self) -> Option<RequestId> {
        serde_json::from_slice(&self.id?).ok()
    }

    fn byte(&mut self, byte: u8) {
        if self.in_string {
            self.in_text(byte);
            return;
        }
        match byte {
            b'"' => {
                self.in_string = true;
                if self.depth == 1 && self.at_key {
                    (self.at_key, self.reads) = (false, Reads::Key);
                    self.word.clear();
                } else {
                    self.keep(byte);
                }
            }
            b'{' | b'[' => {
                self.depth += 1;
                self.at_key = self.depth == 1 && byte == b'{';
            }
            b'}' | b']' => {
                if self.depth == 1 {
                    self.value_ends();
                }
                self.depth = self.depth.saturating_sub(1);
            }
            b',' if self.depth == 1 => {
                self.value_ends();
                self.at_key = true;
            }
            b':' if self.depth == 1 && self.is_id => {
                (self.is_id, self.reads) = (false, Reads::Id);
                self.word.clear();
            }
            _ => self.keep(byte),
        }
    }

    fn in_text(&mut self, byte: u8) {
        if self.escaped {
            self.escaped = false;
        } else if byte == b'\\' {
            self.escaped = true;
        } else if byte == b'"' {
            self.in_string = false;
            if self.reads == Reads::Key {
                self.reads = Reads::Nothing;
                self.is_id = self.word == b"id";
                return;
            }
        }
        self.keep(byte);
    }

    fn keep(&mut self, byte: u8) {
        if self.reads != Reads::Nothing && self.word.len() < LONGEST {
            self.word.push(byte);
        }
    }

    fn value_ends(&mut self) {
        if self.reads == Reads::Id {
            self.reads = Reads::Nothing;
            self.id.get_or_insert(std::mem::take(&mut self.word));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Read in pieces of each size, all must agree.
    fn id(text: &str) -> Option<RequestId> {
        let whole = |size: usize| {
            let mut skim = Skim::default();
            for piece in text.as_bytes().chunks(size) {
                skim.feed(piece);
            }
            skim.id()
        };
        let first = whole(1);
        for size in 2..text.len() {
            assert_eq!(whole(size), first, "{text}");
        }
        first
    }

    #[test]
    fn the_id_is_found_wherever_it_stands() {
        let number = Some(RequestId::Number(7));
        for text in [
            r#"{"jsonrpc":"2.0","id":7,"result":{"id":8,"content":[{"id":9}]}}"#,
            r#"{"result":{"id":8,"text":"\"id\":9,\\"},"jsonrpc":"2.0","id": 7 }"#,
            r#"{ "id" : 7 , "result" : [ {"id": 1} ] }"#,
        ] {
            assert_eq!(id(text), number, "{text}");
        }
        let text = r#"{"result":"id","id":"a\"}b"}"#;
        assert_eq!(id(text), Some(RequestId::String("a\"}b".into())));
        for text in [
            r#"{"method":"x","params":{"id":8}}"#,
            r#"["id",7]"#,
            r#"{"x":"id","y":7}"#,
            r#"{"id":null,"error":{}}"#,
            r#"{"id":{"x":7}}"#,
            "no JSON at all",
        ] {
            assert_eq!(id(text), None, "{text}");
        }
    }
}
