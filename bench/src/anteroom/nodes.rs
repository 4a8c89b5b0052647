//! Several servers over one database: the nodes of one Anteroom. No load balancer stands before them, so each browser has a door.

use std::{sync::Arc, time::Duration};

use anteroom_pgtest::free_port;
use anyhow::{Context as _, ensure};

use super::{Anteroom, AnteroomPage};
use crate::system::{Places, Setup, System as _};

const KEY: &str = "a-key-that-is-of-use-to-nobody-but-benches";
/// Longest time until a new node has been heard of by all.
const PATIENCE: Duration = Duration::from_secs(30);

/// The nodes; they end when this is dropped.
#[derive(Debug)]
pub(crate) struct Nodes {
    doors: Vec<Anteroom>,
}

/// A browser whose home is known.
#[derive(Debug)]
pub(crate) struct Resident {
    pub(crate) page: Arc<AnteroomPage>,
    /// The node where its session is at home.
    pub(crate) home: usize,
}

impl Nodes {
    /// So many, over the database at this address, with these variables besides.
    pub(crate) async fn start(
        places: &Places,
        setup: &Setup,
        database: &str,
        number: usize,
        variables: &[(&str, &str)],
    ) -> anyhow::Result<Self> {
        let mut doors = Vec::new();
        for _ in 0..number {
            let link = format!("127.0.0.1:{}", free_port());
            let own = [("DATABASE_URL", database), ("SECRET_KEY", KEY), ("NODE_ADDR", &link)];
            let variables = [&own[..], variables].concat();
            doors.push(Anteroom::with(places, setup, &variables)?);
        }
        let nodes = Self { doors };
        tokio::time::timeout(PATIENCE, nodes.ready())
            .await
            .context("the nodes do not become ready")??;
        Ok(nodes)
    }

    /// One server that has the database at this address to itself.
    pub(crate) fn alone(places: &Places, setup: &Setup, database: &str) -> anyhow::Result<Anteroom> {
        Anteroom::with(places, setup, &[("DATABASE_URL", database), ("SECRET_KEY", KEY)])
    }

    async fn ready(&self) -> anyhow::Result<()> {
        for door in &self.doors {
            while !door.is_ready().await? {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        }
        Ok(())
    }

    pub(crate) fn door(&self, node: usize) -> &Anteroom {
        &self.doors[node]
    }

    /// SIGKILL.
    pub(crate) fn kill(&mut self, node: usize) -> anyhow::Result<()> {
        self.doors[node].kill()
    }

    /// SIGSTOP.
    pub(crate) fn stop(&self, node: usize) -> anyhow::Result<()> {
        self.doors[node].stop()
    }

    /// So many new browsers, one after the other, each at the next door; and where each is at home.
    pub(crate) async fn residents(&self, number: usize) -> anyhow::Result<Vec<Resident>> {
        let mut all = Vec::new();
        for browser in 0..number {
            all.push(self.resident(browser % self.doors.len()).await?);
        }
        Ok(all)
    }

    /// A new browser at this door. No other may come or go meanwhile: its home is the node that has another feed.
    pub(crate) async fn resident(&self, door: usize) -> anyhow::Result<Resident> {
        let before = self.connected().await?;
        let page = Arc::new(self.doors[door].visit().await?);
        let after = self.connected().await?;
        let grown: Vec<usize> = (0..before.len()).filter(|&node| after[node] > before[node]).collect();
        ensure!(grown.len() == 1, "one feed more, but at nodes {grown:?}");
        Ok(Resident { page, home: grown[0] })
    }

    async fn connected(&self) -> anyhow::Result<Vec<usize>> {
        let mut connected = Vec::new();
        for door in &self.doors {
            connected.push(door.connected().await?);
        }
        Ok(connected)
    }
}
