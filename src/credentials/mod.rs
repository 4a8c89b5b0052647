//! What people give of their own for servers of tools: kept encrypted (`seal.rs`), shown to nobody, and handed to the servers that it is for.
//!
//! It is read from the store whenever it is needed, so that what is given, replaced or removed holds at once, on every node.

pub mod desk;
mod seal;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::Arc,
};

use sha2::{Digest as _, Sha256};
use tokio::sync::watch;
use tracing::{info, warn};

use self::seal::{Bound, Seal};
use crate::{
    clock::now_ms,
    queue::Owner,
    settings::{OwnInput, Secret, Settings, ToolServer},
    store::{CredentialRecord, Store, StoreError},
    tools::{Given, OwnKey, Person, Tools, Trouble},
};

/// The values that somebody gives, by the names of the inputs.
type Values = BTreeMap<String, Secret>;

/// What people have given. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Credentials(Arc<Inner>);

struct Inner {
    store: Arc<dyn Store>,
    tools: Tools,
    settings: watch::Receiver<Arc<Settings>>,
    seal: Seal,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credentials")
    }
}

/// How what somebody has given for a server is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OwnState {
    /// They have given nothing.
    Missing,
    /// It is there.
    Given,
    /// It is there, and the server does not take it.
    Refused,
    /// It cannot be read any more: the site has another key, or the server is elsewhere. It is to be given again.
    Unreadable,
    /// There is no such server any more, or it asks for nothing.
    Unused,
}

/// A server that asks for something of each person's own, or has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnServer {
    /// Its name.
    pub name: String,
    /// What it asks for; nothing, where that is [`OwnState::Unused`].
    pub inputs: Vec<OwnInput>,
    /// How what they have given is.
    pub state: OwnState,
    /// When they gave it, in milliseconds since the Unix epoch.
    pub given_at: Option<u64>,
}

/// Why what somebody gives is not kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OwnFault {
    /// There is no such server, or it asks for nothing.
    NoServer,
    /// Something is missing, too long, or has characters that cannot be sent.
    Unfit,
    /// It cannot be encrypted here.
    NotSealed,
}

impl Credentials {
    pub(crate) fn new(
        store: Arc<dyn Store>,
        tools: Tools,
        settings: watch::Receiver<Arc<Settings>>,
        key: &[u8; 32],
    ) -> Self {
        Self(Arc::new(Inner {
            store,
            tools,
            settings,
            seal: Seal::new(key),
        }))
    }

    /// The servers that ask for something of each person's own.
    fn servers(&self) -> Vec<Arc<ToolServer>> {
        let settings = self.0.settings.borrow();
        let servers = settings.tools.servers.iter().filter(|server| server.is_persons());
        servers.cloned().collect()
    }

    /// Whether anything is asked for at all.
    pub(crate) fn are_asked_for(&self) -> bool {
        let settings = self.0.settings.borrow();
        settings.tools.servers.iter().any(|server| server.is_persons())
    }

    /// What an owner has given, for tools. What cannot be read from the store has not been given.
    pub(crate) async fn person(&self, owner: Owner) -> Person {
        let servers = self.servers();
        if servers.is_empty() {
            return Person::nobody();
        }
        let records = self.0.store.credentials(owner).await.unwrap_or_else(|fault| {
            warn!(%fault, "what somebody has given for servers of tools could not be read");
            Vec::new()
        });
        self.of(owner, &servers, &records)
    }

    fn of(&self, owner: Owner, servers: &[Arc<ToolServer>], records: &[CredentialRecord]) -> Person {
        let (mut given, mut unreadable) = (BTreeMap::new(), BTreeSet::new());
        for server in servers {
            let Some(record) = records.iter().find(|record| record.server == server.name) else {
                continue;
            };
            match self.open(owner, server, record) {
                Some(opened) => {
                    given.insert(server.name.clone(), opened);
                }
                None => {
                    unreadable.insert(server.name.clone());
                }
            }
        }
        Person::new(given, unreadable)
    }

    fn open(&self, owner: Owner, server: &ToolServer, record: &CredentialRecord) -> Option<Given> {
        let place = server.place();
        let bound = bound(owner, server, &place);
        let plain = self.0.seal.open(bound, &record.sealed)?;
        let values: BTreeMap<String, String> = serde_json::from_slice(&plain).ok()?;
        let key = key_of(bound, &values);
        let values = values.into_iter().map(|(input, value)| (input, Secret(value)));
        Some(Given {
            key,
            values: values.collect(),
        })
    }

