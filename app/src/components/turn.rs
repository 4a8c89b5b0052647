//! One turn: the message, then what became of it.

use anteroom::{
    say, text,
    wire::{Reason, TurnId, TurnState},
};
use leptos::prelude::*;

use super::{
    anchors, answer::Answer, button::button, choice::another, facts::Facts, icon, message::Message, opening, plain,
    rating::Rating, receipt::receipt, thoughts::Thoughts, turn_notices::TurnNotices, unfinished::Unfinished,
    waiting::Waiting,
};
use crate::{
    browser,
    erase::{Erase as _, Look as _, effect, live, memo, when},
    feed::{Conversation, Delivery, Store, Turn, sending, unsent},
    focus,
    location::here,
    words::words,
};

/// The id of the button that has the last turn answered once more. There is at most one.
const AGAIN: &str = "again";

/// Has a turn answered once more. The keyboard waits in the conversation for the same button of what comes of it.
fn answer_again(store: Store, turn: TurnId) {
    sending::again(store, turn);
    focus::follow(AGAIN.to_owned(), anchors::TRANSCRIPT);
}

/// One turn of a conversation.
#[component]
pub(crate) fn TurnRow(turn: Turn, conversation: Conversation) -> impl IntoView {
    let id = turn.id;
    let view = RwSignal::from(turn.view.clone());
    let delivery = RwSignal::from(turn.delivery.clone());
    let state = memo(move || view.look(|view| view.state.clone()));
    // Only the last turn can be answered again: those before it are what came after was built upon.
    let turns = RwSignal::from(conversation.turns.clone());
    let last = memo(move || turns.look(|turns| turns.last().is_some_and(|last| last.id == id)));
    let words = words();
    let plain = plain::turn(expect_context::<Store>(), &turn, last.get_untracked());
    let stopped = move || match view.look(|view| view.started_at) {
        Some(_) => text!(words, "turn-stopped"),
        None => text!(words, "turn-left"),
    };
    let running = memo(move || state.look(|state| *state == TurnState::Running));
    let said = conversation.clone();
    let opens = opening::watch(&turn, state);
    let outcome = {
        let turn = turn.clone();
        move || match (delivery.get(), state.get()) {
            (Delivery::Unsent, _) => {
                view! { <Undelivered reason=None turn=turn.clone() conversation=conversation.clone() /> }.erase()
            }
            (Delivery::Failed { reason }, _) => {
                view! { <Undelivered reason=Some(reason) turn=turn.clone() conversation=conversation.clone() /> }
                    .erase()
            }
            (Delivery::Sending, TurnState::Waiting) => {
                view! { <p class="quiet">{text!(words, "turn-sending")}</p> }.erase()
            }
            (_, TurnState::Waiting) => view! { <Waiting turn=turn.clone() /> }.erase(),
            (_, TurnState::Running) if opens.get() => opening::view(turn.clone()),
            (_, TurnState::Running) => ().erase(),
            (_, TurnState::Done) => view! { <Foot turn=turn.clone() last /> }.erase(),
            (_, TurnState::Incomplete { cause }) => view! {
                <Unfinished cause conversation=conversation.clone() last />
                <Foot turn=turn.clone() last />
            }
            .erase(),
            (_, TurnState::Cancelled) => view! {
                <p class="ended">{live(stopped)}</p>
                <Foot turn=turn.clone() last />
            }
            .erase(),
            (_, TurnState::Failed { reason } | TurnState::Expired { reason }) => {
                view! { <Ended reason turn=turn.clone() last /> }.erase()
            }
        }
    };
    let busy = move || {
        let busy = state.look(|state| !state.is_over()) && !delivery.look(Delivery::is_held);
        busy.then_some("true")
    };
    // Below what stands behind.
    let sent = move || {
        delivery
            .look(|delivery| *delivery != Delivery::Accepted)
            .then_some("false")
    };
    let hook = move || match delivery.get() {
        Delivery::Unsent => "unsent",
        Delivery::Failed { .. } => "refused",
        Delivery::Sending | Delivery::Accepted => state.look(TurnState::name),
    };
    view! {
        <article
            class="turn"
            data-testid="turn"
            data-turn=id.to_string()
            data-state=live(hook)
            data-sent=live(sent)
            aria-busy=live(busy)
        >
            <Message turn=turn.clone() conversation=said />
            <div class="reply">
                <h2 class="who">
                    <span class="visually-hidden">{text!(words, "answer")}</span>
                    <svg class="who-door" viewBox="0 0 14 20" aria-hidden="true">
                        <path d="M1 19V7a6 6 0 0 1 12 0V19z" />
                    </svg>
                </h2>
                <div class="reply-body">
                    <Thoughts turn=turn.clone() running />
                    <Answer turn=turn.clone() running />
                    <TurnNotices turn />
                    {live(outcome)}
                    {plain}
                </div>
            </div>
        </article>
    }
    .erase()
}

