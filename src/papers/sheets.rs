//! Spreadsheets: one table a sheet, its cells with tabs between.

use std::io::{BufRead, Cursor};

use calamine::{
    Cell, Data, DataRef, ExcelDateTime, Ods, OdsError, Range, Reader, SheetVisible, Xls, XlsError, Xlsb, XlsbError,
    Xlsx, XlsxError, open_workbook_from_rs,
};

use quick_xml::events::Event;

use super::{
    PaperFault,
    archive::{self, Archive},
    text::Text,
};
use crate::wire::PaperUnit;

/// Most cells that are read of a sheet.
const MAX_CELLS: usize = 500_000;
/// Most columns. Nobody reads tables that are wider.
const MAX_COLUMNS: u32 = 256;

type File<'a> = Cursor<&'a [u8]>;

/// Reads an XLSX, cell by cell: a sheet may say that it is larger than all memory.
pub(super) fn read(bytes: &[u8]) -> Result<Text, PaperFault> {
    let mut book: Xlsx<File<'_>> = open_workbook_from_rs(Cursor::new(bytes)).map_err(|error| match error {
        XlsxError::Password => PaperFault::Locked,
        _ => PaperFault::Damaged,
    })?;
    let mut text = Text::new(PaperUnit::Sheets);
    for name in visible(&book) {
        if !begin(&mut text, &name) {
            continue;
        }
        // Charts are sheets, too, and have no cells.
        let Ok(mut cells) = book.worksheet_cells_reader(&name) else {
            continue;
        };
        fill(&mut text, || cells.next_cell().ok().flatten());
    }
    Ok(text)
}

/// Reads an XLSB.
pub(super) fn read_binary(bytes: &[u8]) -> Result<Text, PaperFault> {
    let mut book: Xlsb<File<'_>> = open_workbook_from_rs(Cursor::new(bytes)).map_err(|error| match error {
        XlsbError::Password => PaperFault::Locked,
        _ => PaperFault::Damaged,
    })?;
    let mut text = Text::new(PaperUnit::Sheets);
    for name in visible(&book) {
        if !begin(&mut text, &name) {
            continue;
        }
        let Ok(mut cells) = book.worksheet_cells_reader(&name) else {
            continue;
        };
        fill(&mut text, || cells.next_cell().ok().flatten());
    }
    Ok(text)
}

/// Writes the cells of a sheet, until there are no more or no more fit.
fn fill<'a>(text: &mut Text, mut next: impl FnMut() -> Option<Cell<DataRef<'a>>>) {
    let mut table = Table::new(text);
    while let Some(cell) = next() {
        if !table.add(cell.get_position(), &shown_ref(cell.get_value())) {
            break;
        }
    }
}

/// Reads an XLS of the time before those, or says what else it is.
pub(super) fn read_old(bytes: &[u8]) -> Result<Text, PaperFault> {
    // A newer document with a password has its content in a stream of this name.
    if contains_utf16(bytes, "EncryptedPackage") {
        return Err(PaperFault::Locked);
    }
    if !contains_utf16(bytes, "Workbook") && !contains_utf16(bytes, "Book") {
        return Err(PaperFault::Unsupported);
    }
    let mut book: Xls<File<'_>> = open_workbook_from_rs(Cursor::new(bytes)).map_err(|error| match error {
        XlsError::Password => PaperFault::Locked,
        _ => PaperFault::Damaged,
    })?;
    Ok(read_ranges(&mut book))
}

/// Reads an ODS.
pub(super) fn read_open(archive: &mut Archive<'_>, bytes: &[u8]) -> Result<Text, PaperFault> {
    // A table that does not end would be read for ever.
    if !archive::checked(archive, "content.xml").is_some_and(is_whole) {
        return Err(PaperFault::Damaged);
    }
    let mut book: Ods<File<'_>> = open_workbook_from_rs(Cursor::new(bytes)).map_err(|error| match error {
        OdsError::Password => PaperFault::Locked,
        _ => PaperFault::Damaged,
    })?;
    Ok(read_ranges(&mut book))
}

