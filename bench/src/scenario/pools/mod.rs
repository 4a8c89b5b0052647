//! Several model servers behind one line: whether a fast and a slow one are kept busy to the end, whether the least loaded one is
//! the right one to ask, and whether anybody sees it when one of them fails.

mod balance;
mod makespan;
mod outages;
mod theory;

use anteroom_loopback::{Fleet, Loopback};

use crate::{
    anteroom::{Anteroom, AnteroomPage},
    figures::Measure,
    model::Models,
    stage::opened,
    system::Places,
};

pub(super) async fn run(places: &Places) -> anyhow::Result<Vec<Measure>> {
    let mut measures = makespan::run(places).await?;
    measures.extend(balance::run(places).await?);
    measures.extend(outages::run(places).await?);
    Ok(measures)
}

/// Several model servers, and Anteroom in front of them.
#[derive(Debug)]
pub(super) struct Pool {
    // In this order: the models' clients go first.
    pub(super) system: Anteroom,
    pub(super) models: Models,
}

impl Pool {
    /// Starts the servers, and Anteroom with them as one pool. `table` says what stands in its file of each server besides where
    /// it is.
    pub(super) async fn set(
        places: &Places,
        servers: &[&str],
        table: impl Fn(&Loopback) -> String,
        variables: &[(&str, &str)],
    ) -> anyhow::Result<Self> {
        let models = Models::start(servers).await?;
        let tables = models.fleet().servers().iter();
        let file: String = tables
            .map(|server| server.backend_toml(&format!("pool = \"gpu\"\n{}", table(server))))
            .collect();
        let system = Anteroom::before(places, &file, variables)?;
        Ok(Self { system, models })
    }

    pub(super) fn fleet(&self) -> &Fleet {
        self.models.fleet()
    }

    /// So many browsers with the page open.
    pub(super) async fn visit(&self, count: usize) -> anyhow::Result<Vec<AnteroomPage>> {
        opened(&self.system, count).await
    }
}
