//! Tools: what a call through the room that keeps their servers takes more than rmcp by itself, and what idle pages take more of memory where
//! there are tools to be offered.

mod calls;
mod idle;
mod server;

use crate::{figures::Measure, system::Places};
pub(crate) use server::{SERVE, serve};

pub(super) async fn run(places: &Places) -> anyhow::Result<Vec<Measure>> {
    let mut measures = calls::run(places).await?;
    measures.extend(idle::run(places).await?);
    Ok(measures)
}
