//! Which words stand in the composer: those of the conversation that is open, wherever somebody has been meanwhile.

use anteroom::wire::ConversationId;
use leptos::{html, prelude::*};

use crate::{
    browser,
    components::{anchors, attachments::Uploads},
    erase::{Look as _, effect},
    feed::{Conversation, Store},
    writing::drafts,
};

/// Puts each conversation's draft back as it is opened. Nothing is ever put in while somebody types in one that stays open.
/// `fit` is told when the text is another.
pub(super) fn keep(
    store: Store,
    conversation: Memo<Conversation>,
    area: NodeRef<html::Textarea>,
    uploads: Uploads,
    fit: impl Fn() + Copy + 'static,
) {
    let shown = StoredValue::new(None::<(Conversation, Option<ConversationId>)>);
    let put_back = move |of| {
        let Some(area) = area.get_untracked() else { return };
        let draft = drafts::read(of);
        area.set_value(&draft.text);
        // What is chosen for one that has begun, the server says; of one with messages that were not sent, they do.
        if let Some((conversation, None)) = shown.get_value()
            && conversation.turns.peek(Vec::is_empty)
        {
            conversation.choose(draft.choice);
        }
        uploads.show(of, draft.files);
        fit();
    };
    effect(move || {
        let Some(area) = area.get() else { return };
        let conversation = conversation.get();
        let of = conversation.id.get();
        let before = shown.try_update_value(|shown| shown.replace((conversation.clone(), of)));
        match before.flatten() {
            Some((known, was)) if known == conversation => {
                if let (None, Some(id)) = (was, of) {
                    drafts::begun(id, &area.value());
                    uploads.begun(id);
                }
            }
            Some(_) => put_back(of),
            None => {
                // What was typed before the page awoke, or kept over a reload by the browser itself, stays.
                let typed = area.value();
                if !typed.is_empty() {
                    drafts::set_text(of, &typed);
                }
                put_back(of);
            }
        }
    });
    let open = move || shown.with_value(|shown| shown.as_ref().and_then(|(_, of)| *of));
    // What another tab has written in the same conversation, or attached to it, is here, too; but nobody is disturbed who types.
    let follow = move || {
        let Some(area) = area.get_untracked() else { return };
        let (of, typed) = (open(), area.value());
        let draft = drafts::read(of);
        let typing = browser::is_typed_in(anchors::COMPOSER) || !drafts::keeps(&typed);
        if !typing && draft.text != typed {
            put_back(of);
        } else if uploads.taken() != draft.files {
            uploads.show(of, draft.files);
        }
    };
    effect(move || {
        let heard = window_event_listener_untyped("storage", move |_| follow());
        on_cleanup(move || heard.remove());
    });
    // A message that is not sent after all comes back into the composer.
    Effect::new(move |begun: Option<()>| {
        store.redraft.track();
        if begun.is_some() {
            put_back(open());
        }
    });
}
