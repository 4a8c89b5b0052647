//! The stored order of those who wait, kept true when it changes.

use tracing::{Instrument as _, Span, warn};

use super::Conversations;
use crate::{
    queue::{OrderKey, Owner, TicketId},
    wire::TurnId,
};

/// Has the places of an owner's turns stored when it is dropped: for a ticket of the owner that may leave the line because
/// the future that holds it is dropped. To be made before that future, so that it goes after it.
pub(crate) struct MovesUp {
    turns: Conversations,
    owner: Owner,
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
        let (turns, keys) = (self.turns.clone(), self.turns.keys_of(self.owner));
        if !keys.is_empty() {
            let stored = async move { turns.reorder(keys).await };
            self.turns.tasks.spawn(stored.instrument(Span::current()));
        }
    }
}

impl Conversations {
    /// See [`MovesUp`].
    pub(crate) fn moves_up(&self, owner: Owner) -> MovesUp {
        MovesUp {
            turns: self.clone(),
            owner,
            left: true,
        }
    }

    /// Stores the new places of an owner's waiting turns, after one of its tickets has left the line: of whatever event, for
    /// events may share a line.
    pub(crate) async fn moved_up(&self, owner: Owner) {
        self.reorder(self.keys_of(owner)).await;
    }

    fn keys_of(&self, owner: Owner) -> Vec<(Owner, TurnId, OrderKey)> {
        self.keys(self.in_flight.tickets_of(owner))
    }

    /// Stores the places of all waiting turns, after a retuning has dealt them again.
    pub(crate) async fn store_order(&self) {
        self.reorder(self.keys(self.in_flight.all_tickets())).await;
    }

    /// Where these stand; those that wait no longer are left out.
    fn keys(&self, tickets: Vec<(Owner, TurnId, TicketId)>) -> Vec<(Owner, TurnId, OrderKey)> {
        let placed = tickets.into_iter();
        placed
            .filter_map(|(owner, turn, ticket)| Some((owner, turn, self.deps.queue.order_key(ticket)?)))
            .collect()
    }

    pub(super) async fn reorder(&self, keys: Vec<(Owner, TurnId, OrderKey)>) {
        // Where several processes keep the line, its log has the order, and what is stored with a turn is where it began.
        if keys.is_empty() || self.deps.queue.is_common() {
            return;
        }
        if let Err(error) = self.deps.store.reorder(keys).await {
            warn!(%error, "new places could not be stored; a restart would put them where they were");
        }
    }
}