/// A message that the server does not have.
#[component]
fn Undelivered(
    /// Why it was refused. `None`: it did not get through, and is sent again by itself.
    reason: Option<Reason>,
    turn: Turn,
    conversation: Conversation,
) -> impl IntoView {
    let store = expect_context::<Store>();
    let here = here();
    let refused = reason.is_some();
    let words = words();
    let why = move || match (&reason, store.is_lost()) {
        (Some(reason), _) => words.reason(reason),
        (None, true) => say!(words, "unsent-lost"),
        (None, false) => say!(words, "unsent-again"),
    };
    let (class, role, label) = match refused {
        true => ("fault", "alert", text!(words, "unsent-send-again")),
        false => ("unsent", "status", text!(words, "unsent-send-now")),
    };
    let send = {
        let (turn, conversation) = (turn.clone(), conversation.clone());
        move || {
            sending::deliver(store, &conversation, turn.clone());
            browser::focus(anchors::COMPOSER);
        }
    };
    let edit = {
        let (turn, conversation) = (turn.clone(), conversation.clone());
        move || {
            if unsent::edit(store, &conversation, &turn) {
                here.go("/");
            }
            browser::focus(anchors::COMPOSER);
        }
    };
    let discard = move || {
        unsent::discard(store, &conversation, turn.id);
        browser::focus(anchors::COMPOSER);
    };
    view! {
        <div class=class role=role data-testid="undelivered">
            <p>
                <strong>{text!(words, "unsent")}" "</strong>
                {live(why)}
            </p>
            <div class="actions">
                {button("button", "retry", icon::AGAIN, label).press(send)}
                {button("quiet-button", "unsent-edit", icon::PENCIL, text!(words, "edit")).press(edit)}
                {button("quiet-button", "unsent-discard", icon::BIN, text!(words, "unsent-discard")).press(discard)}
            </div>
        </div>
    }
    .erase()
}

/// A turn that ended without an answer, or with part of one.
#[component]
fn Ended(reason: Reason, turn: Turn, last: Memo<bool>) -> impl IntoView {
    let store = expect_context::<Store>();
    let id = turn.id;
    let words = words();
    let again = move || answer_again(store, id);
    let gone = matches!(reason, Reason::ModelGone { .. } | Reason::ModelNotOffered { .. });
    view! {
        <div class="fault" role="alert">
            <p data-testid="reason">{words.reason(&reason)}</p>
            {when(move || last.get(), move || {
                effect(|| focus::arrived(AGAIN, None));
                view! {
                    <div class="actions">
                        {button("button", "retry", icon::AGAIN, text!(words, "retry")).id(AGAIN).press(again)}
                        {gone.then(another)}
                    </div>
                }.erase()
            })}
        </div>
    }
    .erase()
}

/// Below an answer that is there: what to do with it, and what it took.
#[component]
fn Foot(turn: Turn, last: Memo<bool>) -> impl IntoView {
    let store = expect_context::<Store>();
    let id = turn.id;
    let view = RwSignal::from(turn.view.clone());
    let receipt = receipt(turn);
    let copied = RwSignal::new(false);
    let words = words();
    let copy = move || {
        view.peek(|view| browser::copy(&view.answer));
        copied.set(true);
        set_timeout(
            move || {
                copied.try_set(false);
            },
            std::time::Duration::from_secs(2),
        );
    };
    let has_answer = move || view.look(|view| !view.answer.is_empty());
    view! {
        <footer class="turn-foot">
            {when(has_answer, move || {
                let text = live(move || if copied.get() { text!(words, "copied") } else { text!(words, "copy") });
                button("quiet-button", "copy", icon::COPY, "").more(text.erase()).press(copy)
            })}
            {when(move || last.get(), move || {
                effect(|| focus::arrived(AGAIN, None));
                let text = text!(words, "regenerate");
                button("quiet-button", "regenerate", icon::AGAIN, text).id(AGAIN).press(move || answer_again(store, id))
            })}
            {button("quiet-button needs-awake", "branch", icon::BRANCH, text!(words, "branch"))
                .label(text!(words, "branch-what"))
                .post(live(move || format!("/branch/{id}")))}
            {when(has_answer, move || view! { <Rating view /> }.erase())}
            <Facts view />
            {receipt}
        </footer>
    }
    .erase()
}