/// Whether every element of an XML file ends.
fn is_whole(xml: impl BufRead) -> bool {
    let mut xml = quick_xml::Reader::from_reader(xml);
    let (mut open, mut buffer) = (0_u64, Vec::new());
    loop {
        match xml.read_event_into(&mut buffer) {
            Ok(Event::Start(_)) => open += 1,
            Ok(Event::End(_)) => open = open.saturating_sub(1),
            Ok(Event::Eof) => return open == 0,
            Ok(_) => {}
            Err(_) => return false,
        }
        buffer.clear();
    }
}

fn read_ranges<'a>(book: &mut impl Reader<File<'a>>) -> Text {
    let mut text = Text::new(PaperUnit::Sheets);
    for name in visible(book) {
        if !begin(&mut text, &name) {
            continue;
        }
        let Ok(range) = book.worksheet_range(&name) else {
            continue;
        };
        add_range(&mut text, &range);
    }
    text
}

fn add_range(text: &mut Text, range: &Range<Data>) {
    let Some((first_row, first_column)) = range.start() else {
        return;
    };
    let mut table = Table::new(text);
    for (row, column, value) in range.used_cells() {
        let position = (first_row + row as u32, first_column + column as u32);
        if !table.add(position, &shown(value)) {
            break;
        }
    }
}

fn begin(text: &mut Text, name: &str) -> bool {
    text.part(&format!("sheet {name}"))
}

/// The names of the sheets that whoever opens the book sees.
fn visible<'a>(book: &impl Reader<File<'a>>) -> Vec<String> {
    let sheets = book.sheets_metadata().iter();
    let seen = sheets.filter(|sheet| sheet.visible == SheetVisible::Visible);
    seen.map(|sheet| sheet.name.clone()).collect()
}

/// A table that is written as its cells come, row by row.
struct Table<'t> {
    text: &'t mut Text,
    cells: usize,
    /// The row, and the column that comes next.
    at: Option<(u32, u32)>,
}

impl<'t> Table<'t> {
    const fn new(text: &'t mut Text) -> Self {
        Self {
            text,
            cells: 0,
            at: None,
        }
    }

    /// `false`: no more is taken.
    fn add(&mut self, (row, column): (u32, u32), value: &str) -> bool {
        if value.trim().is_empty() {
            return true;
        }
        self.cells += 1;
        if self.cells > MAX_CELLS || self.text.is_full() {
            self.text.cut();
            return false;
        }
        let next = match self.at {
            Some((last, next)) if last == row => next,
            Some((last, _)) => {
                self.text.push("\n");
                // A gap between tables stays one.
                if row > last + 1 {
                    self.text.push("\n");
                }
                0
            }
            None => 0,
        };
        if column >= MAX_COLUMNS {
            self.text.cut();
            self.at = Some((row, next));
            return true;
        }
        for _ in next..column {
            self.text.push("\t");
        }
        let value: String = value.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        self.text.push(value.trim());
        self.at = Some((row, column));
        true
    }
}

fn shown(value: &Data) -> String {
    match value {
        Data::DateTime(time) => date(time),
        other => other.to_string(),
    }
}

fn shown_ref(value: &DataRef<'_>) -> String {
    match value {
        DataRef::DateTime(time) => date(time),
        DataRef::SharedString(text) => (*text).to_owned(),
        other => shown(&Data::from(other.clone())),
    }
}

/// As people write it; a duration in hours.
fn date(time: &ExcelDateTime) -> String {
    if time.is_duration() {
        let seconds = (time.as_f64() * 86_400.0).round() as i64;
        let (hours, rest) = (seconds / 3600, seconds.abs() % 3600);
        return format!("{hours}:{:02}:{:02}", rest / 60, rest % 60);
    }
    let (year, month, day, hour, minute, second, _) = time.to_ymd_hms_milli();
    let day = format!("{year:04}-{month:02}-{day:02}");
    if (hour, minute, second) == (0, 0, 0) {
        return day;
    }
    format!("{day} {hour:02}:{minute:02}:{second:02}")
}

/// Whether a compound file has a stream of this name.
fn contains_utf16(bytes: &[u8], name: &str) -> bool {
    let name: Vec<u8> = name.encode_utf16().flat_map(u16::to_le_bytes).collect();
    bytes.windows(name.len()).any(|window| window == name)
}
