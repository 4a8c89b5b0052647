//! Three servers over one PostgreSQL, beside one server over SQLite in the same run. No load balancer: what is measured is Anteroom.

mod commits;
mod first;
mod handover;
mod loss;
mod seen;
mod turns;

use anteroom_pgtest::Cluster;
use anyhow::ensure;

use crate::{figures::Measure, system::Places};
use commits::Commits;

const NODES: usize = 3;

pub(crate) async fn run(places: &Places) -> anyhow::Result<Vec<Measure>> {
    ensure!(
        anteroom_pgtest::programs().is_some(),
        "PostgreSQL is not installed (Debian: apt-get install postgresql)"
    );
    let postgres = tokio::task::spawn_blocking(Cluster::start).await?;
    let mut commits = Commits::open(&postgres).await?;
    let handovers = handover::measure(places, &postgres, &mut commits).await?;
    let first = first::measure(places, &postgres).await?;
    let commit = commits.median()?;
    let mut measures = commits.measures()?;
    measures.extend(handovers.measures(commit)?);
    measures.extend(first.measures(commit)?);
    measures.extend(turns::run(places, &postgres).await?);
    measures.extend(seen::run(places, &postgres).await?);
    measures.extend(loss::run(places, &postgres).await?);
    Ok(measures)
}
