//! Whether a server's program is there.

use std::{
    env,
    ffi::OsString,
    path::{Path, PathBuf},
};

/// Whether a program of this name can be started from `cwd`, where `path` says where programs are; `None`: where Anteroom's own are.
pub(super) fn is_there(command: &str, path: Option<&str>, cwd: Option<&Path>) -> bool {
    let within = |folder: PathBuf| match cwd {
        Some(cwd) => cwd.join(folder),
        None => folder,
    };
    if command.contains('/') {
        return is_program(&within(command.into()));
    }
    let path = path.map(OsString::from).or_else(|| env::var_os("PATH"));
    let mut folders = path.iter().flat_map(env::split_paths);
    folders.any(|folder| is_program(&within(folder).join(command)))
}

#[cfg(unix)]
fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    path.metadata()
        .is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_program(path: &Path) -> bool {
    path.is_file()
}
