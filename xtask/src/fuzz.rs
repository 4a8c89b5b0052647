//! The fuzz targets of `fuzz/`: built with LLVM's coverage counters and libFuzzer, each run for a bounded time.
//!
//! The stable compiler is enough. It takes the passes that count coverage, and the sanitizers that only a nightly one has would
//! find little in code without `unsafe`; overflows and debug assertions are on.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, bail};

use crate::project::Project;
use crate::step::{self, step};
use crate::{cli, setup};

/// The targets: the binaries of `fuzz/Cargo.toml`.
pub(crate) const TARGETS: [&str; 11] = [
    "settings",
    "cookies",
    "files",
    "wire",
    "answers",
    "markdown",
    "doors",
    "programs",
    "tool_servers",
    "tools",
    "papers",
];
/// How long each target is run unless told otherwise.
pub(crate) const SECONDS: u32 = 60;
/// The targets' manifest, from the workspace's root.
pub(crate) const MANIFEST: &str = "fuzz/Cargo.toml";

/// What makes the compiler count what is reached, and tell libFuzzer what is compared with what.
const FLAGS: [&str; 6] = [
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
    "-Cllvm-args=-simplifycfg-branch-fold-threshold=0",
];
/// libFuzzer's own bounds: bytes of an input, seconds for one, megabytes for all.
const BOUNDS: [&str; 3] = ["-max_len=4096", "-timeout=25", "-rss_limit_mb=4096"];
/// Lines of the log of a run that has failed that are shown.
const SHOWN: usize = 60;

/// Runs the targets that were asked for, all of them, then says which have found something.
pub(crate) fn run(project: &Project, options: &cli::Fuzz) -> anyhow::Result<()> {
    if !cfg!(unix) {
        bail!("libFuzzer is used on Linux and macOS only");
    }
    let targets = options.targets();
    let seconds = options.seconds.map_or(SECONDS, u32::from);
    let binaries = step("compile the fuzz targets", || build(project, &targets))?;
    let mut failed = Vec::new();
    for target in &targets {
        let what = format!("fuzz {target} for {seconds} s");
        if let Err(fault) = step(&what, || one(project, target, &binaries.join(target), seconds)) {
            eprintln!("xtask: {fault:#}");
            failed.push(*target);
        }
    }
    if !failed.is_empty() {
        bail!("something was found by {}", failed.join(", "));
    }
    Ok(())
}

/// Compiles the targets. Returns the folder with their binaries.
fn build(project: &Project, targets: &[&str]) -> anyhow::Result<PathBuf> {
    if std::env::var_os("CXX").is_none() && setup::find_program(&["c++", "g++", "clang++"]).is_none() {
        bail!("libFuzzer is written in C++: install a C++ compiler (g++ or clang++), or name one in CXX");
    }
    let host = host(project)?;
    let mut cargo = project.cargo("build");
    cargo
        .args(["--release", "--manifest-path", MANIFEST])
        // Named, so that build scripts and macros are not instrumented.
        .args(["--target", &host])
        .env("CARGO_TARGET_DIR", project.fuzz())
        .env("CARGO_ENCODED_RUSTFLAGS", FLAGS.join("\x1f"));
    for target in targets {
        cargo.args(["--bin", target]);
    }
    step::run(&mut cargo)?;
    Ok(project.fuzz().join(host).join("release"))
}

fn host(project: &Project) -> anyhow::Result<String> {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let version = step::output(Command::new(rustc).arg("-vV").current_dir(&project.root))?;
    let host = version.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(host.context("rustc does not say what it compiles for")?.to_owned())
}

