use super::*;

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0";
const EXE: &[u8] = b"MZ\x90\0\x03\0\0\0\x04\0\0\0\xff\xff\0\0\xb8\0\0\0";

/// What is kept of `bytes`, which come in pieces of `step`, its kind and type.
fn inspect_in(name: &str, bytes: &[u8], step: usize) -> Result<(Vec<u8>, FileKind, &'static str), FileError> {
    let mut inspector = Inspector::new(name.to_owned());
    let mut kept = Vec::new();
    for piece in bytes.chunks(step) {
        kept.extend_from_slice(&inspector.feed(piece)?);
    }
    let (rest, kind, mime) = inspector.finish()?;
    kept.extend(rest);
    Ok((kept, kind, mime))
}

/// The same, and made sure that it does not matter how it comes.
fn inspect(name: &str, bytes: &[u8]) -> Result<(Vec<u8>, FileKind, &'static str), FileError> {
    let whole = inspect_in(name, bytes, bytes.len().max(1));
    for step in [1, 2, 3, 5, 17] {
        let pieces = inspect_in(name, bytes, step);
        assert_eq!(
            format!("{whole:?}"),
            format!("{pieces:?}"),
            "{name} in pieces of {step}"
        );
    }
    whole
}

#[test]
fn pictures_are_known_by_content() {
    let jpeg: &[u8] = b"\xff\xd8\xff\xe0\0\x10JFIF\0\x01\x01\0\0\x01\0\x01\0\0";
    let webp: &[u8] = b"RIFF\x24\0\0\0WEBPVP8 \x18\0\0\0";
    for (name, bytes, mime) in [
        ("a.png", PNG, "image/png"),
        ("a.jpg", jpeg, "image/jpeg"),
        (
            "a.gif",
            b"GIF89a\x01\0\x01\0\x80\0\0\0\0\0\xff\xff".as_slice(),
            "image/gif",
        ),
        ("a.webp", webp, "image/webp"),
        ("jpeg.png", jpeg, "image/jpeg"),
        ("png.txt", PNG, "image/png"),
        ("noending", PNG, "image/png"),
    ] {
        assert_eq!(
            inspect(name, bytes).expect(name),
            (bytes.to_vec(), FileKind::Image, mime)
        );
    }
}

#[test]
fn text_is_what_is_utf8() {
    for (name, mime) in [
        ("a.md", "text/markdown"),
        ("A.MARKDOWN", "text/markdown"),
        ("a.csv", "text/csv"),
        ("a.json", "application/json"),
        ("a.rs", "text/plain"),
        ("a.html", "text/plain"),
        ("a.svg", "text/plain"),
        ("a.js", "text/plain"),
        ("a.xml", "text/plain"),
        ("a.exe", "text/plain"),
        ("Makefile", "text/plain"),
    ] {
        let text = "<script>ä €😀</script> BMW, \u{FEFF} in the middle";
        assert_eq!(
            inspect(name, text.as_bytes()).expect(name),
            (text.into(), FileKind::Text, mime)
        );
    }
    assert_eq!(inspect("a.txt", b"x").expect("short").0, b"x");
}

#[test]
fn byte_order_marks_are_taken_off_and_utf16_is_turned_to_utf8() {
    let text = "Größe;€;😀\r\nline";
    let little: Vec<u8> = [0xFF, 0xFE]
        .into_iter()
        .chain(text.encode_utf16().flat_map(u16::to_le_bytes))
        .collect();
    let big: Vec<u8> = [0xFE, 0xFF]
        .into_iter()
        .chain(text.encode_utf16().flat_map(u16::to_be_bytes))
        .collect();
    let utf8 = [b"\xEF\xBB\xBF", text.as_bytes()].concat();
    for bytes in [little, big, utf8] {
        assert_eq!(
            inspect("a.csv", &bytes).expect("text"),
            (text.into(), FileKind::Text, "text/csv")
        );
    }
}

#[test]
fn documents_are_kept_as_they_are_whatever_their_name() {
    for (name, bytes) in [
        ("x.pdf", b"%PDF-1.4\nall ascii text here".as_slice()),
        ("x.txt", b"%PDF-"),
        ("x.docx", b"PK\x03\x04\x14\0\x06\0\x08\0\0\0!\0\x8f\xfa"),
        ("x", b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1\0\0\0\0"),
        ("x.html", b"\xEF\xBB\xBF <!DOCTYPE HTML><p>caf\xe9"),
        ("x.htm", b"<html><p>\xff"),
    ] {
        let (kept, kind, _) = inspect(name, bytes).expect(name);
        assert!(kind == FileKind::Document && kept == bytes, "{name}");
    }
    // A page by its look, and not by its name; and the other way round.
    for (name, bytes) in [
        ("x.txt", b"<!doctype html><p>text".as_slice()),
        ("x.html", b"<script>alert(1)</script>"),
    ] {
        assert_eq!(inspect(name, bytes).expect(name).1, FileKind::Text, "{name}");
    }
}

#[test]
fn everything_else_is_refused_with_a_reason() {
    let nul_at_the_end = [b"text ".repeat(10).as_slice(), b"\0"].concat();
    for (name, bytes, reason) in [
        ("x.exe", EXE, "is of no kind that is taken"),
        ("x.docx", EXE, "is named like a document and is none"),
        (
            "x.PDF",
            b"all ascii text here".as_slice(),
            "is named like a document and is none",
        ),
        ("x.png", EXE, "is named like an image and is none"),
        (
            "x.png",
            b"<html><script>alert(1)</script></html>",
            "is named like an image and is none",
        ),
        (
            "x.bmp",
            b"BM\x36\0\0\0\0\0\0\0\x36\0\0\0\xff\xff",
            "is named like an image and is none",
        ),
        ("x.csv", b"caf\xe9;cr\xe8me and more of it;1", "is not text in UTF-8"),
        ("x.txt", nul_at_the_end.as_slice(), "is not text in UTF-8"),
        ("x.txt", b"cut in a character \xe2\x82", "is not text in UTF-8"),
        ("x.txt", b"\xff\xfeodd", "is not text in UTF-8"),
        ("x.txt", b"\xff\xfe\0\xd8a\0", "is not text in UTF-8"),
        ("x.txt", b"\xff\xfe\0\0a\0\0\0", "is not text in UTF-8"),
        ("x", b"\x89PN", "is of no kind that is taken"),
    ] {
        let error = inspect(name, bytes).expect_err(name);
        assert!(error.to_string().contains(reason), "{name}: {error}");
        let of_kind = matches!(
            error,
            FileError::Unsupported { .. }
                | FileError::NotAnImage { .. }
                | FileError::NotADocument { .. }
                | FileError::NotUtf8 { .. }
        );
        assert!(of_kind, "{name}: {error:?}");
    }
}

#[test]
fn binary_content_is_refused_before_all_of_it_has_come() {
    let mut inspector = Inspector::new("x.bin".to_owned());
    assert!(inspector.feed(EXE).is_err());
}
