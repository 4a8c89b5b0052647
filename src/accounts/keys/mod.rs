//! The keys of programs: the store keeps them, a server knows them by heart.

mod desk;
mod token;

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use subtle::ConstantTimeEq as _;
use thiserror::Error;
use tokio::{
    sync::{Notify, watch},
    time::timeout,
};

pub use self::{
    desk::{Desk, DeskError, Made, time_of, written_time},
    token::Token,
};
use super::{KeyId, Program, rates::KeyRates};
pub use crate::store::KeyRecord;

/// How long whoever has changed them waits until that is known here: a store that cannot be read tells nothing.
const PATIENCE: Duration = Duration::from_secs(1);

/// A key does not let somebody in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum KeyFault {
    /// There is no such key.
    #[error("there is no such key")]
    Unknown,
    /// Its time is over.
    #[error("the key has expired")]
    Expired,
    /// It is revoked.
    #[error("the key is revoked")]
    Revoked,
}

type All = HashMap<KeyId, KeyRecord>;

/// All keys, as they were when they were last looked for.
#[derive(Debug)]
pub struct Keys {
    all: watch::Sender<Arc<All>>,
    /// When each was last used here, in milliseconds since the Unix epoch.
    used: Mutex<HashMap<KeyId, u64>>,
    changed: Notify,
    /// How many changes have been made from here.
    told: AtomicU64,
    /// How many of those had been made when the last look that is over began.
    looked: watch::Sender<u64>,
}

impl Default for Keys {
    fn default() -> Self {
        Self {
            all: watch::Sender::new(Arc::default()),
            used: Mutex::default(),
            changed: Notify::new(),
            told: AtomicU64::new(0),
            looked: watch::Sender::new(0),
        }
    }
}

impl Keys {
    fn used(&self) -> MutexGuard<'_, HashMap<KeyId, u64>> {
        self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A request with this key has come in at this time.
    pub fn note_use(&self, key: KeyId, now: u64) {
        self.used().insert(key, now);
    }

    /// When the last request with this key came in here; `None`: not since the start.
    #[must_use]
    pub fn used_at(&self, key: KeyId) -> Option<u64> {
        self.used().get(&key).copied()
    }

    /// How many let their programs in at this time.
    #[must_use]
    pub fn valid(&self, now: u64) -> usize {
        self.all.borrow().values().filter(|key| key.is_valid(now)).count()
    }

    /// They have just been changed from here. Returns once they are known as they are, so that a program with a new key is let in, and one with a
    /// revoked key is not, as soon as whoever has made or revoked it hears of that; where the store does not say, after a second.
    ///
    /// Cancel-safe: dropped before, they are looked for all the same.
    pub async fn have_changed(&self) {
        let change = self.told.fetch_add(1, Ordering::SeqCst) + 1;
        let mut looked = self.looked.subscribe();
        self.changed.notify_one();
        let _ = timeout(PATIENCE, looked.wait_for(|looked| *looked >= change)).await;
    }

    /// Over once they [have changed](Keys::have_changed), or were changed while nobody waited for it. Cancel-safe.
    pub(crate) async fn changed(&self) {
        self.changed.notified().await;
    }

    /// How many changes a look that begins now will see.
    pub(crate) fn changes(&self) -> u64 {
        self.told.load(Ordering::SeqCst)
    }

    /// A look that was begun after so many [changes](Keys::changes) is over.
    pub(crate) fn looked(&self, changes: u64) {
        self.looked.send_replace(changes);
    }

    /// Whether there is one, or was. Revoked and expired ones count: a site whose last key is revoked lets nobody in.
    #[must_use]
    pub fn any(&self) -> bool {
        !self.all.borrow().is_empty()
    }

    /// Whom this lets in at this time (milliseconds since the Unix epoch).
    ///
    /// Takes as long wherever what was sent differs; what is wrong with a key hears only who has it.
    ///
    /// # Errors
    /// [`KeyFault`].
    pub fn admit(&self, sent: &str, now: u64) -> Result<Program, KeyFault> {
        let token = Token::read(sent).ok_or(KeyFault::Unknown)?;
        let all = Arc::clone(&self.all.borrow());
        let (known, digest) = (all.get(&token.key()), token.digest());
        let kept = known.map_or("", |key| key.digest.as_str());
        let same = bool::from(kept.as_bytes().ct_eq(digest.as_bytes()));
        let key = known.filter(|_| same).ok_or(KeyFault::Unknown)?;
        if key.revoked_at.is_some() {
            return Err(KeyFault::Revoked);
        }
        if key.expires_at.is_some_and(|at| at <= now) {
            return Err(KeyFault::Expired);
        }
        Ok(Program {
            key: key.id,
            scopes: key.scopes,
        })
    }

    /// One of them.
    #[must_use]
    pub fn find(&self, key: KeyId) -> Option<KeyRecord> {
        self.all.borrow().get(&key).cloned()
    }

    /// The rates that are a key's own; none where it is not known.
    #[must_use]
    pub fn rates(&self, key: KeyId) -> KeyRates {
        self.all
            .borrow()
            .get(&key)
            .map_or_else(KeyRates::default, |key| key.rates)
    }

