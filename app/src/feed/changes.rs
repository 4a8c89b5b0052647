//! What the person does with conversations. What becomes of it comes over the feed, to every tab.

use std::time::Duration;

use anteroom::wire::{ConversationId, ConversationSummary, TurnId, is_blank};
use leptos::{prelude::*, task::spawn_local};

use super::Store;
use crate::{api, erase::Look as _, fault::Fault, writing};

/// How long the page offers to bring a deleted conversation back. The server keeps it for longer.
const UNDO: Duration = Duration::from_secs(10);

/// A conversation that was just deleted here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Deleted {
    pub(crate) id: ConversationId,
    pub(crate) title: String,
    /// Whether it was the one that is open.
    pub(crate) was_open: bool,
}

/// Runs a change, and tells if it could not be made.
fn change(store: Store, change: impl Future<Output = Result<(), Fault>> + 'static) {
    spawn_local(async move {
        if let Err(error) = change.await {
            store.notice.set(Some(error.reason));
        }
    });
}

/// Gives a conversation another title. A blank one changes nothing.
pub(crate) fn rename(store: Store, id: ConversationId, title: String) {
    if !is_blank(&title) {
        change(store, api::rename(id, title));
    }
}

/// Deletes a conversation, and offers to bring it back.
pub(crate) fn delete(store: Store, summary: ConversationSummary, was_open: bool) {
    let ConversationSummary { id, title, .. } = summary;
    spawn_local(async move {
        match api::delete(id).await {
            Ok(()) => {
                store.deleted.set(Some(Deleted { id, title, was_open }));
                let over = move || {
                    let same = store
                        .deleted
                        .peek(|last| last.as_ref().is_some_and(|last| last.id == id));
                    if same {
                        store.deleted.set(None);
                    }
                };
                set_timeout(over, UNDO);
            }
            Err(error) => store.notice.set(Some(error.reason)),
        }
    });
}

/// Brings the conversation back that was deleted last; `done` is called once it is there.
pub(crate) fn undelete(store: Store, done: impl FnOnce(Deleted) + 'static) {
    let Some(deleted) = store.deleted.get_untracked() else {
        return;
    };
    store.deleted.set(None);
    change(store, async move {
        api::undelete(deleted.id).await?;
        done(deleted);
        Ok(())
    });
}

/// Shows another version of a turn.
pub(crate) fn version(store: Store, turn: TurnId) {
    change(store, api::version(turn));
}

/// Deletes everything of this browser; `done` is called once nothing is left.
pub(crate) fn forget(store: Store, done: impl FnOnce() + 'static) {
    let confirmation = store.facts.peek(|facts| facts.confirmation.clone());
    change(store, async move {
        api::forget(confirmation).await?;
        // Somebody else may be next at this browser.
        writing::forget();
        done();
        Ok(())
    });
}
