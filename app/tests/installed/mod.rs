//! Programs that `cargo xtask test` installs for tests, each in a place of its own.

use std::{io::Write as _, path::PathBuf};

/// A program of this environment, in the folder of what is built, which this test is built into as well; `None`: it is not installed.
pub(crate) fn program(environment: &str, name: &str) -> Option<PathBuf> {
    let test = std::env::current_exe().expect("the test's own file");
    let path = format!("xtask/{environment}/bin/{name}");
    let mut programs = test.ancestors().map(|folder| folder.join(&path));
    programs.find(|program| program.is_file())
}

/// Says that a test is skipped, or fails where this variable says that it must not be.
pub(crate) fn skip(variable: &str, what: &str) {
    let required = std::env::var_os(variable).is_some_and(|value| !value.is_empty());
    assert!(!required, "{variable} is set, and {what} is not installed here");
    let test = std::thread::current().name().unwrap_or("a test").to_owned();
    // Not by `eprintln!`: of a test that passes, the harness would keep it to itself.
    let _ = writeln!(std::io::stderr(), "skipped: {test}: {what} is not installed");
}
