//! Documents of each format, good and bad, read in a process as they are in a server.

mod pictures;

use lopdf::{Dictionary, Document, EncryptionState, EncryptionVersion, Object, Permissions, Stream, StringFormat};

use super::{
    samples::{docx, epub, ods, pdf, pdf_of, pdf_with, xlsx, zip},
    *,
};
use crate::wire::PaperUnit;

/// What the other tests start: this program is the one that reads.
#[test]
#[ignore = "it is a process of its own, which the others start"]
fn reads_as_a_process() {
    // Where all that is ignored is run, it would bound the tests of everything else.
    let alone = ["papers::tests::reads_as_a_process", "--exact", "--ignored"];
    if alone
        .iter()
        .all(|wanted| std::env::args().any(|argument| argument == *wanted))
    {
        let _ = run();
    }
}

/// What a document is, and its text.
async fn by_process(bytes: &[u8]) -> Result<(Report, String), PaperFault> {
    read_by_process(bytes).await.map(|read| (read.report, read.text))
}

/// Reads a document in a process, which has gone by then.
async fn read_by_process(bytes: &[u8]) -> Result<Read, PaperFault> {
    let mut reading = Reading::begin().expect("it starts");
    let process = reading.process().expect("it runs");
    for piece in bytes.chunks(50_000) {
        reading.feed(piece).await;
    }
    let read = reading.finish().await;
    assert!(!is_there(process), "nothing of it is left");
    read
}

fn is_there(process: u32) -> bool {
    std::path::Path::new(&format!("/proc/{process}")).exists()
}

async fn text_of(bytes: &[u8]) -> String {
    by_process(bytes).await.expect("read").1
}

#[tokio::test]
async fn a_pdf_is_read_page_by_page() {
    let (report, text) = by_process(&pdf(&["First page,\nsecond line", "The end"]))
        .await
        .expect("read");
    assert_eq!(report.mime, "application/pdf");
    assert_eq!((report.paper.unit, report.paper.parts), (PaperUnit::Pages, 2));
    assert_eq!(report.paper.characters, 26);
    assert_eq!(text, "\u{0C}page 1\nFirst page,\nsecond line\n\u{0C}page 2\nThe end\n");
}

#[tokio::test]
async fn a_page_that_is_a_picture_is_told_of() {
    let scan = b"q 612 0 0 792 0 0 cm /Im1 Do Q".to_vec();
    let text = b"BT /F1 12 Tf 72 700 Td (Words) Tj ET".to_vec();
    let (report, _) = by_process(&pdf_of(&[text, scan.clone()])).await.expect("read");
    assert_eq!((report.paper.parts, report.paper.blank), (2, 1));
    assert_eq!(
        by_process(&pdf_of(&[scan.clone(), scan])).await,
        Err(PaperFault::NoText)
    );
}

#[tokio::test]
async fn words_and_lines_are_told_by_where_they_stand() {
    let content = b"BT /F1 10 Tf 1 0 0 1 72 700 Tm [(Wor) 20 (ds) -400 (apart)] TJ 0 -12 Td (next) Tj ET \
        BT /F1 10 Tf 200 700 Td (beside) Tj ET BT 0 1 -1 0 500 100 Tm /F1 10 Tf (turned) Tj ET"
        .to_vec();
    assert_eq!(
        text_of(&pdf_of(&[content])).await,
        "\u{0C}page 1\nWords apart\nnext\nbeside\n\nturned\n"
    );
}

