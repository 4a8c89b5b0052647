//! What is measured: a chat that queues for one model, driven through what its own page would do.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Command,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use anyhow::{Context as _, ensure};
use serde::de::DeserializeOwned;
use tokio::sync::watch;

use crate::process::Program;

/// Where the programs are that a run needs, and where it may write.
#[derive(Clone, Debug)]
pub(crate) struct Places {
    /// Anteroom's binary.
    pub(crate) anteroom: PathBuf,
    /// Gradio, where it is compared with.
    pub(crate) gradio: Option<GradioPlaces>,
    /// A real browser, for the scenarios that need one.
    pub(crate) browser: Option<BrowserPlaces>,
    /// Other queues, where they are compared with.
    pub(crate) rivals: Option<RivalPlaces>,
    /// Gateways of others, where they are compared with.
    pub(crate) gateways: Option<GatewayPlaces>,
    /// A folder on a real disk, for the data of the servers under test.
    pub(crate) scratch: PathBuf,
}

/// Where Gradio is.
#[derive(Clone, Debug)]
pub(crate) struct GradioPlaces {
    /// The Python of its virtual environment.
    pub(crate) python: PathBuf,
    /// The app.
    pub(crate) app: PathBuf,
}

/// Where the browser is, and what drives it.
#[derive(Clone, Debug)]
pub(crate) struct BrowserPlaces {
    /// The script that visits a page.
    pub(crate) visit: PathBuf,
    /// The script that reads answers as they grow.
    pub(crate) stream: PathBuf,
    /// The folder where Playwright is installed.
    pub(crate) playwright: PathBuf,
}

impl BrowserPlaces {
    /// Has Node play one of the scripts at a server, and returns what it prints. The scripts give up by themselves.
    ///
    /// # Errors
    /// Node does not start, or the script has failed.
    pub(crate) async fn play<T: DeserializeOwned>(&self, script: &Path, addr: SocketAddr) -> anyhow::Result<T> {
        let mut node = Command::new("node");
        node.arg(script).arg(&self.playwright).arg(format!("http://{addr}/"));
        let output = tokio::task::spawn_blocking(move || node.output())
            .await?
            .context("cannot start node")?;
        ensure!(
            output.status.success(),
            "{} failed: {}",
            script.display(),
            String::from_utf8_lossy(&output.stderr).trim()
        );
        serde_json::from_slice(&output.stdout).context("the script said something else")
    }
}

/// Where other queues are.
#[derive(Clone, Debug)]
pub(crate) struct RivalPlaces {
    /// The script for Node that runs them, with their packages beside it.
    pub(crate) script: PathBuf,
    /// Redis's server.
    pub(crate) redis: PathBuf,
}

/// Where gateways of others are.
#[derive(Clone, Debug)]
pub(crate) struct GatewayPlaces {
    /// SMG's program.
    pub(crate) smg: PathBuf,
    /// LiteLLM's.
    pub(crate) litellm: PathBuf,
}

/// How a system is set up for a scenario.
#[derive(Clone, Debug)]
pub(crate) struct Setup {
    /// Turns that may be answered at once.
    pub(crate) slots: usize,
    /// The base URL of the model server, in OpenAI's wire format.
    pub(crate) model: String,
}

