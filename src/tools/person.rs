//! What one person has given for servers that want something of each person's own.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::Arc,
};

use crate::settings::Secret;

/// Tells what one person has given for one server from everything else, and nothing of what it is.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct OwnKey(pub [u8; 32]);

impl fmt::Debug for OwnKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OwnKey")
    }
}

/// What somebody has given for one server.
#[derive(Clone, Debug)]
pub struct Given {
    /// Of whose it is, of the server, and of the values: no two people share one, even where they have given the same.
    pub key: OwnKey,
    /// By the names of the inputs.
    pub values: BTreeMap<String, Secret>,
}

/// For whom tools are offered and called: what they have given. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Person(Arc<All>);

#[derive(Debug, Default)]
struct All {
    given: BTreeMap<String, Given>,
    unreadable: BTreeSet<String>,
}

/// What is known of somebody for a server.
pub(super) enum Has<'p> {
    Given(&'p Given),
    /// They have given something that cannot be read any more.
    Unreadable,
    Nothing,
}

impl Person {
    /// Somebody who has given this, by the servers' names, and something for the others that cannot be read any more.
    #[must_use]
    pub fn new(given: BTreeMap<String, Given>, unreadable: BTreeSet<String>) -> Self {
        Self(Arc::new(All { given, unreadable }))
    }

    /// Somebody who has given nothing.
    #[must_use]
    pub fn nobody() -> Self {
        Self::default()
    }

    /// What they have given for a server.
    #[must_use]
    pub fn given(&self, server: &str) -> Option<&Given> {
        self.0.given.get(server)
    }

    /// All that they have given.
    pub fn all(&self) -> impl Iterator<Item = &Given> {
        self.0.given.values()
    }

    pub(super) fn has(&self, server: &str) -> Has<'_> {
        match self.given(server) {
            Some(given) => Has::Given(given),
            None if self.0.unreadable.contains(server) => Has::Unreadable,
            None => Has::Nothing,
        }
    }
}
