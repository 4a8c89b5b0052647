//! Documents for tests, made as small as they can be.

use std::io::{Cursor, Write as _};

use zip::{ZipWriter, write::SimpleFileOptions};

/// A PDF in Helvetica, whose pages say these lines.
pub(crate) fn pdf(pages: &[&str]) -> Vec<u8> {
    let contents = pages.iter().map(|page| {
        let lines = page
            .lines()
            .map(|line| format!("({}) Tj T*", line.replace(['(', ')', '\\'], "")))
            .collect::<Vec<_>>();
        format!("BT /F1 12 Tf 14 TL 72 720 Td {} ET", lines.join(" ")).into_bytes()
    });
    pdf_of(&contents.collect::<Vec<_>>())
}

/// One whose pages are drawn so.
pub(crate) fn pdf_of(contents: &[Vec<u8>]) -> Vec<u8> {
    let kids = (0..contents.len())
        .map(|page| format!("{} 0 R", 4 + 2 * page))
        .collect::<Vec<_>>()
        .join(" ");
    let mut objects = vec![
        b"<< /Type /Catalog /Pages 2 0 R >>".to_vec(),
        format!("<< /Type /Pages /Count {} /Kids [{kids}] >>", contents.len()).into_bytes(),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>".to_vec(),
    ];
    for (page, content) in contents.iter().enumerate() {
        objects.push(
            format!(
                "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents {} 0 R /Resources << /Font << /F1 3 0 R >> >> >>",
                5 + 2 * page
            )
            .into_bytes(),
        );
        let mut stream = format!("<< /Length {} >>\nstream\n", content.len()).into_bytes();
        stream.extend_from_slice(content);
        stream.extend_from_slice(b"\nendstream");
        objects.push(stream);
    }
    pdf_with(&objects)
}

/// One of these objects, the first of which is its catalog.
pub(crate) fn pdf_with(objects: &[Vec<u8>]) -> Vec<u8> {
    let mut file = b"%PDF-1.4\n".to_vec();
    let mut table = format!("xref\n0 {}\n0000000000 65535 f \n", objects.len() + 1);
    for (index, object) in objects.iter().enumerate() {
        table.push_str(&format!("{:010} 00000 n \n", file.len()));
        file.extend_from_slice(format!("{} 0 obj\n", index + 1).as_bytes());
        file.extend_from_slice(object);
        file.extend_from_slice(b"\nendobj\n");
    }
    let at = file.len();
    let trailer = format!(
        "trailer\n<< /Size {} /Root 1 0 R >>\nstartxref\n{at}\n%%EOF\n",
        objects.len() + 1
    );
    file.extend_from_slice(table.as_bytes());
    file.extend_from_slice(trailer.as_bytes());
    file
}

/// A JPEG as far as its head says what it is; nobody here looks further.
pub(crate) fn jpeg(width: u16, height: u16, components: u8) -> Vec<u8> {
    let mut bytes = b"\xFF\xD8\xFF\xE0\x00\x04ab\xFF\xFF\xC0\x00\x11\x08".to_vec();
    bytes.extend(height.to_be_bytes());
    bytes.extend(width.to_be_bytes());
    bytes.push(components);
    bytes.extend(b"\x01\x11\x00\x02\x11\x01\x03\x11\x01\xFF\xDA and so on \xFF\xD9");
    bytes
}

/// An object of a PDF with a content.
pub(crate) fn stream(about: &str, content: &[u8]) -> Vec<u8> {
    let mut object = format!("<< {about} /Length {} >>\nstream\n", content.len()).into_bytes();
    object.extend_from_slice(content);
    object.extend_from_slice(b"\nendstream");
    object
}

/// A PDF with these objects from number 4 on, which pages that are drawn so show as `/P0`, `/P1`, …
pub(crate) fn pdf_showing(pictures: &[Vec<u8>], pages: &[&str]) -> Vec<u8> {
    let first = 4 + pictures.len();
    let kids: String = (0..pages.len())
        .map(|page| format!("{} 0 R ", first + 2 * page))
        .collect();
    let named: String = (0..pictures.len())
        .map(|at| format!("/P{at} {} 0 R ", 4 + at))
        .collect();
    let mut objects = vec![
        b"<< /Type /Catalog /Pages 2 0 R >>".to_vec(),
        format!(
            "<< /Type /Pages /Count {} /Kids [{kids}] /Resources << /Font << /F1 3 0 R >> /XObject << {named} >> >> >>",
            pages.len()
        )
        .into_bytes(),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>".to_vec(),
    ];
    objects.extend_from_slice(pictures);
    for (page, content) in pages.iter().enumerate() {
        let number = first + 2 * page + 1;
        objects.push(format!("<< /Type /Page /Parent 2 0 R /Contents {number} 0 R >>").into_bytes());
        objects.push(stream("", content.as_bytes()));
    }
    pdf_with(&objects)
}

/// A PDF of one page, which says this and shows a picture.
pub(crate) fn pdf_with_picture(line: &str) -> Vec<u8> {
    let about = "/Subtype /Image /Width 100 /Height 80 /Filter /DCTDecode";
    let page = format!("BT /F1 12 Tf 72 720 Td ({line}) Tj ET q 100 0 0 80 72 500 cm /P0 Do Q");
    pdf_showing(&[stream(about, &jpeg(100, 80, 3))], &[&page])
}

/// An archive of these files.
pub(crate) fn zip(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in files {
        archive.start_file(*name, SimpleFileOptions::default()).expect("begun");
        archive.write_all(content).expect("written");
    }
    archive.finish().expect("finished").into_inner()
}

