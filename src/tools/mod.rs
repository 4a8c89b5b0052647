//! Tools: servers of the Model Context Protocol, whose tools a model may have used while it answers.
//!
//! Servers are shared by everybody and connected to when they are needed: `server.rs` says when, `dial.rs` how, `connection.rs` is what comes
//! of it. Those that want something of each person's own (`person.rs`) have a connection a person (`private.rs`). A server is a program that is started here (`program.rs`, with a `keeper.rs` each) or is elsewhere (`http.rs`). `listing.rs` says
//! what models are told, `output.rs` what they get back, `sources/` what servers have for people. Before one that
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
mod person;
mod private;
mod probe;
mod program;
mod recorded;
mod server;
mod skim;
mod sources;
mod structured;
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
    person::{Given, OwnKey, Person},
    recorded::{recorded_output, recorded_tools},
    server::ServerSlot,
    sources::{Argument, Asker, Attachment, Prompt, PromptText, Resource, Resources, Source, Template, Wanted},
    view::{ServerState, ServerView},
};
use self::{
    dial::{Dial, Dialer},
    figures::Meter,
    person::Has,
    private::{Held, Persons, Private},
    server::{Known, Server, line},
    sources::Looks,
};
pub use crate::settings::Leave;
use crate::{
    queue::{Owner, Queue},
    settings::{ToolServer, ToolSettings},
};

/// How long closing may take.
const CLOSE: Duration = Duration::from_secs(6);

type Servers = Arc<BTreeMap<String, Place>>;

/// A server of the settings.
#[derive(Clone)]
enum Place {
    /// One connection is everybody's.
    Shared(Arc<Server>),
    /// Each person has one of their own.
    Persons(Arc<Persons>),
}

impl Place {
    fn settings(&self) -> &Arc<ToolServer> {
        match self {
            Self::Shared(server) => &server.settings,
            Self::Persons(persons) => &persons.settings,
        }
    }
}

/// Every server of tools. Cheap to clone; all clones are the same.
#[derive(Clone)]
pub struct Tools(Arc<Inner>);

