//! One session: its journal, its agent, what it has in the line.

use std::{
    collections::{BTreeMap, HashMap, HashSet, hash_map::Entry},
    pin::pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::{
    Answer, Presence, SessionId, View,
    told::{Tellers, Told},
};
use crate::{
    agents::{Agent, AgentFactory},
    journal::{Journal, Journals},
    queue::TicketId,
    wire::{ConversationId, Event, Reason, RefreshKind, Shelf, TurnId},
};

/// One browser's session.
pub struct Session {
    id: SessionId,
    journal: Arc<dyn Journal>,
    presence: Presence,
    left: CancellationToken,
    tellers: Tellers,
    /// A conversation has been given back.
    freed: Notify,
    held: Mutex<Held>,
}

/// A conversation with a turn that waits or runs.
#[derive(Default)]
struct Busy {
    /// What has become of its line in the list meanwhile.
    relisted: Relisted,
    /// Whether the turn's outcome is being stored, or is.
    ends: bool,
}

#[derive(Default)]
struct Held {
    agent: Option<Arc<dyn Agent>>,
    busy: HashMap<ConversationId, Busy>,
    /// Conversations that were deleted while something of them was on its way.
    removed: HashSet<ConversationId>,
    /// Refreshes that wait or run.
    refreshing: HashSet<RefreshKind>,
    tickets: BTreeMap<TicketId, (Event, Option<TurnId>)>,
}

/// What has become of a conversation's line in the list while its turn was on its way; `None`: nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Relisted {
    /// The title that it was given.
    pub title: Option<String>,
    /// Where it was put.
    pub shelf: Option<Shelf>,
}

/// Somebody follows this session: for as long as this lives, its browser counts as there.
pub struct Attending(Arc<Session>);

impl Attending {
    /// From now on.
    #[must_use]
    pub fn new(session: Arc<Session>) -> Self {
        session.presence.come();
        Self(session)
    }

    /// Whose it is.
    #[must_use]
    pub fn session(&self) -> &Session {
        &self.0
    }
}

impl Drop for Attending {
    fn drop(&mut self) {
        self.0.presence.go();
    }
}

impl Session {
    pub(super) fn new(id: SessionId, journals: &dyn Journals) -> Self {
        Self {
            id,
            journal: journals.journal_of(id.0),
            presence: Presence::new(),
            left: CancellationToken::new(),
            tellers: Tellers::default(),
            freed: Notify::new(),
            held: Mutex::default(),
        }
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Its name.
    #[must_use]
    pub const fn id(&self) -> SessionId {
        self.id
    }

    /// What its feed is read from.
    #[must_use]
    pub fn journal(&self) -> &dyn Journal {
        &*self.journal
    }

    /// Whether its browser is there.
    #[must_use]
    pub const fn presence(&self) -> &Presence {
        &self.presence
    }

    /// Cancelled once this session has left memory: its feeds close, and the browser begins a new one.
    #[must_use]
    pub const fn left(&self) -> &CancellationToken {
        &self.left
    }

    /// Tells every open feed of this session what came of a refresh. Where there is none, the next one hears that it has to be
    /// asked for again.
    pub fn tell(&self, refresh: RefreshKind, outcome: Result<View, Reason>) {
        self.tellers.tell(Answer::new(refresh, outcome));
    }

    /// What one feed is told of refreshes from now on, and what was missed before.
    #[must_use]
    pub fn told(&self) -> Told<'_> {
        self.tellers.follow()
    }

    /// Its agent, made by `factory` if it has none yet.
    pub fn agent(&self, factory: &dyn AgentFactory) -> Arc<dyn Agent> {
        Arc::clone(self.held().agent.get_or_insert_with(|| factory.agent()))
    }

    /// Whether nothing would be lost without it: its feed has told nothing, and it has no agent.
    #[must_use]
    pub fn is_blank(&self) -> bool {
        let held = self.held();
        held.agent.is_none() && held.removed.is_empty() && self.journal.position().number == 0
    }

