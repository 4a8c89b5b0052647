//! One server per data directory.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{self, Read as _, Seek as _, Write as _},
    path::Path,
    process, thread,
    time::{Duration, Instant},
};

use super::{OpenError, faults};
use crate::store::StoreError;

/// The lock's file, inside the data directory. It stays there when the lock goes: one that removed it could remove the next
/// server's.
const FILE: &str = "lock";

/// How long to wait before the lock is tried again.
const AGAIN: Duration = Duration::from_millis(20);

/// Says that the data directory is in use, until it is dropped or the process ends, however that ends.
#[derive(Debug)]
pub(super) struct Lock {
    _file: Option<File>,
}

/// A lock, and why nothing can be written where that is so.
pub(super) struct Taken {
    pub(super) lock: Lock,
    pub(super) read_only: Option<String>,
}

impl Lock {
    /// Takes the lock of a data directory. Blocks for `patience` at most. Where nothing can be written, a lock that is not there is not needed.
    pub(super) fn take(data_dir: &Path, patience: Duration) -> Result<Taken, OpenError> {
        let path = data_dir.join(FILE);
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        match options.open(&path) {
            Ok(mut file) => {
                hold(&mut file, data_dir, patience)?;
                // The number is for people. A full disk is a fault that opening the database has better words for.
                let _ = sign(&mut file);
                Ok(Taken {
                    lock: Self { _file: Some(file) },
                    read_only: None,
                })
            }
            Err(error) if matches!(faults::of_io(&error), Some(StoreError::ReadOnly(_))) => {
                let file = File::open(&path).ok();
                let file = match file {
                    None => None,
                    Some(mut file) => match hold(&mut file, data_dir, patience) {
                        Err(error @ OpenError::InUse { .. }) => return Err(error),
                        // Some network disks lock only what can be written.
                        Err(_) => None,
                        Ok(()) => Some(file),
                    },
                };
                Ok(Taken {
                    lock: Self { _file: file },
                    read_only: Some(error.to_string()),
                })
            }
            Err(source) => Err(OpenError::of_io(&source, &path)),
        }
    }
}

/// Takes the lock, if need be once the one before has ended: after a restart that may take a moment.
fn hold(file: &mut File, data_dir: &Path, patience: Duration) -> Result<(), OpenError> {
    let deadline = Instant::now() + patience;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(()),
            Err(TryLockError::WouldBlock) if Instant::now() < deadline => thread::sleep(AGAIN),
            Err(TryLockError::WouldBlock) => {
                return Err(OpenError::InUse {
                    data_dir: data_dir.into(),
                    holder: holder(file),
                });
            }
            Err(TryLockError::Error(source)) => return Err(OpenError::of_io(&source, &data_dir.join(FILE))),
        }
    }
}

fn sign(file: &mut File) -> io::Result<()> {
    file.set_len(0)?;
    writeln!(file, "{}", process::id())
}

/// Who holds the lock, as far as its file says.
fn holder(file: &mut File) -> String {
    let mut text = String::new();
    let read = file.rewind().and_then(|()| file.take(32).read_to_string(&mut text));
    match (read, text.trim().parse::<u32>()) {
        (Ok(_), Ok(pid)) => format!("process {pid}"),
        _ => "another process".into(),
    }
}
