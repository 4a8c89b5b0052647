//! What a file is, told from its content as it comes in.

use std::borrow::Cow;

use super::{FileError, name::ending};
use crate::wire::FileKind;

/// Bytes that are enough to tell every picture that is taken, and every byte order mark.
const HEAD_BYTES: usize = 16;

/// Endings of pictures, taken or not. Text under such a name was not meant to be read.
const IMAGE_ENDINGS: [&str; 14] = [
    "png", "jpg", "jpeg", "jpe", "jfif", "gif", "webp", "bmp", "ico", "tif", "tiff", "heic", "heif", "avif",
];

/// Endings of text: who uploads one in another encoding than UTF-8 is told so.
const TEXT_ENDINGS: [&str; 30] = [
    "txt", "text", "md", "markdown", "csv", "tsv", "json", "jsonl", "xml", "html", "htm", "yaml", "yml", "toml", "ini",
    "log", "rs", "py", "js", "ts", "c", "h", "cpp", "java", "go", "rb", "sh", "sql", "css", "tex",
];

/// Looks at a file's bytes in order, and hands on what is to be kept.
#[derive(Debug)]
pub struct Inspector {
    name: String,
    state: State,
}

#[derive(Debug)]
enum State {
    /// Too little has come to tell.
    Head(Vec<u8>),
    Image(&'static str),
    Text(Decoder),
}

impl Inspector {
    /// For a file with this harmless name.
    #[must_use]
    pub const fn new(name: String) -> Self {
        Self {
            name,
            state: State::Head(Vec::new()),
        }
    }

    /// Looks at the next bytes. Returns what to keep: the bytes of a picture as they are, text as UTF-8.
    ///
    /// # Errors
    /// As soon as it is certain that the file is nothing that Anteroom takes.
    pub fn feed<'b>(&mut self, bytes: &'b [u8]) -> Result<Cow<'b, [u8]>, FileError> {
        match &mut self.state {
            State::Head(head) if head.len() + bytes.len() < HEAD_BYTES => {
                head.extend_from_slice(bytes);
                Ok(Cow::Borrowed(&[]))
            }
            State::Head(head) => {
                head.extend_from_slice(bytes);
                let head = std::mem::take(head);
                self.decide(head).map(Cow::Owned)
            }
            State::Image(_) => Ok(Cow::Borrowed(bytes)),
            State::Text(decoder) => decoder.feed(bytes).map_err(|NotText| self.refusal()),
        }
    }

    /// Says that all has come. Returns the rest to keep, the kind and the MIME type.
    ///
    /// # Errors
    /// The file is nothing that Anteroom takes.
    pub fn finish(mut self) -> Result<(Vec<u8>, FileKind, &'static str), FileError> {
        let rest = match &mut self.state {
            State::Head(head) => {
                let head = std::mem::take(head);
                self.decide(head)?
            }
            _ => Vec::new(),
        };
        match self.state {
            State::Image(mime) => Ok((rest, FileKind::Image, mime)),
            State::Text(ref decoder) if decoder.is_complete() => {
                if IMAGE_ENDINGS.contains(&ending(&self.name).as_str()) {
                    return Err(FileError::NotAnImage { name: self.name });
                }
                Ok((rest, FileKind::Text, text_mime(&self.name)))
            }
            _ => Err(self.refusal()),
        }
    }

    fn decide(&mut self, head: Vec<u8>) -> Result<Vec<u8>, FileError> {
        if let Some(mime) = image_mime(&head) {
            self.state = State::Image(mime);
            return Ok(head);
        }
        // A PDF may well be all ASCII, but what it says is not what it shows.
        if head.starts_with(b"%PDF-") {
            return Err(FileError::Unsupported {
                name: self.name.clone(),
            });
        }
        let (mut decoder, mark) = Decoder::of(&head);
        let text = decoder
            .feed(&head[mark..])
            .map(Cow::into_owned)
            .map_err(|NotText| self.refusal())?;
        self.state = State::Text(decoder);
        Ok(text)
    }

    /// Why what is neither text nor a known picture is refused.
    fn refusal(&self) -> FileError {
        let name = self.name.clone();
        let ending = ending(&name);
        if IMAGE_ENDINGS.contains(&ending.as_str()) {
            FileError::NotAnImage { name }
        } else if TEXT_ENDINGS.contains(&ending.as_str()) {
            FileError::NotUtf8 { name }
        } else {
            FileError::Unsupported { name }
        }
    }
}