    /// Every server that asks an owner for something, and what they have given for others.
    pub(crate) async fn overview(&self, owner: Owner) -> Result<Vec<OwnServer>, StoreError> {
        let (servers, records) = (self.servers(), self.0.store.credentials(owner).await?);
        let person = self.of(owner, &servers, &records);
        let given_at = |name: &str| {
            let record = records.iter().find(|record| record.server == name);
            record.map(|record| record.given_at)
        };
        let asking = servers.iter().map(|server| {
            let given_at = given_at(&server.name);
            let complete = |given: &&Given| server.inputs().all(|input| given.values.contains_key(&input.id));
            let state = match person.given(&server.name) {
                // Its server asks for more than when it was given.
                Some(given) if !complete(&given) => OwnState::Missing,
                Some(given) => match self.0.tools.own_trouble(&server.name, given) {
                    Some(Trouble::Unauthorized) => OwnState::Refused,
                    _ => OwnState::Given,
                },
                None if given_at.is_some() => OwnState::Unreadable,
                None => OwnState::Missing,
            };
            OwnServer {
                name: server.name.clone(),
                inputs: server.inputs().cloned().collect(),
                state,
                given_at,
            }
        });
        let others = records.iter().filter(|record| {
            let mut asking = servers.iter();
            !asking.any(|server| server.name == record.server)
        });
        let others = others.map(|record| OwnServer {
            name: record.server.clone(),
            inputs: Vec::new(),
            state: OwnState::Unused,
            given_at: Some(record.given_at),
        });
        Ok(asking.chain(others).collect())
    }

    /// Keeps what an owner gives for a server, in place of what they gave before, whose connection closes after its last call.
    pub(crate) async fn give(
        &self,
        owner: Owner,
        server: &str,
        values: &Values,
    ) -> Result<Result<(), OwnFault>, StoreError> {
        let servers = self.servers();
        let Some(server) = servers.iter().find(|one| one.name == server) else {
            return Ok(Err(OwnFault::NoServer));
        };
        let sealed = match sealed(&self.0.seal, owner, server, values) {
            Ok(sealed) => sealed,
            Err(fault) => return Ok(Err(fault)),
        };
        let before = self.person(owner).await;
        let record = CredentialRecord {
            server: server.name.clone(),
            sealed,
            given_at: now_ms(),
        };
        self.0.store.keep_credential(owner, record).await?;
        // The same again begins anew, too.
        self.let_go(before.given(&server.name).into_iter());
        info!(
            server = server.name,
            "a person has given something of their own for a server of tools"
        );
        Ok(Ok(()))
    }

    /// Removes what an owner has given for a server; its connection closes after its last call. `false`: they had given nothing.
    pub(crate) async fn remove(&self, owner: Owner, server: &str) -> Result<bool, StoreError> {
        let before = self.person(owner).await;
        let removed = self.0.store.remove_credential(owner, server).await?;
        self.let_go(before.given(server).into_iter());
        if removed {
            info!(server, "a person has removed what they had given for a server of tools");
        }
        Ok(removed)
    }

    /// Whatever was given is gone by now: its connections close after their last calls.
    pub(crate) fn let_go<'g>(&self, given: impl Iterator<Item = &'g Given>) {
        for given in given {
            self.0.tools.let_go(given);
        }
    }
}

/// What an owner gives for a server, as it is kept.
fn sealed(seal: &Seal, owner: Owner, server: &ToolServer, values: &Values) -> Result<String, OwnFault> {
    let mut kept = BTreeMap::new();
    for input in server.inputs() {
        let value = values.get(&input.id).map(|value| value.0.trim()).unwrap_or_default();
        if !server.takes(value) {
            return Err(OwnFault::Unfit);
        }
        kept.insert(input.id.as_str(), value);
    }
    let place = server.place();
    let plain = serde_json::to_vec(&kept).unwrap_or_default();
    seal.seal(bound(owner, server, &place), &plain)
        .ok_or(OwnFault::NotSealed)
}

const fn bound<'b>(owner: Owner, server: &'b ToolServer, place: &'b str) -> Bound<'b> {
    Bound {
        owner,
        server: server.name.as_str(),
        place,
    }
}

/// Tells these values of this owner for this server from all others. It stays in memory.
fn key_of(bound: Bound<'_>, values: &BTreeMap<String, String>) -> OwnKey {
    let mut hash = Sha256::new();
    hash.update(bound.bytes());
    for part in values.iter().flat_map(|(input, value)| [input, value]) {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    OwnKey(hash.finalize().into())
}
