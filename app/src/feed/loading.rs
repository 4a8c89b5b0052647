//! Fetching what the feed does not bring: the overview and a conversation as they are now.

use std::time::Duration;

use anteroom::wire::{ConversationId, Reason};
use leptos::{prelude::*, task::spawn_local};

use super::{Conversation, Load, Store};
use crate::{api, erase::Look as _};

/// Pause after a fetch that failed.
const RETRY: Duration = Duration::from_secs(10);
/// Pause after the first fetch that did not get through, of which nothing is said: its connection may have ended with one of several servers,
/// or the page is just being left.
const ONCE_MORE: Duration = Duration::from_secs(1);
/// Pause after an answer of an epoch that the feed has not told of: it is about to.
const STRANGER: Duration = Duration::from_secs(2);

/// Fetches a conversation, unless it is here or on its way.
pub(crate) fn load(store: Store, id: ConversationId) {
    let conversation = store.conversation_or_stale(id);
    if matches!(conversation.load.get_untracked(), Load::Ready | Load::Loading) {
        return;
    }
    fetch(store, id, conversation, true);
}

/// `quietly`: if it does not get through, it is tried once more before anybody is told.
fn fetch(store: Store, id: ConversationId, conversation: Conversation, quietly: bool) {
    conversation.begin();
    spawn_local(async move {
        let anew = {
            let conversation = conversation.clone();
            move |quietly| {
                if conversation.load.peek(|load| *load == Load::Loading) {
                    fetch(store, id, conversation, quietly);
                }
            }
        };
        match api::conversation(id).await {
            Ok(view) => {
                if !store.fill(id, view) {
                    set_timeout(move || anew(quietly), STRANGER);
                }
            }
            Err(error) if quietly && error.is_passing() => set_timeout(move || anew(false), ONCE_MORE),
            Err(error) => {
                conversation.fail(error.reason);
                // The page that shows it fetches it once it is stale.
                let retry = move || {
                    if conversation.load.peek(|load| matches!(load, Load::Failed(_))) {
                        conversation.load.set(Load::Stale);
                    }
                };
                set_timeout(retry, RETRY);
            }
        }
    });
}

/// Fetches the turns before the first that is here, if there are any. `put` is called in place of putting them in: the page has
/// to keep its place.
pub(crate) fn load_earlier(conversation: Conversation, put: impl FnOnce(&dyn Fn()) + 'static) {
    let Some(first) = conversation.begin_earlier() else {
        return;
    };
    spawn_local(async move {
        match api::earlier(first).await {
            Ok(Some(page)) => put(&move || conversation.prepend(first, page.clone())),
            // It has been removed meanwhile; the feed says so.
            Ok(None) => conversation.fail_earlier(Reason::NothingMore),
            Err(error) => conversation.fail_earlier(error.reason),
        }
    });
}

/// Fetches more of the list of conversations, if there is more.
pub(crate) fn load_more(store: Store) {
    let Some(last) = store.conversations.begin_more() else {
        return;
    };
    spawn_local(async move {
        match api::conversations(Some(last)).await {
            Ok(page) => store.conversations.append(last, page),
            Err(error) => store.conversations.fail_more(error.reason),
        }
    });
}

/// Fetches the list of conversations and the facts again. The open conversation notices by itself that it is stale.
/// Tried until it succeeds or the feed begins again.
pub(crate) fn reload(store: Store) {
    ask(store, store.begin_reload(), true, None);
}

/// `quietly`: as for a conversation. `told`: the reason of the last failure, which goes once the reload has succeeded.
fn ask(store: Store, run: u64, quietly: bool, told: Option<Reason>) {
    if !store.ask_again(run) {
        return;
    }
    spawn_local(async move {
        let told = match api::overview().await.map(|overview| store.end_reload(run, overview)) {
            Ok(true) => {
                if told.is_some() && store.notice.peek(|notice| *notice == told) {
                    store.notice.set(None);
                }
                return;
            }
            Ok(false) => told,
            Err(error) if quietly && error.is_passing() => {
                return set_timeout(move || ask(store, run, false, None), ONCE_MORE);
            }
            // Said once: a person who has dismissed it is not told again.
            Err(error) => told.or_else(|| {
                let reason = error.reason;
                store.notice.set(Some(reason.clone()));
                Some(reason)
            }),
        };
        set_timeout(move || ask(store, run, false, told), RETRY);
    });
}