#[tokio::test]
async fn tables_of_characters_and_names_of_glyphs_are_gone_by() {
    let table = b"/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /X def /CMapType 2 def \
        1 begincodespacerange <0000> <FFFF> endcodespacerange 2 beginbfchar <0001> <0416> <0002> <00660069> endbfchar \
        1 beginbfrange <0010> <0012> <0061> endbfrange endcmap CMapName currentdict /CMap defineresource pop end end";
    let mut stream = format!("<< /Length {} >>\nstream\n", table.len()).into_bytes();
    stream.extend_from_slice(table);
    stream.extend_from_slice(b"\nendstream");
    let content = b"BT /C 12 Tf 72 700 Td <0001000200100011> Tj /D 12 Tf 0 -14 Td (\\001\\002\\003) Tj ET";
    let mut drawn = format!("<< /Length {} >>\nstream\n", content.len()).into_bytes();
    drawn.extend_from_slice(content);
    drawn.extend_from_slice(b"\nendstream");
    let objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>".to_vec(),
        b"<< /Type /Pages /Count 1 /Kids [3 0 R] >>".to_vec(),
        b"<< /Type /Page /Parent 2 0 R /Contents 4 0 R /Resources << /Font << /C 5 0 R /D 7 0 R >> >> >>".to_vec(),
        drawn,
        b"<< /Type /Font /Subtype /Type0 /BaseFont /X /Encoding /Identity-H /ToUnicode 6 0 R /DescendantFonts [<< /Type /Font /Subtype /CIDFontType2 /BaseFont /X /W [1 [500 600]] >>] >>".to_vec(),
        stream,
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Y /Encoding << /Differences [1 /ffi /afii10017 /eacute] >> >>".to_vec(),
    ];
    assert_eq!(
        text_of(&pdf_with(&objects)).await,
        "\u{0C}page 1\n\u{416}fiab\nffi\u{410}\u{e9}\n"
    );
}

#[tokio::test]
async fn word_keeps_headings_lists_tables_and_notes() {
    let body = "<w:p><w:pPr><w:pStyle w:val=\"berschrift2\"/></w:pPr><w:r><w:t>Aim &amp; plan</w:t></w:r></w:p>\
        <w:p><w:r><w:t xml:space=\"preserve\">We </w:t></w:r><w:del><w:r><w:delText>never</w:delText></w:r></w:del>\
        <w:r><w:t>agree</w:t></w:r><w:r><w:footnoteReference w:id=\"1\"/></w:r></w:p>\
        <w:p><w:pPr><w:numPr><w:ilvl w:val=\"0\"/></w:numPr></w:pPr><w:r><w:t>one</w:t></w:r></w:p>\
        <w:p><w:pPr><w:numPr><w:ilvl w:val=\"1\"/></w:numPr></w:pPr><w:r><w:t>two</w:t></w:r></w:p>\
        <w:tbl><w:tr><w:tc><w:p><w:r><w:t>Name</w:t></w:r></w:p></w:tc><w:tc><w:p><w:r><w:t>Sum</w:t></w:r></w:p></w:tc></w:tr>\
        <w:tr><w:tc><w:p><w:r><w:t>A|B</w:t></w:r></w:p></w:tc><w:tc><w:p/></w:tc></w:tr></w:tbl>";
    let (report, text) = by_process(&docx(body)).await.expect("read");
    assert!(report.mime.ends_with("wordprocessingml.document"));
    assert_eq!(report.paper.unit, PaperUnit::Whole);
    assert_eq!(
        text,
        "\u{0C}\n## Aim & plan\n\nWe agree[^1]\n\n- one\n  - two\n| Name | Sum |\n| --- | --- |\n| A\\|B |  |\n\n[^1]: The note.\n"
    );
}

#[tokio::test]
async fn sheets_are_tables_with_their_names() {
    let rows = "<row r=\"1\"><c r=\"A1\" t=\"inlineStr\"><is><t>Item</t></is></c><c r=\"B1\" t=\"inlineStr\"><is><t>Price</t></is></c></row>\
        <row r=\"2\"><c r=\"A2\" t=\"inlineStr\"><is><t>Tea</t></is></c><c r=\"B2\"><v>3.5</v></c></row>\
        <row r=\"9\"><c r=\"C9\"><v>7</v></c></row>";
    let (report, text) = by_process(&xlsx(&[("Budget", rows), ("Empty", "")]))
        .await
        .expect("read");
    assert_eq!(
        (report.paper.unit, report.paper.parts, report.paper.blank),
        (PaperUnit::Sheets, 2, 1)
    );
    assert_eq!(
        text,
        "\u{0C}sheet Budget\nItem\tPrice\nTea\t3.5\n\n\t\t7\n\u{0C}sheet Empty\n"
    );
    let table = "<table:table table:name=\"Plan\"><table:table-row><table:table-cell office:value-type=\"string\"><text:p>when</text:p>\
        </table:table-cell><table:table-cell office:value-type=\"float\" office:value=\"4\"><text:p>4</text:p></table:table-cell>\
        </table:table-row></table:table>";
    let (report, text) = by_process(&ods(table)).await.expect("read");
    assert!(report.mime.ends_with("opendocument.spreadsheet"));
    assert_eq!(text, "\u{0C}sheet Plan\nwhen\t4\n");
}

