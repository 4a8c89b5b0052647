//! The stored order of those who wait, kept true when it changes.

use tracing::warn;

use super::Turns;
use crate::{
    queue::OrderKey,
    sessions::{Session, SessionId},
    wire::TurnId,
};

impl Turns {
    /// Stores the new places of a session's waiting turns, after one of its tickets has left the line.
    pub(super) async fn moved_up(&self, session: &Session) {
        let tickets = session.tickets().into_iter();
        let keys =
            tickets.filter_map(|(ticket, _, turn)| Some((session.id(), turn?, self.parts.queue.order_key(ticket)?)));
        self.reorder(keys.collect()).await;
    }

    /// Stores the places of all waiting turns, after a retuning has dealt them anew.
    pub(crate) async fn store_order(&self) {
        let waiting = self.live.all_tickets().into_iter();
        let keys =
            waiting.filter_map(|(session, turn, ticket)| Some((session, turn, self.parts.queue.order_key(ticket)?)));
        self.reorder(keys.collect()).await;
    }

    pub(super) async fn reorder(&self, keys: Vec<(SessionId, TurnId, OrderKey)>) {
        if keys.is_empty() {
            return;
        }
        if let Err(error) = self.parts.store.reorder(keys).await {
            warn!(%error, "new places could not be stored; a restart would put them where they were");
        }
    }
}
