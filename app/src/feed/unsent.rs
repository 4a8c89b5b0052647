//! Messages that did not reach the server: shown where they belong, sent again by themselves, or taken back.

use std::{collections::HashMap, time::Duration};

use anteroom::wire::{Status, TurnId};
use leptos::{prelude::*, task::spawn_local};

use super::{Conversation, Delivery, Link, Load, Store, Turn, delivery};
use crate::{
    browser,
    erase::Look as _,
    writing::{drafts, outbox},
};

/// Pause before another try where the feed is there although the message did not get through.
const PAUSE: Duration = Duration::from_secs(10);
/// After so long, what another tab has written is not merely on its way.
const SETTLED: Duration = Duration::from_secs(1);

impl Store {
    /// The conversations in which there may be messages that the server does not have.
    fn written(self) -> Vec<Conversation> {
        let mut all: Vec<Conversation> = self.known.with_value(|known| known.values().cloned().collect());
        all.extend(self.unbegun.get_untracked());
        all
    }

    /// Every message that has not been sent, with its conversation, in no order.
    pub(super) fn unsent(self) -> Vec<(Conversation, Turn)> {
        let all = self.written().into_iter();
        all.flat_map(|one| one.unsent().into_iter().map(move |turn| (one.clone(), turn)))
            .collect()
    }

    /// Says which conversations have such a message.
    pub(super) fn mark_unsent(self) {
        let unsent = self.unsent().into_iter();
        let of: Vec<_> = unsent
            .filter_map(|(conversation, _)| conversation.id.get_untracked())
            .collect();
        if self.unsent_in.peek(|known| *known != of) {
            self.unsent_in.set(of);
        }
    }

    /// Whether nothing of this browser's waits, runs or is to be sent: then nobody is in a hurry.
    pub(super) fn is_idle(self) -> bool {
        let nothing = |status: &Status| status.places.is_empty() && status.running == 0;
        self.status.peek(nothing) && self.sending.with_value(HashMap::is_empty) && self.unsent().is_empty()
    }
}

/// Sends all that could not be sent, one after the other, in the order in which it was written. Ends where the server cannot be reached.
pub(crate) fn flush(store: Store) {
    if store.flushing.get_value() || next(store).is_none() {
        return;
    }
    store.flushing.set_value(true);
    spawn_local(async move {
        let mut reached = true;
        while reached && let Some((conversation, turn)) = next(store) {
            reached = delivery::transmit(store, conversation, turn).await;
        }
        store.flushing.set_value(false);
        if !reached {
            give_up(store);
        }
    });
}

/// The first written of those that go by themselves. In a conversation they go one after the other: none while another one is on its way,
/// and none behind one that was refused.
pub(super) fn next(store: Store) -> Option<(Conversation, Turn)> {
    let mut first: Option<(Conversation, Turn, u64)> = None;
    for conversation in store.written() {
        let Some(turn) = conversation.on_hand().into_iter().next() else {
            continue;
        };
        let goes = !turn.is_failed() && store.sending.with_value(|sending| !sending.contains_key(&turn.id));
        let written = turn.view.peek(|view| view.accepted_at);
        if goes && first.as_ref().is_none_or(|(_, _, earlier)| written < *earlier) {
            first = Some((conversation, turn, written));
        }
    }
    first.map(|(conversation, turn, _)| (conversation, turn))
}

/// The server cannot be reached: what was to go after a message that did not get through does not go either, for now.
pub(super) fn give_up(store: Store) {
    for turn in store.written().iter().flat_map(Conversation::on_hand) {
        let waits = store.sending.with_value(|sending| !sending.contains_key(&turn.id));
        if waits && turn.delivery.peek(|delivery| *delivery == Delivery::Sending) {
            turn.delivery.set(Delivery::Unsent);
        }
    }
    store.mark_unsent();
    try_later(store);
}

/// Tries once more in a while, where the feed does not have to come back first.
pub(super) fn try_later(store: Store) {
    let again = move || {
        if store.link.get_untracked() == Link::Live {
            flush(store);
        }
    };
    set_timeout(again, PAUSE);
}

