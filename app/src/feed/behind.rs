//! Messages that stand behind another one of their conversation: the server has them, and they begin one after the other.

use anteroom::wire::{ConversationId, FollowUp, Reason, TurnId};
use leptos::{prelude::*, task::spawn_local};

use super::{Conversation, Store};
use crate::{
    api,
    erase::Look as _,
    writing::{drafts, outbox},
};

impl Conversation {
    /// This is what stands behind now. What of it was on its way has arrived; what is a turn already stands there no more.
    pub(crate) fn set_behind(&self, mut follow_ups: Vec<FollowUp>) {
        follow_ups.retain(|one| match self.turn(one.id) {
            Some(turn) if turn.is_accepted() => false,
            Some(turn) => {
                self.arrived(turn.id);
                true
            }
            None => true,
        });
        if self.behind.peek(|known| *known != follow_ups) {
            self.behind.set(follow_ups);
        }
    }

    /// The server has said that a message stands behind now. Whatever the feed has said of it since is newer.
    pub(super) fn stands_behind(&self, turn: TurnId) {
        let Some(sent) = self.turn(turn).filter(|turn| !turn.is_accepted()) else {
            return;
        };
        let follow_up = sent.view.peek(|view| FollowUp {
            id: turn,
            message: view.message.clone(),
            files: view.files.clone(),
            at: view.accepted_at,
            held: None,
        });
        self.arrived(turn);
        self.behind.update(|behind| behind.push(follow_up));
    }

    /// One of them has become a turn.
    pub(super) fn has_begun(&self, turn: TurnId) {
        if self.behind.peek(|behind| behind.iter().any(|one| one.id == turn)) {
            self.behind.update(|behind| behind.retain(|one| one.id != turn));
        }
    }

    /// It is no message of this browser alone any more.
    fn arrived(&self, turn: TurnId) {
        outbox::remove(turn);
        self.turns.update(|turns| turns.retain(|known| known.id != turn));
    }
}

/// Puts a message that has not begun in other words. `done` is told what went wrong, if anything did.
pub(crate) fn reword(turn: TurnId, text: String, done: impl FnOnce(Option<Reason>) + 'static) {
    spawn_local(async move { done(api::reword(turn, text).await.err().map(|error| error.reason)) });
}

/// Takes a message back that stands behind another one: its words are in the composer again.
pub(crate) fn withdraw(store: Store, conversation: Option<ConversationId>, follow_up: FollowUp) {
    spawn_local(async move {
        match api::withdraw(follow_up.id).await {
            Ok(true) => {
                drafts::give_back(conversation, follow_up.message, follow_up.files);
                store.redraft.notify();
            }
            Ok(false) => store.notice.set(Some(Reason::MessageBegun)),
            Err(error) => store.notice.set(Some(error.reason)),
        }
    });
}

/// Puts words that lead nowhere any more into the composer.
pub(crate) fn keep(store: Store, conversation: Option<ConversationId>, text: String) {
    drafts::give_back(conversation, text, Vec::new());
    store.redraft.notify();
}

/// Lets those go that are held.
pub(crate) fn release(store: Store, conversation: ConversationId) {
    spawn_local(async move {
        if let Err(error) = api::release(conversation).await {
            store.notice.set(Some(error.reason));
        }
    });
}
