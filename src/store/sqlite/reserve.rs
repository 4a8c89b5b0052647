//! Room that is kept for deleting.
//!
//! On a full disk nothing could be removed: what is deleted is overwritten, which takes room in the log before any is given back. So a
//! file beside the database keeps some, and goes for as long as a removal takes.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use tokio::task::spawn_blocking;
use tracing::{info, warn};

use super::faults;
use crate::store::StoreError;

/// Inside the data directory.
const FILE: &str = "reserve";
/// What the database may have to grow by before its log can be emptied (SQLite does that every 4 MB), and as much for the
/// pages of a long conversation.
const BYTES: u64 = 8 << 20;
/// Written at once.
const PIECE: usize = 64 << 10;

/// The room that is kept.
#[derive(Debug)]
pub(super) struct Reserve {
    path: PathBuf,
    /// Bytes of it that there are.
    kept: u64,
}

impl Reserve {
    /// Keeps room in a data directory, unless there is too little: for a moment this may take all of it, so it comes before
    /// anybody writes. Blocks.
    pub(super) fn keep(data_dir: &Path) -> Self {
        let mut reserve = Self::none(data_dir);
        let there = fs::symlink_metadata(&reserve.path);
        if there.is_ok_and(|there| there.is_file() && there.len() == BYTES) {
            reserve.kept = BYTES;
        } else {
            reserve.make();
        }
        reserve
    }

    /// None, where nothing can be written.
    pub(super) fn none(data_dir: &Path) -> Self {
        Self {
            path: data_dir.join(FILE),
            kept: 0,
        }
    }

    /// Whether there is some of it, but not all.
    pub(super) fn is_partial(&self) -> bool {
        (1..BYTES).contains(&self.kept)
    }

    /// Gives the room back to the disk. `false`: there was none.
    pub(super) async fn give_back(&mut self) -> bool {
        if self.kept == 0 {
            return false;
        }
        self.kept = 0;
        match tokio::fs::remove_file(&self.path).await {
            Ok(()) => true,
            Err(error) => {
                warn!(%error, "the room that is kept for deleting cannot be had");
                false
            }
        }
    }

    /// Takes it again, or as much as there is. `true`: all of it.
    pub(super) async fn take_again(&mut self) -> bool {
        let (path, kept) = (self.path.clone(), self.kept);
        let written = spawn_blocking(move || write(&path, kept)).await;
        self.kept = match written {
            Ok(Ok(bytes)) => bytes,
            Ok(Err(error)) => {
                warn!(%error, "no room can be kept for deleting");
                0
            }
            Err(_ended) => 0,
        };
        self.kept == BYTES
    }

    /// Takes it where there is none and room for all of it.
    pub(super) async fn make_again(&mut self) {
        if self.kept > 0 {
            return;
        }
        let mut reserve = Self {
            path: self.path.clone(),
            kept: 0,
        };
        let made = spawn_blocking(move || {
            reserve.make();
            reserve.kept
        });
        self.kept = made.await.unwrap_or(0);
    }

    fn make(&mut self) {
        match write(&self.path, 0) {
            Ok(BYTES) => self.kept = BYTES,
            made => {
                // What has not become whole is in the way of others.
                let _ = fs::remove_file(&self.path);
                match made {
                    Ok(_) => info!("the disk has too little room left to keep any for deleting"),
                    Err(error) => warn!(%error, "no room can be kept for deleting"),
                }
            }
        }
    }
}

/// Makes the file as long as it has to be, or as there is room for, from `kept` bytes on. Returns how long it is then.
fn write(path: &Path, kept: u64) -> io::Result<u64> {
    let mut options = OpenOptions::new();
    options.append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file: File = options.open(path)?;
    file.set_len(kept)?;
    let mut kept = kept;
    // Not zeros: some disks compress, and would keep those in no room at all. (Marsaglia's xorshift: nothing here is a secret.)
    let mut noise = std::iter::successors(Some(rand::random::<u64>() | 1), |last| {
        let last = last ^ last << 13;
        let last = last ^ last >> 7;
        Some(last ^ last << 17)
    });
    while kept < BYTES {
        let length = PIECE.min(usize::try_from(BYTES - kept).unwrap_or(PIECE));
        let piece: Vec<u8> = noise.by_ref().flat_map(u64::to_ne_bytes).take(length).collect();
        match file.write_all(&piece) {
            Ok(()) => kept += piece.len() as u64,
            Err(error) if faults::of_io(&error) == Some(StoreError::Full) => {
                file.set_len(kept)?;
                break;
            }
            Err(error) => return Err(error),
        }
    }
    Ok(kept)
}
