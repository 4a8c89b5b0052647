//! One turn: the message, then what became of it.

use anteroom::wire::{TurnState, Usage};
use leptos::prelude::*;

use super::{
    answer::Answer,
    icon::{self, Icon},
    message::Message,
    waiting::Waiting,
};
use crate::{
    browser,
    erase::{Erase as _, live, memo, when},
    feed::{Conversation, Delivery, Store, Turn, sending},
    format,
};

const fn name(state: &TurnState) -> &'static str {
    match state {
        TurnState::Waiting => "waiting",
        TurnState::Running => "running",
        TurnState::Done => "done",
        TurnState::Incomplete { .. } => "incomplete",
        TurnState::Failed { .. } => "failed",
        TurnState::Cancelled => "cancelled",
        TurnState::Expired { .. } => "expired",
    }
}

/// One turn of a conversation.
#[component]
pub(crate) fn TurnRow(turn: Turn, conversation: Conversation) -> impl IntoView {
    let id = turn.id;
    let view = RwSignal::from(turn.view.clone());
    let delivery = RwSignal::from(turn.delivery.clone());
    let state = memo(move || view.with(|view| view.state.clone()));
    // Only the last turn can be answered again: those before it are what came after was built upon.
    let turns = RwSignal::from(conversation.turns.clone());
    let last = memo(move || turns.with(|turns| turns.last().is_some_and(|last| last.id == id)));
    let stopped = move || match view.with(|view| view.started_at) {
        Some(_) => "Stopped",
        None => "You left the line before it began",
    };
    let running = memo(move || state.with(|state| *state == TurnState::Running));
    let said = conversation.clone();
    let outcome = {
        let turn = turn.clone();
        move || match (delivery.get(), state.get()) {
            (Delivery::Failed { reason }, _) => {
                view! { <Undelivered reason turn=turn.clone() conversation=conversation.clone() /> }.erase()
            }
            (Delivery::Sending, TurnState::Waiting) => view! { <p class="quiet">"Sending…"</p> }.erase(),
            (_, TurnState::Waiting) => view! { <Waiting turn=id /> }.erase(),
            (_, TurnState::Running) => ().erase(),
            (_, TurnState::Done) => view! { <Foot turn=turn.clone() last /> }.erase(),
            (_, TurnState::Incomplete { cause }) => view! {
                <p class="ended" role="status" data-testid="incomplete">{cause.sentence()}</p>
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
    let hook = move || match delivery.with(|delivery| matches!(delivery, Delivery::Failed { .. })) {
        true => "unsent",
        false => state.with(name),
    };
    view! {
        <article
            class="turn"
            data-testid="turn"
            data-turn=id.to_string()
            data-state=live(hook)
            aria-busy=live(move || state.with(|state| !state.is_over()).then_some("true"))
        >
            <Message turn=turn.clone() conversation=said />
            <div class="reply">
                <h2 class="who">
                    <span class="visually-hidden">"Answer"</span>
                    <svg class="who-door" viewBox="0 0 14 20" aria-hidden="true">
                        <path d="M1 19V7a6 6 0 0 1 12 0V19z" />
                    </svg>
                </h2>
                <div class="reply-body">
                    <Answer turn running />
                    {live(outcome)}
                </div>
            </div>
        </article>
    }
    .erase()
}

/// A message that the server does not have.
#[component]
fn Undelivered(reason: String, turn: Turn, conversation: Conversation) -> impl IntoView {
    let store = expect_context::<Store>();
    let id = turn.id;
    let to_discard = conversation.clone();
    view! {
        <div class="fault" role="alert">
            <p>{reason}</p>
            <div class="actions">
                <button
                    class="button"
                    type="button"
                    data-testid="retry"
                    on:click=move |_| sending::deliver(store, &conversation, turn.clone())
                >
                    <Icon path=icon::AGAIN />
                    "Send again"
                </button>
                <button class="quiet-button" type="button" on:click=move |_| sending::discard(&to_discard, id)>
                    "Remove"
                </button>
            </div>
        </div>
    }
    .erase()
}

/// A turn that ended without an answer, or with part of one.
#[component]
fn Ended(reason: String, turn: Turn, last: Memo<bool>) -> impl IntoView {
    let store = expect_context::<Store>();
    let id = turn.id;
    view! {
        <div class="fault" role="alert">
            <p data-testid="reason">{reason}</p>
            {when(move || last.get(), move || view! {
                <div class="actions">
                    <button class="button" type="button" data-testid="retry" on:click=move |_| sending::again(store, id)>
                        <Icon path=icon::AGAIN />
                        "Retry"
                    </button>
                </div>
            }.erase())}
        </div>
    }
    .erase()
}

/// Below an answer that is there: what to do with it, and what it took.
#[component]
fn Foot(turn: Turn, last: Memo<bool>) -> impl IntoView {
    let store = expect_context::<Store>();
    let id = turn.id;
    let view = RwSignal::from(turn.view);
    let copied = RwSignal::new(false);
    let copy = move |_| {
        view.with_untracked(|view| browser::copy(&view.answer));
        copied.set(true);
        set_timeout(
            move || {
                copied.try_set(false);
            },
            std::time::Duration::from_secs(2),
        );
    };
    let has_answer = move || view.with(|view| !view.answer.is_empty());
    let facts = move || {
        view.with(|view| {
            let tokens = view.usage.as_ref().and_then(tokens);
            let took = view
                .started_at
                .zip(view.ended_at)
                .map(|(start, end)| seconds(start, end));
            let waited = view
                .started_at
                .map(|start| seconds(view.accepted_at, start))
                .filter(|waited| *waited >= 1.0);
            [
                Some(view.model.clone()),
                tokens,
                took.map(|took| format!("answered in {}", format::duration(took))),
                waited.map(|waited| format!("waited {}", format::duration(waited))),
            ]
            .into_iter()
            .flatten()
            .collect::<Vec<_>>()
            .join(" · ")
        })
    };
    view! {
        <footer class="turn-foot">
            {when(has_answer, move || view! {
                <button class="quiet-button" type="button" data-testid="copy" on:click=copy>
                    <Icon path=icon::COPY />
                    {live(move || if copied.get() { "Copied" } else { "Copy" })}
                </button>
            }.erase())}
            {when(move || last.get(), move || view! {
                <button
                    class="quiet-button"
                    type="button"
                    data-testid="regenerate"
                    on:click=move |_| sending::again(store, id)
                >
                    <Icon path=icon::AGAIN />
                    "Regenerate"
                </button>
            }.erase())}
            <span class="turn-facts">{live(facts)}</span>
        </footer>
    }
    .erase()
}

fn tokens(usage: &Usage) -> Option<String> {
    match (usage.input, usage.output) {
        (Some(input), Some(output)) => Some(format!("{input} + {output} tokens")),
        (None, Some(output)) => Some(format!("{output} tokens")),
        _ => None,
    }
}

fn seconds(from: u64, to: u64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "a span of milliseconds")]
    let millis = to.saturating_sub(from) as f64;
    millis / 1000.0
}
