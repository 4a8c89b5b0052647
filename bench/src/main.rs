//! Anteroom's benches: a load generator, and the scenarios that it plays. `cargo xtask bench` builds and runs it.
//!
//! Everything happens on 127.0.0.1. Every program that is started here is ended here, by its id.

mod anteroom;
mod cli;
mod dice;
mod engine;
mod figures;
mod gradio;
mod http;
mod kept;
mod machine;
mod model;
mod numbers;
mod process;
mod report;
mod scenario;
mod stage;
mod system;

use std::{process::ExitCode, time::Instant};

use anyhow::Context as _;
use tokio::runtime::Runtime;

use cli::Options;
use engine::count;
use kept::{Kept, Measured};
use report::{Outcome, Report, Rounds};
use scenario::Scenario;

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1).peekable();
    // Counted to the last instruction, so this has no threads.
    let done = if arguments.next_if(|first| first == count::COUNT).is_some() {
        count::run(arguments).map(|()| true)
    } else if arguments.next_if(|first| first == scenario::SERVE_TOOLS).is_some() {
        scenario::serve_tools(arguments).map(|()| true)
    } else {
        Runtime::new()
            .context("cannot start")
            .and_then(|runtime| runtime.block_on(run()))
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(fault) => {
            eprintln!("bench: {fault:#}");
            ExitCode::from(2)
        }
    }
}

/// Runs what was asked for; `false`: a scenario has failed.
async fn run() -> anyhow::Result<bool> {
    let options = cli::parse(std::env::args().skip(1))?;
    std::fs::create_dir_all(&options.places.scratch).context("cannot make the scratch folder")?;
    let mut report = Report::new(&options);
    for &scenario in &options.scenarios {
        println!("\n{}: {}", scenario.name(), scenario.about());
        let outcome = measure(&options, scenario).await?;
        outcome.print();
        report.add(scenario, outcome);
    }
    if let Some(file) = &options.report {
        std::fs::write(file, report.to_string()).with_context(|| format!("cannot write {}", file.display()))?;
        println!("\nwritten: {}", file.display());
    }
    Ok(report.is_whole())
}

/// Plays every round of a scenario, Anteroom and Gradio in turns, so that whatever else the machine does meets both.
async fn measure(options: &Options, scenario: Scenario) -> anyhow::Result<Outcome> {
    if Scenario::APART.contains(&scenario) {
        // It finds a fault, or nothing: the median of several rounds would hide the one in which it has.
        let mut once = Rounds::default();
        once.add(scenario.anteroom(options).await);
        return Ok(Outcome {
            anteroom: once.side(),
            gradio: Rounds::default().side(),
        });
    }
    let mut kept = Kept::open(options, scenario)?;
    for round in kept.measured.anteroom.count() + 1..=options.rounds {
        let began = Instant::now();
        let outcome = scenario.anteroom(options).await;
        eprintln!(
            "bench: {} round {round}: {:.1} s",
            scenario.name(),
            began.elapsed().as_secs_f64()
        );
        if options.places.gradio.is_some() {
            let began = Instant::now();
            if let Some(outcome) = scenario.gradio(&options.places).await {
                kept.measured.gradio.add(outcome);
                eprintln!(
                    "bench: {} round {round} with Gradio: {:.1} s",
                    scenario.name(),
                    began.elapsed().as_secs_f64()
                );
            }
        }
        kept.measured.anteroom.add(outcome);
        kept.save()?;
    }
    let Measured { anteroom, gradio, .. } = kept.measured;
    Ok(Outcome {
        anteroom: anteroom.side(),
        gradio: gradio.side(),
    })
}