    /// Whether anything of it waits or runs.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        let held = self.held();
        !held.busy.is_empty() || !held.tickets.is_empty() || !held.refreshing.is_empty()
    }

    /// How many of its conversations have a turn that waits or runs.
    #[must_use]
    pub fn busy_conversations(&self) -> usize {
        self.held().busy.len()
    }

    /// Whether a turn of this conversation waits or runs.
    #[must_use]
    pub fn is_conversation_busy(&self, conversation: ConversationId) -> bool {
        self.held().busy.contains_key(&conversation)
    }

    /// Notes that a conversation has been renamed, for the turn that it has on its way, if it has.
    pub fn renamed(&self, conversation: ConversationId, title: &str) {
        if let Some(known) = self.held().busy.get_mut(&conversation) {
            known.relisted.title = Some(title.to_owned());
        }
    }

    /// The same of one that has been put elsewhere in the list.
    pub fn shelved(&self, conversation: ConversationId, shelf: Shelf) {
        if let Some(known) = self.held().busy.get_mut(&conversation) {
            known.relisted.shelf = Some(shelf);
        }
    }

    /// What has become of a conversation's line in the list since its turn was claimed.
    #[must_use]
    pub fn relisted(&self, conversation: ConversationId) -> Relisted {
        self.held()
            .busy
            .get(&conversation)
            .map(|busy| busy.relisted.clone())
            .unwrap_or_default()
    }

    /// Notes that a conversation has been deleted, or brought back.
    pub fn set_removed(&self, conversation: ConversationId, removed: bool) {
        let mut held = self.held();
        if removed {
            held.removed.insert(conversation);
        } else {
            held.removed.remove(&conversation);
        }
    }

    /// Whether a conversation has been deleted since this session came into memory.
    #[must_use]
    pub fn is_removed(&self, conversation: ConversationId) -> bool {
        self.held().removed.contains(&conversation)
    }

    /// Takes the conversation for one turn; `None` while another has it.
    pub fn claim(self: &Arc<Self>, conversation: ConversationId) -> Option<Claim> {
        let mut held = self.held();
        let Entry::Vacant(free) = held.busy.entry(conversation) else {
            return None;
        };
        free.insert(Busy::default());
        drop(held);
        Some(Claim(Arc::clone(self), Claimed::Conversation(conversation)))
    }

    /// Takes the conversation for one turn; `None` while another has it. One whose outcome is being stored has it for a moment yet: who has
    /// seen that outcome may send in that moment, and is waited with.
    ///
    /// Nothing is taken where the future is dropped.
    pub async fn claim_or_wait(self: &Arc<Self>, conversation: ConversationId) -> Option<Claim> {
        loop {
            let mut freed = pin!(self.freed.notified());
            // Before looking: what is given back in between is heard of.
            freed.as_mut().enable();
            if let Some(claim) = self.claim(conversation) {
                return Some(claim);
            }
            if self.held().busy.get(&conversation).is_some_and(|busy| !busy.ends) {
                return None;
            }
            freed.await;
        }
    }

    /// Takes the refresh of one tab; `None` while one is under way.
    pub fn claim_refresh(self: &Arc<Self>, kind: RefreshKind) -> Option<Claim> {
        self.held()
            .refreshing
            .insert(kind)
            .then(|| Claim(Arc::clone(self), Claimed::Refresh(kind)))
    }

    /// Lists a ticket as this session's until the guard is dropped. Its feeds look at once where it stands.
    pub(super) fn register(self: &Arc<Self>, ticket: TicketId, event: Event, turn: Option<TurnId>) -> Registered {
        self.held().tickets.insert(ticket, (event, turn));
        self.journal.wake();
        Registered(Arc::clone(self), ticket)
    }

    /// The tickets that are this session's, waiting or just admitted.
    #[must_use]
    pub fn tickets(&self) -> Vec<(TicketId, Event, Option<TurnId>)> {
        self.held()
            .tickets
            .iter()
            .map(|(&ticket, &(event, turn))| (ticket, event, turn))
            .collect()
    }
}

/// A conversation or a refresh that is taken. Dropping it gives it back.
#[must_use]
pub struct Claim(Arc<Session>, Claimed);

enum Claimed {
    Conversation(ConversationId),
    Refresh(RefreshKind),
}

impl Claim {
    /// What it was taken for is as good as over.
    pub fn ends(&self) {
        if let Claimed::Conversation(id) = self.1
            && let Some(busy) = self.0.held().busy.get_mut(&id)
        {
            busy.ends = true;
        }
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        let mut held = self.0.held();
        match self.1 {
            Claimed::Conversation(id) => drop(held.busy.remove(&id)),
            Claimed::Refresh(kind) => drop(held.refreshing.remove(&kind)),
        }
        drop(held);
        self.0.freed.notify_waiters();
        self.0.presence.touch();
    }
}

/// A ticket that is listed. Dropping it takes it off the list.
#[must_use]
pub(super) struct Registered(Arc<Session>, TicketId);

impl Drop for Registered {
    fn drop(&mut self) {
        self.0.held().tickets.remove(&self.1);
        self.0.journal.wake();
    }
}
