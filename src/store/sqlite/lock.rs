//! One server per `DATA_DIR`.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{self, Read as _, Seek as _, Write as _},
    path::Path,
    process,
};

/// The file that is locked.
const NAME: &str = "lock";

/// A `DATA_DIR` that is this process's. The system gives the lock back when it is dropped, and when the process ends in
/// whatever way.
#[derive(Debug)]
pub(super) struct Lock {
    _file: File,
}

/// Why it could not be taken.
#[derive(Debug)]
pub(super) enum NotTaken {
    /// Another process has it; its id, where it has written that down.
    InUse(Option<u32>),
    /// The file cannot be made or locked.
    Io(io::Error),
}

impl Lock {
    pub(super) fn take(folder: &Path) -> Result<Self, NotTaken> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(folder.join(NAME)).map_err(NotTaken::Io)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut text = String::new();
                let _ = file.read_to_string(&mut text);
                return Err(NotTaken::InUse(text.trim().parse().ok()));
            }
            Err(TryLockError::Error(error)) => return Err(NotTaken::Io(error)),
        }
        // Only for people, so a disk without room for it is no reason to stop here.
        let _ = file
            .set_len(0)
            .and_then(|()| file.rewind())
            .and_then(|()| writeln!(file, "{}", process::id()));
        Ok(Self { _file: file })
    }

    /// The same where nothing can be written.
    pub(super) fn take_unwritten(folder: &Path) -> Result<Option<Self>, NotTaken> {
        let file = match File::open(folder.join(NAME)) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(NotTaken::Io(error)),
        };
        match file.try_lock() {
            Ok(()) => Ok(Some(Self { _file: file })),
            Err(TryLockError::WouldBlock) => Err(NotTaken::InUse(None)),
            Err(TryLockError::Error(error)) => Err(NotTaken::Io(error)),
        }
    }
}
