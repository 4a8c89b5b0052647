//! Fonts: which characters the bytes of a string are, and how wide.

use std::{
    collections::{HashMap, hash_map::Entry},
    rc::Rc,
};

use lopdf::{Dictionary, Document, Encoding, Object};

use super::names::{self, Names};

/// Most bytes of the table that says which characters the codes of a font are.
const MAX_TABLE: usize = 8 * 1024 * 1024;
/// Most bytes of a font's own program that are looked through for its encoding.
const MAX_PROGRAM: usize = 4 * 1024 * 1024;
/// Where nobody says how wide a letter is, in thousandths of its height.
const USUAL_WIDTH: f64 = 500.0;
/// Most widths that a font may list.
const MAX_WIDTHS: usize = 70_000;

/// The fonts of a document, each read once.
pub(super) struct Fonts<'d> {
    document: &'d Document,
    names: Names,
    known: HashMap<*const Dictionary, Rc<Font>>,
}

impl<'d> Fonts<'d> {
    pub(super) fn new(document: &'d Document) -> Self {
        Self {
            document,
            names: Names::default(),
            known: HashMap::new(),
        }
    }

    pub(super) fn get(&mut self, font: &'d Dictionary) -> Rc<Font> {
        match self.known.entry(std::ptr::from_ref(font)) {
            Entry::Occupied(known) => Rc::clone(known.get()),
            Entry::Vacant(new) => {
                let read = Font::of(self.document, &mut self.names, font);
                Rc::clone(new.insert(Rc::new(read)))
            }
        }
    }
}

/// One font.
pub(super) enum Font {
    /// One byte a character.
    Simple {
        characters: Vec<String>,
        widths: Vec<f64>,
        /// What a width of 1 is, in heights.
        scale: f64,
    },
    /// Two bytes a character.
    Composite {
        table: Option<Encoding<'static>>,
        /// Whether the codes are UTF-16 themselves.
        utf16: bool,
        widths: HashMap<u16, f64>,
        usual: f64,
    },
}

impl Font {
    /// Adds the characters of a string, and says how wide it is, in heights, and how many codes and spaces it has.
    pub(super) fn show(&self, bytes: &[u8], out: &mut String) -> Shown {
        let mut shown = Shown::default();
        match self {
            Self::Simple {
                characters,
                widths,
                scale,
            } => {
                for &byte in bytes {
                    out.push_str(&characters[usize::from(byte)]);
                    shown.width += widths[usize::from(byte)] * scale;
                    shown.spaces += u32::from(byte == b' ');
                    shown.codes += 1;
                }
            }
            Self::Composite {
                table,
                utf16,
                widths,
                usual,
            } => {
                for pair in bytes.chunks(2) {
                    let code = match *pair {
                        [high, low] => u16::from_be_bytes([high, low]),
                        [low] => u16::from(low),
                        _ => continue,
                    };
                    match table {
                        Some(Encoding::UnicodeMapEncoding(table)) => {
                            let found = table.get(u32::from(code), 2);
                            let found = found.or_else(|| table.get(u32::from(code), 1)).unwrap_or_default();
                            out.extend(char::decode_utf16(found).flatten());
                        }
                        _ if *utf16 => out.extend(char::decode_utf16([code]).flatten()),
                        _ => {}
                    }
                    shown.width += widths.get(&code).unwrap_or(usual) / 1000.0;
                    shown.codes += 1;
                }
            }
        }
        shown
    }

    fn of(document: &Document, names: &mut Names, font: &Dictionary) -> Self {
        let table = table(document, font);
        if font
            .get(b"Subtype")
            .and_then(Object::as_name)
            .is_ok_and(|kind| kind == b"Type0")
        {
            return Self::composite(document, font, table);
        }
        let own = own_characters(document, names, font);
        let characters = own.into_iter().enumerate().map(|(code, own)| {
            let Some(Encoding::UnicodeMapEncoding(table)) = &table else {
                return own;
            };
            let found = table.get(code as u32, 1).or_else(|| table.get(code as u32, 2));
            let said: String = char::decode_utf16(found.unwrap_or_default()).flatten().collect();
            if said.chars().all(is_nothing) { own } else { said }
        });
        let characters = characters.collect();
        let scale = match font.get_deref(b"FontMatrix", document).and_then(Object::as_array) {
            Ok(matrix) => matrix
                .first()
                .and_then(|one| one.as_float().ok())
                .map_or(0.001, f64::from),
            Err(_) => 0.001,
        };
        Self::Simple {
            characters,
            widths: widths(document, font),
            scale: scale.abs(),
        }
    }

