//! Nobody asks servers for much at once: whoever does waits for what they have asked for before.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::accounts::Principal;

/// How much one owner may ask for at once.
const AT_ONCE: usize = 3;

type Gates = Arc<Mutex<HashMap<Option<u128>, Arc<Semaphore>>>>;

/// Who asks for something now.
#[derive(Debug, Default)]
pub(in crate::tools) struct Looks(Gates);

/// One of what an owner may ask for at once.
pub(super) struct Look {
    permit: Option<OwnedSemaphorePermit>,
    gates: Gates,
}

impl Looks {
    /// Waits for its turn among those of the same owner.
    pub(super) async fn begin(&self, owner: Option<&Principal>) -> Look {
        let owner = owner.map(|owner| owner.owner().0);
        let gate = {
            let mut gates = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let gate = gates.entry(owner);
            Arc::clone(gate.or_insert_with(|| Arc::new(Semaphore::new(AT_ONCE))))
        };
        Look {
            // Never closed.
            permit: gate.acquire_owned().await.ok(),
            gates: Arc::clone(&self.0),
        }
    }
}

impl Drop for Look {
    fn drop(&mut self) {
        drop(self.permit.take());
        let mut gates = self.gates.lock().unwrap_or_else(PoisonError::into_inner);
        // Those that nobody is at, nor waits for.
        gates.retain(|_, gate| Arc::strong_count(gate) > 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sessions::SessionId;

    #[tokio::test(start_paused = true)]
    async fn an_owner_waits_for_their_own_alone_and_nothing_is_left() {
        let looks = Looks::default();
        let [one, other] = [(); 2].map(|()| Principal::visitor(SessionId::random()));
        let mut held = Vec::new();
        for _ in 0..AT_ONCE {
            held.push(looks.begin(Some(&one)).await);
        }
        let waits = |owner| tokio::time::timeout(std::time::Duration::from_secs(60), looks.begin(owner));
        assert!(waits(Some(&one)).await.is_err());
        assert!(waits(Some(&other)).await.is_ok() && waits(None).await.is_ok());
        held.pop();
        assert!(waits(Some(&one)).await.is_ok());
        held.clear();
        assert!(looks.0.lock().expect("whole").is_empty());
    }
}
