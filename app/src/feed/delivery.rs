//! A message's way to the server, and its way back out of the line.

use anteroom::wire::{ConversationId, Reason, SendRequest, TurnId, TurnState, TurnView, Versions};
use leptos::{prelude::*, task::spawn_local};
use uuid::Uuid;

use super::{Conversation, Delivery, Load, Store, Turn, loading};
use crate::{
    api,
    erase::Look as _,
    words::words,
    writing::outbox::{self, Unsent},
};

/// Shows a message that the server does not have.
pub(super) fn show(store: Store, conversation: &Conversation, id: TurnId, message: Unsent, delivery: Delivery) -> Turn {
    let view = TurnView {
        id,
        // Of a conversation that is about to begin, the server says the id.
        conversation: message.conversation.unwrap_or(ConversationId(Uuid::nil())),
        parent: conversation.last(),
        versions: Versions::default(),
        message: message.text,
        files: message.files,
        state: TurnState::Waiting,
        answer: String::new(),
        blocks: Vec::new(),
        thoughts: Vec::new(),
        thought_ms: None,
        good: None,
        steps: Vec::new(),
        notices: Vec::new(),
        model: untrack(|| store.chosen(conversation)),
        usage: None,
        accepted_at: message.at,
        started_at: None,
        ended_at: None,
    };
    let turn = conversation.put(view, delivery);
    if message.conversation.is_none() {
        conversation.choose(message.choice);
        store.unbegun.update(|unbegun| {
            if !unbegun.contains(conversation) {
                unbegun.push(conversation.clone());
            }
        });
    }
    turn
}

/// Hands a message to the server, for the first time or once more: its turn id makes sure that it counts once. `false`: the server could not
/// be reached.
pub(super) async fn transmit(store: Store, conversation: Conversation, turn: Turn) -> bool {
    let repeated = turn.delivery.peek(|delivery| *delivery != Delivery::Sending);
    turn.delivery.set(Delivery::Sending);
    let request = turn.view.peek(|view| SendRequest {
        turn: turn.id,
        conversation: conversation.id.get_untracked(),
        instead_of: None,
        text: view.message.clone(),
        files: view.files.iter().map(|file| file.id).collect(),
        // One that has begun has what is chosen for it.
        choice: conversation
            .id
            .peek(Option::is_none)
            .then(|| conversation.choice.get_untracked()),
    });
    let asked = store.statuses.get_value();
    store.sending.update_value(|sending| {
        sending.insert(turn.id, false);
    });
    store.mark_unsent();
    let answer = api::send(request).await;
    let cancelled = store.sending.try_update_value(|sending| sending.remove(&turn.id));
    let cancelled = cancelled.flatten() == Some(true);
    match answer {
        Ok(sent) => {
            // The wish may have reached the server before the message did, and found nothing to cancel.
            if cancelled {
                cancel(store, turn.id);
            }
            store.adopt(sent.turn, sent.conversation);
            if sent.behind {
                conversation.stands_behind(sent.turn);
                return true;
            }
            if let Some(place) = sent.place {
                store.join(&turn, place, asked);
            }
            turn.accept();
            // It may have been the server's for long, its events have passed then.
            if repeated {
                conversation.invalidate();
            }
            // What could not be fetched does not hear of its turns.
            if conversation.load.peek(|load| matches!(load, Load::Failed(_))) {
                loading::load(store, sent.conversation);
            }
            true
        }
        // The feed may have brought the turn although the answer was lost: then it is the server's.
        Err(_) if turn.is_accepted() => true,
        Err(error) => {
            // The model may have begun before the message could not be kept.
            turn.clear();
            let reached = !error.is_passing();
            let refused = match (reached, cancelled) {
                (true, _) => Some(error.reason),
                (false, true) => Some(Reason::CancelledUnsent),
                (false, false) => None,
            };
            outbox::change(turn.id, |unsent| {
                unsent.refused = refused.as_ref().map(|reason| words().reason(reason));
            });
            turn.delivery.set(Delivery::of(refused));
            store.mark_unsent();
            reached
        }
    }
}

/// Out of the line, or stopped. What becomes of the turn comes over the feed.
/// Of a message that is still on its way, the wish is kept until it has arrived.
pub(crate) fn cancel(store: Store, turn: TurnId) {
    cancel_or(store, turn, || {});
}

/// The same; `failed` is told where it came to nothing, and says so on the page.
pub(crate) fn cancel_or(store: Store, turn: TurnId, failed: impl FnOnce() + 'static) {
    let wish = move |wished| {
        store.sending.update_value(|sending| {
            if let Some(known) = sending.get_mut(&turn) {
                *known = wished;
            }
        });
    };
    wish(true);
    spawn_local(async move {
        match api::cancel(turn).await {
            Ok(true) => wish(false),
            Ok(false) => {}
            Err(error) => {
                store.notice.set(Some(error.reason));
                failed();
            }
        }
    });
}
