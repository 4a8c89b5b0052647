//! Anteroom's benches: a load generator, and the scenarios that it plays. `cargo xtask bench` builds and runs it.
//!
//! Everything happens on 127.0.0.1. Every program that is started here is ended here, by its id.

mod anteroom;
mod cli;
mod figures;
mod http;
mod model;
mod numbers;
mod process;
mod scenario;
mod system;

use std::{process::ExitCode, time::Instant};

use anyhow::Context as _;

use cli::Options;
use figures::{Figure, gather};
use scenario::Scenario;

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
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
    let mut well = true;
    for &scenario in &options.scenarios {
        println!("\n{}: {}", scenario.name(), scenario.about());
        match measure(&options, scenario).await {
            Ok(figures) => figures.iter().for_each(|figure| println!("  {figure}")),
            Err(fault) => {
                well = false;
                println!("  failed: {fault:#}");
            }
        }
    }
    Ok(well)
}

async fn measure(options: &Options, scenario: Scenario) -> anyhow::Result<Vec<Figure>> {
    let mut rounds = Vec::new();
    for round in 1..=options.rounds {
        let began = Instant::now();
        rounds.push(
            scenario
                .anteroom(&options.places)
                .await
                .with_context(|| format!("round {round}"))?,
        );
        eprintln!(
            "bench: {} round {round} took {:.1} s",
            scenario.name(),
            began.elapsed().as_secs_f64()
        );
    }
    Ok(gather(&rounds))
}
