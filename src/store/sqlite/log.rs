//! The log beside the database, looked at before SQLite does. What SQLite cannot read of it, it drops without a word.
//!
//! The format: <https://www.sqlite.org/fileformat2.html#the_write_ahead_log>.

use std::{
    fs::File,
    io::{self, Read as _, Seek as _, SeekFrom},
    path::{Path, PathBuf},
};

/// Bytes of the log's header, and of that of each frame (a page that was changed).
const HEADER: usize = 32;
const FRAME_HEADER: usize = 24;
/// Of the magic number; its last bit says how checksums are made.
const MAGIC: u32 = 0x377f_0682;

/// What a log is like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Log {
    /// It is not there, or has no frame.
    Empty,
    /// It begins as it should. (How far it is whole, SQLite finds out; it ends in the middle of a change after every crash.)
    Sound,
    /// It has so many bytes and no change that is whole, which is so after a crash in the middle of its first one.
    Torn(u64),
    /// The same, but there were changes that had been acknowledged.
    Lost(u64),
}

/// Where a database's log is.
pub(super) fn path(database: &Path) -> PathBuf {
    beside(database, "-wal")
}

/// A file whose name is the database's and something more.
pub(super) fn beside(database: &Path, more: &str) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push(more);
    name.into()
}

/// Looks at a log, at little more than its beginning. To be done while nobody writes to it.
pub(super) fn look(path: &Path) -> io::Result<Log> {
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Log::Empty),
        Err(error) => return Err(error),
    };
    let bytes = file.metadata()?.len();
    if bytes <= HEADER as u64 {
        return Ok(Log::Empty);
    }
    let mut header = [0; HEADER];
    file.read_exact(&mut header)?;
    // The header is on the disk before the first frame is written, so no crash leaves frames without one.
    let Some(header) = Header::read(&header) else {
        return Ok(Log::Lost(bytes));
    };
    let frame = FRAME_HEADER as u64 + u64::from(header.page_size);
    let frames = (bytes - HEADER as u64) / frame;
    if frames == 0 {
        return Ok(Log::Torn(bytes));
    }
    let mut first = vec![0; FRAME_HEADER + header.page_size as usize];
    file.read_exact(&mut first)?;
    if header.begins_with(&first) {
        return Ok(Log::Sound);
    }
    // A change is acknowledged before the next one is written, so the first of two was.
    let mut changes = 0;
    for number in 0..frames {
        file.seek(SeekFrom::Start(HEADER as u64 + number * frame))?;
        let mut head = [0; FRAME_HEADER];
        file.read_exact(&mut head)?;
        if header.has(&head) && word(&head, 4) != 0 {
            changes += 1;
        }
        if changes == 2 {
            return Ok(Log::Lost(bytes));
        }
    }
    Ok(Log::Torn(bytes))
}

/// A log's header that is as it should be.
struct Header {
    big_endian: bool,
    page_size: u32,
    salts: [u8; 8],
    sums: (u32, u32),
}

impl Header {
    fn read(bytes: &[u8; HEADER]) -> Option<Self> {
        let (magic, page_size) = (word(bytes, 0), word(bytes, 8));
        if magic & !1 != MAGIC || !page_size.is_power_of_two() || !(512..=65_536).contains(&page_size) {
            return None;
        }
        let big_endian = magic & 1 == 1;
        let sums = checksum(big_endian, (0, 0), &bytes[..24]);
        (sums == (word(bytes, 24), word(bytes, 28))).then(|| Self {
            big_endian,
            page_size,
            salts: std::array::from_fn(|at| bytes[16 + at]),
            sums,
        })
    }

    /// Whether a frame was written since this header was; older ones stay behind it.
    fn has(&self, frame: &[u8]) -> bool {
        frame[8..16] == self.salts
    }

    /// Whether this is the first frame, and whole.
    fn begins_with(&self, frame: &[u8]) -> bool {
        let sums = checksum(self.big_endian, self.sums, &frame[..8]);
        let sums = checksum(self.big_endian, sums, &frame[FRAME_HEADER..]);
        self.has(frame) && sums == (word(frame, 16), word(frame, 20))
    }
}

fn word(bytes: &[u8], at: usize) -> u32 {
    u32::from_be_bytes(std::array::from_fn(|byte| bytes[at + byte]))
}

fn checksum(big_endian: bool, before: (u32, u32), bytes: &[u8]) -> (u32, u32) {
    let word = |at: usize| {
        let bytes = std::array::from_fn(|byte| bytes[at + byte]);
        if big_endian {
            u32::from_be_bytes(bytes)
        } else {
            u32::from_le_bytes(bytes)
        }
    };
    (0..bytes.len() / 8).fold(before, |(one, two), pair| {
        let one = one.wrapping_add(word(8 * pair)).wrapping_add(two);
        (one, two.wrapping_add(word(8 * pair + 4)).wrapping_add(one))
    })
}