/// A running server and the browsers that have it open.
pub(crate) trait System: Sized + Send + Sync + 'static {
    /// A browser's open page.
    type Page: Page;

    /// Starts it; it serves once this has returned. It ends when it is dropped.
    fn start(places: &Places, setup: &Setup) -> impl Future<Output = anyhow::Result<Self>> + Send;

    /// A new browser that opens the page and keeps it open. The connection that the page came over may be used by others next.
    fn visit(&self) -> impl Future<Output = anyhow::Result<Self::Page>> + Send;

    /// The same, and as browsers do it leaves it to the server to close the connection that the page came over.
    fn visit_and_stay_connected(&self) -> impl Future<Output = anyhow::Result<Self::Page>> + Send;

    /// As many tabs of one new browser, which keeps to [`CONNECTIONS_OF_A_BROWSER`], as open within `patience` each.
    fn tabs(&self, count: usize, patience: Duration) -> impl Future<Output = anyhow::Result<Vec<Self::Page>>> + Send;

    /// Where its page is.
    fn addr(&self) -> SocketAddr;

    /// Its process.
    fn program(&self) -> &Program;

    /// What all its pages have been told.
    fn tally(&self) -> &Tally;

    /// Opens as many connections for requests as there are browsers: the one that a page came over is still open when something is
    /// sent from it soon after.
    fn keep_connections(&self, browsers: usize) -> impl Future<Output = anyhow::Result<()>> + Send;

    /// Closes the connections that pages use for requests, as browsers do after a while.
    fn close_idle(&self);
}

/// HTTP/1.1 connections that a browser opens to one host. WebSockets do not count.
pub(crate) const CONNECTIONS_OF_A_BROWSER: usize = 6;

/// A page that is open in a browser of its own. It is closed when it is dropped.
pub(crate) trait Page: Send + Sync + 'static {
    /// Sends a message in a new conversation, and follows it to its end. What the page shows of it is told as it changes.
    ///
    /// # Errors
    /// It was refused, it failed, or the answer is not the one to this message.
    fn chat(&self, message: &str, shown: &watch::Sender<Shown>) -> impl Future<Output = anyhow::Result<Chat>> + Send;

    /// Takes the message out of the line that was sent last and waits, as the page's own button does.
    fn leave(&self) -> impl Future<Output = anyhow::Result<()>> + Send;

    /// Loads the page again, in the same browser.
    fn reload(&mut self) -> impl Future<Output = anyhow::Result<()>> + Send;

    /// Whether the page, as it was loaded last, shows a whole answer to this message, which was sent before; or comes to
    /// show it soon.
    fn shows_answer_to(&self, message: &str) -> impl Future<Output = anyhow::Result<bool>> + Send;

    /// Has an event with nothing to do go through the line, and waits for its result.
    fn event(&self) -> impl Future<Output = anyhow::Result<()>> + Send;
}

/// What a page shows of a message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Shown {
    /// Its place in the line.
    pub(crate) position: Option<u64>,
    /// Some of the answer.
    pub(crate) answering: bool,
}

/// When a page saw what of one message, counted from when it was sent.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Chat {
    /// Its place in the line; `None`: it never had to wait.
    pub(crate) position: Option<Duration>,
    /// The first piece of the answer; `None`: it came as a whole.
    pub(crate) first_piece: Option<Duration>,
    /// The whole answer.
    pub(crate) done: Duration,
}

/// What all pages of a system have been told of their place in the line.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    messages: AtomicU64,
    bytes: AtomicU64,
    waiting: AtomicU64,
    most: AtomicU64,
}

/// A [`Tally`] at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Told {
    /// Messages that say where somebody stands.
    pub(crate) messages: u64,
    /// Their bytes.
    pub(crate) bytes: u64,
    /// Those of them that went to somebody who waited.
    pub(crate) waiting: u64,
    /// The most that one page has been told.
    pub(crate) most: u64,
}

impl Tally {
    /// Counts a message to a page, its `number`th.
    pub(crate) fn count(&self, bytes: usize, waiting: bool, number: u64) {
        self.most.fetch_max(number, Ordering::Relaxed);
        self.messages.fetch_add(1, Ordering::Relaxed);
        self.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
        self.waiting.fetch_add(u64::from(waiting), Ordering::Relaxed);
    }

    pub(crate) fn told(&self) -> Told {
        Told {
            messages: self.messages.load(Ordering::Relaxed),
            bytes: self.bytes.load(Ordering::Relaxed),
            waiting: self.waiting.load(Ordering::Relaxed),
            most: self.most.load(Ordering::Relaxed),
        }
    }
}