/// Shows what this browser has kept, and follows what its other tabs do with it.
pub(crate) fn watch(store: Store) {
    restore(store, u64::MAX);
    drafts::list(store.drafted);
    let due = StoredValue::new(false);
    let changed = window_event_listener_untyped("storage", move |_| {
        drafts::look();
        look_later(store, due);
    });
    on_cleanup(move || changed.remove());
}

/// Looks in a while what other tabs have kept, unless that is `due` already.
fn look_later(store: Store, due: StoredValue<bool>) {
    if due.try_update_value(|due| std::mem::replace(due, true)) != Some(false) {
        return;
    }
    let look = move || {
        due.try_set_value(false);
        let settled = u64::try_from(SETTLED.as_millis()).unwrap_or(u64::MAX);
        let restored = restore(store, browser::now().saturating_sub(settled));
        if restored.has_come {
            try_later(store);
        }
        if restored.more {
            look_later(store, due);
        }
    };
    set_timeout(look, SETTLED);
}

/// What has become of what is kept.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Restored {
    /// Something of it is shown now that was not.
    pub(super) has_come: bool,
    /// There is more that was written later.
    pub(super) more: bool,
}

/// Makes what is shown as unsent the same as what is kept, but for what was written after this moment, in milliseconds since the Unix epoch:
/// another tab may be about to send it.
pub(super) fn restore(store: Store, until: u64) -> Restored {
    let kept = outbox::all();
    for (conversation, turn) in store.unsent() {
        match kept.iter().find(|(id, _)| *id == turn.id) {
            // Another tab has sent it, or its owner has taken it back there.
            None => store.drop_unsent(&conversation, turn.id),
            Some((_, unsent)) => {
                let known = Delivery::kept(unsent.refused.clone());
                if turn.delivery.peek(|delivery| *delivery != known) {
                    turn.delivery.set(known);
                }
            }
        }
    }
    let shown: Vec<TurnId> = store.unsent().iter().map(|(_, turn)| turn.id).collect();
    let mut restored = Restored {
        has_come: false,
        more: false,
    };
    for (id, unsent) in kept.into_iter().filter(|(id, _)| !shown.contains(id)) {
        let conversation = match unsent.conversation {
            Some(id) => store.conversation_or_stale(id),
            None => store
                .unbegun_with(id)
                .unwrap_or_else(|| Conversation::new(None, Load::Ready)),
        };
        let stands_behind = conversation.behind.peek(|behind| behind.iter().any(|one| one.id == id));
        match conversation.turn(id) {
            _ if stands_behind => outbox::remove(id),
            Some(turn) if turn.is_accepted() => outbox::remove(id),
            Some(_) => {}
            None if unsent.at > until => restored.more = true,
            None => {
                let delivery = Delivery::kept(unsent.refused.clone());
                delivery::show(store, &conversation, id, unsent, delivery);
                restored.has_come = true;
            }
        }
    }
    store.mark_unsent();
    restored
}

/// Takes a message back that never reached the server. What was held up by it may go.
pub(crate) fn discard(store: Store, conversation: &Conversation, turn: TurnId) {
    outbox::remove(turn);
    store.drop_unsent(conversation, turn);
    store.mark_unsent();
    if store.link.get_untracked() == Link::Live {
        flush(store);
    }
}

/// The same, and gives its words back to the composer. Returns whether that is the one of another page: a conversation that is gone
/// cannot be written in.
pub(crate) fn edit(store: Store, conversation: &Conversation, turn: &Turn) -> bool {
    let gone = conversation.load.peek(|load| *load == Load::Absent);
    let id = conversation.id.get_untracked().filter(|_| !gone);
    let (text, files) = turn.view.peek(|view| (view.message.clone(), view.files.clone()));
    drafts::give_back(id, text, files);
    discard(store, conversation, turn.id);
    store.redraft.notify();
    gone
}