struct Inner {
    servers: RwLock<Servers>,
    private: Private,
    dial: Arc<dyn Dial>,
    meter: Meter,
    looks: Looks,
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
    /// Whether it is about something of each person's own.
    pub own: bool,
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
            private: Private::default(),
            dial,
            meter: Meter::default(),
            looks: Looks::default(),
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
        inner.private.bound(settings.most_own);
        let mut servers = inner.servers.write().unwrap_or_else(PoisonError::into_inner);
        let before = Arc::clone(&servers);
        let all = settings.servers.iter().map(|edited| {
            let same = before.get(&edited.name).filter(|place| place.settings() == edited);
            let place = same.cloned().unwrap_or_else(|| match edited.is_persons() {
                true => Place::Persons(Persons::new(Arc::clone(edited))),
                false => Place::Shared(self.make(Arc::clone(edited), edited.limit.map(line))),
            });
            (edited.name.clone(), place)
        });
        let all: BTreeMap<_, _> = all.collect();
        *servers = Arc::new(all);
        for (name, place) in before.iter() {
            match (place, servers.get(name)) {
                (Place::Shared(server), Some(Place::Shared(now))) if Arc::ptr_eq(server, now) => {}
                (Place::Persons(persons), Some(Place::Persons(now))) if Arc::ptr_eq(persons, now) => {}
                (Place::Shared(server), _) => server.retire(),
                (Place::Persons(persons), _) => inner.private.retire_all(persons),
            }
        }
    }

    fn make(&self, settings: Arc<ToolServer>, line: Option<Queue>) -> Arc<Server> {
        let inner = &self.0;
        let (dial, closing) = (Arc::clone(&inner.dial), inner.closing.clone());
        Server::new(settings, line, dial, closing, inner.tasks.clone())
    }

    fn servers(&self) -> Servers {
        Arc::clone(&self.0.servers.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The server as somebody reaches it: everybody's, or with what they have given. The one way to a connection.
    fn reach(&self, place: &Place, person: &Person) -> Result<Held, Trouble> {
        let persons = match place {
            Place::Shared(server) => return Ok(Held::shared(Arc::clone(server))),
            Place::Persons(persons) => persons,
        };
        match person.has(&persons.settings.name) {
            Has::Given(given) => {
                let make = |settings| self.make(settings, persons.line.clone());
                self.0.private.of(persons, given, make)
            }
            Has::Unreadable => Err(Trouble::Unreadable),
            Has::Nothing => Err(Trouble::Wanted),
        }
    }

    /// What was given is not any more, or is another person's business: its connection closes after its last call.
    pub fn let_go(&self, given: &Given) {
        self.0.private.retire(given.key);
    }

    /// What was last wrong with somebody's own connection to a server, as far as nothing has gone well since.
    #[must_use]
    pub fn own_trouble(&self, server: &str, given: &Given) -> Option<Trouble> {
        match self.servers().get(server)? {
            Place::Shared(_) => None,
            Place::Persons(persons) => self.0.private.trouble(persons, given.key),
        }
    }

    /// Whether there are no servers at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.servers().is_empty()
    }

    /// What may be offered to a model now, for this person. Connects to the servers whose tools are not known yet, all at once, each for as long as
    /// its settings let it; `progress` is told which are waited for. Those that cannot be had are left out.
    pub async fn offer(&self, person: &Person, progress: impl Fn(Connecting<'_>) + Send) -> Offer {
        let servers = self.servers();
        let mut found = BTreeMap::new();
        let mut waiting = Vec::new();
        let mut connecting = FuturesUnordered::new();
        for (name, place) in servers.iter() {
            let name = name.as_str();
            let server = match self.reach(place, person) {
                Ok(server) => server,
                Err(trouble) => {
                    found.insert(name, Known::OutOfService(trouble));
                    continue;
                }
            };
            match server.known() {
                Known::Nothing => {
                    waiting.push(name);
                    connecting.push(async move {
                        // Given back at once: what matters is what it has said.
                        let known = match server.connection().await {
                            Ok(_) => server.listing().map_or(Known::Nothing, Known::Tools),
                            Err(trouble) => Known::OutOfService(trouble),
                        };
                        (name, known)
                    });
                }
                known => {
                    found.insert(name, known);
                }
            }
        }
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
                    own: matches!(servers.get(server), Some(Place::Persons(_))),
                }),
                Known::Nothing => {}
            }
        }
        offer
    }

    /// The tool that this person's model calls so, of those that are known.
    #[must_use]
    pub fn find(&self, person: &Person, name: &str) -> Option<Offered> {
        let servers = self.servers();
        servers.values().find_map(|place| {
            let server = match place {
                Place::Shared(server) => Arc::clone(server),
                Place::Persons(persons) => {
                    let given = person.given(&persons.settings.name)?;
                    self.0.private.find(persons, given.key)?
                }
            };
            server.listing()?.find(name).cloned()
        })
    }

    /// One of the calls that this server takes at once, of everybody's, which [`Tools::call`] needs. Waits until one is free and it is this owner's
    /// turn. Cancel-safe.
    pub async fn slot(&self, server: &str, owner: Owner) -> ServerSlot {
        let line = match self.servers().get(server) {
            Some(Place::Shared(server)) => server.line.clone(),
            Some(Place::Persons(persons)) => persons.line.clone(),
            None => None,
        };
        ServerSlot::of(line, owner).await
    }

    /// Calls a tool for this person, connecting to its server where that is not connected. Dropped, the server is told that nobody waits any more,
    /// and its slot is free.
    ///
    /// # Errors
    /// [`ToolError`]. That the tool itself has failed is none: [`ToolOutput::failed`].
    pub async fn call(
        &self,
        person: &Person,
        tool: &Offered,
        arguments: Map<String, Value>,
        slot: ServerSlot,
        progress: impl Fn(CallProgress) + Send,
    ) -> Result<ToolOutput, ToolError> {
        let mut counted = self.0.meter.begin(&tool.server);
        let result = self.result(person, tool, arguments, progress).await;
        counted.ends(&result);
        drop(slot);
        result
    }

    async fn result(
        &self,
        person: &Person,
        tool: &Offered,
        arguments: Map<String, Value>,
        progress: impl Fn(CallProgress) + Send,
    ) -> Result<ToolOutput, ToolError> {
        let place = self.servers().get(&tool.server).cloned().ok_or(ToolError::NotThere)?;
        let server = self.reach(&place, person).map_err(ToolError::Unreachable)?;
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
        if result == Err(ToolError::Unauthorized) {
            // Whoever calls next is told at once, and not by each of its tools.
            server.lost(&connection, Some(Trouble::Unauthorized));
        } else if connection.is_broken() {
            server.lost(&connection, None);
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
        let servers = self.servers();
        let view = |place: &Place| match place {
            Place::Shared(server) => server.view(),
            Place::Persons(persons) => self.0.private.view(persons),
        };
        servers.values().map(view).collect()
    }

    /// Closes every connection, and waits a moment for that. There are no others afterwards.
    pub async fn close(&self) {
        self.0.closing.cancel();
        self.0.tasks.close();
        // What does not end in time is ended by its keeper.
        let _ = timeout(CLOSE, self.0.tasks.wait()).await;
    }
}
