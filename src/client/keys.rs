//! The keys of programs, as the operator sees, makes, bounds and revokes them on a page.

use std::{collections::BTreeMap, time::Duration};

use tracing::info;

use super::{Client, ClientError, unchanged, unreadable};
use crate::{
    accounts::{
        KeyId, Principal, Program, Role, Scopes,
        keys::{KeyRecord, Made},
        rates::{KeyRates, Limits, RatesChange, Standing},
    },
    clock::now_ms,
    credentials::{OwnFault, OwnServer},
    nodes::Home,
    queue::Owner,
    settings::Secret,
};

/// A key, as the operator sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenKey {
    /// As it is stored.
    pub key: KeyRecord,
    /// When the last request with it came to this node, in milliseconds since the Unix epoch; `None`: not since the start.
    pub used_at: Option<u64>,
    /// Where it stands with its requests; `None`: they have no limit, it lets nobody in, or another node counts them.
    pub requests: Option<Standing>,
    /// Likewise with its tokens.
    pub tokens: Option<Standing>,
}

/// Why no key was made, where another name helps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unmade {
    /// It is no name.
    NoName,
    /// A key that is not revoked has it.
    Taken,
}

impl Client {
    /// Keys are the operator's.
    const fn is_operator(&self) -> Result<(), ClientError> {
        match self.who.role {
            Role::Operator => Ok(()),
            Role::Visitor => Err(ClientError::NotShown),
        }
    }

    /// All keys of programs, in the order in which they were made.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn keys(&self) -> Result<Vec<SeenKey>, ClientError> {
        self.is_operator()?;
        let now = now_ms();
        let keys = self.engine.store().keys().await.map_err(unreadable)?;
        Ok(keys.into_iter().map(|key| self.seen(key, now)).collect())
    }

    fn seen(&self, key: KeyRecord, now: u64) -> SeenKey {
        let engine = &self.engine;
        let (id, scopes) = (key.id, key.scopes);
        let owner = Principal::program(Program { key: id, scopes }).owner();
        let is_counted = key.is_valid(now) && engine.homes().home(owner) == Home::Here;
        let Limits { requests, tokens } = Limits::of(key.rates, &engine.settings());
        SeenKey {
            used_at: engine.keys().used_at(id),
            requests: requests
                .filter(|_| is_counted)
                .map(|most| engine.rates().request_standing(owner, most)),
            tokens: tokens
                .filter(|_| is_counted)
                .map(|most| engine.rates().token_standing(owner, most)),
            key,
        }
    }

    /// Makes a key that lives for so long; `None`: until it is revoked. What its program has to send is told this once. This node knows of it at
    /// once, the others within a second.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn make_key(
        &self,
        name: &str,
        scopes: Scopes,
        lives: Option<Duration>,
        rates: KeyRates,
    ) -> Result<Result<Made, Unmade>, ClientError> {
        self.is_operator()?;
        let lives = lives.map(|lives| u64::try_from(lives.as_millis()).unwrap_or(u64::MAX));
        let Some(mut made) = Made::new(name, scopes, lives) else {
            return Ok(Err(Unmade::NoName));
        };
        made.key.rates = rates;
        let added = self.engine.store().add_key(made.key.clone()).await;
        if !added.map_err(unchanged)? {
            return Ok(Err(Unmade::Taken));
        }
        self.engine.keys().have_changed().await;
        info!(key = %made.key.id.0, scopes = %made.key.scopes, "the operator has made a key");
        Ok(Ok(made))
    }

    /// A key that is not revoked, as an owner.
    async fn key_owner(&self, key: KeyId) -> Result<Option<(KeyRecord, Owner)>, ClientError> {
        self.is_operator()?;
        let keys = self.engine.store().keys().await.map_err(unreadable)?;
        let mut valid = keys.into_iter().filter(|one| one.revoked_at.is_none());
        let scopes = Scopes::NONE;
        let owner = Principal::program(Program { key, scopes }).owner();
        Ok(valid.find(|one| one.id == key).map(|key| (key, owner)))
    }

    /// The servers of tools that ask a key for something of its own, and those for which it was given it; `None`: there is no such key, or it is
    /// revoked.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn key_servers(&self, key: KeyId) -> Result<Option<(KeyRecord, Vec<OwnServer>)>, ClientError> {
        let Some((key, owner)) = self.key_owner(key).await? else {
            return Ok(None);
        };
        let servers = self.engine.credentials().overview(owner).await.map_err(unreadable)?;
        Ok(Some((key, servers)))
    }

    /// Keeps what a key is given for a server, as [`Client::give_own`] does for oneself; `None`: there is no such key, or it is revoked.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn give_key(
        &self,
        key: KeyId,
        server: &str,
        values: &BTreeMap<String, Secret>,
    ) -> Result<Option<Result<(), OwnFault>>, ClientError> {
        let Some((_, owner)) = self.key_owner(key).await? else {
            return Ok(None);
        };
        let given = self.engine.credentials().give(owner, server, values).await;
        Ok(Some(given.map_err(unchanged)?))
    }

    /// Removes what a key was given for a server. `false`: it was given nothing, or there is no such key.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn ungive_key(&self, key: KeyId, server: &str) -> Result<bool, ClientError> {
        let Some((_, owner)) = self.key_owner(key).await? else {
            return Ok(false);
        };
        let removed = self.engine.credentials().remove(owner, server).await;
        removed.map_err(unchanged)
    }

    /// Whether any server of tools asks for something of each person's and each key's own.
    #[must_use]
    pub fn asks_for_own(&self) -> bool {
        self.engine.credentials().are_asked_for()
    }

    /// Revokes a key. What its program has asked for ends. `false`: there is none, or it is revoked already.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn revoke_key(&self, key: KeyId) -> Result<bool, ClientError> {
        self.is_operator()?;
        let revoked = self.engine.store().revoke_key(key, now_ms()).await;
        let revoked = revoked.map_err(unchanged)?;
        if revoked {
            self.engine.keys().have_changed().await;
            info!(key = %key.0, "the operator has revoked a key");
        }
        Ok(revoked)
    }

    /// Gives a key other rates, which are in force here at once and on other nodes within a second. `false`: there is none, or it is revoked.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn set_key_rates(&self, key: KeyId, change: RatesChange) -> Result<bool, ClientError> {
        self.is_operator()?;
        let set = self.engine.store().set_key_rates(key, change).await;
        let set = set.map_err(unchanged)?;
        if set {
            self.engine.keys().have_changed().await;
            info!(key = %key.0, "the operator has given a key other rates");
        }
        Ok(set)
    }
}
