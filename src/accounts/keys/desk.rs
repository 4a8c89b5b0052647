//! Where an operator makes keys and revokes them, whether a server runs or not.

use jiff::Timestamp;
use thiserror::Error;
use uuid::Uuid;

use super::{KeyRecord, Token};
use crate::{
    accounts::{
        KeyId, Scopes,
        rates::{KeyRates, RatesChange},
    },
    clock::now_ms,
    queue::Owner,
    settings::Settings,
    store::{self, CredentialRecord, KeyDesk, StoreError},
};

/// Longest name of a key, in characters.
const LONGEST: usize = 100;

/// Keys could not be made, read or revoked. `Display` is for the operator.
#[derive(Debug, Error)]
pub enum DeskError {
    /// The store cannot be opened.
    #[error("{0}")]
    Store(String),
    /// The store does not do it.
    #[error("the keys cannot be read or changed: {0}")]
    Fault(String),
    /// No such name.
    #[error("a key needs a name of 1 to {LONGEST} characters that can be seen, and none that looks like an id")]
    Name,
    /// The name is taken.
    #[error("there is a key called {0} already. Revoke that first, or choose another name")]
    Taken(String),
    /// There is no such key.
    #[error("there is no key called {0} that is not revoked already. anteroom key list shows them")]
    Nobody(String),
}

/// A time of a key, as it is written in every language; `None`: it is so far away that it has no name.
#[must_use]
pub fn time_of(ms: u64) -> Option<String> {
    let time = Timestamp::from_millisecond(i64::try_from(ms).ok()?).ok()?;
    Some(time.strftime("%Y-%m-%d %H:%M UTC").to_string())
}

/// A time of a key, for whoever uses the command.
#[must_use]
pub fn written_time(ms: u64) -> String {
    time_of(ms).unwrap_or_else(|| "at no time that has a name".to_owned())
}

/// A key that has just been made.
#[derive(Debug)]
pub struct Made {
    /// As it is stored.
    pub key: KeyRecord,
    /// What its program has to send. It is kept nowhere.
    pub token: Token,
}

impl Made {
    /// A new key without rates of its own, which nobody has stored yet. It expires after so many milliseconds; `None`: never. `None` comes back where the name is none.
    #[must_use]
    pub fn new(name: &str, scopes: Scopes, lives: Option<u64>) -> Option<Self> {
        let name = name.trim();
        let seen = !name.is_empty() && name.chars().count() <= LONGEST && !name.chars().any(char::is_control);
        if !seen || Uuid::try_parse(name).is_ok() {
            return None;
        }
        let (id, now) = (KeyId(Uuid::new_v4()), now_ms());
        let token = Token::random(id);
        let key = KeyRecord {
            id,
            name: name.to_owned(),
            scopes,
            digest: token.digest(),
            created_at: now,
            expires_at: lives.map(|lives| now.saturating_add(lives)),
            revoked_at: None,
            rates: KeyRates::default(),
        };
        Some(Self { key, token })
    }
}

/// The store's keys. Servers that run know of what is done here within a second.
///
/// Dropped without [`Desk::close`], nothing is lost.
pub struct Desk(Box<dyn KeyDesk>);

impl std::fmt::Debug for Desk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Desk")
    }
}

impl Desk {
    /// Opens the store that the settings name.
    ///
    /// # Errors
    /// [`DeskError::Store`].
    pub async fn open(settings: &Settings) -> Result<Self, DeskError> {
        let opened = store::desk(settings).await;
        opened.map(Self).map_err(|error| DeskError::Store(error.to_string()))
    }

    /// Makes a key that expires after so many milliseconds; `None`: never.
    ///
    /// # Errors
    /// [`DeskError`]; there is no key then.
    pub async fn add(
        &mut self,
        name: &str,
        scopes: Scopes,
        lives: Option<u64>,
        rates: KeyRates,
    ) -> Result<Made, DeskError> {
        let mut made = Made::new(name, scopes, lives).ok_or(DeskError::Name)?;
        made.key.rates = rates;
        if self.0.add(made.key.clone()).await.map_err(|error| fault(&error))? {
            Ok(made)
        } else {
            Err(DeskError::Taken(made.key.name))
        }
    }

    /// All keys, in the order in which they were made.
    ///
    /// # Errors
    /// [`DeskError::Fault`].
    pub async fn list(&mut self) -> Result<Vec<KeyRecord>, DeskError> {
        self.0.keys().await.map_err(|error| fault(&error))
    }

    /// Revokes the key of this name or id.
    ///
    /// # Errors
    /// [`DeskError`].
    pub async fn revoke(&mut self, which: &str) -> Result<KeyRecord, DeskError> {
        let key = self.valid(which).await?;
        let revoked = self.0.revoke(key.id, now_ms()).await.map_err(|error| fault(&error))?;
        revoked.then_some(key).ok_or_else(|| nobody(which))
    }

    /// Gives the key of this name or id other rates. Returns it as it is then.
    ///
    /// # Errors
    /// [`DeskError`].
    pub async fn set_rates(&mut self, which: &str, change: RatesChange) -> Result<KeyRecord, DeskError> {
        let id = self.valid(which).await?.id;
        let set = self.0.set_rates(id, change).await.map_err(|error| fault(&error))?;
        let now = self.list().await?.into_iter().find(|key| set && key.id == id);
        now.ok_or_else(|| nobody(which))
    }

    /// The key of this name or id, unless it is revoked.
    pub(crate) async fn valid(&mut self, which: &str) -> Result<KeyRecord, DeskError> {
        let which = which.trim();
        let id = Uuid::try_parse(which).ok().map(KeyId);
        let keys = self.list().await?;
        let mut valid = keys.into_iter().filter(|key| key.revoked_at.is_none());
        let key = valid.find(|key| key.name == which || Some(key.id) == id);
        key.ok_or_else(|| nobody(which))
    }

    /// Keeps what an owner that is a key was given for a server of tools.
    pub(crate) async fn keep_credential(
        &mut self,
        owner: Owner,
        credential: CredentialRecord,
    ) -> Result<(), DeskError> {
        let kept = self.0.keep_credential(owner, credential).await;
        kept.map_err(|error| fault(&error))
    }

    /// Removes it. `false`: it was given nothing.
    pub(crate) async fn remove_credential(&mut self, owner: Owner, server: &str) -> Result<bool, DeskError> {
        let removed = self.0.remove_credential(owner, server).await;
        removed.map_err(|error| fault(&error))
    }

    /// Ends well.
    pub async fn close(self) {
        self.0.close().await;
    }
}

fn nobody(which: &str) -> DeskError {
    DeskError::Nobody(which.trim().to_owned())
}

fn fault(error: &StoreError) -> DeskError {
    DeskError::Fault(error.to_string())
}
