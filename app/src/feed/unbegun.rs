//! Conversations that have not begun: the blank one of the start page, and those whose first message the server does not have yet.

use anteroom::wire::{ConversationId, TurnId};
use leptos::prelude::*;

use super::{Conversation, Load, Store};
use crate::erase::Look as _;

impl Store {
    /// The server has taken the first message of a conversation that had not begun: it has an id now.
    pub(crate) fn adopt(self, turn: TurnId, id: ConversationId) {
        let Some(begun) = self.unbegun_with(turn) else {
            return;
        };
        self.unbegun.update(|unbegun| unbegun.retain(|known| *known != begun));
        // It may be here already, if it was begun by an earlier try whose answer was lost.
        self.known.update_value(|known| {
            known.entry(id).or_insert_with(|| begun.clone());
        });
        begun.id.set(Some(id));
    }

    /// The conversation that has not begun and has this message.
    pub(super) fn unbegun_with(self, turn: TurnId) -> Option<Conversation> {
        let fresh = self.fresh.get_untracked();
        let others = self.unbegun.get_untracked().into_iter();
        let mut all = std::iter::once(fresh).chain(others);
        all.find(|one| one.id.peek(Option::is_none) && one.turn(turn).is_some())
    }

    /// Sets a blank conversation out. One whose first message is not sent yet is listed until it is.
    pub(crate) fn begin_another(self) {
        let blank = self.fresh.peek(|fresh| fresh.turns.peek(Vec::is_empty));
        if !blank {
            self.fresh.set(Conversation::new(None, Load::Ready));
        }
    }

    /// Sets a new fresh conversation out, if the last one has been begun.
    pub(crate) fn renew(self) {
        if self.fresh.peek(|fresh| fresh.id.peek(Option::is_some)) {
            self.fresh.set(Conversation::new(None, Load::Ready));
        }
    }

    /// Takes a message away that the server does not have.
    pub(super) fn drop_unsent(self, conversation: &Conversation, turn: TurnId) {
        conversation
            .turns
            .update(|turns| turns.retain(|known| known.id != turn));
        if conversation.turns.peek(Vec::is_empty) {
            self.unbegun
                .update(|unbegun| unbegun.retain(|known| known != conversation));
        }
    }
}
