//! Books (EPUB): their chapters, in the order in which they are read.

use std::collections::HashMap;

use percent_encoding::percent_decode_str;
use quick_xml::{Reader, events::Event};

use super::{
    PaperFault,
    archive::{self, Archive},
    text::Text,
    web,
    word::value,
};
use crate::wire::PaperUnit;

/// Reads one.
pub(super) fn read(archive: &mut Archive<'_>) -> Result<Text, PaperFault> {
    // Books that only the program of a shop may open.
    for rights in ["META-INF/rights.xml", "META-INF/license.lcpl"] {
        if archive.index_for_name(rights).is_some() {
            return Err(PaperFault::Locked);
        }
    }
    let container = archive::whole(archive, "META-INF/container.xml")?.ok_or(PaperFault::Damaged)?;
    let package = package(&container)?;
    let listed = archive::whole(archive, &package)?.ok_or(PaperFault::Damaged)?;
    let chapters = chapters(&package, &listed)?;
    let mut text = Text::new(PaperUnit::Chapters);
    let mut number = 0;
    for chapter in chapters {
        let Some(page) = archive::whole(archive, &chapter)? else {
            continue;
        };
        number += 1;
        if text.part(&format!("chapter {number}")) {
            web::write(&page, &mut text);
        }
    }
    Ok(text)
}

/// Where the list of its files is.
fn package(container: &[u8]) -> Result<String, PaperFault> {
    let mut found = None;
    each(container, |name, tag| {
        if name == "rootfile" && found.is_none() {
            found = value(tag, "full-path");
        }
    })?;
    found.and_then(|path| within("", &path)).ok_or(PaperFault::Damaged)
}

/// The chapters' files.
fn chapters(package: &str, listed: &[u8]) -> Result<Vec<String>, PaperFault> {
    let folder = package.rsplit_once('/').map_or("", |(folder, _)| folder);
    let (mut files, mut spine) = (HashMap::new(), Vec::new());
    each(listed, |name, tag| match name {
        "item" => {
            if let (Some(id), Some(href)) = (value(tag, "id"), value(tag, "href")) {
                files.insert(id, href);
            }
        }
        "itemref" => spine.extend(value(tag, "idref")),
        _ => {}
    })?;
    let chapters = spine.iter().filter_map(|id| within(folder, files.get(id)?));
    Ok(chapters.collect())
}

/// The path of a file in the archive. `None`: it leads out of it.
fn within(folder: &str, href: &str) -> Option<String> {
    let href = href.split('#').next().unwrap_or_default();
    let href = percent_decode_str(href).decode_utf8().ok()?;
    let mut path: Vec<&str> = Vec::new();
    for step in folder.split('/').chain(href.split('/')) {
        match step {
            "" | "." => {}
            ".." => {
                path.pop()?;
            }
            step => path.push(step),
        }
    }
    Some(path.join("/"))
}

fn each(xml: &[u8], mut see: impl FnMut(&str, &quick_xml::events::BytesStart<'_>)) -> Result<(), PaperFault> {
    let mut reader = Reader::from_reader(xml);
    let mut buffer = Vec::new();
    loop {
        match reader.read_event_into(&mut buffer).map_err(|_| PaperFault::Damaged)? {
            Event::Eof => return Ok(()),
            Event::Start(tag) | Event::Empty(tag) => see(tag.local_name().as_ref(), &tag),
            _ => {}
        }
        buffer.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::within;

    #[test]
    fn no_path_leads_out_of_a_book() {
        for (folder, href, path) in [
            ("OEBPS", "one.xhtml", Some("OEBPS/one.xhtml")),
            ("OEBPS/text", "../one%20two.xhtml#here", Some("OEBPS/one two.xhtml")),
            ("", "./a//b.xhtml", Some("a/b.xhtml")),
            ("OEBPS", "../../../etc/passwd", None),
            ("OEBPS", "..%2F..%2Fetc/passwd", None),
            ("OEBPS", "/etc/passwd", Some("OEBPS/etc/passwd")),
        ] {
            assert_eq!(within(folder, href).as_deref(), path, "{href}");
        }
    }
}
