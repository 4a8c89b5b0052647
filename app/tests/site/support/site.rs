//! The site under test.

use std::{future::pending, net::SocketAddr, path::Path, sync::Arc, time::Duration};

use anteroom::{
    agents::{self, AgentContext, AgentFactory},
    engine::Engine,
    http,
    logs::Logs,
    nodes::{Alone, Homes},
    settings::{Settings, ToolSettings},
};
use anteroom_app::server::pages;
use anteroom_loopback::{Config, Loopback};
use tempfile::TempDir;
use tokio::{net::TcpListener, task::JoinHandle};

use super::{Browser, soon};

/// One site and the model server behind it. Both stop when it is dropped.
pub(crate) struct Site {
    pub(crate) engine: Arc<Engine>,
    pub(crate) model: Loopback,
    pub(crate) addr: SocketAddr,
    server: JoinHandle<()>,
    variables: Vec<(String, String)>,
    data: TempDir,
}

impl Site {
    /// A site with these settings, whose model server answers at once.
    pub(crate) async fn start(settings: &[(&str, &str)]) -> Self {
        Self::start_with(settings, agents::factory).await
    }

    /// The same with agents of the test's own.
    pub(crate) async fn start_with<E: std::error::Error + Send + Sync + 'static>(
        settings: &[(&str, &str)],
        agents: impl FnOnce(&Settings, Arc<dyn AgentContext>) -> Result<Arc<dyn AgentFactory>, E>,
    ) -> Self {
        Self::start_as(settings, agents, None).await
    }

    /// A site that is one node of several.
    pub(crate) async fn start_among(settings: &[(&str, &str)], among: Among) -> Self {
        Self::start_as(settings, agents::factory, Some(among)).await
    }

    async fn start_as<E: std::error::Error + Send + Sync + 'static>(
        settings: &[(&str, &str)],
        agents: impl FnOnce(&Settings, Arc<dyn AgentContext>) -> Result<Arc<dyn AgentFactory>, E>,
        among: Option<Among>,
    ) -> Self {
        let model = Loopback::start(Config::default()).await.expect("a free port");
        let data = tempfile::tempdir().expect("a folder");
        let base = [
            ("MODEL", "loopback@openai".to_owned()),
            ("OPENAI_BASE_URL", model.base_url()),
            ("DATA_DIR", data.path().display().to_string()),
        ];
        let base = base
            .into_iter()
            .filter(|(name, _)| settings.iter().all(|(own, _)| own != name));
        let own = settings
            .iter()
            .map(|&(name, value)| (name.to_owned(), value.to_owned()));
        let variables: Vec<_> = base.map(|(name, value)| (name.to_owned(), value)).chain(own).collect();
        let (engine, addr, server) = serve(&variables, agents, among).await;
        Self {
            engine,
            model,
            addr,
            server,
            variables,
            data,
        }
    }

    /// Ends the server after `grace`, and starts another on the same folder, at another address.
    pub(crate) async fn restart(&mut self, grace: Duration) {
        soon("the end of the server", self.engine.shutdown(grace)).await;
        self.server.abort();
        let _ = (&mut self.server).await;
        (self.engine, self.addr, self.server) = serve(&self.variables, agents::factory, None).await;
    }

    /// The environment of its settings.
    pub(crate) fn variables(&self) -> Vec<(String, String)> {
        self.variables.clone()
    }

    /// The same without one of them.
    pub(crate) fn variables_but(&self, name: &str) -> Vec<(String, String)> {
        let variables = self.variables.iter().filter(|(known, _)| known != name);
        variables.cloned().collect()
    }

    /// Gives the environment of the next start another value.
    pub(crate) fn set_variable(&mut self, name: &str, value: &str) {
        self.variables.retain(|(known, _)| known != name);
        self.variables.push((name.to_owned(), value.to_owned()));
    }

    /// Where it keeps what has to last.
    pub(crate) fn data(&self) -> &Path {
        self.data.path()
    }

    /// A browser that has opened the page.
    pub(crate) async fn browser(&self) -> Browser {
        Browser::visit(self.addr).await
    }

    /// Slots in use, and tickets waiting, all lines together.
    pub(crate) fn load(&self) -> (usize, usize) {
        let lines = self.engine.queue().lines();
        (
            lines.iter().map(|line| line.running).sum(),
            lines.iter().map(|line| line.waiting).sum(),
        )
    }

    /// Waits until the queue is so.
    pub(crate) async fn until_load(&self, running: usize, waiting: usize) {
        let mut changes = self.engine.queue().changes();
        soon(&format!("{running} running and {waiting} waiting"), async {
            while self.load() != (running, waiting) {
                changes.changed().await;
            }
        })
        .await;
    }
}

/// The other nodes as a site sees them, and where they reach it.
pub(crate) struct Among {
    pub(crate) homes: Arc<dyn Homes>,
    pub(crate) listener: TcpListener,
}

async fn serve<E: std::error::Error + Send + Sync + 'static>(
    variables: &[(String, String)],
    agents: impl FnOnce(&Settings, Arc<dyn AgentContext>) -> Result<Arc<dyn AgentFactory>, E>,
    among: Option<Among>,
) -> (Arc<Engine>, SocketAddr, JoinHandle<()>) {
    anteroom::papers::read_with(env!("CARGO_BIN_EXE_anteroom").into());
    let mut loaded = Settings::load(variables.iter().cloned(), None).expect("good settings");
    // This process is no server, and keeps none of tools.
    loaded.settings.tools = Arc::new(ToolSettings {
        keeper: Some(env!("CARGO_BIN_EXE_anteroom").into()),
        ..(*loaded.settings.tools).clone()
    });
    let (homes, for_nodes): (Arc<dyn Homes>, _) = match among {
        Some(Among { homes, listener }) => {
            // Set here, for nodes of a test have no database in common.
            loaded.settings.node_addr = Some(listener.local_addr().expect("an address").to_string());
            (homes, Some(listener))
        }
        None => (Arc::new(Alone::default()), None),
    };
    let engine = Engine::start_among(loaded, Logs::default(), agents, Some(homes))
        .await
        .expect("an engine");
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let addr = listener.local_addr().expect("an address");
    let site = pages::router(&engine);
    let served = Arc::clone(&engine);
    let server = tokio::spawn(async move {
        let nodes = async {
            if let Some(listener) = for_nodes {
                http::serve_nodes(&served, listener, site.clone(), pending()).await;
            }
        };
        tokio::join!(http::serve(&served, listener, site.clone(), pending()), nodes);
    });
    (engine, addr, server)
}

impl Drop for Site {
    fn drop(&mut self) {
        self.server.abort();
    }
}
