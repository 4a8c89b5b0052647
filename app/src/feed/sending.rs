//! What the person tells the server: a message, another version of it, again. Nothing typed is lost on the way.

use anteroom::wire::{FileView, Reason, SendRequest, TurnId};
use leptos::{prelude::*, task::spawn_local};
use uuid::Uuid;

use super::{Conversation, Delivery, Store, Turn, delivery, unsent};
use crate::{
    api, browser,
    erase::Look as _,
    writing::outbox::{self, Unsent},
};

/// Shows a message at once and hands it to the server. It is kept in the browser until the server has it.
pub(crate) fn send(store: Store, conversation: &Conversation, text: String, files: Vec<FileView>) {
    let turn = TurnId(Uuid::new_v4());
    let message = Unsent {
        conversation: conversation.id.get_untracked(),
        text,
        files,
        choice: conversation.choice.get_untracked(),
        at: browser::now(),
        refused: None,
    };
    outbox::put(turn, &message);
    // Behind one that has not got through it waits for that; while that is merely on its way, nobody need read that it does.
    let waits = !conversation.unsent().is_empty();
    let delivery = if waits { Delivery::Unsent } else { Delivery::Sending };
    let turn = delivery::show(store, conversation, turn, message, delivery);
    // Whatever keeps the page from its feed: this is worth a try at once.
    store.wake.notify();
    deliver(store, conversation, turn);
}

/// Hands a message to the server, after those of its conversation that were written before it, and tries again in a while where the server
/// cannot be reached.
pub(crate) fn deliver(store: Store, conversation: &Conversation, turn: Turn) {
    if conversation.on_hand().first().is_some_and(|first| first.id != turn.id) {
        return unsent::flush(store);
    }
    let conversation = conversation.clone();
    spawn_local(async move {
        match delivery::transmit(store, conversation, turn).await {
            true => unsent::flush(store),
            false => unsent::give_up(store),
        }
    });
}

/// Sends another version of a message, with its files. The turn comes over the feed; `done` is told what went wrong, if anything did.
pub(crate) fn edit(turn: &Turn, text: String, done: impl FnOnce(Option<Reason>) + 'static) {
    let request = turn.view.peek(|view| SendRequest {
        turn: TurnId(Uuid::new_v4()),
        conversation: Some(view.conversation),
        instead_of: Some(view.id),
        text,
        files: view.files.iter().map(|file| file.id).collect(),
        choice: None,
    });
    spawn_local(async move { done(api::send(request).await.err().map(|error| error.reason)) });
}

/// Answered once more.
pub(crate) fn again(store: Store, turn: TurnId) {
    spawn_local(async move {
        if let Err(error) = api::again(turn, TurnId(Uuid::new_v4())).await {
            store.notice.set(Some(error.reason));
        }
    });
}
