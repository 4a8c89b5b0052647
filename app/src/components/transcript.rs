//! The turns of the open conversation, and the scrolling: at the end while the reader is at the end, else left alone.

use anteroom::{language::Words, say, text};
use leptos::{ev, html, prelude::*};
use send_wrapper::SendWrapper;
use wasm_bindgen::{JsCast, closure::Closure};
use web_sys::{Element, ResizeObserver};

use super::{anchors, behind::Behind, button::button, icon, more::more, plain, turn::TurnRow};
use crate::{
    browser,
    erase::{Erase as _, Look as _, each, effect, live, memo, when},
    feed::{self, Conversation, Rest, Store},
    words::words,
};

/// So near to the end, in pixels, counts as at the end.
const NEAR: i32 = 48;
/// So near to the beginning, in pixels, earlier turns are fetched.
const EARLIER: i32 = 400;

/// The scrolling part of the chat page.
#[component]
pub(crate) fn Transcript(conversation: Memo<Conversation>) -> impl IntoView {
    let words = words();
    let log = NodeRef::<html::Div>::new();
    let inside = NodeRef::<html::Div>::new();
    let at_end = RwSignal::new(true);

    let to_end = move || {
        if let Some(log) = log.get_untracked() {
            log.set_scroll_top(log.scroll_height());
        }
    };
    // What comes in above must not move what is being read.
    let load_earlier = move || {
        let Some(log) = log.get_untracked() else { return };
        feed::load_earlier(conversation.get_untracked(), move |put| {
            let (height, top) = (log.scroll_height(), log.scroll_top());
            put();
            request_animation_frame(move || log.set_scroll_top(top + log.scroll_height() - height));
        });
    };
    let last_top = StoredValue::new(0);
    let measure = move |_| {
        if let Some(log) = log.get_untracked() {
            let top = log.scroll_top();
            let near = is_at_end(&log);
            // The event comes late: the answer may have grown since our own scrolling. Only the reader scrolls up.
            let up = top < last_top.get_value();
            let left = !near && up;
            last_top.set_value(top);
            let more = conversation.peek(|conversation| conversation.earlier.peek(|rest| *rest == Rest::More));
            if more && up && top < EARLIER {
                load_earlier();
            }
            if (near || left) && near != at_end.get_untracked() {
                at_end.set(near);
            }
        }
    };
    // Whatever makes the conversation longer: a block that grows, a picture that has come, a window that is turned.
    effect(move || {
        let (Some(log), Some(inside)) = (log.get(), inside.get()) else {
            return;
        };
        let grown = Closure::<dyn FnMut()>::new(move || {
            if at_end.try_get_untracked() == Some(true) {
                to_end();
            }
        });
        if let Ok(observer) = ResizeObserver::new(grown.as_ref().unchecked_ref()) {
            observer.observe(&inside);
            // A composer that takes more room leaves less for this.
            observer.observe(&log);
            let watch = SendWrapper::new((observer, grown));
            on_cleanup(move || watch.0.disconnect());
        }
    });
    // Another conversation, or a message of one's own: to the end. Another version leaves the reader where they are.
    let last = memo(move || {
        conversation.look(|conversation| {
            let last = conversation.turns.look(|turns| turns.last().cloned());
            let over = last
                .as_ref()
                .is_none_or(|last| last.view.peek(|view| view.state.is_over()));
            (conversation.id.get(), last.map(|last| last.id), over)
        })
    });
    let shown = StoredValue::new(None);
    effect(move || {
        let (id, _, over) = last.get();
        let another = shown.get_value() != Some(id);
        shown.set_value(Some(id));
        if another || !over {
            at_end.set(true);
            request_animation_frame(to_end);
        }
    });

    let clicked = move |event: ev::MouseEvent| {
        let Some(target) = event.target().and_then(|target| target.dyn_into::<Element>().ok()) else {
            return;
        };
        copy_code(words, &target);
        // Whoever unfolds something wants to see it from its beginning, and to go on doing so: there may be room for it below.
        if let Ok(Some(summary)) = target.closest("summary") {
            let unfolds = summary.closest("details[open]").is_ok_and(|open| open.is_none());
            let stays = move |log: &Element| is_at_end(log) && !(unfolds && log.scroll_top() > 0);
            at_end.set(false);
            request_animation_frame(move || at_end.set(log.get_untracked().is_some_and(|log| stays(&log))));
        }
    };
    let rows = move || {
        let conversation = conversation.get();
        let turns = conversation.turns.get();
        turns
            .into_iter()
            .map(|turn| (turn, conversation.clone()))
            .collect::<Vec<_>>()
    };
    let jump = move || {
        button("to-end", "", icon::DOWN, text!(words, "to-end")).press(move || {
            at_end.set(true);
            to_end();
            browser::focus_control(anchors::TRANSCRIPT);
        })
    };
    let earlier = move || {
        let rest = conversation.look(|conversation| conversation.earlier.get());
        more(&rest, text!(words, "earlier"), load_earlier)
    };
    let store = expect_context::<Store>();
    let title = move || {
        let id = conversation.look(|conversation| conversation.id.get());
        let summary = id.and_then(|id| store.summary(id));
        summary.map_or_else(|| say!(words, "conversation"), |summary| summary.title)
    };
    let row = |(turn, conversation)| view! { <TurnRow turn conversation /> }.erase();
    view! {
        <div
            class="log"
            id=anchors::TRANSCRIPT
            tabindex="0"
            role="region"
            aria-label=say!(words, "conversation-region")
            node_ref=log
            on:scroll=measure
            on:click=clicked
        >
            <div class="log-inside" node_ref=inside>
                <h1 class="visually-hidden">{live(title)}</h1>
                {conversation.peek(|conversation| plain::conversation(store, conversation))}
                {live(earlier)}
                {each(rows, |(turn, _)| turn.id.to_string(), row)}
                <Behind conversation />
            </div>
        </div>
        {when(move || !at_end.get(), jump)}
    }
    .erase()
}

fn is_at_end(log: &Element) -> bool {
    log.scroll_height() - log.scroll_top() - log.client_height() < NEAR
}

/// The copy buttons of code blocks are the server's HTML: one listener serves them all.
fn copy_code(words: &'static Words, target: &Element) {
    let Ok(Some(button)) = target.closest("[data-copy]") else {
        return;
    };
    let code = button
        .closest(".code")
        .ok()
        .flatten()
        .and_then(|code| code.query_selector("pre").ok().flatten());
    if let Some(code) = code {
        browser::copy(&code.text_content().unwrap_or_default());
        button.set_text_content(Some(&say!(words, "copied")));
        let button = SendWrapper::new(button);
        set_timeout(
            move || button.set_text_content(Some(&say!(words, "copy"))),
            std::time::Duration::from_secs(2),
        );
    }
}
