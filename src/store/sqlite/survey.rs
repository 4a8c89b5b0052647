//! What stands in a data directory, looked at before anything is made or opened.

use std::{
    fs::{self, File},
    io::{self, Read as _},
    path::Path,
};

use tracing::warn;

use super::{
    OpenError,
    log::{self, Log},
};
use crate::data_dir::{FILES_FOLDER, KEY_FILE};

/// What is in a data directory only after a server has started there, with its database: the key is made after that, and the
/// folder of the files after the key.
pub(super) fn earlier(data_dir: &Path) -> Option<&'static str> {
    let traces = [KEY_FILE, FILES_FOLDER];
    traces.into_iter().find(|name| data_dir.join(name).exists())
}

/// Looks for what SQLite would pass over in silence. Returns what is odd and harmless, a sentence each, which names no folder:
/// anybody may read it.
pub(super) fn look(file: &Path, earlier: Option<&'static str>) -> Result<Vec<String>, OpenError> {
    let log = log::path(file);
    let of_io = |error: &io::Error| OpenError::of_io(error, file);
    let length = match fs::metadata(file) {
        Ok(metadata) => metadata.len(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => 0,
        Err(error) => return Err(of_io(&error)),
    };
    if length == 0 {
        let changes = fs::metadata(&log).is_ok_and(|metadata| metadata.len() > 0);
        return match changes.then_some("its log anteroom.db-wal").or(earlier) {
            None => Ok(Vec::new()),
            Some(beside) => Err(OpenError::Emptied {
                file: file.into(),
                state: if file.exists() { "is empty" } else { "is missing" },
                beside,
            }),
        };
    }
    match log::look(&log).map_err(|error| OpenError::of_io(&error, &log))? {
        Log::Sound => Ok(Vec::new()),
        Log::Empty => whole(file, length).map(|()| Vec::new()),
        Log::Lost(bytes) => Err(OpenError::LogLost { log, bytes }),
        Log::Torn(bytes) => {
            warn!(log = %log.display(), bytes, "the log beside the database has no whole change in it");
            Ok(vec![format!(
                "At the start anteroom.db-wal had {bytes} bytes and no whole change in it. That is so after a crash in the middle of \
                 its first change, and nothing is lost then. If there was none, the newest messages may be missing: see \
                 docs/operating.md."
            )])
        }
    }
}

/// Whether a database without a log has the length that its header says.
fn whole(file: &Path, length: u64) -> Result<(), OpenError> {
    let mut header = [0; 100];
    let read = File::open(file).and_then(|mut file| file.read_exact(&mut header));
    // What has no header, and what a change was cut off in, SQLite knows how to tell or to undo.
    if read.is_err() || !header.starts_with(b"SQLite format 3\0") || log::beside(file, "-journal").exists() {
        return Ok(());
    }
    let word = |at: usize| u32::from_be_bytes(std::array::from_fn(|byte| header[at + byte]));
    let page = match u16::from_be_bytes([header[16], header[17]]) {
        1 => 65_536,
        size => u64::from(size),
    };
    // The number of pages counts only where it was written together with the counter of changes.
    let expected = u64::from(word(28)) * page;
    if word(24) == word(92) && length < expected {
        return Err(OpenError::Damaged {
            file: file.into(),
            reason: format!("it has {length} bytes, where {expected} belong"),
        });
    }
    Ok(())
}
