//! What somebody gives of their own for servers of tools. It can be given, replaced and removed, and is told to nobody again.

use std::collections::BTreeMap;

use super::{Client, ClientError, unchanged, unreadable};
use crate::{
    credentials::{OwnFault, OwnServer},
    settings::Secret,
};

impl Client {
    /// The servers that ask them for something, and those for which they have given it.
    ///
    /// # Errors
    /// [`ClientError::Unreadable`].
    pub async fn own_servers(&self) -> Result<Vec<OwnServer>, ClientError> {
        let overview = self.engine.credentials().overview(self.owner());
        overview.await.map_err(unreadable)
    }

    /// Keeps what they give for a server, by the names of its inputs, in place of what they gave before. Else why not: then nothing has changed.
    ///
    /// # Errors
    /// [`ClientError::Unchanged`].
    pub async fn give_own(
        &self,
        server: &str,
        values: &BTreeMap<String, Secret>,
    ) -> Result<Result<(), OwnFault>, ClientError> {
        let given = self.engine.credentials().give(self.owner(), server, values).await;
        given.map_err(unchanged)
    }

    /// Removes what they have given for a server. Its connection closes after its last call. `false`: they had given nothing.
    ///
    /// # Errors
    /// [`ClientError::Unchanged`].
    pub async fn remove_own(&self, server: &str) -> Result<bool, ClientError> {
        let removed = self.engine.credentials().remove(self.owner(), server).await;
        removed.map_err(unchanged)
    }
}
