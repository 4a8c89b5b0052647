//! Documents that people attach, read in this process: what comes of them is within its bounds, and text.
//!
//! A server has them read by a process of its own, where a panic or too much memory means a damaged or too heavy document. So a panic in a
//! format's library is none here, but one of ours is.
//!
//! Input: a line that says what follows: `raw` a whole document, `page` what draws a page of a PDF, else the XML that is the heart of a document of
//! this format, which is packed here so that the made-up input is not lost on check sums.
#![no_main]

use std::{
    io::{Cursor, Write as _},
    panic::{self, AssertUnwindSafe},
    sync::Once,
};

use anteroom::papers::read_here;
use libfuzzer_sys::{Corpus, fuzz_target};
use zip::{ZipWriter, write::SimpleFileOptions};

/// Most bytes of text, and most parts.
const MOST_TEXT: usize = 8 * 1024 * 1024;
const MOST_PARTS: u32 = 2000;

static QUIET: Once = Once::new();

fuzz_target!(|data: &[u8]| -> Corpus {
    QUIET.call_once(hear_our_own_alone);
    let end = data.iter().position(|byte| *byte == b'\n').unwrap_or(data.len());
    let (kind, body) = data.split_at(end);
    let body = body.strip_prefix(b"\n").unwrap_or(body);
    let document = match kind {
        b"raw" => body.to_vec(),
        b"page" => page(body),
        b"docx" => zip(&[
            ("[Content_Types].xml", b"<Types/>"),
            ("word/document.xml", body),
            ("word/styles.xml", body),
        ]),
        b"epub" => zip(&[
            ("mimetype", b"application/epub+zip"),
            (
                "META-INF/container.xml",
                b"<container><rootfiles><rootfile full-path=\"b/b.opf\"/></rootfiles></container>",
            ),
            (
                "b/b.opf",
                b"<package><manifest><item id=\"c\" href=\"c\" media-type=\"application/xhtml+xml\"/></manifest>\
                  <spine><itemref idref=\"c\"/></spine></package>",
            ),
            ("b/c", body),
        ]),
        b"book" => zip(&[
            ("mimetype", b"application/epub+zip"),
            (
                "META-INF/container.xml",
                b"<container><rootfiles><rootfile full-path=\"b/b.opf\"/></rootfiles></container>",
            ),
            ("b/b.opf", body),
            ("b/c", b"<html><body>chapter</body></html>"),
        ]),
        // Of a cell that is repeated, the library makes as many, for which a server's process has its bounds.
        b"ods" if body.windows(8).any(|part| part == b"repeated") => return Corpus::Reject,
        b"ods" => zip(&[
            ("mimetype", b"application/vnd.oasis.opendocument.spreadsheet"),
            ("META-INF/manifest.xml", b"<manifest/>"),
            ("content.xml", body),
        ]),
        b"xlsx" => workbook(body),
        _ => return Corpus::Reject,
    };
    if let Ok(Ok((report, text))) = panic::catch_unwind(AssertUnwindSafe(|| read_here(&document))) {
        // A character or a label that was begun is written whole.
        assert!(
            text.len() <= MOST_TEXT + 1024 && report.bytes == text.len(),
            "{report:?}"
        );
        assert!(
            report.paper.parts <= MOST_PARTS && report.paper.blank <= report.paper.parts,
            "{report:?}"
        );
        assert!(report.paper.characters > 0, "{report:?}");
        let unseen = |c: char| c.is_control() && !matches!(c, '\n' | '\t' | '\u{0C}');
        assert!(!text.contains(unseen), "{text:?}");
        let parts = text.matches('\u{0C}').count();
        assert_eq!(parts, report.paper.parts as usize, "{text:?}");
    }
    Corpus::Keep
});

/// libFuzzer ends with the first panic. Those of libraries are caught here.
fn hear_our_own_alone() {
    let before = panic::take_hook();
    panic::set_hook(Box::new(move |panic| {
        let is_ours = |file: &str| file.contains("src/papers/") || file.contains("targets/papers.rs");
        if panic.location().is_none_or(|place| is_ours(place.file())) {
            before(panic);
        }
    }));
}

fn zip(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in files {
        archive.start_file(*name, SimpleFileOptions::default()).expect("begun");
        archive.write_all(content).expect("written");
    }
    archive.finish().expect("finished").into_inner()
}

fn workbook(sheet: &[u8]) -> Vec<u8> {
    zip(&[
        ("[Content_Types].xml", b"<Types xmlns=\"http://schemas.openxmlformats.org/package/2006/content-types\"/>"),
        (
            "_rels/.rels",
            b"<Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\"><Relationship Id=\"r1\" \
              Type=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument\" \
              Target=\"xl/workbook.xml\"/></Relationships>",
        ),
        (
            "xl/workbook.xml",
            b"<workbook xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\" \
              xmlns:r=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships\">\
              <sheets><sheet name=\"One\" sheetId=\"1\" r:id=\"r1\"/></sheets></workbook>",
        ),
        (
            "xl/_rels/workbook.xml.rels",
            b"<Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\"><Relationship Id=\"r1\" \
              Type=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet\" \
              Target=\"worksheets/sheet1.xml\"/></Relationships>",
        ),
        ("xl/worksheets/sheet1.xml", sheet),
    ])
}

/// A PDF of one page, which is drawn so.
fn page(content: &[u8]) -> Vec<u8> {
    let mut drawing = format!("<< /Length {} >>\nstream\n", content.len()).into_bytes();
    drawing.extend_from_slice(content);
    drawing.extend_from_slice(b"\nendstream");
    let objects: [&[u8]; 5] = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Count 1 /Kids [4 0 R] >>",
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 5 0 R /Resources << /Font << /F1 3 0 R >> >> >>",
        &drawing,
    ];
    let mut file = b"%PDF-1.4\n".to_vec();
    let mut table = "xref\n0 6\n0000000000 65535 f \n".to_owned();
    for (index, object) in objects.into_iter().enumerate() {
        table.push_str(&format!("{:010} 00000 n \n", file.len()));
        file.extend_from_slice(format!("{} 0 obj\n", index + 1).as_bytes());
        file.extend_from_slice(object);
        file.extend_from_slice(b"\nendobj\n");
    }
    let at = file.len();
    file.extend_from_slice(table.as_bytes());
    file.extend_from_slice(format!("trailer\n<< /Size 6 /Root 1 0 R >>\nstartxref\n{at}\n%%EOF\n").as_bytes());
    file
}
