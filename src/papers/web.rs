//! Web pages: what people read of them, tables as tables.

use std::{borrow::Cow, cell::RefCell};

use html5ever::{
    LocalName, TokenizerResult,
    tendril::StrTendril,
    tokenizer::{
        BufferQueue, Tag, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts, states::RawKind,
    },
};

use super::{PaperFault, text::Text, word::row};
use crate::wire::PaperUnit;

/// How far into a page its encoding is said.
const HEAD: usize = 2048;

/// Reads a page.
pub(super) fn read(bytes: &[u8]) -> Result<Text, PaperFault> {
    let mut text = Text::new(PaperUnit::Whole);
    text.part("");
    write(bytes, &mut text);
    Ok(text)
}

/// Writes what is read of a page.
pub(super) fn write(bytes: &[u8], text: &mut Text) {
    let sink = Sink(RefCell::new(Page::new(text)));
    let tokenizer = Tokenizer::new(sink, TokenizerOpts::default());
    let input = BufferQueue::default();
    input.push_back(StrTendril::from_slice(&decoded(bytes)));
    while let TokenizerResult::Script(_) = tokenizer.feed(&input) {}
    tokenizer.end();
    let mut page = tokenizer.sink.0.into_inner();
    page.flush();
    page.text.end_paragraph();
}

/// The text of a page in whatever encoding it says, or seems, to be.
fn decoded(bytes: &[u8]) -> Cow<'_, str> {
    if let Some((encoding, _)) = encoding_rs::Encoding::for_bom(bytes) {
        return encoding.decode(bytes).0;
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Cow::Borrowed(text);
    }
    let head = String::from_utf8_lossy(&bytes[..bytes.len().min(HEAD)]).to_lowercase();
    let said = head.split_once("charset=").map(|(_, after)| {
        let after = after.trim_start_matches(['"', '\'']);
        let end = after.find(|c: char| !c.is_ascii_alphanumeric() && c != '-' && c != '_');
        after[..end.unwrap_or(after.len())].to_owned()
    });
    let said = said.and_then(|label| encoding_rs::Encoding::for_label(label.as_bytes()));
    said.unwrap_or(encoding_rs::WINDOWS_1252).decode(bytes).0
}

struct Sink<'t>(RefCell<Page<'t>>);

impl TokenSink for Sink<'_> {
    type Handle = ();

    fn process_token(&self, token: Token, _line: u64) -> TokenSinkResult<()> {
        let mut page = self.0.borrow_mut();
        match token {
            Token::CharacterTokens(text) => page.say(&text),
            Token::TagToken(tag) => return page.tag(&tag),
            _ => {}
        }
        TokenSinkResult::Continue
    }
}

struct Page<'t> {
    text: &'t mut Text,
    /// What of a block has come.
    block: String,
    /// The mark that it begins with.
    before: &'static str,
    /// The element that is not shown, and how often it is open.
    hidden: Option<(LocalName, usize)>,
    /// Whether white space counts.
    in_pre: bool,
    tables: usize,
    rows: usize,
    cells: Vec<String>,
    in_row: bool,
}

impl<'t> Page<'t> {
    fn new(text: &'t mut Text) -> Self {
        Self {
            text,
            block: String::new(),
            before: "",
            hidden: None,
            in_pre: false,
            tables: 0,
            rows: 0,
            cells: Vec::new(),
            in_row: false,
        }
    }

    fn say(&mut self, text: &str) {
        if self.hidden.is_some() {
            return;
        }
        if self.in_pre {
            self.block.push_str(text);
            return;
        }
        for c in text.chars() {
            if !c.is_whitespace() {
                self.block.push(c);
            } else if !self.block.is_empty() && !self.block.ends_with([' ', '\n']) {
                self.block.push(' ');
            }
        }
    }

