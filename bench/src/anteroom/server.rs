//! The server: started, killed, started again on the same folder.

use std::{fs, net::SocketAddr, path::Path, process::Command, sync::Arc, time::Duration};

use anyhow::Context as _;
use hyper::{Method, StatusCode};
use tempfile::TempDir;
use tokio::time::timeout;

use super::AnteroomPage;
use crate::{
    http::Http,
    process::Program,
    system::{CONNECTIONS_OF_A_BROWSER, Page as _, Places, Setup, System, Tally},
};

/// Connections for requests that all browsers together have at once.
const CONNECTIONS: usize = 1_000;

/// A running Anteroom.
#[derive(Debug)]
pub(crate) struct Anteroom {
    program: Program,
    http: Http,
    tally: Arc<Tally>,
    folder: TempDir,
    places: Places,
    variables: Vec<(String, String)>,
}

impl Anteroom {
    /// A server whose model servers are those of a `backends.toml`; the place of its model is their pool `gpu`.
    pub(crate) fn before(places: &Places, backends: &str, variables: &[(&str, &str)]) -> anyhow::Result<Self> {
        let folder = TempDir::new_in(&places.scratch).context("no folder for the server's data")?;
        let file = folder.path().join("backends.toml");
        fs::write(&file, backends).context("no file for its back ends")?;
        let file = file.display().to_string();
        let own = [("MODEL", "loopback@gpu"), ("BACKENDS_FILE", &*file)];
        Self::launch(places, folder, own.into_iter().chain(variables.iter().copied()))
    }

    /// A server that is set up like this, with these variables besides.
    pub(crate) fn with(places: &Places, setup: &Setup, variables: &[(&str, &str)]) -> anyhow::Result<Self> {
        let folder = TempDir::new_in(&places.scratch).context("no folder for the server's data")?;
        let slots = setup.slots.to_string();
        let own = [
            ("MODEL", "loopback@openai"),
            ("OPENAI_BASE_URL", &setup.model),
            ("CHAT_CONCURRENCY_LIMIT", &slots),
        ];
        Self::launch(places, folder, own.into_iter().chain(variables.iter().copied()))
    }

    fn launch<'a>(
        places: &Places,
        folder: TempDir,
        variables: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> anyhow::Result<Self> {
        let variables: Vec<_> = variables
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        let (program, addr) = spawn(places, &variables, folder.path())?;
        Ok(Self {
            program,
            http: Http::new(addr, CONNECTIONS),
            tally: Arc::default(),
            folder,
            places: places.clone(),
            variables,
        })
    }

    /// Its process, and the folder of its data, for whoever needs nothing else.
    pub(crate) fn into_parts(self) -> (Program, TempDir) {
        (self.program, self.folder)
    }

    /// SIGKILL. Pages see their feed end.
    pub(crate) fn kill(&mut self) -> anyhow::Result<()> {
        self.program.kill()
    }

    /// SIGSTOP: it stands still, and its connections stay open.
    pub(crate) fn stop(&self) -> anyhow::Result<()> {
        self.program.stop()
    }

    /// A new start, once it was killed, on the same data, at another address.
    pub(crate) fn start_again(self) -> anyhow::Result<Self> {
        let (program, addr) = spawn(&self.places, &self.variables, self.folder.path())?;
        Ok(Self {
            program,
            http: Http::new(addr, CONNECTIONS),
            ..self
        })
    }

    /// A new browser, with its feed not open yet.
    pub(crate) async fn browser(&self) -> anyhow::Result<AnteroomPage> {
        AnteroomPage::visit(self.http.clone(), Arc::clone(&self.tally)).await
    }

    /// A page of a browser that was here before, which keeps its cookie.
    pub(crate) fn known(&self, cookie: &str) -> AnteroomPage {
        AnteroomPage::of(self.http.clone(), cookie, Arc::clone(&self.tally))
    }

    /// How many chat turns wait and how many are being answered, as `/metrics` says.
    pub(crate) async fn load(&self) -> anyhow::Result<Load> {
        let text = self.metrics().await?;
        Ok(Load {
            waiting: gauge(&text, "waiting{limit=\"chat\"}")?,
            running: gauge(&text, "running{limit=\"chat\"}")?,
        })
    }

