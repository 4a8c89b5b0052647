//! Idle pages, at a server that has tools to offer and at one that has none.

use std::io::Write as _;

use anyhow::{Context as _, ensure};
use serde_json::json;
use tempfile::NamedTempFile;

use super::server::{SERVE, Server};
use crate::{
    anteroom::Anteroom,
    figures::{Measure, Unit},
    model::Model,
    scenario::memory::{rested, warmed},
    stage::{AT_ONCE, Stage, unseen},
    system::{Page as _, Places, Setup, System as _},
};

const SLOTS: usize = 5;
const CROWD: usize = 1_000;
/// What tools make of a page that does nothing: as much as it is without them, as far as that can be measured.
const MOST: f64 = 1.05;

pub(super) async fn run(places: &Places) -> anyhow::Result<Vec<Measure>> {
    let server = Server::start().await?;
    let mut file = NamedTempFile::new_in(&places.scratch).context("no file for the servers of tools")?;
    let itself = std::env::current_exe().context("the load generator does not know where it is")?;
    let folder = tempfile::tempdir_in(&places.scratch).context("no folder for the program")?;
    let listed = folder.path().join("listed");
    let servers = json!({ "mcpServers": {
        "bench": { "type": "http", "url": server.url() },
        "program": { "command": itself, "args": [SERVE, listed] },
    } });
    write!(file, "{servers}")?;
    let path = file.path().display().to_string();
    let without = each(places, &[]).await?;
    ensure!(server.listed() == 0, "the first server knows of no tools");
    let with = each(places, &[("MCP_FILE", &path)]).await?;
    ensure!(
        server.listed() > 0 && listed.exists(),
        "the second server has not offered the tools"
    );
    Ok(vec![
        Measure::new("for each of 1,000 idle browsers, with tools", with, Unit::Bytes),
        Measure::new("the same without tools", without, Unit::Bytes),
        Measure::new("with tools, against without", with / without, Unit::Times).at_most(MOST),
    ])
}

/// Bytes of memory for each idle page, a minute after it was opened. Somebody has had an answer before, so whatever offers tools is there.
async fn each(places: &Places, variables: &[(&str, &str)]) -> anyhow::Result<f64> {
    let model = Model::start(AT_ONCE).await?;
    let setup = Setup {
        slots: SLOTS,
        model: model.loopback().base_url(),
    };
    let stage = Stage {
        system: Anteroom::with(places, &setup, variables)?,
        model,
    };
    let page = stage.system.visit().await?;
    page.chat("hello", &unseen()).await?;
    drop(page);
    let base = warmed(&stage).await?;
    let pages = stage.visit_and_stay_connected(CROWD).await?;
    let all = rested(&stage).await?;
    drop(pages);
    Ok((all - base) / CROWD as f64)
}
