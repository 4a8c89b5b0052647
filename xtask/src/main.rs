//! Anteroom's build commands: `cargo xtask run | test | check | build | bench | fuzz`.
//!
//! Each command sets up what it needs itself (the WebAssembly target, npm packages, a browser) and skips what has not
//! changed. What takes longer than a moment says what it does, and how long it took.

mod assets;
mod bench;
mod browser;
mod budget;
mod check;
mod cli;
mod clients;
mod css;
mod debian;
mod faketime;
mod fuzz;
mod lock;
mod mounts;
mod nginx;
mod openai;
#[cfg(test)]
mod picture;
mod pieces;
mod poppler;
mod postgres;
mod project;
mod schemathesis;
mod server;
mod setup;
mod site;
mod step;
mod test;
mod tools;
mod wasm;

use std::process::ExitCode;

use cli::{Command, mode};
use project::Project;

fn main() -> ExitCode {
    let (command, arguments) = match cli::parse(std::env::args().skip(1).collect()) {
        Ok(parsed) => parsed,
        Err(help) if help.is_help() => {
            println!("{help}");
            return ExitCode::SUCCESS;
        }
        Err(fault) => {
            eprintln!("xtask: {fault}\n\n`cargo xtask --help` tells what there is.");
            return ExitCode::from(2);
        }
    };
    match execute(&command, &arguments) {
        Ok(code) => code,
        Err(fault) => {
            eprintln!("xtask: {fault:#}");
            ExitCode::FAILURE
        }
    }
}

fn execute(command: &Command, arguments: &[String]) -> anyhow::Result<ExitCode> {
    let project = Project::open()?;
    let done = |()| ExitCode::SUCCESS;
    match command {
        Command::Run(run) => server::run(&project, mode(run.release), arguments),
        Command::Build(build) => server::build_all(&project, mode(build.release)).map(done),
        Command::Test(options) => test::run(&project, options).map(done),
        Command::Bench(options) => bench::run(&project, options).map(done),
        Command::Fuzz(options) => fuzz::run(&project, options).map(done),
        Command::Check(_) => check::run(&project).map(done),
    }
}
