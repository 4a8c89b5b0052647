//! What every scenario begins with: a model server, a system in front of it, browsers that have it open.

use std::{sync::Arc, time::Duration};

use anteroom_loopback::Config;
use anyhow::Context as _;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use tokio::{sync::watch, task::JoinSet};

use crate::{
    model::Model,
    system::{Chat, Page, Places, Setup, Shown, System},
};

/// Pages that are being loaded at once.
const LOADING: usize = 50;

/// An answer of nine pieces in 0.3 s.
pub(crate) const SERVICE: Config = Config {
    first_token: Duration::from_millis(100),
    pace: Duration::from_millis(25),
    tokens: 9,
};
/// The length of [`SERVICE`], in seconds.
pub(crate) const SERVICE_SECONDS: f64 = 0.3;
/// A short answer, at once.
pub(crate) const AT_ONCE: Config = Config {
    first_token: Duration::ZERO,
    pace: Duration::ZERO,
    tokens: 10,
};

/// A model server and a system in front of it.
#[derive(Debug)]
pub(crate) struct Stage<S> {
    // In this order: the model's clients go first.
    pub(crate) system: S,
    pub(crate) model: Model,
}

impl<S: System> Stage<S> {
    pub(crate) async fn set(places: &Places, slots: usize, answers: Config) -> anyhow::Result<Self> {
        let model = Model::start(answers).await?;
        let setup = Setup {
            slots,
            model: model.loopback().base_url(),
        };
        let system = S::start(places, &setup).await?;
        Ok(Self { system, model })
    }

    /// So many browsers with the page open.
    pub(crate) async fn visit(&self, count: usize) -> anyhow::Result<Vec<S::Page>> {
        opened(&self.system, count).await
    }

    /// The same, each with the connection that its page came over.
    pub(crate) async fn visit_and_stay_connected(&self, count: usize) -> anyhow::Result<Vec<S::Page>> {
        loaded((0..count).map(|_| self.system.visit_and_stay_connected())).await
    }
}

/// So many browsers with a system's page open.
pub(crate) async fn opened<S: System>(system: &S, count: usize) -> anyhow::Result<Vec<S::Page>> {
    loaded((0..count).map(|_| system.visit())).await
}

async fn loaded<P>(visits: impl Iterator<Item = impl Future<Output = anyhow::Result<P>>>) -> anyhow::Result<Vec<P>> {
    stream::iter(visits)
        .buffer_unordered(LOADING)
        .try_collect()
        .await
        .context("a browser could not open the page")
}

/// Messages on their way, each from a browser of its own.
#[derive(Debug, Default)]
pub(crate) struct Chats {
    running: JoinSet<anyhow::Result<Chat>>,
}

impl Chats {
    /// Sends from this page; returns what the page shows of it.
    pub(crate) fn send<P: Page>(&mut self, page: &Arc<P>, message: String) -> watch::Receiver<Shown> {
        let (shown, look) = watch::channel(Shown::default());
        let page = Arc::clone(page);
        self.running.spawn(async move { page.chat(&message, &shown).await });
        look
    }

    /// Waits for all.
    ///
    /// # Errors
    /// One of them has failed.
    pub(crate) async fn all(mut self) -> anyhow::Result<Vec<Chat>> {
        let mut chats = Vec::with_capacity(self.running.len());
        while let Some(chat) = self.running.join_next().await {
            chats.push(chat.context("a browser broke")??);
        }
        Ok(chats)
    }

    /// Waits for all; returns what came of each.
    pub(crate) async fn each(mut self) -> Vec<anyhow::Result<Chat>> {
        let mut chats = Vec::with_capacity(self.running.len());
        while let Some(chat) = self.running.join_next().await {
            chats.push(chat.unwrap_or_else(|fault| Err(fault.into())));
        }
        chats
    }
}

/// How many pages show their place in the line.
pub(crate) fn in_line(pages: &[watch::Receiver<Shown>]) -> usize {
    pages.iter().filter(|page| page.borrow().position.is_some()).count()
}

/// What a page shows, where nobody looks.
pub(crate) fn unseen() -> watch::Sender<Shown> {
    watch::Sender::new(Shown::default())
}

/// In milliseconds.
pub(crate) fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}
