//! Word documents (DOCX): paragraphs, headings, lists, tables, footnotes.

use std::{collections::HashMap, io::BufRead};

use quick_xml::{
    Reader,
    events::{BytesRef, BytesStart, Event},
};

use super::{
    PaperFault,
    archive::{self, Archive},
    text::Text,
};
use crate::wire::PaperUnit;

/// How deep a document's elements may lie in each other.
const MAX_DEPTH: usize = 256;

/// Reads one.
pub(super) fn read(archive: &mut Archive<'_>) -> Result<Text, PaperFault> {
    let levels = match archive::open(archive, "word/styles.xml")? {
        Some(styles) => headings(styles)?,
        None => HashMap::new(),
    };
    let mut text = Text::new(PaperUnit::Whole);
    text.part("");
    let body = archive::open(archive, "word/document.xml")?.ok_or(PaperFault::Damaged)?;
    Writer::new(&mut text, &levels).write(body)?;
    for notes in ["word/footnotes.xml", "word/endnotes.xml"] {
        if let Some(notes) = archive::open(archive, notes)? {
            text.end_paragraph();
            Writer::new(&mut text, &levels).write(notes)?;
        }
    }
    Ok(text)
}

/// The level of each style of headings: what they are called depends on the language that the document was made in.
fn headings(styles: impl BufRead) -> Result<HashMap<String, usize>, PaperFault> {
    let (mut levels, mut style) = (HashMap::new(), None);
    each(styles, |event| {
        let (Event::Start(tag) | Event::Empty(tag)) = &event else {
            return Ok(());
        };
        match tag.local_name().as_ref() {
            "style" => style = value(tag, "styleId"),
            "name" => {
                let name = value(tag, "val").unwrap_or_default().to_lowercase();
                let level = match name.strip_prefix("heading ") {
                    Some(number) => number.parse().ok(),
                    None => (name == "title").then_some(1),
                };
                if let (Some(style), Some(level)) = (&style, level) {
                    levels.insert(style.clone(), level);
                }
            }
            _ => {}
        }
        Ok(())
    })?;
    Ok(levels)
}

