//! The stored order of those who wait, kept true when it changes.

use std::sync::Arc;

use tracing::{Instrument as _, Span, warn};

use super::Conversations;
use crate::{
    queue::OrderKey,
    sessions::{Session, SessionId},
    wire::TurnId,
};

/// Has the places of a session's turns stored when it is dropped: for a ticket of the session that may leave the line because
/// the future that holds it is dropped. To be made before that future, so that it goes after it.
pub(crate) struct MovesUp {
    turns: Conversations,
    session: Arc<Session>,
    left: bool,
}

impl MovesUp {
    /// The ticket has started: nobody moves up by that.
    pub(crate) fn started(mut self) {
        self.left = false;
    }
}

impl Drop for MovesUp {
    fn drop(&mut self) {
        if !self.left {
            return;
        }
        let (turns, keys) = (self.turns.clone(), self.turns.keys_of(&self.session));
        if !keys.is_empty() {
            let stored = async move { turns.reorder(keys).await };
            self.turns.tasks.spawn(stored.instrument(Span::current()));
        }
    }
}

impl Conversations {
    /// See [`MovesUp`].
    pub(crate) fn moves_up(&self, session: &Arc<Session>) -> MovesUp {
        MovesUp {
            turns: self.clone(),
            session: Arc::clone(session),
            left: true,
        }
    }

    /// Stores the new places of a session's waiting turns, after one of its tickets has left the line: of whatever event, for
    /// events may share a line.
    pub(crate) async fn moved_up(&self, session: &Session) {
        self.reorder(self.keys_of(session)).await;
    }

    fn keys_of(&self, session: &Session) -> Vec<(SessionId, TurnId, OrderKey)> {
        let tickets = session.tickets().into_iter();
        tickets
            .filter_map(|(ticket, _, turn)| Some((session.id(), turn?, self.deps.queue.order_key(ticket)?)))
            .collect()
    }

    /// Stores the places of all waiting turns, after a retuning has dealt them again.
    pub(crate) async fn store_order(&self) {
        let waiting = self.in_flight.all_tickets().into_iter();
        let keys =
            waiting.filter_map(|(session, turn, ticket)| Some((session, turn, self.deps.queue.order_key(ticket)?)));
        self.reorder(keys.collect()).await;
    }

    pub(super) async fn reorder(&self, keys: Vec<(SessionId, TurnId, OrderKey)>) {
        if keys.is_empty() {
            return;
        }
        if let Err(error) = self.deps.store.reorder(keys).await {
            warn!(%error, "new places could not be stored; a restart would put them where they were");
        }
    }
}
