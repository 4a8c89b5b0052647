//! Fetching what the feed does not bring: the house and a conversation as they are now.

use std::time::Duration;

use anteroom::wire::ConversationId;
use leptos::{prelude::*, task::spawn_local};

use super::{Conversation, Load, Store};
use crate::{api, format};

/// Pause after a fetch that failed.
const RETRY: Duration = Duration::from_secs(10);
/// Pause after an answer of an epoch that the feed has not told of: it is about to.
const STRANGER: Duration = Duration::from_secs(2);

/// Fetches a conversation, unless it is here or on its way.
pub(crate) fn load(store: Store, id: ConversationId) {
    let conversation = store.conversation_or_stale(id);
    if matches!(conversation.load.get_untracked(), Load::Ready | Load::Loading) {
        return;
    }
    fetch(store, id, conversation);
}

fn fetch(store: Store, id: ConversationId, conversation: Conversation) {
    conversation.begin();
    spawn_local(async move {
        match api::conversation(id).await {
            Ok(view) => {
                if !store.fill(id, view) {
                    let anew = move || {
                        if conversation.load.with_untracked(|load| *load == Load::Loading) {
                            fetch(store, id, conversation);
                        }
                    };
                    set_timeout(anew, STRANGER);
                }
            }
            Err(error) => {
                conversation.fail(format::fault(&error));
                // Whoever shows it fetches it once it is stale.
                let retry = move || {
                    if conversation.load.with_untracked(|load| matches!(load, Load::Failed(_))) {
                        conversation.load.set(Load::Stale);
                    }
                };
                set_timeout(retry, RETRY);
            }
        }
    });
}

/// Fetches the list of conversations and the facts anew. The open conversation notices by itself that it is stale.
pub(crate) fn reload(store: Store) {
    spawn_local(async move {
        match api::house().await {
            Ok(house) => store.refurnish(house),
            Err(error) => store.notice.set(Some(format::fault(&error))),
        }
    });
}
