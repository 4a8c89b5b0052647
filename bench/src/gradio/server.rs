//! The server: `bench/gradio_app.py` in its virtual environment.

use std::{net::SocketAddr, process::Command, sync::Arc, time::Duration};

use anyhow::{Context as _, ensure};
use hyper::{Method, header};
use serde_json::Value;
use tempfile::TempDir;
use tokio::time::timeout;

use super::page::{Functions, GradioPage};
use crate::{
    http::Http,
    process::Program,
    system::{CONNECTIONS_OF_A_BROWSER, Places, Setup, System, Tally},
};

/// Connections for requests that all browsers together have at once, as for Anteroom.
const CONNECTIONS: usize = 1_000;
/// Streams that all browsers together have open at once; two a browser that waits.
const STREAMS: usize = 15_000;

/// A running Gradio app.
#[derive(Debug)]
pub(crate) struct Gradio {
    program: Program,
    requests: Http,
    streams: Http,
    functions: Functions,
    tally: Arc<Tally>,
    _folder: TempDir,
}

impl System for Gradio {
    type Page = GradioPage;

    async fn start(places: &Places, setup: &Setup) -> anyhow::Result<Self> {
        let gradio = places.gradio.as_ref().context("no Gradio was set up")?;
        let folder = TempDir::new_in(&places.scratch).context("no folder for the server's data")?;
        let mut command = Command::new(&gradio.python);
        command
            .arg(&gradio.app)
            .arg(&setup.model)
            .arg(setup.slots.to_string())
            .current_dir(folder.path())
            .env("HOME", folder.path())
            .env("GRADIO_TEMP_DIR", folder.path().join("files"))
            // Nothing here leaves the machine.
            .env("GRADIO_ANALYTICS_ENABLED", "False")
            .env("HF_HUB_OFFLINE", "1")
            .env("PYTHONUNBUFFERED", "1");
        let (mut program, output) = Program::start(&mut command, folder.path())?;
        let addr: SocketAddr = program.greeting(output, |line| {
            let rest = line.strip_prefix("listening on http://")?;
            rest.trim().trim_end_matches('/').parse().ok()
        })?;
        let requests = Http::new(addr, CONNECTIONS);
        let config: Value = requests.ask(Method::GET, "/config", &[], "").await?.json()?;
        ensure!(
            config["protocol"] == "sse_v3",
            "this Gradio speaks {}",
            config["protocol"]
        );
        Ok(Self {
            program,
            functions: Functions::find(&config)?,
            requests,
            streams: Http::new(addr, STREAMS),
            tally: Arc::default(),
            _folder: folder,
        })
    }

    async fn visit(&self) -> anyhow::Result<GradioPage> {
        self.page(self.requests.clone(), self.streams.clone()).await
    }

    async fn visit_and_stay_connected(&self) -> anyhow::Result<GradioPage> {
        self.page(self.requests.of_a_browser(), self.streams.clone()).await
    }

    async fn tabs(&self, count: usize, patience: Duration) -> anyhow::Result<Vec<GradioPage>> {
        let http = Http::new(self.requests.addr(), CONNECTIONS_OF_A_BROWSER);
        let mut tabs = Vec::new();
        for _ in 0..count {
            match timeout(patience, self.page(http.clone(), http.clone())).await {
                Ok(opened) => tabs.push(opened?),
                Err(_) => break,
            }
        }
        Ok(tabs)
    }

    fn addr(&self) -> SocketAddr {
        self.requests.addr()
    }

    fn program(&self) -> &Program {
        &self.program
    }

    fn tally(&self) -> &Tally {
        &self.tally
    }

    async fn keep_connections(&self, browsers: usize) -> anyhow::Result<()> {
        self.requests.keep(browsers.min(CONNECTIONS)).await
    }

    fn close_idle(&self) {
        self.requests.close_idle();
    }
}

impl Gradio {
    async fn page(&self, requests: Http, streams: Http) -> anyhow::Result<GradioPage> {
        GradioPage::open(requests, streams, self.functions, Arc::clone(&self.tally)).await
    }
}

/// What a browser asks for first.
pub(super) const PAGE: [(header::HeaderName, &str); 1] = [(header::ACCEPT, "text/html")];
