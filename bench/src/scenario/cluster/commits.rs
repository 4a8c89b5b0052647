//! What one commit takes in the database that the nodes use, with nothing of Anteroom in it: what a change of the line cannot take less than.

use std::time::Instant;

use anteroom_pgtest::Cluster;
use anyhow::Context as _;
use sqlx::{Connection as _, PgConnection};

use crate::{
    figures::{Measure, Unit},
    numbers::percentile,
    stage::millis,
};

/// One connection that changes one row, and each time waits until that is on the disk.
#[derive(Debug)]
pub(super) struct Commits {
    connection: PgConnection,
    /// Milliseconds of each.
    taken: Vec<f64>,
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
            taken: Vec::new(),
        };
        // The first ones prepare the statement and write whole pages.
        commits.make(10).await?;
        commits.taken.clear();
        Ok(commits)
    }

    /// So many, one after the other.
    pub(super) async fn make(&mut self, number: usize) -> anyhow::Result<()> {
        for _ in 0..number {
            let began = Instant::now();
            // A statement outside of a transaction is one by itself: one way to the server, with its commit.
            sqlx::query("UPDATE counter SET number = number + 1")
                .execute(&mut self.connection)
                .await?;
            self.taken.push(millis(began.elapsed()));
        }
        Ok(())
    }

    pub(super) fn median(&self) -> anyhow::Result<f64> {
        self.at(0.5)
    }

    pub(super) fn measures(&self) -> anyhow::Result<Vec<Measure>> {
        Ok(vec![
            Measure::new("one commit of the database, p50", self.at(0.5)?, Unit::Millis),
            Measure::new("one commit of the database, p99", self.at(0.99)?, Unit::Millis),
        ])
    }

    fn at(&self, share: f64) -> anyhow::Result<f64> {
        percentile(&self.taken, share).context("no commit was measured")
    }
}
