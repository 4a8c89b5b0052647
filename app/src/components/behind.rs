//! What stands behind the turns of a conversation: messages that begin one after the other, or are held until somebody says so.

use anteroom::{say, text, wire::FollowUp};
use leptos::prelude::*;

use super::{
    anchors,
    button::button,
    icon,
    message::{Editor, Files, Typed},
};
use crate::{
    browser,
    erase::{Erase as _, Look as _, choose, each, effect, live, memo, when},
    feed::{Conversation, Store, behind},
    focus,
    words::words,
};

/// Those of the open conversation.
#[component]
pub(crate) fn Behind(conversation: Memo<Conversation>) -> impl IntoView {
    let store = expect_context::<Store>();
    let words = words();
    let all = memo(move || conversation.look(|conversation| conversation.behind.get()));
    let held = memo(move || all.look(|all| all.iter().find_map(|one| one.held.clone())));
    let notice = move || {
        let release = move || {
            if let Some(id) = conversation.peek(|conversation| conversation.id.get_untracked()) {
                behind::release(store, id);
            }
            browser::focus(anchors::COMPOSER);
        };
        let why = move || held.look(|held| held.as_ref().map(|reason| words.reason(reason)));
        view! {
            <div class="unsent" role="status" data-testid="behind-held">
                <p>{live(why)}</p>
                <div class="actions">
                    {button("button needs-awake", "behind-release", icon::SEND, text!(words, "behind-release")).press(release)}
                </div>
            </div>
        }
        .erase()
    };
    let row = move |follow_up: FollowUp| view! { <Row conversation all follow_up /> }.erase();
    let list = move || {
        view! {
            <section class="behind" aria-label=text!(words, "behind")>
                {when(move || held.look(Option::is_some), notice)}
                <ol class="behind-list">{each(move || all.get(), |one| one.id.to_string(), row)}</ol>
            </section>
        }
        .erase()
    };
    when(move || all.look(|all| !all.is_empty()), list)
}

/// One of them.
#[component]
fn Row(conversation: Memo<Conversation>, all: Memo<Vec<FollowUp>>, follow_up: FollowUp) -> impl IntoView {
    let store = expect_context::<Store>();
    let words = words();
    let id = follow_up.id;
    let editing = RwSignal::new(false);
    let files = follow_up.files.clone();
    let this = memo(move || {
        let known = all.look(|all| all.iter().find(|one| one.id == id).cloned());
        known.unwrap_or_else(|| follow_up.clone())
    });
    let message = move || this.look(|this| this.message.clone());
    let text = move || view! { <p class="message-text">{live(message)}</p> }.erase();
    let edit_id = format!("edit-{id}");
    // It may begin while it is put in other words.
    let of = conversation.peek(|conversation| conversation.id.get_untracked());
    let typed = Typed::keep(id, editing, move || of);
    let editor = {
        let edit_id = edit_id.clone();
        move || {
            let submit = typed.hand_over(move |text, done| behind::reword(id, text, done));
            let message = this.peek(|this| this.message.clone());
            view! { <Editor message submit edit_id=edit_id.clone() editing turn=id /> }.erase()
        }
    };
    let note = move || {
        let held = this.look(|this| this.held.is_some());
        match (held, all.look(|all| all.first().is_some_and(|first| first.id == id))) {
            (true, _) => say!(words, "behind-waits"),
            (false, true) => say!(words, "behind-next"),
            (false, false) => say!(words, "behind-later"),
        }
    };
    let withdraw = move || {
        behind::withdraw(store, of, this.get_untracked());
        browser::focus(anchors::COMPOSER);
    };
    let tools = move || {
        let edit_id = edit_id.clone();
        effect({
            let edit_id = edit_id.clone();
            move || focus::arrived(&edit_id, None)
        });
        view! {
            <div class="message-tools">
                <span class="quiet" data-testid="behind-note">{live(note)}</span>
                {button("quiet-button needs-awake", "behind-edit", icon::PENCIL, text!(words, "edit"))
                    .id(edit_id)
                    .press(move || editing.set(true))}
                {button("quiet-button needs-awake", "behind-withdraw", icon::CLOSE, text!(words, "behind-withdraw")).press(withdraw)}
            </div>
        }
        .erase()
    };
    view! {
        <li data-testid="follow-up" data-follow-up=id.to_string()>
            <div class="message">
                <h2 class="who">{text!(words, "you")}</h2>
                <div class="message-body">
                    {choose(move || editing.get(), editor, text)}
                    <Files files />
                    {when(move || !editing.get(), tools)}
                </div>
            </div>
        </li>
    }
    .erase()
}
