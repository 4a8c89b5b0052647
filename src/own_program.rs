//! The program that this process runs, to be started once more for work that needs a process of its own.

use std::{
    env, io,
    path::{Path, PathBuf},
};

/// By this name Linux has it even once another version has taken the place of its file, which may speak otherwise.
const RUNNING: &str = "/proc/self/exe";

/// Where it is.
///
/// # Errors
/// The system does not say.
pub(crate) fn own_program() -> io::Result<PathBuf> {
    let running = Path::new(RUNNING);
    if running.exists() {
        return Ok(running.to_owned());
    }
    env::current_exe()
}