#[tokio::test]
async fn books_and_web_pages_are_read() {
    let book = epub(&[
        ("one.xhtml", "<h1>Dawn</h1><p>It was &eacute;arly.</p>"),
        ("two.xhtml", "<p>Then <b>noon</b>.</p><script>no()</script>"),
    ]);
    let (report, text) = by_process(&book).await.expect("read");
    assert_eq!((report.paper.unit, report.paper.parts), (PaperUnit::Chapters, 2));
    assert_eq!(
        text,
        "\u{0C}chapter 1\n# Dawn\n\nIt was éarly.\n\u{0C}chapter 2\nThen noon.\n"
    );
    let page = "<!doctype html><html><head><title>A page</title><style>p { color: red }</style></head><body><nav><a>Home</a></nav>\
        <script>if (a < b) alert('</p>')</script><ul><li>one<li>two</ul><table><tr><th>Year<th>Sum<tr><td>2024<td><p>5</p><p>6</p></table>\
        <pre>a\n  b</pre></body></html>";
    let (report, text) = by_process(page.as_bytes()).await.expect("read");
    assert_eq!(report.mime, "text/html");
    assert_eq!(
        text,
        "\u{0C}\n# A page\n\nHome\n\n- one\n- two\n| Year | Sum |\n| --- | --- |\n| 2024 | 5 6 |\n\na\n  b\n"
    );
    let old = [
        b"<html><meta charset=windows-1251><p>".as_slice(),
        b"\xcf\xf0\xe8\xe2\xe5\xf2",
        b"</p>",
    ]
    .concat();
    assert_eq!(text_of(&old).await, "\u{0C}\nПривет\n");
}

#[tokio::test]
async fn of_five_thousand_pages_two_thousand_are_read() {
    let content = b"BT /F1 9 Tf 9 700 Td (word) Tj ET".to_vec();
    let (report, text) = by_process(&pdf_of(&vec![content; 5000])).await.expect("read");
    assert_eq!((report.paper.parts, report.paper.left_out), (2000, 3000));
    assert!(text.ends_with("\u{0C}page 2000\nword\n"));
}

#[tokio::test]
async fn a_broken_table_of_a_pdf_is_made_anew() {
    let whole = pdf(&["Still here"]);
    let mark = whole
        .windows(9)
        .rposition(|window| window == b"startxref")
        .expect("there");
    let mut elsewhere = whole[..mark].to_vec();
    elsewhere.extend_from_slice(b"startxref\n7\n%%EOF");
    assert_eq!(text_of(&elsewhere).await, "\u{0C}page 1\nStill here\n");
    // Cut off in the middle, there is no page left.
    let fault = by_process(&whole[..60]).await.expect_err("nothing of it");
    assert_eq!(fault, PaperFault::Damaged);
}

#[tokio::test]
async fn a_pdf_with_a_password_says_so() {
    let mut document = Document::load_mem(&pdf(&["Secret"])).expect("loaded");
    let id = Object::String(b"0123456789abcdef".to_vec(), StringFormat::Literal);
    document.trailer.set("ID", Object::Array(vec![id.clone(), id]));
    let locked = |document: &Document, user: &str| {
        let version = EncryptionVersion::V2 {
            document,
            owner_password: "owner",
            user_password: user,
            key_length: 128,
            permissions: Permissions::all(),
        };
        let state = EncryptionState::try_from(version).expect("a state");
        let mut document = document.clone();
        document.encrypt(&state).expect("encrypted");
        let mut bytes = Vec::new();
        document.save_to(&mut bytes).expect("saved");
        bytes
    };
    assert_eq!(by_process(&locked(&document, "user")).await, Err(PaperFault::Locked));
    // One that only may not be changed opens without.
    assert!(text_of(&locked(&document, "")).await.contains("Secret"));
}