    /// Whether a load balancer may send browsers here.
    pub(super) async fn is_ready(&self) -> anyhow::Result<bool> {
        let reply = self.http.ask(Method::GET, "/ready", &[], "").await?;
        Ok(reply.status == StatusCode::OK)
    }

    /// How many feeds end here: of several nodes, at the home of their session.
    pub(super) async fn connected(&self) -> anyhow::Result<usize> {
        gauge(&self.metrics().await?, "connected")
    }

    async fn metrics(&self) -> anyhow::Result<String> {
        Ok(self.http.ask(Method::GET, "/metrics", &[], "").await?.text())
    }
}

/// How busy the line of `chat` is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Load {
    pub(crate) waiting: usize,
    pub(crate) running: usize,
}

impl System for Anteroom {
    type Page = AnteroomPage;

    async fn start(places: &Places, setup: &Setup) -> anyhow::Result<Self> {
        Self::with(places, setup, &[])
    }

    async fn visit(&self) -> anyhow::Result<AnteroomPage> {
        let mut page = self.browser().await?;
        page.follow().await?;
        Ok(page)
    }

    async fn visit_and_stay_connected(&self) -> anyhow::Result<AnteroomPage> {
        let mut page = AnteroomPage::visit(self.http.of_a_browser(), Arc::clone(&self.tally)).await?;
        page.follow().await?;
        Ok(page)
    }

    async fn tabs(&self, count: usize, patience: Duration) -> anyhow::Result<Vec<AnteroomPage>> {
        let http = Http::new(self.http.addr(), CONNECTIONS_OF_A_BROWSER);
        let first = AnteroomPage::visit(http, Arc::clone(&self.tally)).await?;
        let mut tabs = Vec::new();
        for _ in 0..count {
            let mut tab = first.tab();
            match timeout(patience, tab.reload()).await {
                Ok(opened) => opened?,
                Err(_) => break,
            }
            tabs.push(tab);
        }
        Ok(tabs)
    }

    fn addr(&self) -> SocketAddr {
        self.http.addr()
    }

    fn program(&self) -> &Program {
        &self.program
    }

    fn tally(&self) -> &Tally {
        &self.tally
    }

    async fn keep_connections(&self, browsers: usize) -> anyhow::Result<()> {
        self.http.keep(browsers.min(CONNECTIONS)).await
    }

    fn close_idle(&self) {
        self.http.close_idle();
    }
}

/// A number of `/metrics`.
fn gauge(metrics: &str, name: &str) -> anyhow::Result<usize> {
    let line = format!("anteroom_{name} ");
    let number = metrics.lines().find_map(|found| found.strip_prefix(&line));
    let number = number.and_then(|number| number.parse().ok());
    number.with_context(|| format!("/metrics does not say {name}"))
}

/// Starts the server with its default settings, but for these, and for the bounds that a bench goes beyond.
fn spawn(places: &Places, variables: &[(String, String)], folder: &Path) -> anyhow::Result<(Program, SocketAddr)> {
    let mut command = Command::new(&places.anteroom);
    command
        .current_dir(folder)
        .env_clear()
        .env("SITE_ADDR", "127.0.0.1:0")
        .env("MAX_SESSIONS", "20000")
        .env("QUEUE_MAX_WAITING_PER_SESSION", "none")
        // Ten thousand turns take longer than somebody would be waited for who does not look.
        .env("QUEUE_ABANDON_AFTER", "none")
        .env("CHAT_TIMEOUT", "none")
        .env("MODEL_STALL_TIMEOUT", "1h")
        .envs(variables.iter().map(|(name, value)| (name, value)));
    let (mut program, output) = Program::start(&mut command, folder)?;
    let addr = program.greeting(output, |line| {
        let (_, rest) = line.split_once("http://")?;
        rest.split_whitespace().next()?.parse().ok()
    })?;
    Ok((program, addr))
}