/// Runs one target. What it learns is kept in the build directory, for the next run.
fn one(project: &Project, target: &str, binary: &Path, seconds: u32) -> anyhow::Result<()> {
    let folder = project.folder("fuzz").join(target);
    let (corpus, found, scratch) = (folder.join("corpus"), folder.join("found"), folder.join("tmp"));
    // A run that was ended leaves its files behind.
    let _nothing_there = fs::remove_dir_all(&scratch);
    for made in [&corpus, &found, &scratch] {
        fs::create_dir_all(made).with_context(|| format!("cannot make {}", made.display()))?;
    }
    let log = folder.join("log.txt");
    let output = File::create(&log).with_context(|| format!("cannot write {}", log.display()))?;
    let status = Command::new(binary)
        .current_dir(&project.root)
        .arg(&corpus)
        .arg(project.root.join("fuzz/seeds").join(target))
        .arg(format!("-max_total_time={seconds}"))
        .arg(format!("-artifact_prefix={}/", found.display()))
        .arg("-print_final_stats=1")
        .args(BOUNDS)
        .env("TMPDIR", &scratch)
        .stdout(output.try_clone().context("cannot share the log")?)
        .stderr(output)
        .status()
        .with_context(|| format!("cannot start {}", binary.display()))?;
    let _left_for_the_next_run = fs::remove_dir_all(&scratch);
    let log = fs::read(&log).context("cannot read the log")?;
    let log = String::from_utf8_lossy(&log);
    if status.success() {
        eprintln!("xtask: {target}: {}", summary(&log));
        return Ok(());
    }
    let lines: Vec<_> = log.lines().collect();
    eprintln!("{}", lines[lines.len().saturating_sub(SHOWN)..].join("\n"));
    match input(&log) {
        Some(input) => bail!(
            "{target} fails on {input}; to see it again: {} {input}",
            binary.display()
        ),
        None => bail!("{target} ended with {status}"),
    }
}

/// How much a run has done.
fn summary(log: &str) -> String {
    let word_after = |line: &'_ str, key: &str| {
        let mut words = line.split_whitespace().skip_while(|word| *word != key);
        words.nth(1).map(str::to_owned)
    };
    let runs = log
        .lines()
        .find_map(|line| word_after(line, "stat::number_of_executed_units:"));
    let reached = |key| log.lines().rev().find_map(|line| word_after(line, key));
    let known = |figure: Option<String>| figure.unwrap_or_else(|| "?".to_owned());
    format!(
        "{} runs, coverage {} (features {})",
        known(runs),
        known(reached("cov:")),
        known(reached("ft:"))
    )
}

/// The file with the input on which a run has failed.
fn input(log: &str) -> Option<&str> {
    log.lines()
        .rev()
        .find_map(|line| line.split_once("Test unit written to ").map(|(_, path)| path.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn root() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
    }

    #[test]
    fn every_target_is_there_with_its_seeds() {
        let manifest = fs::read_to_string(root().join(MANIFEST)).expect("the manifest");
        let named = manifest.lines().filter(|line| line.starts_with("path = \"targets/"));
        assert_eq!(named.count(), TARGETS.len());
        for target in TARGETS {
            assert!(
                manifest.contains(&format!("path = \"targets/{target}.rs\"")),
                "{target}"
            );
            assert!(root().join(format!("fuzz/targets/{target}.rs")).is_file(), "{target}");
            let seeds = fs::read_dir(root().join("fuzz/seeds").join(target)).expect("seeds");
            assert!(seeds.count() > 0, "{target}");
        }
    }

    #[test]
    fn a_log_tells_what_was_done_and_what_was_found() {
        let log = "#2\tINITED cov: 10 ft: 20 corp: 1/1b\n#9\tDONE   cov: 12 ft: 31 corp: 2/5b\nstat::number_of_executed_units: 99\n";
        assert_eq!(summary(log), "99 runs, coverage 12 (features 31)");
        assert_eq!(summary(""), "? runs, coverage ? (features ?)");
        assert_eq!(input(log), None);
        let log = "==1== ERROR\nartifact_prefix='/t/'; Test unit written to /t/crash-1\nBase64: YQ==\n";
        assert_eq!(input(log), Some("/t/crash-1"));
    }
}
