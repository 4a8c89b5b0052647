//! Documents that are ZIP archives: what they are by what is in them, and what is in them within bounds.

use std::io::{BufReader, Cursor, Read};

use zip::{ZipArchive, result::ZipError};

use super::{PaperFault, book, sheets, text::Text, word};

/// Most bytes that one packed file may be unpacked.
const MAX_UNPACKED: u64 = 64 * 1024 * 1024;
/// Most files in an archive.
const MAX_FILES: usize = 20_000;
/// How many bytes may come of one: all that is honest is far below, bombs are far above.
const MAX_RATIO: u64 = 400;
/// What may come out of a small file all the same.
const FREE: u64 = 4 * 1024 * 1024;

/// A document that is packed.
pub(super) type Archive<'a> = ZipArchive<Cursor<&'a [u8]>>;

/// Reads one. Its MIME type, and its text.
pub(super) fn read(bytes: &[u8]) -> Result<(&'static str, Text), PaperFault> {
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(|_| PaperFault::Damaged)?;
    if archive.len() > MAX_FILES {
        return Err(PaperFault::TooHeavy);
    }
    if archive.index_for_name("[Content_Types].xml").is_some() {
        if archive.index_for_name("word/document.xml").is_some() {
            let mime = "application/vnd.openxmlformats-officedocument.wordprocessingml.document";
            return Ok((mime, word::read(&mut archive)?));
        }
        if archive.index_for_name("xl/workbook.xml").is_some() {
            check(&mut archive)?;
            let mime = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
            return Ok((mime, sheets::read(bytes)?));
        }
        if archive.index_for_name("xl/workbook.bin").is_some() {
            check(&mut archive)?;
            let mime = "application/vnd.ms-excel.sheet.binary.macroenabled.12";
            return Ok((mime, sheets::read_binary(bytes)?));
        }
        return Err(PaperFault::Unsupported);
    }
    let mut named = String::new();
    if let Ok(file) = archive.by_name("mimetype") {
        // What is no text is no type.
        let _ = file.take(100).read_to_string(&mut named);
    }
    match named.trim() {
        "application/epub+zip" => Ok(("application/epub+zip", book::read(&mut archive)?)),
        "application/vnd.oasis.opendocument.spreadsheet" => {
            check(&mut archive)?;
            Ok((
                "application/vnd.oasis.opendocument.spreadsheet",
                sheets::read_open(&mut archive, bytes)?,
            ))
        }
        _ => Err(PaperFault::Unsupported),
    }
}

/// Looks at all files of an archive that another reader unpacks: none may be a bomb.
fn check(archive: &mut Archive<'_>) -> Result<(), PaperFault> {
    for index in 0..archive.len() {
        let file = archive.by_index_raw(index).map_err(|error| fault(&error))?;
        let (packed, unpacked) = (file.compressed_size(), file.size());
        let read = file
            .name()
            .is_ok_and(|name| name.ends_with(".xml") || name.ends_with(".bin"));
        if read && (unpacked > 2 * MAX_UNPACKED || is_bomb(packed, unpacked)) {
            return Err(PaperFault::TooHeavy);
        }
    }
    Ok(())
}

/// One of the files that [`check`] has looked at, to be read piece by piece. `None`: it cannot be.
pub(super) fn checked<'a>(archive: &'a mut Archive<'_>, name: &str) -> Option<BufReader<impl Read + 'a>> {
    let file = archive.by_name(name).ok()?;
    Some(BufReader::new(file.take(2 * MAX_UNPACKED)))
}

const fn is_bomb(packed: u64, unpacked: u64) -> bool {
    unpacked > FREE && unpacked / MAX_RATIO > packed
}

/// One of its files, to be read piece by piece. `None`: it is not there.
pub(super) fn open<'a>(
    archive: &'a mut Archive<'_>,
    name: &str,
) -> Result<Option<BufReader<impl Read + 'a>>, PaperFault> {
    let file = match archive.by_name(name) {
        Ok(file) => file,
        Err(ZipError::FileNotFound) => return Ok(None),
        Err(error) => return Err(fault(&error)),
    };
    let (packed, unpacked) = (file.compressed_size(), file.size());
    if unpacked > MAX_UNPACKED || is_bomb(packed, unpacked) {
        return Err(PaperFault::TooHeavy);
    }
    // What it says of itself may be a lie.
    Ok(Some(BufReader::new(file.take(MAX_UNPACKED))))
}

/// The whole of one of its files.
pub(super) fn whole(archive: &mut Archive<'_>, name: &str) -> Result<Option<Vec<u8>>, PaperFault> {
    let Some(mut file) = open(archive, name)? else {
        return Ok(None);
    };
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).map_err(|_| PaperFault::Damaged)?;
    Ok(Some(bytes))
}

fn fault(error: &ZipError) -> PaperFault {
    match error {
        ZipError::UnsupportedArchive(ZipError::PASSWORD_REQUIRED) | ZipError::InvalidPassword => PaperFault::Locked,
        _ => PaperFault::Damaged,
    }
}
