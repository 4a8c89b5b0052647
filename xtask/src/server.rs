//! Building the server with its site, and running it.

use std::panic::resume_unwind;
use std::path::PathBuf;
use std::process::{Command, ExitCode};
use std::thread;

use anyhow::Context as _;

use crate::budget::{self, bytes};
use crate::project::{Mode, Project};
use crate::setup;
use crate::site::{self, Size};
use crate::step::{self, step};

/// Name of the server's binary.
pub(crate) const SERVER: &str = "anteroom";
/// The feature of the server that a release has and a development build goes without.
pub(crate) const ALLOCATOR: &str = "anteroom-app/jemalloc";
/// Name of the loopback model server's binary and package.
pub(crate) const LOOPBACK: &str = "anteroom-loopback";

/// Builds the site and the server. For a release, says where the one file is and what a browser will load.
pub(crate) fn build_all(project: &Project, mode: Mode) -> anyhow::Result<()> {
    let (server, sizes) = build(project, mode)?;
    println!("{} ({})", server.display(), bytes(std::fs::metadata(&server)?.len()));
    match mode {
        Mode::Dev => Ok(()),
        Mode::Release => budget::check(&sizes),
    }
}

/// Builds all, makes an `.env` where there is none, and becomes the server: Ctrl-C and the exit code are its own.
pub(crate) fn run(project: &Project, mode: Mode, arguments: &[String]) -> anyhow::Result<ExitCode> {
    let (server, _) = build(project, mode)?;
    setup::env_file(project)?;
    let mut command = Command::new(&server);
    command.args(arguments).current_dir(&project.root);
    become_it(&mut command).with_context(|| format!("cannot run {}", server.display()))
}

/// The server's binary, and what is in its site.
fn build(project: &Project, mode: Mode) -> anyhow::Result<(PathBuf, Vec<Size>)> {
    // Before anything is compiled: it changes what the compiler finds.
    setup::wasm_target(project)?;
    // Each half ends with crates that wait for each other, one after the other, and so would leave cores idle. A release's binary embeds the
    // site, so it comes last.
    let sizes = thread::scope(|scope| {
        let library = scope.spawn(|| {
            step("compile the server's library", || {
                cargo_build(project, mode, &["--lib"])
            })
        });
        let sizes = site::build(project, mode);
        library.join().unwrap_or_else(|panic| resume_unwind(panic))?;
        sizes
    })?;
    step("compile the server", || cargo_build(project, mode, &["--bin", SERVER]))?;
    Ok((project.binary(mode, SERVER), sizes))
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

/// Compiles a part of the server. The features are the same for each, so that nothing is compiled twice.
fn cargo_build(project: &Project, mode: Mode, part: &[&str]) -> anyhow::Result<()> {
    let mut cargo = project.cargo("build");
    cargo.arg("--package=anteroom-app").args(part).args(mode.profile());
    if mode == Mode::Release {
        cargo.args(["--features", ALLOCATOR]);
    }
    step::run(&mut cargo)
}