/// What kind of picture begins so, of those that are taken.
pub(crate) fn image_mime(head: &[u8]) -> Option<&'static str> {
    use infer::image::{is_gif, is_jpeg, is_png, is_webp};
    let known: [(infer::Matcher, &str); 4] = [
        (is_png, "image/png"),
        (is_jpeg, "image/jpeg"),
        (is_gif, "image/gif"),
        (is_webp, "image/webp"),
    ];
    known
        .into_iter()
        .find(|(matches, _)| matches(head))
        .map(|(_, mime)| mime)
}

/// The MIME type of text with this name: none that a browser would run or lay out.
fn text_mime(name: &str) -> &'static str {
    match ending(name).as_str() {
        "md" | "markdown" => "text/markdown",
        "csv" => "text/csv",
        "tsv" => "text/tab-separated-values",
        "json" => "application/json",
        _ => "text/plain",
    }
}

/// The bytes are not text in the encoding that they began in.
#[derive(Debug)]
struct NotText;

/// Turns text that comes in pieces into UTF-8.
#[derive(Debug)]
enum Decoder {
    Utf8 {
        /// The beginning of a character.
        carry: Vec<u8>,
    },
    Utf16 {
        big_endian: bool,
        /// Half of a unit.
        byte: Option<u8>,
        /// Half of a character.
        high: Option<u16>,
    },
}

impl Decoder {
    /// By the byte order mark, and how long that is.
    fn of(head: &[u8]) -> (Self, usize) {
        let utf16 = |big_endian| Self::Utf16 {
            big_endian,
            byte: None,
            high: None,
        };
        match head {
            [0xFE, 0xFF, ..] => (utf16(true), 2),
            [0xFF, 0xFE, ..] => (utf16(false), 2),
            [0xEF, 0xBB, 0xBF, ..] => (Self::Utf8 { carry: Vec::new() }, 3),
            _ => (Self::Utf8 { carry: Vec::new() }, 0),
        }
    }

    /// Whether no character is left half.
    const fn is_complete(&self) -> bool {
        match self {
            Self::Utf8 { carry } => carry.is_empty(),
            Self::Utf16 { byte, high, .. } => byte.is_none() && high.is_none(),
        }
    }

    fn feed<'b>(&mut self, bytes: &'b [u8]) -> Result<Cow<'b, [u8]>, NotText> {
        match self {
            Self::Utf8 { carry } => {
                let mut all = if carry.is_empty() {
                    Cow::Borrowed(bytes)
                } else {
                    carry.extend_from_slice(bytes);
                    Cow::Owned(std::mem::take(carry))
                };
                if let Err(error) = std::str::from_utf8(&all) {
                    if error.error_len().is_some() {
                        return Err(NotText);
                    }
                    let end = error.valid_up_to();
                    *carry = all[end..].to_vec();
                    match &mut all {
                        Cow::Borrowed(bytes) => *bytes = &bytes[..end],
                        Cow::Owned(bytes) => bytes.truncate(end),
                    }
                }
                if all.contains(&0) { Err(NotText) } else { Ok(all) }
            }
            Self::Utf16 { big_endian, byte, high } => {
                let mut units = Vec::with_capacity(bytes.len() / 2 + 2);
                units.extend(high.take());
                for &next in bytes {
                    match byte.take() {
                        None => *byte = Some(next),
                        Some(first) if *big_endian => units.push(u16::from_be_bytes([first, next])),
                        Some(first) => units.push(u16::from_le_bytes([first, next])),
                    }
                }
                *high = units.pop_if(|last| (0xD800..0xDC00).contains(last));
                let text = char::decode_utf16(units)
                    .collect::<Result<String, _>>()
                    .map_err(|_| NotText)?;
                if text.contains('\0') {
                    Err(NotText)
                } else {
                    Ok(Cow::Owned(text.into_bytes()))
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
