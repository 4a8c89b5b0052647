//! Format, lints, docs and licences.

use crate::project::Project;
use crate::step::{self, step};
use crate::{fuzz, setup, wasm};

/// Checks everything that can be checked without running it. Ends at the first fault.
pub(crate) fn run(project: &Project) -> anyhow::Result<()> {
    let cargo = |subcommand: &str, arguments: &[&str]| {
        step::run(
            project
                .cargo(subcommand)
                .args(arguments)
                .env("RUSTDOCFLAGS", "-D warnings"),
        )
    };
    setup::rust_components(project)?;
    step("check the format", || {
        cargo("fmt", &["--all", "--check"])?;
        cargo("fmt", &["--check", "--manifest-path", fuzz::MANIFEST])
    })?;
    step("check the lock file of the fuzz targets", || {
        let tree = ["--quiet", "--locked", "--manifest-path", fuzz::MANIFEST];
        step::output(project.cargo("tree").args(tree)).map(drop)
    })?;
    step("check the lints", || {
        cargo("clippy", &["--workspace", "--all-targets", "--", "-D", "warnings"])
    })?;

    setup::wasm_target(project)?;
    let browser = ["--lib", "--no-default-features", "--target", wasm::TARGET];
    let for_browser = |package: &str, features: &str| {
        let chosen = [package, features, "--", "-D", "warnings"];
        cargo("clippy", &[browser.as_slice(), chosen.as_slice()].concat())
    };
    step("check the lints of the wire types, for the browser", || {
        for_browser("--package=anteroom", "--features=")
    })?;
    step("check the lints of the app, for the browser", || {
        for_browser("--package=anteroom-app", "--features=hydrate")?;
        for_browser("--package=anteroom-browser", "--features=")
    })?;

    step("check the docs", || cargo("doc", &["--workspace", "--no-deps"]))?;
    licences(project)
}

/// Licences, bans and sources, where cargo-deny is installed.
fn licences(project: &Project) -> anyhow::Result<()> {
    if step::output(project.cargo("deny").arg("--version")).is_err() {
        eprintln!("xtask: the licences are not checked: cargo-deny is not installed");
        return Ok(());
    }
    step("check the licences", || {
        step::run(project.cargo("deny").args(["check", "licenses", "bans", "sources"]))
    })
}
