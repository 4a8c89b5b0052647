//! The queue by itself: how often a second a ticket can join, start and end, and whether that depends on how many wait.

use std::time::Instant;

use anteroom::queue::Order;
use anyhow::Context as _;

use crate::{
    engine::{Crowd, Operation, count},
    figures::{Measure, Unit},
    numbers::median,
};

const FEW: usize = 10;
const MANY: usize = 100_000;
const WAITING: [(usize, &str); 3] = [(FEW, "10"), (1_000, "1,000"), (MANY, "100,000")];
/// Slices of a round, the lines in turns, so that whatever else the machine does meets all. The median counts: most slices
/// are short enough not to be interrupted.
const SLICES: usize = 101;
const CYCLES: usize = 10_000;
/// Cycles a second, on one core.
const LEAST: f64 = 1_000_000.0;
/// What costs the same with any number waiting costs no more than this with 100,000 than with ten: a logarithm is allowed.
const SAME: f64 = 2.0;

pub(crate) async fn run() -> anyhow::Result<Vec<Measure>> {
    tokio::task::spawn_blocking(|| {
        let mut measures = speed()?;
        if count::is_possible() {
            measures.extend(cost()?);
        } else {
            eprintln!("bench: engine: no instruction counts, for valgrind is not here (Debian and Ubuntu: apt install valgrind)");
        }
        Ok(measures)
    })
    .await?
}

fn speed() -> anyhow::Result<Vec<Measure>> {
    let cycle = Operation::Cycle;
    let mut lines = WAITING.map(|(waiting, name)| (Crowd::gather(cycle, Order::Fair, waiting), name, Vec::new()));
    for _ in 0..SLICES {
        for (crowd, _, seconds) in &mut lines {
            let taken = crowd.play(cycle, CYCLES, |work| {
                let began = Instant::now();
                work();
                began.elapsed()
            });
            seconds.push(taken.as_secs_f64());
        }
    }
    let mut measures = Vec::new();
    let mut times = Vec::new();
    for (_, name, seconds) in lines {
        let taken = median(&seconds).context("nothing was timed")?;
        times.push(taken);
        let what = format!("{}, {name} waiting, one core", cycle.name());
        let speed = Measure::new(what, CYCLES as f64 / taken, Unit::PerSecond);
        // How the others compare with the first has a budget of its own.
        measures.push(if measures.is_empty() {
            speed.at_least(LEAST)
        } else {
            speed
        });
    }
    let what = format!("{}: its time, 100,000 ÷ 10 waiting", cycle.name());
    measures.push(Measure::new(what, times[WAITING.len() - 1] / times[0], Unit::Times).at_most(SAME));
    Ok(measures)
}

fn cost() -> anyhow::Result<Vec<Measure>> {
    let mut measures = Vec::new();
    for operation in Operation::ALL {
        let mut counts = Vec::new();
        for (waiting, name) in WAITING {
            let count = count::instructions(operation, waiting)?;
            counts.push(count);
            let what = format!("{}: instructions, {name} waiting", operation.name());
            measures.push(Measure::new(what, count, Unit::Count));
        }
        let what = format!("{}: instructions, 100,000 ÷ 10 waiting", operation.name());
        measures.push(Measure::new(what, counts[WAITING.len() - 1] / counts[0], Unit::Times).at_most(SAME));
    }
    Ok(measures)
}