/// A document whose one page is unpacked to so many bytes.
fn bomb(bytes: usize) -> Vec<u8> {
    let mut document = Document::load_mem(&pdf(&["x"])).expect("loaded");
    let mut stream = Stream::new(Dictionary::new(), vec![b' '; bytes]);
    stream.compress().expect("compressed");
    document.objects.insert((5, 0), Object::Stream(stream));
    let mut file = Vec::new();
    document.save_to(&mut file).expect("saved");
    file
}

#[tokio::test]
async fn bombs_do_not_go_off() {
    let pdf = bomb(200_000_000);
    assert!(pdf.len() < 1_000_000);
    assert_eq!(by_process(&pdf).await, Err(PaperFault::TooHeavy));
    let spaces = vec![b' '; 200_000_000];
    let body = zip(&[("[Content_Types].xml", b"<x/>"), ("word/document.xml", &spaces)]);
    assert_eq!(by_process(&body).await, Err(PaperFault::TooHeavy));
    let book = zip(&[
        ("[Content_Types].xml", b"<x/>"),
        ("xl/workbook.xml", b"<workbook/>"),
        ("xl/sharedStrings.xml", &spaces),
    ]);
    assert_eq!(by_process(&book).await, Err(PaperFault::TooHeavy));
}

#[tokio::test]
async fn laughs_are_not_laughed() {
    let laughs = "<?xml version=\"1.0\"?><!DOCTYPE lolz [<!ENTITY lol \"lol\"><!ENTITY lol2 \"&lol;&lol;&lol;\">]>\
        <w:document xmlns:w=\"w\"><w:body><w:p><w:r><w:t>&lol2;</w:t></w:r></w:p></w:body></w:document>";
    let document = zip(&[
        ("[Content_Types].xml", b"<x/>"),
        ("word/document.xml", laughs.as_bytes()),
    ]);
    assert_eq!(by_process(&document).await, Err(PaperFault::Damaged));
    let deep = format!("<w:document xmlns:w=\"w\">{}", "<w:tbl>".repeat(100_000));
    let document = zip(&[("[Content_Types].xml", b"<x/>"), ("word/document.xml", deep.as_bytes())]);
    assert_eq!(by_process(&document).await, Err(PaperFault::TooHeavy));
}

#[tokio::test]
async fn what_is_nested_without_end_ends() {
    let mut brackets = vec![b'['; 300_000];
    brackets.extend_from_slice(b" BT /F1 9 Tf (x) Tj ET");
    assert_eq!(by_process(&pdf_of(&[brackets])).await, Err(PaperFault::NoText));
    // A form that draws itself, twice each time; and pages that are their own parents.
    let form = b"<< /Type /XObject /Subtype /Form /BBox [0 0 1 1] /Resources << /XObject << /X 5 0 R >> /Font << /F 6 0 R >> >> /Length 47 >>\n\
        stream\nBT /F 9 Tf 0 -20 Td (again) Tj ET /X Do /X Do  \nendstream"
        .to_vec();
    let objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>".to_vec(),
        b"<< /Type /Pages /Count 1 /Kids [3 0 R 2 0 R] /Parent 2 0 R >>".to_vec(),
        b"<< /Type /Page /Parent 2 0 R /Contents 4 0 R /Resources << /XObject << /X 5 0 R >> >> >>".to_vec(),
        b"<< /Length 5 >>\nstream\n/X Do\nendstream".to_vec(),
        form,
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>".to_vec(),
    ];
    let text = text_of(&pdf_with(&objects)).await;
    assert!(text.contains("again"), "{text}");
}