/// Goes through a document's events.
fn each(source: impl BufRead, mut see: impl FnMut(Event<'_>) -> Result<(), PaperFault>) -> Result<(), PaperFault> {
    let mut reader = Reader::from_reader(source);
    let mut buffer = Vec::new();
    let mut depth = 0_usize;
    loop {
        let event = reader.read_event_into(&mut buffer).map_err(|_| PaperFault::Damaged)?;
        match &event {
            Event::Eof => return Ok(()),
            // What declares entities is not from Word.
            Event::DocType(_) => return Err(PaperFault::Damaged),
            Event::Start(_) => depth += 1,
            Event::End(_) => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > MAX_DEPTH {
            return Err(PaperFault::TooHeavy);
        }
        see(event)?;
        buffer.clear();
    }
}

/// The value of an attribute, whatever the prefix of its name.
pub(super) fn value(tag: &BytesStart<'_>, name: &str) -> Option<String> {
    let found = tag
        .attributes()
        .flatten()
        .find(|attribute| attribute.key.local_name().as_ref() == name)?;
    quick_xml::escape::unescape(&found.value)
        .ok()
        .map(|value| value.into_owned())
}

/// What a reference in text stands for; those that a document declares itself stand for nothing.
pub(super) fn referred(reference: &BytesRef<'_>) -> Option<char> {
    if let Ok(Some(c)) = reference.resolve_char_ref() {
        return Some(c);
    }
    match &**reference {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => None,
    }
}

/// A table that is being read.
#[derive(Default)]
struct Table {
    rows: usize,
    cells: Vec<String>,
}

struct Writer<'t> {
    text: &'t mut Text,
    levels: &'t HashMap<String, usize>,
    /// What of a paragraph has come.
    paragraph: String,
    /// What stands before it: of a heading, a list, a note.
    before: String,
    /// Tables in tables are read into the cell of the outermost.
    tables: Vec<Table>,
    /// Whether what is in `t` now counts.
    in_text: bool,
    /// In how many elements that are not shown.
    hidden: usize,
}

impl<'t> Writer<'t> {
    fn new(text: &'t mut Text, levels: &'t HashMap<String, usize>) -> Self {
        Self {
            text,
            levels,
            paragraph: String::new(),
            before: String::new(),
            tables: Vec::new(),
            in_text: false,
            hidden: 0,
        }
    }

    fn write(mut self, source: impl BufRead) -> Result<(), PaperFault> {
        each(source, |event| {
            match event {
                Event::Start(tag) => self.start(&tag, false),
                Event::Empty(tag) => self.start(&tag, true),
                Event::End(tag) => self.end(tag.local_name().as_ref()),
                Event::Text(text) if self.in_text && self.hidden == 0 => self.paragraph.push_str(&text),
                Event::CData(text) if self.in_text && self.hidden == 0 => self.paragraph.push_str(&text),
                Event::GeneralRef(reference) if self.in_text && self.hidden == 0 => {
                    self.paragraph.extend(referred(&reference));
                }
                _ => {}
            }
            Ok(())
        })?;
        self.end_paragraph();
        Ok(())
    }

    fn start(&mut self, tag: &BytesStart<'_>, empty: bool) {
        match tag.local_name().as_ref() {
            // What was deleted and is only kept to be seen; the same once more for older programs.
            "del" | "moveFrom" | "Fallback" if !empty => self.hidden += 1,
            "t" => self.in_text = !empty,
            "tab" if !self.paragraph.is_empty() => self.paragraph.push('\t'),
            "br" | "cr" => self.paragraph.push('\n'),
            "noBreakHyphen" => self.paragraph.push('-'),
            "p" => self.end_paragraph(),
            "pStyle" => {
                let level = value(tag, "val").and_then(|style| self.levels.get(&style));
                if let Some(level) = level {
                    self.before = format!("{} ", "#".repeat((*level).clamp(1, 6)));
                }
            }
            "ilvl" if self.before.is_empty() => {
                let level = value(tag, "val").and_then(|level| level.parse().ok()).unwrap_or(0);
                self.before = format!("{}- ", "  ".repeat(usize::min(level, 8)));
            }
            "footnoteReference" | "endnoteReference" => {
                let id = value(tag, "id").unwrap_or_default();
                self.paragraph.push_str(&format!("[^{id}]"));
            }
            "footnote" | "endnote" => {
                // Those with a type are the lines above the notes.
                if value(tag, "type").is_some() && !empty {
                    self.hidden += 1;
                }
                let id = value(tag, "id").unwrap_or_default();
                self.before = format!("[^{id}]: ");
            }
            "tbl" if !empty => {
                self.end_paragraph();
                self.tables.push(Table::default());
            }
            "tc" if !empty && self.tables.len() == 1 => {
                if let Some(table) = self.tables.first_mut() {
                    table.cells.push(String::new());
                }
            }
            _ => {}
        }
    }

    fn end(&mut self, name: &str) {
        match name {
            "del" | "moveFrom" | "Fallback" => self.hidden = self.hidden.saturating_sub(1),
            "t" => self.in_text = false,
            "p" => self.end_paragraph(),
            "footnote" | "endnote" => self.hidden = 0,
            "tr" if self.tables.len() == 1 => self.end_row(),
            "tbl" => {
                self.tables.pop();
                if self.tables.is_empty() {
                    self.text.end_paragraph();
                }
            }
            _ => {}
        }
    }

    fn end_paragraph(&mut self) {
        let paragraph = std::mem::take(&mut self.paragraph);
        if paragraph.trim().is_empty() {
            return;
        }
        let before = std::mem::take(&mut self.before);
        if let Some(table) = self.tables.first_mut() {
            if let Some(cell) = table.cells.last_mut() {
                if !cell.is_empty() {
                    cell.push(' ');
                }
                cell.push_str(paragraph.trim());
            }
            return;
        }
        if before.starts_with('#') {
            self.text.end_paragraph();
        }
        self.text.push(&before);
        self.text.push(paragraph.trim());
        if before.trim_start().starts_with("- ") {
            self.text.end_line();
        } else {
            self.text.end_paragraph();
        }
    }

    fn end_row(&mut self) {
        let Some(table) = self.tables.first_mut() else {
            return;
        };
        let cells = std::mem::take(&mut table.cells);
        table.rows += 1;
        row(self.text, &cells, table.rows == 1);
    }
}

/// Writes a row of a table. Below the first there is a line.
pub(super) fn row(text: &mut Text, cells: &[String], first: bool) {
    if cells.is_empty() {
        return;
    }
    text.end_line();
    text.push("|");
    for cell in cells {
        let cell = cell
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ")
            .replace('|', "\\|");
        text.push(&format!(" {cell} |"));
    }
    text.end_line();
    if first {
        text.push("|");
        for _ in cells {
            text.push(" --- |");
        }
        text.end_line();
    }
}
