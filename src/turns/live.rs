//! Turns that wait or run: how to end one, and how far its answer is.

use std::{
    collections::{HashMap, hash_map::Entry},
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
};

use tokio_util::sync::CancellationToken;

use crate::{queue::TicketId, sessions::SessionId, wire::TurnId};

/// One turn that waits or runs.
#[derive(Debug, Default)]
pub(super) struct Live {
    /// Set once it has joined the line.
    pub(super) ticket: OnceLock<TicketId>,
    pub(super) cancel: CancellationToken,
    /// Its answer so far, one entry a Markdown block.
    blocks: Mutex<Vec<String>>,
}

impl Live {
    /// Puts changed blocks in place. A block takes those after it along.
    pub(super) fn set_block(&self, index: usize, html: String) {
        let mut blocks = self.blocks();
        blocks.truncate(index);
        blocks.push(html);
    }

    pub(super) fn blocks(&self) -> MutexGuard<'_, Vec<String>> {
        self.blocks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Every turn that waits or runs. A turn's id is chosen by a browser, so it counts only together with its session.
#[derive(Debug, Default)]
pub(super) struct LiveTurns(Mutex<HashMap<(SessionId, TurnId), Arc<Live>>>);

impl LiveTurns {
    fn all(&self) -> MutexGuard<'_, HashMap<(SessionId, TurnId), Arc<Live>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn find(&self, session: SessionId, turn: TurnId) -> Option<Arc<Live>> {
        self.all().get(&(session, turn)).map(Arc::clone)
    }

    /// Lists a turn until the guard is dropped; `None` where it is listed already.
    pub(super) fn enter(self: &Arc<Self>, session: SessionId, turn: TurnId) -> Option<Entered> {
        let key = (session, turn);
        let mut all = self.all();
        let Entry::Vacant(vacant) = all.entry(key) else {
            return None;
        };
        let live = Arc::clone(vacant.insert(Arc::default()));
        drop(all);
        Some(Entered {
            turns: Arc::clone(self),
            key,
            live,
        })
    }

    /// Those of one session.
    pub(super) fn of(&self, session: SessionId) -> Vec<TurnId> {
        let all = self.all();
        all.keys()
            .filter(|(whose, _)| *whose == session)
            .map(|(_, turn)| *turn)
            .collect()
    }

    /// Those that have joined the line.
    pub(super) fn all_tickets(&self) -> Vec<(SessionId, TurnId, TicketId)> {
        let all = self.all();
        let joined = all
            .iter()
            .filter_map(|(&(session, turn), live)| Some((session, turn, *live.ticket.get()?)));
        joined.collect()
    }

    pub(super) fn len(&self) -> usize {
        self.all().len()
    }
}

/// A turn that is listed. Dropping it takes it off the list.
pub(super) struct Entered {
    turns: Arc<LiveTurns>,
    key: (SessionId, TurnId),
    pub(super) live: Arc<Live>,
}

impl Drop for Entered {
    fn drop(&mut self) {
        self.turns.all().remove(&self.key);
    }
}
