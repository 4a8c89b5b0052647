//! Where an operator gives a program's key what servers of tools want of each, and removes it, whether a server runs or not. A key has no page of its
//! own; what it was given is kept as that of people is.

use std::collections::BTreeMap;

use thiserror::Error;

use super::{OwnFault, Seal, Values, sealed};
use crate::{
    accounts::{
        Principal, Program, Scopes,
        keys::{Desk, DeskError, KeyRecord},
    },
    clock::now_ms,
    queue::Owner,
    sessions::{CookieJar, CookieKey, KeyError},
    settings::{OwnInput, Secret, Settings, ToolServer},
    store::CredentialRecord,
};

/// What a key is given cannot be kept or removed. `Display` is for the operator.
#[derive(Debug, Error)]
pub enum ToolDeskError {
    /// The keys cannot be read or changed, or there is no such key.
    #[error(transparent)]
    Desk(#[from] DeskError),
    /// There is no such server, or it asks for nothing.
    #[error("MCP_FILE has no server called {0} that asks for something of each person's own")]
    NoServer(String),
    /// What is given is not what is asked for.
    #[error("{server} asks for {asked}, each on a line of its own, and not for {given} lines")]
    Count {
        /// The server.
        server: String,
        /// What it asks for.
        asked: String,
        /// How many lines there were.
        given: usize,
    },
    /// It cannot be sent.
    #[error("what was given is empty, too long, or has characters in it that a key cannot have")]
    Unfit,
    /// The site's own key is not there.
    #[error("it is encrypted with a key that is made of that of the site: {0}")]
    NoKey(#[from] KeyError),
    /// It cannot be encrypted.
    #[error("it could not be encrypted, so it was not kept")]
    NotSealed,
}

/// The owner that a key is.
fn owner_of(key: &KeyRecord) -> Owner {
    let scopes = Scopes::NONE;
    Principal::program(Program { key: key.id, scopes }).owner()
}

fn asking<'s>(settings: &'s Settings, server: &str) -> Result<&'s ToolServer, ToolDeskError> {
    let mut all = settings.tools.servers.iter();
    let found = all.find(|one| one.name == server && one.is_persons());
    found
        .map(|server| &**server)
        .ok_or_else(|| ToolDeskError::NoServer(server.to_owned()))
}

/// What a server asks for, in the order in which it is to be given.
///
/// # Errors
/// [`ToolDeskError::NoServer`].
pub fn asked_for(settings: &Settings, server: &str) -> Result<Vec<OwnInput>, ToolDeskError> {
    Ok(asking(settings, server)?.inputs().cloned().collect())
}

/// Keeps what a key, by its name or id, is given for a server, in place of what it was given before: a line for each input.
///
/// # Errors
/// [`ToolDeskError`]; nothing has changed then.
pub async fn give(
    desk: &mut Desk,
    settings: &Settings,
    which: &str,
    server: &str,
    lines: Vec<Secret>,
) -> Result<KeyRecord, ToolDeskError> {
    let server = asking(settings, server)?;
    let inputs: Vec<_> = server.inputs().map(|input| input.id.clone()).collect();
    if inputs.len() != lines.len() {
        return Err(ToolDeskError::Count {
            server: server.name.clone(),
            asked: inputs.join(", "),
            given: lines.len(),
        });
    }
    let key = desk.valid(which).await?;
    let (secret, data_dir) = (settings.secret_key.as_ref(), &settings.data_dir);
    // None is made here: that is the server's to do.
    let own = match settings.database_url {
        Some(_) => CookieKey::load_for_database(secret, data_dir),
        None => CookieKey::load_kept(secret, data_dir),
    };
    let seal = Seal::new(&CookieJar::new(own?, false).credentials_key());
    let values: Values = inputs.into_iter().zip(lines).collect::<BTreeMap<_, _>>();
    let sealed = sealed(&seal, owner_of(&key), server, &values).map_err(|fault| match fault {
        OwnFault::NoServer | OwnFault::Unfit => ToolDeskError::Unfit,
        OwnFault::NotSealed => ToolDeskError::NotSealed,
    })?;
    let record = CredentialRecord {
        server: server.name.clone(),
        sealed,
        given_at: now_ms(),
    };
    desk.keep_credential(owner_of(&key), record).await?;
    Ok(key)
}

/// Removes what a key was given for a server, which may have gone. `None`: it was given nothing.
///
/// # Errors
/// [`ToolDeskError::Desk`].
pub async fn remove(desk: &mut Desk, which: &str, server: &str) -> Result<Option<KeyRecord>, ToolDeskError> {
    let key = desk.valid(which).await?;
    let removed = desk.remove_credential(owner_of(&key), server).await?;
    Ok(removed.then_some(key))
}
