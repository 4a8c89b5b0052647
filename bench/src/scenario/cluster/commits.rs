//! What one commit takes in the database that the nodes use, with nothing of Anteroom in it: what a change of the line cannot take less than.

use std::time::{Duration, Instant};

use anteroom_pgtest::Cluster;
use anyhow::Context as _;
use sqlx::{Connection as _, PgConnection};
use tokio::time::sleep;

use crate::{
    figures::{Measure, Unit},
    numbers::percentile,
    stage::millis,
};

/// Between two commits that do not come one after the other: about as long as an answer takes where slots are handed on.
const PAUSE: Duration = Duration::from_millis(20);

/// One connection that changes one row, and each time waits until that is on the disk.
#[derive(Debug)]
pub(super) struct Commits {
    connection: PgConnection,
    /// Milliseconds of each that came after a pause. A slot is handed on after one, too: processors and disk have gone to sleep.
    now_and_then: Vec<f64>,
    /// Milliseconds of each that came right after another.
    in_a_row: Vec<f64>,
}

impl Commits {
    pub(super) async fn open(postgres: &Cluster) -> anyhow::Result<Self> {
        let mut connection = PgConnection::connect(&postgres.url(&postgres.database())).await?;
        let table = "CREATE TABLE counter (number bigint NOT NULL)";
        sqlx::query(table).execute(&mut connection).await?;
        sqlx::query("INSERT INTO counter VALUES (0)")
            .execute(&mut connection)
            .await?;
        let mut commits = Self {
            connection,
            now_and_then: Vec::new(),
            in_a_row: Vec::new(),
        };
        // The first ones prepare the statement and write whole pages.
        for _ in 0..10 {
            commits.one().await?;
        }
        Ok(commits)
    }

    /// So many of both kinds.
    pub(super) async fn make(&mut self, number: usize) -> anyhow::Result<()> {
        for _ in 0..number {
            sleep(PAUSE).await;
            let taken = self.one().await?;
            self.now_and_then.push(taken);
        }
        for _ in 0..number {
            let taken = self.one().await?;
            self.in_a_row.push(taken);
        }
        Ok(())
    }

    /// Milliseconds of one.
    async fn one(&mut self) -> anyhow::Result<f64> {
        let began = Instant::now();
        // A statement outside of a transaction is one by itself: one way to the server, with its commit.
        sqlx::query("UPDATE counter SET number = number + 1")
            .execute(&mut self.connection)
            .await?;
        Ok(millis(began.elapsed()))
    }

    /// The median of those after a pause.
    pub(super) fn median(&self) -> anyhow::Result<f64> {
        at(&self.now_and_then, 0.5)
    }

    pub(super) fn measures(&self) -> anyhow::Result<Vec<Measure>> {
        let measure =
            |what: &str, value| Measure::new(format!("one commit of the database, {what}"), value, Unit::Millis);
        Ok(vec![
            measure("now and then, p50", at(&self.now_and_then, 0.5)?),
            measure("now and then, p99", at(&self.now_and_then, 0.99)?),
            measure("one after the other, p50", at(&self.in_a_row, 0.5)?),
        ])
    }
}

fn at(taken: &[f64], share: f64) -> anyhow::Result<f64> {
    percentile(taken, share).context("no commit was measured")
}
