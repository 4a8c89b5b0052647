//! Tools: servers of the Model Context Protocol, whose tools a model may have used while it answers.
//!
//! Servers are shared by everybody and connected to when they are needed: `server.rs` says when, `dial.rs` how, `connection.rs` is what comes
//! of it. A server is a program that is started here (`program.rs`, with a `keeper.rs` each) or is elsewhere (`http.rs`). `listing.rs` says
//! what models are told, `output.rs` what they get back. Before one that
//! takes so many calls at once stands a line of its own, a `queue` of this process alone. This room knows no conversation, no turn and no page.
//!
//! The protocol is rmcp's to speak, the official library. What it leaves to us: how long anything may take, how long a message may be
//! (`lines.rs`), and what becomes of a program's processes.

mod bounded;
mod connection;
mod dial;
mod error;
mod faults;
mod figures;
mod http;
pub mod keeper;
mod lines;
mod listing;
mod names;
mod output;
mod program;
mod server;
mod skim;
#[cfg(test)]
mod tests;
mod view;

use std::{
    collections::{BTreeMap, HashSet},
    fmt,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use futures_util::{StreamExt as _, stream::FuturesUnordered};
use serde_json::{Map, Value};
use tokio::time::timeout;
use tokio_util::{
    sync::{CancellationToken, DropGuard},
    task::TaskTracker,
};

pub use self::{
    connection::CallProgress,
    error::{ToolError, Trouble},
    figures::ToolFigures,
    listing::Offered,
    output::{Content, ToolOutput},
    server::ServerSlot,
    view::{ServerState, ServerView},
};
use self::{
    dial::{Dial, Dialer},
    figures::Meter,
    server::{Known, Server},
};
pub use crate::settings::Leave;
use crate::{queue::Owner, settings::ToolSettings};

/// How long closing may take.
const CLOSE: Duration = Duration::from_secs(6);

type Servers = Arc<BTreeMap<String, Arc<Server>>>;

/// Every server of tools. Cheap to clone; all clones are the same.
#[derive(Clone)]
pub struct Tools(Arc<Inner>);

struct Inner {
    servers: RwLock<Servers>,
    dial: Arc<dyn Dial>,
    meter: Meter,
    closing: CancellationToken,
    tasks: TaskTracker,
    /// Connections close with the last clone.
    _closing: DropGuard,
}

impl fmt::Debug for Tools {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tools")
            .field("servers", &self.servers().keys())
            .finish()
    }
}

/// What may be offered to a model.
#[derive(Clone, Debug, Default)]
pub struct Offer {
    /// The tools, server by server.
    pub tools: Vec<Offered>,
    /// The servers whose tools are left out.
    pub missing: Vec<Missing>,
}

/// A server that cannot be had now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing {
    /// Its name.
    pub server: String,
    /// Why.
    pub reason: Trouble,
}

/// The servers that are waited for: called again whenever there is one less.
#[derive(Clone, Copy, Debug)]
pub struct Connecting<'c> {
    /// Their names.
    pub servers: &'c [&'c str],
}

impl Tools {
    /// No servers.
    #[must_use]
    pub fn none() -> Self {
        Self::start(&ToolSettings::default())
    }

    /// The servers of the settings. None of them is started or connected to yet.
    #[must_use]
    pub fn start(settings: &ToolSettings) -> Self {
        let keeper = settings.keeper.clone();
        Self::start_with(settings, Arc::new(Dialer { keeper }))
    }

    fn start_with(settings: &ToolSettings, dial: Arc<dyn Dial>) -> Self {
        let closing = CancellationToken::new();
        let tools = Self(Arc::new(Inner {
            servers: RwLock::default(),
            dial,
            meter: Meter::default(),
            _closing: closing.clone().drop_guard(),
            closing,
            tasks: TaskTracker::new(),
        }));
        tools.retune(settings);
        tools
    }

    /// Takes edited settings over. A server that is as it was goes on; one that has changed is another server, and the connection of before
    /// closes after its last call.
    pub fn retune(&self, settings: &ToolSettings) {
        let inner = &self.0;
        let mut servers = inner.servers.write().unwrap_or_else(PoisonError::into_inner);
        let before = Arc::clone(&servers);
        let all = settings.servers.iter().map(|edited| {
            let same = before.get(&edited.name).filter(|server| server.settings == *edited);
            let server = same.map_or_else(
                || {
                    Server::new(
                        Arc::clone(edited),
                        Arc::clone(&inner.dial),
                        inner.closing.clone(),
                        inner.tasks.clone(),
                    )
                },
                Arc::clone,
            );
            (edited.name.clone(), server)
        });
        *servers = Arc::new(all.collect());
        for (name, server) in before.iter() {
            if !servers.get(name).is_some_and(|now| Arc::ptr_eq(now, server)) {
                server.retire();
            }
        }
    }

