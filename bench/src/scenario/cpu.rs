//! What one short chat message costs the server.

use std::sync::Arc;

use anyhow::Context as _;
use tokio::task::JoinSet;

use crate::{
    figures::{Measure, Unit},
    stage::{AT_ONCE, Stage, millis, unseen},
    system::{Page, Places, System},
};

const BROWSERS: usize = 10;
const MESSAGES_EACH: usize = 60;
const SLOTS: usize = 5;

pub(crate) async fn run<S: System>(places: &Places) -> anyhow::Result<Vec<Measure>> {
    let stage = Stage::<S>::set(places, SLOTS, AT_ONCE).await?;
    let pages: Vec<Arc<S::Page>> = stage.visit(BROWSERS).await?.into_iter().map(Arc::new).collect();
    // What is done once is not a message's cost.
    talk(&pages, 2).await?;
    let before = stage.system.program().cpu()?;
    talk(&pages, MESSAGES_EACH).await?;
    let used = millis(stage.system.program().cpu()? - before);
    let each = used / (BROWSERS * MESSAGES_EACH) as f64;
    Ok(vec![
        Measure::new("processor time a message", each, Unit::Millis).at_most(1.0),
    ])
}

/// Every browser sends so many messages, one after the other.
async fn talk<P: Page>(pages: &[Arc<P>], messages: usize) -> anyhow::Result<()> {
    let mut browsers = JoinSet::new();
    for page in pages {
        let page = Arc::clone(page);
        browsers.spawn(async move {
            for number in 0..messages {
                page.chat(&format!("message {number}"), &unseen()).await?;
            }
            anyhow::Ok(())
        });
    }
    while let Some(browser) = browsers.join_next().await {
        browser.context("a browser broke")??;
    }
    Ok(())
}