#[tokio::test]
async fn a_sheet_that_says_it_is_huge_is_as_large_as_its_cells() {
    let rows = "<row r=\"1\"><c r=\"A1\"><v>1</v></c></row><row r=\"1048576\"><c r=\"B1048576\"><v>2</v></c><c r=\"XFD1048576\"><v>3</v></c></row>";
    let (report, text) = by_process(&xlsx(&[("Huge", rows)])).await.expect("read");
    assert_eq!(
        (text.as_str(), report.paper.cut),
        ("\u{0C}sheet Huge\n1\n\n\t2\n", true)
    );
    let table = "<table:table table:name=\"Wide\"><table:table-row table:number-rows-repeated=\"1000000\">\
        <table:table-cell table:number-columns-repeated=\"16000\" office:value-type=\"string\"><text:p>x</text:p></table:table-cell>\
        </table:table-row></table:table>";
    let fault = by_process(&ods(table)).await.expect_err("more than there is memory");
    assert!(matches!(fault, PaperFault::TooHeavy | PaperFault::Damaged), "{fault}");
}

#[tokio::test]
async fn a_table_that_does_not_end_is_not_read_for_ever() {
    let table = "<x xmlns:table=\"t\"><table:table table:name=\"One\"><table:table-row>";
    let file = zip(&[
        ("mimetype", b"application/vnd.oasis.opendocument.spreadsheet"),
        ("META-INF/manifest.xml", b"<manifest/>"),
        ("content.xml", table.as_bytes()),
    ]);
    // Killed after its time it would have been too heavy.
    let fault = by_process(&file).await.expect_err("it does not end");
    assert_eq!(fault, PaperFault::Damaged);
}

#[tokio::test]
async fn a_book_reads_nothing_outside() {
    let book = epub(&[
        ("../../../../../../etc/passwd", "<p>root</p>"),
        ("in.xhtml", "<p>inside</p>"),
    ]);
    assert_eq!(text_of(&book).await, "\u{0C}chapter 1\ninside\n");
    let rights = zip(&[
        ("mimetype", b"application/epub+zip"),
        ("META-INF/rights.xml", b"<rights/>"),
    ]);
    assert_eq!(by_process(&rights).await, Err(PaperFault::Locked));
}

#[tokio::test]
async fn what_no_reader_knows_is_told() {
    for (bytes, fault) in [
        (zip(&[("a.txt", b"hello")]), PaperFault::Unsupported),
        (
            zip(&[("[Content_Types].xml", b"<x/>"), ("ppt/presentation.xml", b"<x/>")]),
            PaperFault::Unsupported,
        ),
        (b"PK\x03\x04 and nothing else".to_vec(), PaperFault::Damaged),
        (b"%PDF-1.7 and nothing else".to_vec(), PaperFault::Damaged),
        (
            b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1 of something".to_vec(),
            PaperFault::Unsupported,
        ),
    ] {
        assert_eq!(
            by_process(&bytes).await,
            Err(fault),
            "{:?}",
            String::from_utf8_lossy(&bytes)
        );
    }
}

#[tokio::test]
async fn one_that_is_given_up_leaves_no_process() {
    let mut reading = Reading::begin().expect("it starts");
    let process = reading.process().expect("it runs");
    reading.feed(b"%PDF-1.4").await;
    assert!(is_there(process));
    drop(reading);
    while is_there(process) {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn the_process_is_bounded_and_knows_nothing_of_the_server() {
    let mut reading = Reading::begin().expect("it starts");
    let process = reading.process().expect("it runs");
    let about = |what: &str| std::fs::read_to_string(format!("/proc/{process}/{what}")).expect("it is there");
    let limit = |name: &str| {
        let limits = about("limits");
        let line = limits
            .lines()
            .find(|line| line.starts_with(name))
            .expect("it is listed");
        line[name.len()..].split_whitespace().next().map(str::to_owned)
    };
    // Set last.
    while limit("Max open files").as_deref() != Some("8") {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    for (name, most) in [
        ("Max cpu time", "30"),
        ("Max file size", "0"),
        ("Max core file size", "0"),
        ("Max processes", "0"),
    ] {
        assert_eq!(limit(name).as_deref(), Some(most), "{name}");
    }
    assert_ne!(limit("Max address space").as_deref(), Some("unlimited"));
    assert_eq!(about("environ"), "");
    reading.feed(&pdf(&["Read all the same"])).await;
    let text = reading.finish().await.expect("read").text;
    assert_eq!(text, "\u{0C}page 1\nRead all the same\n");
}