    fn servers(&self) -> Servers {
        Arc::clone(&self.0.servers.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn server(&self, name: &str) -> Option<Arc<Server>> {
        self.servers().get(name).map(Arc::clone)
    }

    /// Whether there are no servers at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.servers().is_empty()
    }

    /// What may be offered to a model now. Connects to the servers whose tools are not known yet, all at once, each for as long as its settings
    /// let it; `progress` is told which are waited for. Those that cannot be had are left out.
    pub async fn offer(&self, progress: impl Fn(Connecting<'_>) + Send) -> Offer {
        let servers = self.servers();
        let mut found = BTreeMap::new();
        let mut waiting = Vec::new();
        for (name, server) in servers.iter() {
            match server.known() {
                Known::Nothing => waiting.push(name.as_str()),
                known => {
                    found.insert(name.as_str(), known);
                }
            }
        }
        let mut connecting: FuturesUnordered<_> = waiting
            .iter()
            .filter_map(|name| servers.get_key_value(*name))
            .map(|(name, server)| async move {
                // Given back at once: what matters is what it has said.
                let known = match server.connection().await {
                    Ok(_) => server.listing().map_or(Known::Nothing, Known::Tools),
                    Err(trouble) => Known::OutOfService(trouble),
                };
                (name.as_str(), known)
            })
            .collect();
        while !waiting.is_empty() {
            progress(Connecting { servers: &waiting });
            let Some((name, known)) = connecting.next().await else {
                break;
            };
            waiting.retain(|waiting| *waiting != name);
            found.insert(name, known);
        }
        let mut offer = Offer::default();
        let mut names = HashSet::new();
        for (server, known) in found {
            match known {
                Known::Tools(listing) => {
                    let tools = listing.tools.iter().filter(|tool| names.insert(tool.spec.name.clone()));
                    offer.tools.extend(tools.cloned());
                }
                Known::OutOfService(reason) => offer.missing.push(Missing {
                    server: server.to_owned(),
                    reason,
                }),
                Known::Nothing => {}
            }
        }
        offer
    }

    /// The tool that a model calls so, of those that are known.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<Offered> {
        let servers = self.servers();
        servers
            .values()
            .find_map(|server| server.listing()?.find(name).cloned())
    }

    /// One of the calls that this server takes at once, which [`Tools::call`] needs. Waits until one is free and it is this owner's turn.
    /// Cancel-safe.
    pub async fn slot(&self, server: &str, owner: Owner) -> ServerSlot {
        match self.server(server) {
            Some(server) => server.slot(owner).await,
            None => ServerSlot::default(),
        }
    }

    /// Calls a tool, connecting to its server where that is not connected. Dropped, the server is told that nobody waits any more, and its slot
    /// is free.
    ///
    /// # Errors
    /// [`ToolError`]. That the tool itself has failed is none: [`ToolOutput::failed`].
    pub async fn call(
        &self,
        tool: &Offered,
        arguments: Map<String, Value>,
        slot: ServerSlot,
        progress: impl Fn(CallProgress) + Send,
    ) -> Result<ToolOutput, ToolError> {
        let mut counted = self.0.meter.begin(&tool.server);
        let result = self.result(tool, arguments, progress).await;
        counted.ends(&result);
        drop(slot);
        result
    }

    async fn result(
        &self,
        tool: &Offered,
        arguments: Map<String, Value>,
        progress: impl Fn(CallProgress) + Send,
    ) -> Result<ToolOutput, ToolError> {
        let server = self.server(&tool.server).ok_or(ToolError::NotThere)?;
        let _running = server.running();
        let connection = server.connection().await.map_err(ToolError::Unreachable)?;
        // It has just been listed, perhaps for the first time since it was offered.
        let listing = server.listing().ok_or(ToolError::NotThere)?;
        let now = listing.tools.iter().find(|now| now.tool == tool.tool);
        match now {
            None => return Err(ToolError::NotThere),
            Some(now) if now.fingerprint != tool.fingerprint => return Err(ToolError::Changed),
            Some(_) => {}
        }
        let longest = server.settings.timeout;
        let result = connection.call(&tool.tool, arguments, longest, progress).await;
        if connection.is_broken() {
            server.lost(&connection);
        }
        result
    }

    /// What has become of the calls since the start.
    #[must_use]
    pub fn figures(&self) -> ToolFigures {
        self.0.meter.figures()
    }

    /// How the servers are, by name.
    #[must_use]
    pub fn view(&self) -> Vec<ServerView> {
        self.servers().values().map(|server| server.view()).collect()
    }

    /// Closes every connection, and waits a moment for that. There are no others afterwards.
    pub async fn close(&self) {
        self.0.closing.cancel();
        self.0.tasks.close();
        // What does not end in time is ended by its keeper.
        let _ = timeout(CLOSE, self.0.tasks.wait()).await;
    }
}