    fn composite(document: &Document, font: &Dictionary, table: Option<Encoding<'static>>) -> Self {
        let name = font.get(b"Encoding").and_then(Object::as_name).unwrap_or_default();
        let name = String::from_utf8_lossy(name);
        let below = font.get_deref(b"DescendantFonts", document).and_then(Object::as_array);
        let below = below
            .ok()
            .and_then(|fonts| document.dereference(fonts.first()?).ok()?.1.as_dict().ok());
        let usual = below.and_then(|below| below.get_deref(b"DW", document).ok()?.as_float().ok());
        let listed = below.and_then(|below| below.get_deref(b"W", document).ok()?.as_array().ok());
        Self::Composite {
            table,
            utf16: name.contains("UCS2") || name.contains("UTF16"),
            widths: listed.map(|listed| wide(document, listed)).unwrap_or_default(),
            usual: usual.map_or(1000.0, f64::from),
        }
    }
}

/// What a string comes to.
#[derive(Default)]
pub(super) struct Shown {
    pub(super) width: f64,
    pub(super) codes: u32,
    pub(super) spaces: u32,
}

/// Whether a table's word for a character is none.
fn is_nothing(c: char) -> bool {
    c.is_control() || matches!(c, '\u{FFFD}' | '\u{E000}'..='\u{F8FF}')
}

/// The table that says which characters a font's codes are.
fn table(document: &Document, font: &Dictionary) -> Option<Encoding<'static>> {
    let table = font.get(b"ToUnicode").ok()?.clone();
    let alone = Dictionary::from_iter([("Type", Object::Name(b"Font".to_vec())), ("ToUnicode", table)]);
    match alone.get_font_encoding_with_limit(document, MAX_TABLE) {
        Ok(Encoding::UnicodeMapEncoding(table)) => Some(Encoding::UnicodeMapEncoding(table)),
        _ => None,
    }
}

/// The characters of a font of one byte, as its encoding says.
fn own_characters(document: &Document, names: &mut Names, font: &Dictionary) -> Vec<String> {
    let empty = Document::new();
    let said = font.get_deref(b"Encoding", document).ok();
    let name = match said {
        Some(Object::Name(name)) => Some(name.as_slice()),
        Some(Object::Dictionary(said)) => said.get(b"BaseEncoding").and_then(Object::as_name).ok(),
        _ => None,
    };
    let is_true_type = font
        .get(b"Subtype")
        .and_then(Object::as_name)
        .is_ok_and(|kind| kind == b"TrueType");
    let mut characters = match name {
        Some(name) => names::encoding(&empty, name),
        None if is_true_type => names::encoding(&empty, b"WinAnsiEncoding"),
        None => {
            let mut characters = names::encoding(&empty, b"StandardEncoding");
            for (code, name) in built_in(document, font) {
                characters[usize::from(code)] = names.get(&name);
            }
            characters
        }
    };
    let differences = said.and_then(|said| said.as_dict().ok()?.get_deref(b"Differences", document).ok());
    let mut code = 0_i64;
    for one in differences.and_then(|list| list.as_array().ok()).into_iter().flatten() {
        match one {
            Object::Integer(next) => code = *next,
            Object::Name(name) => {
                if let Ok(code) = u8::try_from(code) {
                    characters[usize::from(code)] = names.get(name);
                }
                code = code.saturating_add(1);
            }
            _ => {}
        }
    }
    characters
}

