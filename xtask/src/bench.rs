//! The benches: the crash test with many kills, and the load generator with its scenarios.

use std::process::Command;

use crate::cli::BenchOptions;
use crate::project::{Mode, Project};
use crate::server::SERVER;
use crate::site;
use crate::step::{self, step};

/// Name of the load generator's binary and package.
const BENCH: &str = "anteroom-bench";
/// What the load generator can play; it has the same list.
pub(crate) const SCENARIOS: [&str; 10] = [
    "drain", "crowd", "latency", "events", "cpu", "fairness", "memory", "tabs", "reload", "restart",
];
/// Kills of `bench crash`.
const KILLS: u32 = 200;

/// Runs the benches that were asked for.
pub(crate) fn run(project: &Project, options: &BenchOptions) -> anyhow::Result<()> {
    if options.crash {
        step("kill the server again and again", || crash(project, options))?;
    }
    if !options.scenarios.is_empty() {
        scenarios(project, options)?;
    }
    Ok(())
}

/// The crash test of `app/tests/crash`. A debug build: what it proves does not depend on speed.
fn crash(project: &Project, options: &BenchOptions) -> anyhow::Result<()> {
    let mut cargo = project.cargo("test");
    cargo
        .args(["--package=anteroom-app", "--test=crash", "--", "--nocapture"])
        .env("ANTEROOM_CRASH_ROUNDS", options.rounds.unwrap_or(KILLS).to_string());
    if let Some(seed) = options.seed {
        cargo.env("ANTEROOM_CRASH_SEED", seed.to_string());
    }
    step::run(&mut cargo)
}

fn scenarios(project: &Project, options: &BenchOptions) -> anyhow::Result<()> {
    let mode = options.mode;
    site::build(project, mode)?;
    step("compile the server and the load generator", || {
        let mut cargo = project.cargo("build");
        // In one go: what both need is compiled once.
        cargo.args([
            "--package=anteroom-app",
            "--package",
            BENCH,
            "--bin",
            SERVER,
            "--bin",
            BENCH,
        ]);
        if mode == Mode::Release {
            cargo.arg("--release");
        }
        step::run(&mut cargo)
    })?;
    let mut bench = with_many_files(project.binary(mode, BENCH).as_os_str());
    bench
        .current_dir(&project.root)
        .arg("--anteroom")
        .arg(project.binary(mode, SERVER))
        .arg("--scratch")
        .arg(project.folder("bench"))
        .args(["--build", mode.folder()]);
    if let Some(rounds) = options.rounds {
        bench.args(["--rounds", &rounds.to_string()]);
    }
    step::run(bench.args(&options.scenarios))
}

/// A command that may open as many files as the system lets it, and whose children may: ten thousand browsers need
/// ten thousand connections, on either side.
fn with_many_files(program: &std::ffi::OsStr) -> Command {
    if cfg!(unix) {
        let mut shell = Command::new("sh");
        shell
            .args(["-c", r#"ulimit -n "$(ulimit -H -n)"; exec "$0" "$@""#])
            .arg(program);
        shell
    } else {
        Command::new(program)
    }
}
