//! The chat tab: a conversation, or the start of one.

use anteroom::{text, wire::Reason};
use leptos::prelude::*;

use crate::{
    components::{button::button, composer::Composer, transcript::Transcript, welcome::Welcome},
    erase::{Erase as _, Look as _, effect, live, memo, when},
    feed::{self, Load, Shown, Store},
    location::here,
    route::conversation_of,
    words::words,
};

/// One page for `/` and `/c/…`: beginning a conversation does not make it again.
#[component]
pub(crate) fn ChatPage() -> impl IntoView {
    let store = expect_context::<Store>();
    store.renew();
    let here = here();
    let path = here.path;
    let words = words();
    let open = memo(move || conversation_of(&path.get()));
    // A path below `/c/` that names no conversation.
    let astray = move || path.look(|path| path.starts_with("/c/")) && open.get().is_none();
    let conversation = expect_context::<Shown>().conversation;

    effect(move || {
        let Some(id) = open.get() else { return };
        if conversation.look(|conversation| conversation.load.get()) == Load::Stale {
            feed::load(store, id);
        }
    });
    // The fresh conversation has been taken by the server: from here on it has an address.
    effect(move || {
        let begun = store.fresh.look(|fresh| fresh.id.get());
        match (begun, open.get()) {
            (Some(id), None) => {
                here.go(&format!("/c/{id}"));
            }
            (Some(id), Some(open)) if id == open => store.renew(),
            _ => {}
        }
    });

    let load = memo(move || conversation.look(|conversation| conversation.load.get()));
    let none = memo(move || conversation.look(|conversation| conversation.turns.look(Vec::is_empty)));
    let body = memo(move || match (astray(), load.get(), none.get(), open.get()) {
        // Of one that is gone, what has not been sent is still there.
        (true, ..) | (_, Load::Absent, true, _) => Body::Absent,
        (_, _, false, _) => Body::Turns,
        (_, Load::Failed(reason), ..) => Body::Failed(reason),
        (_, _, true, None) => Body::Welcome,
        (_, Load::Ready, true, Some(_)) => Body::Turns,
        (_, Load::Loading | Load::Stale, true, Some(_)) => Body::Loading,
    });
    let again = move || {
        if let Some(id) = open.get_untracked() {
            feed::load(store, id);
        }
    };
    let broken = memo(move || match (body.get(), load.get()) {
        (Body::Turns, Load::Failed(reason)) => Some(reason),
        _ => None,
    });
    let shown = move || match body.get() {
        Body::Welcome => view! { <Welcome /> }.erase(),
        Body::Turns => view! { <Transcript conversation /> }.erase(),
        Body::Loading => view! {
            <h1 class="visually-hidden">{text!(words, "conversation")}</h1>
            <p class="chat-note quiet">{text!(words, "chat-opening")}</p>
        }
        .erase(),
        Body::Absent => absent(),
        Body::Failed(reason) => view! {
            <div class="chat-note">
                <h1>{text!(words, "chat-failed")}</h1>
                <p>{words.reason(&reason)}</p>
                {button("button", "", "", text!(words, "try-again")).press(again)}
            </div>
        }
        .erase(),
    };
    let outdated = move || {
        let reason = broken.get()?;
        let notice = view! {
            <p class="notice notice-bad" role="status" data-testid="reload-failed">
                <span>{text!(words, "chat-outdated")}" "{words.reason(&reason)}</span>
                {button("button", "", "", text!(words, "try-again")).press(again)}
            </p>
        };
        Some(notice.erase())
    };
    let composer = move || view! { <Composer conversation /> }.erase();
    view! {
        <div class="chat">
            {live(outdated)}
            {live(shown)}
            {when(move || body.get() != Body::Absent, composer)}
        </div>
    }
    .erase()
}

/// Of a conversation that is not there.
fn absent() -> AnyView {
    let words = words();
    view! {
        <div class="chat-note">
            <h1>{text!(words, "chat-absent")}</h1>
            <p>{text!(words, "chat-absent-why")}</p>
            <a class="button" href="/">
                {text!(words, "chat-absent-way")}
            </a>
        </div>
    }
    .erase()
}

/// What the page shows above the composer.
#[derive(Clone, PartialEq)]
enum Body {
    Welcome,
    Turns,
    Loading,
    Absent,
    Failed(Reason),
}
