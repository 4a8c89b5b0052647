//! Files that people upload: their names, and what they are by their content.
//!
//! Input: one byte that says how the content is cut, the name up to a line end, the content.
#![no_main]

use anteroom::{
    files::{FileError, Inspector, harmless},
    wire::FileKind,
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((step, rest)) = data.split_first() else { return };
    let end = rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
    let (name, content) = rest.split_at(end);
    let content = content.strip_prefix(b"\n").unwrap_or(content);
    let name = check_name(&String::from_utf8_lossy(name));

    let whole = inspect(&name, &[content]);
    let pieces: Vec<_> = content.chunks(usize::from(*step).max(1)).collect();
    assert_eq!(inspect(&name, &pieces), whole, "it depends on how the content is cut");
    if let Ok((kept, kind, mime)) = whole {
        match kind {
            FileKind::Text => {
                let text = String::from_utf8(kept).expect("text is kept as UTF-8");
                assert!(!text.contains('\0') && !mime.contains("html"), "{mime}");
            }
            FileKind::Document => assert_eq!(kept, content, "a document is kept as it is"),
            FileKind::Image => {
                assert_eq!(kept, content, "a picture is kept as it is");
                assert!(["image/png", "image/jpeg", "image/gif", "image/webp"].contains(&mime));
            }
        }
    }
});

fn check_name(name: &str) -> String {
    let shown = harmless(name);
    assert!(!shown.is_empty() && shown.chars().count() <= 101, "{shown:?}");
    assert!(
        !shown.contains(['/', '\\', '<', '>', ':', '"', '|', '?', '*']) && !shown.contains(char::is_control),
        "{shown:?}"
    );
    assert!(!shown.ends_with(['.', ' ']) && !shown.starts_with(' '), "{shown:?}");
    assert_eq!(harmless(&shown), shown, "harmless already");
    shown
}

type Seen = (Vec<u8>, FileKind, &'static str);

/// What is kept of a file that comes in these pieces, or why it is refused.
fn inspect(name: &str, pieces: &[&[u8]]) -> Result<Seen, String> {
    let refused = |error: FileError| error.to_string();
    let mut inspector = Inspector::new(name.to_owned());
    let mut kept = Vec::new();
    for piece in pieces {
        kept.extend_from_slice(&inspector.feed(piece).map_err(refused)?);
    }
    let (rest, kind, mime) = inspector.finish().map_err(refused)?;
    kept.extend(rest);
    Ok((kept, kind, mime))
}
