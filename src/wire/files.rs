//! Files that come with a message.

use serde::{Deserialize, Serialize};

use super::FileId;

/// What a file is, by its content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FileKind {
    /// Text of any sort: its content joins the message.
    Text,
    /// A picture, for models that see.
    Image,
}

/// One uploaded file, as its owner's browser shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileView {
    /// This file; `/files/{id}` gives it to its owner.
    pub id: FileId,
    /// The name it came with, made harmless.
    pub name: String,
    /// What it is.
    pub kind: FileKind,
    /// Its MIME type, by content.
    pub mime: String,
    /// Its size, in bytes.
    pub size: u64,
}

/// Why an upload was refused: the body of a 4xx or 503 answer of `POST /files`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UploadError {
    /// A sentence for the person.
    pub message: String,
}

/// A number of bytes as people read it: `812 B`, `1.4 MB`. In units of 1,000, which is what `20MB` in a setting means.
#[must_use]
pub fn size(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["KB", "MB", "GB", "TB"];
    if bytes < 1000 {
        return format!("{bytes} B");
    }
    let rounded = |unit: u64| bytes.saturating_add(unit / 2) / unit;
    let (mut divisor, mut unit) = (1000, 0);
    while rounded(divisor) >= 1000 && unit + 1 < UNITS.len() {
        divisor *= 1000;
        unit += 1;
    }
    // In tenths of the unit, so that no float formatting is dragged into the page's WebAssembly.
    match rounded(divisor / 10) {
        tenths if tenths >= 100 => format!("{} {}", rounded(divisor), UNITS[unit]),
        tenths if tenths.is_multiple_of(10) => format!("{} {}", tenths / 10, UNITS[unit]),
        tenths => format!("{}.{} {}", tenths / 10, tenths % 10, UNITS[unit]),
    }
}

#[cfg(test)]
mod tests {
    use super::size;

    #[test]
    fn sizes_are_in_the_units_of_the_settings() {
        for (bytes, text) in [
            (0, "0 B"),
            (812, "812 B"),
            (1_000, "1 KB"),
            (1_450, "1.5 KB"),
            (9_960, "10 KB"),
            (999_499, "999 KB"),
            (999_500, "1 MB"),
            (1_048_576, "1 MB"),
            (20_000_000, "20 MB"),
            (25_000_000, "25 MB"),
            (1_200_000_000, "1.2 GB"),
            (u64::MAX, "18446744 TB"),
        ] {
            assert_eq!(size(bytes), text, "{bytes}");
        }
    }
}
