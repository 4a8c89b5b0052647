//! Connections that are one person's each: to servers that want something of each person's own.
//!
//! Each is a [`Server`] as any other, with what that person has given put in: connected to when it is needed, closed when it is not. Nobody
//! else finds it, since what leads to it is made of what was given. All of them together are bounded; of those that nobody is using, the one
//! that has not been used for longest goes first.

use std::{
    collections::HashMap,
    ops::Deref,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tracing::debug;

use super::{
    error::Trouble,
    person::{Given, OwnKey},
    server::{Server, line},
    view::{ServerState, ServerView},
};
use crate::{queue::Queue, settings::ToolServer};

/// A server of the settings to which each person has a connection of their own.
pub(super) struct Persons {
    pub(super) settings: Arc<ToolServer>,
    /// For all of them together.
    pub(super) line: Option<Queue>,
}

impl Persons {
    pub(super) fn new(settings: Arc<ToolServer>) -> Arc<Self> {
        Arc::new(Self {
            line: settings.limit.map(line),
            settings,
        })
    }
}

/// A server that somebody is about to use: what makes room leaves it alone meanwhile.
pub(super) struct Held {
    server: Arc<Server>,
    _held: Option<Arc<()>>,
}

impl Held {
    /// One that everybody shares is never in anybody's way.
    pub(super) const fn shared(server: Arc<Server>) -> Self {
        Self { server, _held: None }
    }
}

impl Deref for Held {
    type Target = Arc<Server>;

    fn deref(&self) -> &Arc<Server> {
        &self.server
    }
}

struct Entry {
    server: Arc<Server>,
    /// Of which server of the settings it was made.
    of: Arc<Persons>,
    held: Arc<()>,
    /// By the count of uses.
    used: u64,
}

#[derive(Default)]
struct State {
    entries: HashMap<OwnKey, Entry>,
    uses: u64,
    most: usize,
}

/// All such connections.
#[derive(Default)]
pub(super) struct Private(Mutex<State>);

impl Private {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many there may be, from now on.
    pub(super) fn bound(&self, most: usize) {
        let mut state = self.lock();
        state.most = most;
        while state.entries.len() > most && state.make_room() {}
    }

    /// The server with what somebody has given, made by `make` where it is not there yet.
    pub(super) fn of(
        &self,
        of: &Arc<Persons>,
        given: &Given,
        make: impl FnOnce(Arc<ToolServer>) -> Arc<Server>,
    ) -> Result<Held, Trouble> {
        let mut state = self.lock();
        state.uses += 1;
        let used = state.uses;
        match state.entries.get_mut(&given.key) {
            Some(entry) if Arc::ptr_eq(&entry.of, of) => {
                entry.used = used;
                return Ok(entry.hold());
            }
            // It was made before the server was edited.
            Some(_) => state.remove(given.key),
            None => {}
        }
        let filled = of.settings.filled(&given.values).ok_or(Trouble::Wanted)?;
        while state.entries.len() >= state.most {
            if !state.make_room() {
                return Err(Trouble::Full);
            }
        }
        let entry = Entry {
            server: make(Arc::new(filled)),
            of: Arc::clone(of),
            held: Arc::default(),
            used,
        };
        let held = entry.hold();
        state.entries.insert(given.key, entry);
        Ok(held)
    }

    /// The same, if it is there.
    pub(super) fn find(&self, of: &Arc<Persons>, key: OwnKey) -> Option<Arc<Server>> {
        let state = self.lock();
        let entry = state.entries.get(&key).filter(|entry| Arc::ptr_eq(&entry.of, of));
        entry.map(|entry| Arc::clone(&entry.server))
    }

    /// What was given is not any more: its connection closes after its last call.
    pub(super) fn retire(&self, key: OwnKey) {
        self.lock().remove(key);
    }

    /// A server of the settings is another one now, or none.
    pub(super) fn retire_all(&self, of: &Arc<Persons>) {
        self.lock().entries.retain(|_, entry| {
            let stays = !Arc::ptr_eq(&entry.of, of);
            if !stays {
                entry.server.retire();
            }
            stays
        });
    }

    /// How the connections to one server are, together. What is wrong with one person's key is nobody else's to know.
    pub(super) fn view(&self, of: &Arc<Persons>) -> ServerView {
        let state = self.lock();
        let own = state.entries.values().filter(|entry| Arc::ptr_eq(&entry.of, of));
        let mut whole = ServerView {
            name: of.settings.name.clone(),
            transport: of.settings.transport.name(),
            state: ServerState::Idle,
            tools: None,
            running: 0,
        };
        for one in own.map(|entry| entry.server.view()) {
            whole.tools = whole.tools.max(one.tools);
            whole.running += one.running;
            match one.state {
                ServerState::Connected => whole.state = ServerState::Connected,
                ServerState::Connecting if whole.state != ServerState::Connected => {
                    whole.state = ServerState::Connecting;
                }
                ServerState::Connecting | ServerState::Idle | ServerState::OutOfService { .. } => {}
            }
        }
        whole
    }

    /// What was last wrong with somebody's connection to a server, as far as nothing has gone well since.
    pub(super) fn trouble(&self, of: &Arc<Persons>, key: OwnKey) -> Option<Trouble> {
        match self.find(of, key)?.view().state {
            ServerState::OutOfService { trouble, .. } => Some(trouble),
            ServerState::Idle | ServerState::Connecting | ServerState::Connected => None,
        }
    }
}

impl Entry {
    fn hold(&self) -> Held {
        Held {
            server: Arc::clone(&self.server),
            _held: Some(Arc::clone(&self.held)),
        }
    }
}

impl State {
    fn remove(&mut self, key: OwnKey) {
        if let Some(entry) = self.entries.remove(&key) {
            entry.server.retire();
        }
    }

    /// Lets go of the one that has not been used for longest. `false`: all are in use.
    fn make_room(&mut self) -> bool {
        let idle = self
            .entries
            .iter()
            .filter(|(_, entry)| Arc::strong_count(&entry.held) == 1);
        let oldest = idle.min_by_key(|(_, entry)| entry.used).map(|(key, _)| *key);
        if let Some(key) = oldest {
            debug!("a connection of one person's own makes room for another's");
            self.remove(key);
        }
        oldest.is_some()
    }
}
