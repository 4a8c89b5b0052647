//! The pictures of a document, for models that see: as the process that reads hands them on, and as they are kept.

use std::io;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

/// Most pictures that are kept of one document. What sees is asked with so many at once without being pickier than usual about each.
pub(crate) const MAX_PICTURES: usize = 20;
/// Most bytes of one: in base64 the most that servers take.
pub(super) const MAX_PICTURE_BYTES: usize = 3_750_000;
/// Most bytes of all that are kept of one document.
pub(super) const MAX_ALL_BYTES: usize = 16 * 1024 * 1024;
/// Most bytes that all of them take together, with what is said of them.
pub(crate) const MAX_PACKED: usize = MAX_ALL_BYTES + 64 * 1024;

/// A picture of a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Picture {
    /// The page that shows it first, from 1.
    pub(crate) page: u32,
    pub(crate) format: Format,
    pub(crate) bytes: Bytes,
}

/// In which form a picture is handed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Format {
    Jpeg,
    Png,
}

impl Format {
    pub(crate) const fn mime(self) -> &'static str {
        match self {
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
        }
    }

    /// How all of them begin.
    const fn beginning(self) -> &'static [u8] {
        match self {
            Self::Jpeg => &[0xFF, 0xD8, 0xFF],
            Self::Png => b"\x89PNG\r\n\x1a\n",
        }
    }
}

/// What is said of one before their bytes.
#[derive(Serialize, Deserialize)]
struct Entry {
    page: u32,
    format: Format,
    bytes: usize,
}

/// All of them in one: a line that says which they are, then their bytes. Of none, nothing.
pub(super) fn pack(pictures: &[Picture]) -> io::Result<Vec<u8>> {
    if pictures.is_empty() {
        return Ok(Vec::new());
    }
    let entries: Vec<_> = pictures
        .iter()
        .map(|Picture { page, format, bytes }| Entry {
            page: *page,
            format: *format,
            bytes: bytes.len(),
        })
        .collect();
    let mut packed = serde_json::to_vec(&entries)?;
    packed.push(b'\n');
    for picture in pictures {
        packed.extend_from_slice(&picture.bytes);
    }
    Ok(packed)
}

/// What [`pack`] has made. What is not whole, or is no picture, is left out: whoever has read the document had hostile bytes before it.
pub(crate) fn unpack(packed: Vec<u8>) -> Vec<Picture> {
    let mut rest = Bytes::from(packed);
    let Some(end) = rest.iter().position(|byte| *byte == b'\n') else {
        return Vec::new();
    };
    let head = rest.split_to(end);
    let _ = rest.split_to(1);
    let entries: Vec<Entry> = serde_json::from_slice(&head).unwrap_or_default();
    let mut pictures = Vec::new();
    for Entry { page, format, bytes } in entries.into_iter().take(MAX_PICTURES) {
        if bytes > rest.len() {
            break;
        }
        let bytes = rest.split_to(bytes);
        if bytes.starts_with(format.beginning()) && bytes.len() <= MAX_PICTURE_BYTES {
            pictures.push(Picture { page, format, bytes });
        }
    }
    pictures
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(page: u32, format: Format, more: &[u8]) -> Picture {
        Picture {
            page,
            format,
            bytes: [format.beginning(), more].concat().into(),
        }
    }

    #[test]
    fn pictures_come_back_in_their_order_and_what_is_none_is_left_out() {
        assert_eq!(unpack(pack(&[]).expect("packed")), []);
        let pictures = [
            picture(1, Format::Jpeg, b"\n1"),
            picture(7, Format::Png, b""),
            picture(7, Format::Jpeg, b"3"),
        ];
        let packed = pack(&pictures).expect("packed");
        assert_eq!(unpack(packed.clone()), pictures);
        assert_eq!(
            unpack(packed[..packed.len() - 1].to_vec()),
            pictures[..2],
            "the last is not whole"
        );
        let mut other = packed;
        let end = other.iter().position(|byte| *byte == b'\n').expect("a line");
        other[end + 1] = b'<';
        assert_eq!(unpack(other), pictures[1..], "the first is no picture");
        assert_eq!(unpack(b"no line".to_vec()), []);
        assert_eq!(unpack(b"[{\"page\":1}]\nx".to_vec()), []);
    }
}
