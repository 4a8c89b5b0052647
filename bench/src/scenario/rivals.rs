//! Other queues in the place of the nodes: 300 callers in three processes of Node add a job each, and the next one as soon as one has
//! ended (`bench/rivals/run.mjs`). They have neither fairness nor a position.

use std::{
    path::Path,
    process::{Command, Stdio},
};

use anteroom_pgtest::{Cluster, free_port};
use anyhow::{Context as _, bail};
use serde::Deserialize;
use tempfile::TempDir;

use crate::{
    figures::{Measure, Unit},
    process::Program,
    system::RivalPlaces,
};

/// How much of what Redis was told is on the disk when it says that it has it.
#[derive(Clone, Copy, Debug)]
enum Redis {
    /// As it is installed: what came since the last snapshot is lost in a crash.
    AsInstalled,
    /// All of it, as in PostgreSQL.
    Durable,
}

/// What the script prints.
#[derive(Debug, Deserialize)]
struct Printed {
    jobs_per_second: f64,
    start: f64,
}

pub(super) async fn run(places: &RivalPlaces, scratch: &Path, postgres: &Cluster) -> anyhow::Result<Vec<Measure>> {
    let mut measures = Vec::new();
    for (name, kept) in [
        ("BullMQ on Redis as it is installed", Redis::AsInstalled),
        ("BullMQ on Redis that writes all at once", Redis::Durable),
    ] {
        let folder = TempDir::new_in(scratch).context("no folder for Redis")?;
        let (_redis, url) = redis(places, folder.path(), kept)?;
        measures.extend(measure(places, name, "bullmq", url).await?);
    }
    let url = postgres.url(&postgres.database());
    measures.extend(measure(places, "graphile-worker on this PostgreSQL", "graphile", url).await?);
    Ok(measures)
}

fn redis(places: &RivalPlaces, folder: &Path, kept: Redis) -> anyhow::Result<(Program, String)> {
    let port = free_port();
    let mut command = Command::new(&places.redis);
    command.args(["--bind", "127.0.0.1", "--port", &port.to_string(), "--dir"]);
    command.arg(folder);
    if matches!(kept, Redis::Durable) {
        command.args(["--appendonly", "yes", "--appendfsync", "always"]);
    }
    let (mut program, output) = Program::start(&mut command, folder)?;
    program.greeting(output, |line| {
        line.contains("Ready to accept connections").then_some(())
    })?;
    Ok((program, format!("redis://127.0.0.1:{port}")))
}

async fn measure(places: &RivalPlaces, name: &str, system: &str, url: String) -> anyhow::Result<Vec<Measure>> {
    let mut node = Command::new("node");
    node.arg(&places.script).args([system, &url]).stdin(Stdio::null());
    let output = tokio::task::spawn_blocking(move || node.output())
        .await?
        .context("Node cannot be started")?;
    if !output.status.success() {
        bail!("{name}: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    let printed: Printed =
        serde_json::from_slice(&output.stdout).with_context(|| format!("{name} prints no figures"))?;
    Ok(vec![
        Measure::new(
            format!("{name}: joins and ends, 300 callers"),
            // Each job is one of either.
            printed.jobs_per_second * 2.0,
            Unit::PerSecond,
        ),
        Measure::new(format!("{name}: from add to start, p50"), printed.start, Unit::Millis),
    ])
}