/// The encoding that a Type 1 font has in itself: `dup 65 /A put`, before what of it is encrypted.
fn built_in(document: &Document, font: &Dictionary) -> Vec<(u8, Vec<u8>)> {
    let described = font.get_deref(b"FontDescriptor", document).and_then(Object::as_dict);
    let program = described.and_then(|described| described.get_deref(b"FontFile", document));
    let Ok(program) = program.and_then(Object::as_stream) else {
        return Vec::new();
    };
    let Ok(program) = program.get_plain_content_with_limit(MAX_PROGRAM) else {
        return Vec::new();
    };
    let end = program
        .windows(5)
        .position(|window| window == b"eexec")
        .unwrap_or(program.len());
    let plain = String::from_utf8_lossy(&program[..end]);
    let mut found = Vec::new();
    let mut words = plain.split_ascii_whitespace().peekable();
    while let Some(word) = words.next() {
        if word != "dup" {
            continue;
        }
        let Some(code) = words.peek().and_then(|code| code.parse().ok()) else {
            continue;
        };
        words.next();
        if let Some(name) = words.peek().and_then(|name| name.strip_prefix('/')) {
            found.push((code, name.as_bytes().to_owned()));
        }
    }
    found
}

/// The widths of a font of one byte.
fn widths(document: &Document, font: &Dictionary) -> Vec<f64> {
    let described = font.get_deref(b"FontDescriptor", document).and_then(Object::as_dict);
    let missing = described.and_then(|described| described.get_deref(b"MissingWidth", document));
    let missing = missing.and_then(Object::as_float).map_or(0.0, f64::from);
    let listed = font.get_deref(b"Widths", document).and_then(Object::as_array);
    let Ok(listed) = listed else {
        // One of those that every reader has.
        let name = font.get(b"BaseFont").and_then(Object::as_name).unwrap_or_default();
        let fixed = name.windows(7).any(|window| window == b"Courier");
        return (0..=255_u8)
            .map(|code| if fixed { 600.0 } else { usual_width(code) })
            .collect();
    };
    let first = font
        .get_deref(b"FirstChar", document)
        .and_then(Object::as_i64)
        .unwrap_or(0);
    let mut widths = vec![if missing > 0.0 { missing } else { USUAL_WIDTH }; 256];
    for (at, width) in listed.iter().enumerate().take(256) {
        let place = usize::try_from(first)
            .ok()
            .and_then(|first| widths.get_mut(first.checked_add(at)?));
        let width = document.dereference(width).and_then(|(_, width)| width.as_float());
        if let (Some(place), Ok(width)) = (place, width) {
            *place = f64::from(width);
        }
    }
    widths
}

/// About what it is in Helvetica and Times.
const fn usual_width(code: u8) -> f64 {
    match code {
        b' ' | b'.' | b',' | b':' | b';' | b'i' | b'j' | b'l' | b'I' | b'!' | b'\'' | b'|' | b't' | b'f' | b'/' => {
            278.0
        }
        b'r' | b'-' | b'(' | b')' | b'[' | b']' => 333.0,
        b'm' | b'M' | b'W' => 850.0,
        b'w' => 722.0,
        b'A'..=b'Z' => 680.0,
        _ => 530.0,
    }
}

/// The widths of a font of two bytes: `first [w w …]`, or `first last w`.
fn wide(document: &Document, listed: &[Object]) -> HashMap<u16, f64> {
    let mut widths = HashMap::new();
    let number = |object: &Object| {
        document
            .dereference(object)
            .and_then(|(_, object)| object.as_float())
            .ok()
    };
    let mut rest = listed;
    while let [first, second, after @ ..] = rest {
        let Some(first) = number(first).map(|first| first as usize) else {
            break;
        };
        if let Ok(list) = document.dereference(second).and_then(|(_, second)| second.as_array()) {
            for (at, width) in list.iter().enumerate() {
                if let (Ok(code), Some(width)) = (u16::try_from(first.saturating_add(at)), number(width)) {
                    widths.insert(code, f64::from(width));
                }
            }
            rest = after;
        } else {
            let [width, after @ ..] = after else { break };
            let (Some(last), Some(width)) = (number(second), number(width)) else {
                break;
            };
            for code in first..=(last as usize).min(0xFFFF) {
                if let Ok(code) = u16::try_from(code) {
                    widths.insert(code, f64::from(width));
                }
            }
            rest = after;
        }
        if widths.len() > MAX_WIDTHS {
            break;
        }
    }
    widths
}