    fn tag(&mut self, tag: &Tag) -> TokenSinkResult<()> {
        let start = tag.kind == TagKind::StartTag;
        if let Some((name, depth)) = &mut self.hidden {
            if *name == tag.name {
                *depth = if start { *depth + 1 } else { *depth - 1 };
                if *depth == 0 {
                    self.hidden = None;
                }
            }
            return TokenSinkResult::Continue;
        }
        let name: &str = &tag.name;
        match (name, start) {
            ("script", true) if !tag.self_closing => {
                self.hide(tag);
                return TokenSinkResult::RawData(RawKind::Rawtext);
            }
            ("style" | "xmp" | "iframe" | "noembed" | "noframes" | "noscript", true) if !tag.self_closing => {
                self.hide(tag);
                return TokenSinkResult::RawData(RawKind::Rawtext);
            }
            ("title" | "textarea", true) if !tag.self_closing => {
                self.begin(name == "title", "# ");
                return TokenSinkResult::RawData(RawKind::Rcdata);
            }
            ("template" | "svg" | "math" | "object" | "select", true) if !tag.self_closing => self.hide(tag),
            ("br", _) => self.block.push('\n'),
            ("pre", _) => {
                self.flush();
                self.in_pre = start;
            }
            ("h1" | "title", _) => self.begin(start, "# "),
            ("h2", _) => self.begin(start, "## "),
            ("h3", _) => self.begin(start, "### "),
            ("h4" | "h5" | "h6", _) => self.begin(start, "#### "),
            ("li", _) => self.begin(start, "- "),
            ("table", true) => {
                self.flush();
                self.tables += 1;
                if self.tables == 1 {
                    self.rows = 0;
                }
            }
            ("table", false) => {
                self.end_row();
                self.tables = self.tables.saturating_sub(1);
                if self.tables == 0 {
                    self.text.end_paragraph();
                }
            }
            ("tr", _) if self.tables == 1 => {
                self.end_row();
                self.in_row = start;
            }
            ("td" | "th", _) if self.tables == 1 && self.in_row => {
                if start {
                    self.end_cell();
                    self.cells.push(String::new());
                } else {
                    self.end_cell();
                }
            }
            (
                "p" | "div" | "section" | "article" | "header" | "footer" | "main" | "nav" | "aside" | "ul" | "ol"
                | "dl" | "dt" | "dd" | "blockquote" | "figure" | "figcaption" | "hr" | "form" | "body" | "head"
                | "html" | "address" | "fieldset" | "caption" | "summary" | "details",
                _,
            ) => self.flush(),
            _ => {}
        }
        TokenSinkResult::Continue
    }

    fn hide(&mut self, tag: &Tag) {
        self.hidden = Some((tag.name.clone(), 1));
    }

    fn begin(&mut self, start: bool, before: &'static str) {
        self.flush();
        if start {
            self.before = before;
        }
    }

    /// Ends a block.
    fn flush(&mut self) {
        if self.in_row {
            // In a cell it is but a space.
            if !self.block.is_empty() && !self.block.ends_with(' ') {
                self.block.push(' ');
            }
            return;
        }
        let block = std::mem::take(&mut self.block);
        if block.trim().is_empty() {
            return;
        }
        let before = std::mem::take(&mut self.before);
        if before != "- " {
            self.text.end_paragraph();
        }
        self.text.push(before);
        self.text
            .push(if self.in_pre { block.trim_end() } else { block.trim() });
        if before == "- " {
            self.text.end_line();
        } else {
            self.text.end_paragraph();
        }
    }

    fn end_cell(&mut self) {
        let said = std::mem::take(&mut self.block);
        if let Some(cell) = self.cells.last_mut() {
            cell.push_str(&said);
        }
    }

    fn end_row(&mut self) {
        if !self.in_row {
            return;
        }
        self.end_cell();
        self.in_row = false;
        let cells = std::mem::take(&mut self.cells);
        if cells.iter().any(|cell| !cell.trim().is_empty()) {
            self.rows += 1;
            row(self.text, &cells, self.rows == 1);
        }
    }
}
