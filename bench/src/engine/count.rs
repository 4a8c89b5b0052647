//! Instruction counts. They do not depend on what else the machine does, nor on how fast it is.
//!
//! valgrind's callgrind runs this program once more, told to gather a crowd and to do one operation again and again. It
//! collects only while [`counted`] runs, so gathering the crowd costs time, but no counts.

use std::process::{Command, Stdio};

use anteroom::queue::Order;
use anyhow::{Context as _, ensure};
use tokio::runtime;

use super::{Crowd, Operation};

/// The first argument of the program that is counted.
pub(crate) const COUNT: &str = "count";
const TIMES: usize = 1_000;

/// Whether valgrind is there.
pub(crate) fn is_possible() -> bool {
    let mut valgrind = Command::new("valgrind");
    let asked = valgrind.arg("--version").stdout(Stdio::null()).stderr(Stdio::null());
    asked.status().is_ok_and(|status| status.success())
}

/// Instructions that an operation takes in a fair line of `waiting` tickets, on average.
pub(crate) fn instructions(operation: Operation, waiting: usize) -> anyhow::Result<f64> {
    let program = std::env::current_exe().context("cannot find this program")?;
    let output = Command::new("valgrind")
        .args([
            "--tool=callgrind",
            "--callgrind-out-file=/dev/null",
            "--toggle-collect=*count::counted*",
        ])
        .arg(program)
        .args([COUNT, operation.name(), &waiting.to_string()])
        .output()
        .context("cannot start valgrind")?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "valgrind ended with {}: {said}", output.status);
    let collected = said.lines().find_map(|line| line.split_once("Collected : "));
    let collected: f64 = collected
        .and_then(|(_, count)| count.trim().parse().ok())
        .with_context(|| format!("valgrind names no count: {said}"))?;
    ensure!(collected > 0.0, "valgrind has not found what it was to count");
    Ok(collected / TIMES as f64)
}

/// The program that is counted: `count OPERATION WAITING`.
pub(crate) fn run(mut arguments: impl Iterator<Item = String>) -> anyhow::Result<()> {
    let name = arguments.next().unwrap_or_default();
    let operation = Operation::ALL.into_iter().find(|operation| operation.name() == name);
    let operation = operation.with_context(|| format!("nothing to count is called {name:?}"))?;
    let waiting = arguments.next().context("how many wait?")?.parse()?;
    // A clock that stands still: under valgrind everything takes so long that estimates would be computed again and again.
    let runtime = runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()?;
    runtime.block_on(async {
        let mut crowd = Crowd::gather(operation, Order::Fair, waiting);
        for _ in 0..TIMES {
            crowd.play(operation, 1, counted);
        }
    });
    Ok(())
}

/// What is counted. A function of its own in the program, for callgrind knows it by its name.
#[inline(never)]
fn counted(work: &mut dyn FnMut()) {
    work();
}
