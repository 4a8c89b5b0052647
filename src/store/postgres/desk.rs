//! The keys of a database that servers use, and what they have for servers of tools. Each is one statement, or one that may stand without the next:
//! that needs no lock and no row of a node.

use async_trait::async_trait;
use sqlx::{Connection as _, PgConnection};

use super::{
    OpenError, Opener, PostgresStore, Tuning, faults,
    link::Link,
    read, schema,
    write::{AddKey, KeepCredential, RemoveCredential, RevokeKey, SetKeyRates},
};
use crate::{
    accounts::{KeyId, rates::RatesChange},
    queue::Owner,
    settings::Secret,
    store::{CredentialRecord, KeyDesk, KeyRecord, Store as _, StoreError, job::Operation},
};

/// A connection of its own, beside those of servers.
#[derive(Debug)]
pub(crate) struct PostgresDesk(PgConnection);

/// Opens the database of this address, whether servers use it or not. One that is not up to date is brought up to date, unless a server uses it.
///
/// # Errors
/// [`OpenError`].
pub(crate) async fn desk(address: &Secret) -> Result<PostgresDesk, OpenError> {
    let opener = Opener::alone();
    let link = Link::new(address, opener.incarnation, Tuning::default())
        .map_err(|error| OpenError::Address(faults::said(&error)))?;
    let place = link.place();
    let of = |error: sqlx::Error| OpenError::of(&error, &place);
    let mut connection = link.bare().await.map_err(of)?;
    if !schema::is_up_to_date(&mut connection, &place).await? {
        PostgresStore::open(address, &opener).await?.close().await;
    }
    link.settle(&mut connection).await.map_err(of)?;
    Ok(PostgresDesk(connection))
}

#[async_trait]
impl KeyDesk for PostgresDesk {
    async fn keys(&mut self) -> Result<Vec<KeyRecord>, StoreError> {
        told(read::keys::all(&mut self.0).await)
    }

    async fn add(&mut self, key: KeyRecord) -> Result<bool, StoreError> {
        told(AddKey(key).run(&mut self.0).await)
    }

    async fn revoke(&mut self, id: KeyId, now: u64) -> Result<bool, StoreError> {
        told(RevokeKey { id, now }.run(&mut self.0).await)
    }

    async fn set_rates(&mut self, id: KeyId, change: RatesChange) -> Result<bool, StoreError> {
        told(SetKeyRates { id, change }.run(&mut self.0).await)
    }

    async fn keep_credential(&mut self, owner: Owner, credential: CredentialRecord) -> Result<(), StoreError> {
        // An owner that has nothing harms nothing.
        told(KeepCredential { owner, credential }.run(&mut self.0).await)
    }

    async fn remove_credential(&mut self, owner: Owner, server: &str) -> Result<bool, StoreError> {
        let server = server.to_owned();
        told(RemoveCredential { owner, server }.run(&mut self.0).await)
    }

    async fn close(self: Box<Self>) {
        // What was written is written.
        let _ = self.0.close().await;
    }
}

fn told<T>(outcome: sqlx::Result<T>) -> Result<T, StoreError> {
    outcome.map_err(|error| faults::meaning(&error))
}
