//! Building the server with its site, and running it.

use std::path::PathBuf;
use std::process::{Command, ExitCode};

use anyhow::Context as _;

use crate::project::{Mode, Project};
use crate::setup;
use crate::site::{self, Size};
use crate::step::{self, step};

/// Name of the server's binary.
pub(crate) const SERVER: &str = "anteroom";
/// Name of the loopback model server's binary and package.
pub(crate) const LOOPBACK: &str = "anteroom-loopback";

/// Builds the site and the server. For a release, says where the one file is and what a browser will load.
pub(crate) fn build_all(project: &Project, mode: Mode) -> anyhow::Result<()> {
    let sizes = site::build(project, mode)?;
    let server = compile(project, mode)?;
    println!("{} ({})", server.display(), bytes(std::fs::metadata(&server)?.len()));
    if mode == Mode::Release {
        print_sizes(&sizes);
    }
    Ok(())
}

/// Builds all, makes an `.env` where there is none, and becomes the server: Ctrl-C and the exit code are its own.
pub(crate) fn run(project: &Project, mode: Mode, arguments: &[String]) -> anyhow::Result<ExitCode> {
    site::build(project, mode)?;
    let server = compile(project, mode)?;
    setup::env_file(project)?;
    let mut command = Command::new(&server);
    command.args(arguments).current_dir(&project.root);
    become_it(&mut command).with_context(|| format!("cannot run {}", server.display()))
}

/// Replaces this process, so that every signal reaches the server itself.
#[cfg(unix)]
fn become_it(command: &mut Command) -> anyhow::Result<ExitCode> {
    use std::os::unix::process::CommandExt as _;
    Err(command.exec().into())
}

/// Waits for the server: the console sends Ctrl-C to both.
#[cfg(not(unix))]
fn become_it(command: &mut Command) -> anyhow::Result<ExitCode> {
    let code = command.status()?.code().and_then(|code| u8::try_from(code).ok());
    Ok(code.map_or(ExitCode::FAILURE, ExitCode::from))
}

/// Builds the server, after the site: a release embeds it.
fn compile(project: &Project, mode: Mode) -> anyhow::Result<PathBuf> {
    step("compile the server", || {
        let mut cargo = project.cargo("build");
        cargo.args(["--package=anteroom-app", "--bin", SERVER]);
        if mode == Mode::Release {
            cargo.arg("--release");
        }
        step::run(&mut cargo)
    })?;
    Ok(project.binary(mode, SERVER))
}

fn print_sizes(sizes: &[Size]) {
    let size = |size: Option<u64>| size.map_or_else(|| "-".to_owned(), bytes);
    println!(
        "\n{:<44} {:>12} {:>12} {:>12}",
        "what the browser loads", "plain", "gzip", "brotli"
    );
    for file in sizes {
        println!(
            "{:<44} {:>12} {:>12} {:>12}",
            file.path,
            bytes(file.plain),
            size(file.gzip),
            size(file.brotli)
        );
    }
    let app = sizes.iter().filter(|file| file.path.starts_with("pkg/"));
    let (plain, brotli) = app.fold((0, 0), |(plain, brotli), file| {
        (plain + file.plain, brotli + file.brotli.unwrap_or(file.plain))
    });
    println!(
        "{:<44} {:>12} {:>12} {:>12}",
        "all of pkg",
        bytes(plain),
        "",
        bytes(brotli)
    );
}

/// A size that a person can read, in units of 1,000.
fn bytes(size: u64) -> String {
    match size {
        0..1_000 => format!("{size} B"),
        1_000..1_000_000 => format!("{}.{} KB", size / 1_000, size % 1_000 / 100),
        _ => format!("{}.{} MB", size / 1_000_000, size % 1_000_000 / 100_000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_readable() {
        assert_eq!(bytes(999), "999 B");
        assert_eq!(bytes(1_000), "1.0 KB");
        assert_eq!(bytes(299_960), "299.9 KB");
        assert_eq!(bytes(12_345_678), "12.3 MB");
    }
}