const TYPES: &[u8] =
    b"<?xml version=\"1.0\"?><Types xmlns=\"http://schemas.openxmlformats.org/package/2006/content-types\"/>";

/// A Word document with this body, its styles in German, and one footnote.
pub(crate) fn docx(body: &str) -> Vec<u8> {
    let main = "http://schemas.openxmlformats.org/wordprocessingml/2006/main";
    let document =
        format!("<?xml version=\"1.0\"?><w:document xmlns:w=\"{main}\"><w:body>{body}</w:body></w:document>");
    let styles = format!(
        "<w:styles xmlns:w=\"{main}\"><w:style w:styleId=\"berschrift2\"><w:name w:val=\"heading 2\"/></w:style></w:styles>"
    );
    let notes = format!(
        "<w:footnotes xmlns:w=\"{main}\"><w:footnote w:type=\"separator\" w:id=\"0\"><w:p><w:r><w:t>no</w:t></w:r></w:p></w:footnote>\
         <w:footnote w:id=\"1\"><w:p><w:r><w:t>The note.</w:t></w:r></w:p></w:footnote></w:footnotes>"
    );
    zip(&[
        ("[Content_Types].xml", TYPES),
        ("word/document.xml", document.as_bytes()),
        ("word/styles.xml", styles.as_bytes()),
        ("word/footnotes.xml", notes.as_bytes()),
    ])
}

/// A workbook whose sheets have these rows, in XML.
pub(crate) fn xlsx(sheets: &[(&str, &str)]) -> Vec<u8> {
    let main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
    let relations = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
    let (mut listed, mut related, mut files) = (String::new(), String::new(), Vec::new());
    for (index, (name, rows)) in sheets.iter().enumerate() {
        let number = index + 1;
        listed.push_str(&format!(
            "<sheet name=\"{name}\" sheetId=\"{number}\" r:id=\"r{number}\"/>"
        ));
        related.push_str(&format!(
            "<Relationship Id=\"r{number}\" Type=\"{relations}/worksheet\" Target=\"worksheets/sheet{number}.xml\"/>"
        ));
        let sheet =
            format!("<?xml version=\"1.0\"?><worksheet xmlns=\"{main}\"><sheetData>{rows}</sheetData></worksheet>");
        files.push((format!("xl/worksheets/sheet{number}.xml"), sheet));
    }
    let book = format!(
        "<?xml version=\"1.0\"?><workbook xmlns=\"{main}\" xmlns:r=\"{relations}\"><sheets>{listed}</sheets></workbook>"
    );
    let package = "http://schemas.openxmlformats.org/package/2006/relationships";
    let related = format!("<?xml version=\"1.0\"?><Relationships xmlns=\"{package}\">{related}</Relationships>");
    let whole = format!(
        "<?xml version=\"1.0\"?><Relationships xmlns=\"{package}\"><Relationship Id=\"r1\" Type=\"{relations}/officeDocument\" \
         Target=\"xl/workbook.xml\"/></Relationships>"
    );
    let mut all: Vec<(&str, &[u8])> = vec![
        ("[Content_Types].xml", TYPES),
        ("_rels/.rels", whole.as_bytes()),
        ("xl/workbook.xml", book.as_bytes()),
        ("xl/_rels/workbook.xml.rels", related.as_bytes()),
    ];
    all.extend(files.iter().map(|(name, sheet)| (name.as_str(), sheet.as_bytes())));
    zip(&all)
}

/// A book with these chapters, whose files its list calls so.
pub(crate) fn epub(chapters: &[(&str, &str)]) -> Vec<u8> {
    let container = "<container><rootfiles><rootfile full-path=\"OEBPS/book.opf\"/></rootfiles></container>";
    let (mut items, mut spine, mut files) = (String::new(), String::new(), Vec::new());
    for (index, (href, text)) in chapters.iter().enumerate() {
        items.push_str(&format!(
            "<item id=\"c{index}\" href=\"{href}\" media-type=\"application/xhtml+xml\"/>"
        ));
        spine.push_str(&format!("<itemref idref=\"c{index}\"/>"));
        files.push((format!("OEBPS/{href}"), format!("<html><body>{text}</body></html>")));
    }
    let package = format!("<package><manifest>{items}</manifest><spine>{spine}</spine></package>");
    let mut all: Vec<(&str, &[u8])> = vec![
        ("mimetype", b"application/epub+zip"),
        ("META-INF/container.xml", container.as_bytes()),
        ("OEBPS/book.opf", package.as_bytes()),
    ];
    all.extend(files.iter().map(|(name, text)| (name.as_str(), text.as_bytes())));
    zip(&all)
}

/// A table of ODS, in XML.
pub(crate) fn ods(table: &str) -> Vec<u8> {
    let content = format!(
        "<?xml version=\"1.0\"?><office:document-content xmlns:office=\"urn:oasis:names:tc:opendocument:xmlns:office:1.0\" \
         xmlns:table=\"urn:oasis:names:tc:opendocument:xmlns:table:1.0\" xmlns:text=\"urn:oasis:names:tc:opendocument:xmlns:text:1.0\">\
         <office:body><office:spreadsheet>{table}</office:spreadsheet></office:body></office:document-content>"
    );
    zip(&[
        ("mimetype", b"application/vnd.oasis.opendocument.spreadsheet"),
        ("META-INF/manifest.xml", b"<manifest/>"),
        ("content.xml", content.as_bytes()),
    ])
}
