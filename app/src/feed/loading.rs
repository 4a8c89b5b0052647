//! Fetching what the feed does not bring: the house and a conversation as they are now.

use anteroom::wire::ConversationId;
use leptos::{prelude::*, task::spawn_local};

use super::{Load, Store};
use crate::{api, format};

/// Fetches a conversation, unless it is here or on its way.
pub(crate) fn load(store: Store, id: ConversationId) {
    let conversation = store.conversation_or_stale(id);
    if matches!(conversation.load.get_untracked(), Load::Ready | Load::Loading) {
        return;
    }
    conversation.load.set(Load::Loading);
    spawn_local(async move {
        match api::conversation(id).await {
            Ok(view) => store.fill(id, view),
            Err(error) => conversation.load.set(Load::Failed(format::fault(&error))),
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
