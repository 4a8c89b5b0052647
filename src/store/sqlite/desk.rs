//! The keys of a data directory that a server uses: SQLite lets others write, and the server looks for what they have changed.

use std::path::Path;

use async_trait::async_trait;
use sqlx::{ConnectOptions as _, Connection as _, SqliteConnection};

use super::{
    OpenError,
    open::FILE,
    options::{self, Tuning},
    read,
    schema::{self, Migrated},
    told,
    write::{AddKey, KeepCredential, RemoveCredential, RevokeKey, SetKeyRates},
};
use crate::{
    accounts::{KeyId, rates::RatesChange},
    queue::Owner,
    store::{CredentialRecord, KeyDesk, KeyRecord, StoreError, job::Operation},
};

/// A connection of its own, beside a server's.
#[derive(Debug)]
pub(crate) struct SqliteDesk(SqliteConnection);

/// Opens the database that a server has open. It has been looked at and brought up to date by that one.
///
/// # Errors
/// [`OpenError`]: the server is of another version.
pub(crate) async fn desk(data_dir: &Path) -> Result<SqliteDesk, OpenError> {
    let file = data_dir.join(FILE);
    let options = options::writing(&file, Tuning::default());
    let connected = options.connect().await;
    let mut connection = connected.map_err(|error| OpenError::of_database(&error, &file))?;
    match schema::check(&mut connection, &file).await? {
        Migrated::Fully => Ok(SqliteDesk(connection)),
        Migrated::Never | Migrated::Partly => Err(OpenError::OfBefore { file }),
    }
}

impl SqliteDesk {
    /// What takes several statements is done whole, or not at all.
    async fn whole<O: Operation<Connection = SqliteConnection>>(
        &mut self,
        operation: O,
    ) -> Result<O::Output, StoreError> {
        let done = async {
            let mut transaction = self.0.begin().await?;
            let done = operation.run(&mut transaction).await?;
            transaction.commit().await?;
            Ok(done)
        };
        told(done.await)
    }
}

#[async_trait]
impl KeyDesk for SqliteDesk {
    async fn keys(&mut self) -> Result<Vec<KeyRecord>, StoreError> {
        told(read::keys::all(&mut self.0).await)
    }

    async fn add(&mut self, key: KeyRecord) -> Result<bool, StoreError> {
        told(AddKey(key).run(&mut self.0).await)
    }

    async fn revoke(&mut self, id: KeyId, now: u64) -> Result<bool, StoreError> {
        self.whole(RevokeKey { id, now }).await
    }

    async fn keep_credential(&mut self, owner: Owner, credential: CredentialRecord) -> Result<(), StoreError> {
        self.whole(KeepCredential { owner, credential }).await
    }

    async fn remove_credential(&mut self, owner: Owner, server: &str) -> Result<bool, StoreError> {
        let server = server.to_owned();
        told(RemoveCredential { owner, server }.run(&mut self.0).await)
    }

    async fn set_rates(&mut self, id: KeyId, change: RatesChange) -> Result<bool, StoreError> {
        told(SetKeyRates { id, change }.run(&mut self.0).await)
    }

    async fn close(self: Box<Self>) {
        // What was written is written.
        let _ = self.0.close().await;
    }
}
