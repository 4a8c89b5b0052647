//! Running the tests: Rust's, then those in a browser.

use std::process::Command;

use anyhow::bail;

use crate::project::{Mode, Project};
use crate::server::{LOOPBACK, SERVER};
use crate::setup::NPX;
use crate::step::{self, step};
use crate::{browser, cli, clients, faketime, mounts, nginx, openai, postgres, schemathesis, setup, site, tools};

/// Name of the binary and package that starts a PostgreSQL for the browser tests.
const PGTEST: &str = "anteroom-pgtest";

/// Runs the tests that were asked for. A failure of the Rust tests does not keep the browser tests from running.
pub(crate) fn run(project: &Project, options: &cli::Test) -> anyhow::Result<()> {
    let mut failed = Vec::new();
    let required = required(project);
    if !options.browser_only {
        record(
            step("run the Rust tests", || rust(project, options, &required)),
            "the Rust tests",
            &mut failed,
        );
    }
    if !options.no_browser {
        prepare_browser_tests(project, options)?;
        record(
            step("run the browser tests", || playwright(project, options, &required)),
            "the browser tests",
            &mut failed,
        );
    }
    if !failed.is_empty() {
        bail!("{} failed", failed.join(" and "));
    }
    Ok(())
}

fn record(result: anyhow::Result<()>, what: &'static str, failed: &mut Vec<&'static str>) {
    if let Err(fault) = result {
        eprintln!("xtask: {fault:#}");
        failed.push(what);
    }
}

/// Finds the programs that some tests need, or installs them. The variables that make a test fail which does not find them after that.
fn required(project: &Project) -> Vec<(&'static str, &'static str)> {
    let mut required = Vec::new();
    if postgres::find() {
        required.push((postgres::REQUIRED, "1"));
    }
    if nginx::find() {
        required.push((nginx::REQUIRED, "1"));
    }
    if openai::install(project) {
        required.push((openai::REQUIRED, "1"));
    }
    if clients::install(project) {
        required.push((clients::REQUIRED, "1"));
    }
    if tools::install(project) {
        required.push((tools::REQUIRED, "1"));
    }
    if schemathesis::install(project) {
        required.push((schemathesis::REQUIRED, "1"));
    }
    if mounts::find(project) {
        required.push((mounts::REQUIRED, "1"));
    }
    if faketime::find() {
        required.push((faketime::REQUIRED, "1"));
    }
    required
}

fn rust(project: &Project, options: &cli::Test, required: &[(&str, &str)]) -> anyhow::Result<()> {
    let mut cargo = project.cargo("test");
    cargo.args(["--workspace", "--no-fail-fast"]);
    cargo.envs(required.iter().copied());
    if !options.filter.is_empty() {
        cargo.arg("--").args(&options.filter);
    }
    step::run(&mut cargo)
}

fn prepare_browser_tests(project: &Project, options: &cli::Test) -> anyhow::Result<()> {
    site::build(project, Mode::Dev)?;
    step("compile the servers for the browser tests", || {
        let mut cargo = project.cargo("build");
        cargo.args(["--bin", SERVER, "--bin", LOOPBACK, "--bin", PGTEST]);
        if options.browser_only {
            cargo.args(["--package=anteroom-app", "--package", LOOPBACK, "--package", PGTEST]);
        } else {
            // Cargo chooses a dependency's features by all that is built at once. Chosen as for the tests just run,
            // nothing is compiled a second time.
            cargo.args(["--workspace", "--tests"]);
        }
        step::run(&mut cargo)
    })?;
    setup::npm(&project.root.join("end2end"))
}

fn playwright(project: &Project, options: &cli::Test, required: &[(&str, &str)]) -> anyhow::Result<()> {
    let end2end = project.root.join("end2end");
    let mut npx = Command::new(NPX);
    npx.args(["playwright", "test"]).current_dir(&end2end);
    if !options.filter.is_empty() {
        npx.arg("--pass-with-no-tests")
            .args(["--grep", &any_of(&options.filter)]);
    }
    npx.env("ANTEROOM_BIN", project.binary(Mode::Dev, SERVER));
    npx.env("ANTEROOM_LOOPBACK_BIN", project.binary(Mode::Dev, LOOPBACK));
    npx.env("ANTEROOM_PGTEST_BIN", project.binary(Mode::Dev, PGTEST));
    npx.envs(required.iter().copied());
    if let Some(chromium) = browser::chromium(&end2end)? {
        npx.env("CHROMIUM", chromium);
    }
    step::run(&mut npx)
}

/// A regular expression that finds any of these texts.
fn any_of(texts: &[String]) -> String {
    let escape = |text: &String| {
        text.chars().fold(String::new(), |mut escaped, character| {
            if r"\.+*?()|[]{}^$/".contains(character) {
                escaped.push('\\');
            }
            escaped.push(character);
            escaped
        })
    };
    texts.iter().map(escape).collect::<Vec<_>>().join("|")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_are_taken_literally() {
        assert_eq!(any_of(&["a.b".to_owned(), "c (d)".to_owned()]), r"a\.b|c \(d\)");
    }
}
