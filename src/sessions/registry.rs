//! Every session in memory, and who has to leave it.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{sync::Notify, time::Instant};

use super::{Session, SessionId};
use crate::journal::Journals;

/// How many sessions stay in memory, and for how long.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// One that has asked for nothing for this long, and has no page open, leaves.
    pub idle: Duration,
    /// The same for one with nothing in it: a browser that has only looked.
    pub blank: Duration,
    /// Beyond this many, the least recently used leave.
    pub max: usize,
}

/// The sessions in memory.
pub struct Sessions {
    all: Mutex<HashMap<SessionId, Arc<Session>>>,
    journals: Arc<dyn Journals>,
    max: AtomicUsize,
    crowded: Notify,
}

impl Sessions {
    /// None yet. Each gets its journal from `journals`.
    #[must_use]
    pub fn new(journals: Arc<dyn Journals>) -> Self {
        Self {
            all: Mutex::default(),
            journals,
            max: AtomicUsize::new(usize::MAX),
            crowded: Notify::new(),
        }
    }

    fn all(&self) -> MutexGuard<'_, HashMap<SessionId, Arc<Session>>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The session of this name, made if it is not in memory.
    pub fn open(&self, id: SessionId) -> Arc<Session> {
        let mut all = self.all();
        let session = Arc::clone(
            all.entry(id)
                .or_insert_with(|| Arc::new(Session::new(id, &*self.journals))),
        );
        let crowded = all.len() > self.max.load(Ordering::Relaxed);
        drop(all);
        session.presence().touch();
        if crowded {
            self.crowded.notify_one();
        }
        session
    }

    /// Lets a session leave memory whatever it is doing.
    pub fn dismiss(&self, id: SessionId) {
        let session = self.all().remove(&id);
        if let Some(session) = session {
            session.left().cancel();
        }
    }

    /// Beyond how many sessions [`Sessions::crowded`] wakes.
    pub fn set_max(&self, max: usize) {
        self.max.store(max, Ordering::Relaxed);
    }

    /// Waits until there are more sessions than there may be, so that somebody has to leave. Cancel-safe.
    pub async fn crowded(&self) {
        self.crowded.notified().await;
    }

    /// The session of this name, if it is in memory.
    #[must_use]
    pub fn find(&self, id: SessionId) -> Option<Arc<Session>> {
        self.all().get(&id).map(Arc::clone)
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.all().len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.all().is_empty()
    }

    /// How many have a page open.
    #[must_use]
    pub fn connected(&self) -> usize {
        self.all()
            .values()
            .filter(|session| session.presence().feeds() > 0)
            .count()
    }

    /// Lets those leave who have to, and returns their names. One with anything waiting or running stays, and so does one
    /// that somebody is using this very moment. What is stored of them stays stored.
    pub fn evict(&self, bounds: Bounds) -> Vec<SessionId> {
        let mut all = self.all();
        let now = Instant::now();
        let mut leaving: Vec<SessionId> = Vec::new();
        let mut rest: Vec<(usize, Instant, SessionId)> = Vec::new();
        for (&id, session) in all.iter() {
            // A handle beside the registry's means that something is going on with it; feeds hold one too.
            let feeds = session.presence().feeds();
            if session.is_busy() || Arc::strong_count(session) > 1 + feeds {
                continue;
            }
            let seen = session.presence().seen();
            let idle = if session.is_blank() { bounds.blank } else { bounds.idle };
            if feeds == 0 && now.duration_since(seen) >= idle {
                leaving.push(id);
            } else {
                rest.push((feeds.min(1), seen, id));
            }
        }
        let excess = (all.len() - leaving.len()).saturating_sub(bounds.max).min(rest.len());
        if excess > 0 {
            // Those with a page open come last: they would be back at once.
            rest.sort_unstable_by_key(|&(open, seen, _)| (open, seen));
            leaving.extend(rest[..excess].iter().map(|&(_, _, id)| id));
        }
        for id in &leaving {
            if let Some(session) = all.remove(id) {
                session.left().cancel();
            }
        }
        leaving
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        journal::MemoryJournals,
        wire::{ConversationId, FeedEvent},
    };

    const IDLE: Duration = Duration::from_secs(3600);

    fn sessions() -> Sessions {
        Sessions::new(Arc::new(MemoryJournals::default()))
    }

    fn bounds(max: usize) -> Bounds {
        Bounds {
            idle: IDLE,
            blank: IDLE,
            max,
        }
    }

    #[tokio::test(start_paused = true)]
    async fn idle_sessions_leave_and_busy_or_open_ones_stay() {
        let sessions = sessions();
        let [idle, busy, open] = [(); 3].map(|()| SessionId::random());
        sessions.open(idle);
        let claim = sessions.open(busy).claim(ConversationId::new());
        let page = sessions.open(open);
        let here = page.presence().enter();
        tokio::time::advance(IDLE).await;
        assert_eq!(sessions.evict(bounds(10)), [idle]);
        assert_eq!((sessions.len(), sessions.connected()), (2, 1));

        drop((here, claim));
        drop(page);
        assert_eq!(sessions.evict(bounds(10)), [], "both have just been used");
        tokio::time::advance(IDLE).await;
        assert_eq!(sessions.evict(bounds(10)).len(), 2);
        assert!(sessions.is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn blank_sessions_leave_soon() {
        let sessions = sessions();
        let [looked, wrote] = [(); 2].map(|()| SessionId::random());
        drop(sessions.open(looked).presence().enter());
        let id = ConversationId::new();
        let removed = FeedEvent::ConversationRemoved { id };
        sessions.open(wrote).journal().append(removed);
        let bounds = Bounds {
            blank: Duration::from_secs(10),
            ..bounds(10)
        };
        assert_eq!(sessions.evict(bounds), [], "it may be back in a moment");
        tokio::time::advance(bounds.blank).await;
        assert_eq!(sessions.evict(bounds), [looked]);
    }

    #[tokio::test(start_paused = true)]
    async fn beyond_the_bound_the_least_recently_used_leave() {
        let sessions = sessions();
        let ids: Vec<SessionId> = (0..5).map(|_| SessionId::random()).collect();
        for &id in &ids {
            sessions.open(id);
            tokio::time::advance(Duration::from_secs(1)).await;
        }
        let first = sessions.open(ids[0]);
        let left = first.left().clone();
        let claim = first.claim(ConversationId::new());
        drop(first);
        let second = sessions.find(ids[1]).expect("it is there");
        let gone = second.left().clone();
        drop(second);
        assert_eq!(sessions.evict(bounds(2)), [ids[1], ids[2], ids[3]]);
        assert!(
            gone.is_cancelled() && !left.is_cancelled(),
            "feeds of those that left are told"
        );
        drop(claim);
    }
}