    /// Over once this key is revoked. One that is not known here yet has only just been made.
    pub fn revoked(&self, key: KeyId) -> impl Future<Output = ()> + Send + use<> {
        let mut all = self.all.subscribe();
        async move {
            let revoked = all.wait_for(|all| all.get(&key).is_some_and(|key| key.revoked_at.is_some()));
            if revoked.await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }

    /// These are all, from now on. Returns those that are revoked since the last time.
    pub(crate) fn set(&self, keys: Vec<KeyRecord>) -> Vec<KeyId> {
        let new: All = keys.into_iter().map(|key| (key.id, key)).collect();
        let old = Arc::clone(&self.all.borrow());
        let is_new = |key: &&KeyRecord| old.get(&key.id).is_some_and(|before| before.revoked_at.is_none());
        let revoked = new.values().filter(|key| key.revoked_at.is_some()).filter(is_new);
        let revoked = revoked.map(|key| key.id).collect();
        self.all.send_replace(Arc::new(new));
        revoked
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::accounts::{Scope, Scopes};

    fn made(scopes: Scopes) -> (Token, KeyRecord) {
        let id = KeyId(Uuid::new_v4());
        let token = Token::random(id);
        let key = KeyRecord {
            id,
            name: "bot".into(),
            scopes,
            digest: token.digest(),
            created_at: 0,
            expires_at: Some(1_000),
            revoked_at: None,
            rates: KeyRates::default(),
        };
        (token, key)
    }

    #[test]
    fn a_key_lets_its_program_in_until_it_expires_or_is_revoked() {
        let keys = Keys::default();
        assert!(!keys.any());
        let (token, key) = made(Scopes::NONE.with(Scope::Chat));
        assert_eq!(keys.admit(token.reveal(), 0), Err(KeyFault::Unknown));
        assert!(keys.set(vec![key.clone()]).is_empty());
        let (id, scopes) = (key.id, key.scopes);
        assert_eq!(keys.admit(token.reveal(), 999), Ok(Program { key: id, scopes }));
        assert_eq!(keys.admit(token.reveal(), 1_000), Err(KeyFault::Expired));
        let revoked = KeyRecord {
            revoked_at: Some(5),
            ..key
        };
        assert_eq!(keys.set(vec![revoked.clone()]), [id]);
        assert_eq!(keys.set(vec![revoked]), [], "it is old news");
        assert_eq!(keys.admit(token.reveal(), 0), Err(KeyFault::Revoked));
        assert!(keys.any());
    }

    #[test]
    fn who_does_not_have_the_secret_hears_nothing_of_the_key() {
        let keys = Keys::default();
        let (_, mut key) = made(Scopes::WORK);
        key.revoked_at = Some(5);
        let id = key.id;
        keys.set(vec![key]);
        let guessed = Token::random(id);
        assert_eq!(keys.admit(guessed.reveal(), 2_000), Err(KeyFault::Unknown));
        assert_eq!(keys.admit("nonsense", 2_000), Err(KeyFault::Unknown));
    }

    #[tokio::test]
    async fn whoever_is_at_work_hears_that_a_key_is_revoked() {
        let keys = Keys::default();
        let (_, key) = made(Scopes::WORK);
        let id = key.id;
        let waits = tokio::spawn(keys.revoked(id));
        keys.set(vec![key.clone()]);
        tokio::task::yield_now().await;
        assert!(!waits.is_finished());
        keys.set(vec![KeyRecord {
            revoked_at: Some(5),
            ..key
        }]);
        waits.await.expect("it hears of it");
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_has_changed_them_waits_for_a_look_that_began_later_but_not_for_ever() {
        let keys = Arc::new(Keys::default());
        let has_changed = |keys: &Arc<Keys>| {
            let keys = Arc::clone(keys);
            tokio::spawn(async move { keys.have_changed().await })
        };
        let before = keys.changes();
        let waits = has_changed(&keys);
        keys.changed().await;
        keys.looked(before);
        tokio::task::yield_now().await;
        assert!(!waits.is_finished(), "that look may have missed it");
        keys.looked(keys.changes());
        waits.await.expect("it is known");
        // The store says nothing.
        let began = tokio::time::Instant::now();
        has_changed(&keys).await.expect("it goes on");
        assert_eq!(began.elapsed(), PATIENCE);
    }

    #[test]
    fn what_a_key_is_given_of_rates_is_known_with_it() {
        let keys = Keys::default();
        let (_, key) = made(Scopes::WORK);
        let id = key.id;
        assert_eq!(keys.rates(id), KeyRates::default(), "it is not known yet");
        let rates = KeyRates {
            requests: "5".parse().ok(),
            tokens: None,
        };
        assert!(rates.requests.is_some());
        keys.set(vec![KeyRecord { rates, ..key }]);
        assert_eq!(keys.rates(id), rates);
    }

    #[test]
    fn those_that_let_somebody_in_are_counted_and_the_last_use_is_known() {
        let keys = Keys::default();
        let made = [(); 3].map(|()| made(Scopes::WORK).1);
        let [good, expired, mut revoked] = made;
        let id = good.id;
        revoked.revoked_at = Some(5);
        let expired = KeyRecord {
            expires_at: Some(10),
            ..expired
        };
        keys.set(vec![good, expired, revoked]);
        assert_eq!((keys.valid(9), keys.valid(10), keys.valid(1_000)), (2, 1, 0));
        assert_eq!(keys.used_at(id), None);
        keys.note_use(id, 7);
        keys.note_use(id, 8);
        assert_eq!(keys.used_at(id), Some(8));
    }
}
