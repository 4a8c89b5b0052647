//! The keys of programs, as this process knows them: others make and revoke them, so it looks for that.

use std::{sync::Arc, time::Duration};

use tokio::time::sleep;
use tracing::{Instrument as _, debug, info, info_span, warn};
use uuid::Uuid;

use super::Engine;
use crate::{
    accounts::{Principal, Program, Scopes, keys::Keys, rates::Rates},
    queue::Owner,
    store::{KeysVersion, StoreError},
    wire::Usage,
};

/// Between two looks whether they have changed.
const LOOK: Duration = Duration::from_millis(500);

/// Looks for changes until the engine closes. A store that cannot be read leaves them as they are.
pub(super) fn spawn(engine: &Arc<Engine>, known: KeysVersion) {
    let reader = Arc::clone(engine);
    let work = async move {
        let mut known = known;
        loop {
            tokio::select! {
                () = reader.closing.cancelled() => return,
                () = reader.keys.changed() => {}
                () = sleep(LOOK) => {}
            }
            let changes = reader.keys.changes();
            match look(&reader, known).await {
                Ok(version) => {
                    known = version;
                    reader.keys.looked(changes);
                }
                Err(error) => debug!(%error, "whether the keys have changed cannot be found out"),
            }
        }
    };
    engine.tasks.spawn(work.instrument(info_span!("keys")));
}

async fn look(engine: &Engine, known: KeysVersion) -> Result<KeysVersion, StoreError> {
    // Before they are read: what changes in between is seen by the next look.
    let version = engine.store.keys_version().await?;
    if version == known {
        return Ok(known);
    }
    let revoked = engine.keys.set(engine.store.keys().await?);
    info!(
        made = version.made,
        revoked = version.revoked,
        changes = version.changes,
        "the keys have changed"
    );
    for key in revoked {
        let scopes = Scopes::NONE;
        let owner = Principal::program(Program { key, scopes }).owner();
        let ended = engine.conversations.cancel_all(owner);
        engine.programs.forget(owner);
        let tasks = engine.kept_tasks.clone();
        let ending = async move {
            if let Err(fault) = tasks.cancel_all(owner).await {
                warn!(%fault, "tasks of a key that is revoked could not all be ended");
            }
        };
        engine
            .tasks
            .spawn(ending.instrument(info_span!("tasks of a revoked key")));
        debug!(key = %key.0, ended, "a key is revoked; what it had in the line has left it");
    }
    // Who watches by a link of a program's looks whether its key still holds.
    engine.revocations.tell();
    Ok(version)
}

impl Engine {
    /// The keys of programs.
    #[must_use]
    pub fn keys(&self) -> &Keys {
        &self.keys
    }

    /// Who has used how much of late.
    #[must_use]
    pub fn rates(&self) -> &Rates {
        &self.rates
    }

    /// Counts what the answer to a request of this id has taken of tokens, where those have a limit. For whoever has it answered, at the end.
    pub fn charge(&self, request: (Uuid, Owner), usage: Usage) {
        self.rates.take_usage(request, &self.settings(), usage);
    }
}
