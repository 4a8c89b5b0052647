//! The composer: a form that works without WebAssembly, and sends without leaving the page once that is there.

mod draft;
mod paste;

use anteroom::{
    say, text,
    wire::{MAX_FOLLOW_UPS, MAX_MESSAGE_BYTES, Place, Reason, TurnId, TurnState, is_blank},
};
use leptos::{ev, html, leptos_dom::helpers::WindowListenerHandle, prelude::*};
use uuid::Uuid;
use wasm_bindgen::JsCast;

use self::paste::Paste;
use super::{
    anchors,
    attachments::{Attachments, Stage, Uploads, remove_id},
    button::button,
    choice::{Models, Picker, Tuning, TuningButton},
    icon::{self, Icon},
};
use crate::{
    browser,
    erase::{Erase as _, Look as _, effect, live, memo, when},
    feed::{Conversation, Shown, Store, delivery, sending},
    format,
    words::words,
    writing::drafts,
};

/// From here on the size of a message is shown.
const HINT_FROM: usize = MAX_MESSAGE_BYTES / 10 * 8;

/// Where messages are written.
#[component]
pub(crate) fn Composer(conversation: Memo<Conversation>) -> impl IntoView {
    let store = expect_context::<Store>();
    let uploads = expect_context::<Uploads>();
    let line = expect_context::<Shown>().line;
    let words = words();
    // Read when it is needed, never written while it is typed in: what was typed before the WebAssembly came, stays.
    let area = NodeRef::<html::Textarea>::new();
    let bytes = RwSignal::new(0);
    let hovered = RwSignal::new(false);
    let busy = memo(move || {
        conversation.look(|conversation| {
            conversation
                .busy()
                .map(|turn| (turn.id, turn.view.look(|v| v.state == TurnState::Running)))
        })
    });

    let fit = move || {
        let Some(area) = area.get_untracked() else { return };
        bytes.set(area.value().len());
        let style = area.unchecked_ref::<web_sys::HtmlElement>().style();
        // Measured without letting go of the room that it has: the conversation above would take it for a moment, and lose its place.
        let form = area
            .parent_element()
            .and_then(|form| form.dyn_into::<web_sys::HtmlElement>().ok());
        let hold = |height: &str| {
            form.as_ref()
                .map(|form| form.style().set_property("min-height", height))
        };
        let _ = hold(&format!("{}px", form.as_ref().map_or(0, |form| form.offset_height())));
        let _ = style.set_property("height", "auto");
        let _ = style.set_property("height", &format!("{}px", area.scroll_height() + 2));
        let _ = hold("");
    };
    draft::keep(store, conversation, area, uploads, fit);
    let paste = Paste::new(area, uploads, conversation);
    let held = memo(move || conversation.look(Conversation::is_stuck));
    // What is written while something of the conversation is on its way, goes behind that: once there is a conversation, and room.
    let begun = memo(move || conversation.look(|conversation| conversation.id.look(Option::is_some)));
    let full = memo(move || {
        conversation.look(|conversation| conversation.behind.look(|behind| behind.len() >= MAX_FOLLOW_UPS))
    });
    let waits = memo(move || held.get() || busy.get().is_some() && (!begun.get() || full.get()));

    let submit = move || {
        let Some(area) = area.get_untracked() else { return };
        let text = area.value();
        if waits.get_untracked() || untrack(move || uploads.pending()) || text.len() > MAX_MESSAGE_BYTES {
            return;
        }
        // What becomes of it is to be decided first: the keyboard goes there.
        if let Some(failed) = untrack(move || uploads.failed()) {
            browser::focus_control(&remove_id(failed.key));
            return;
        }
        if is_blank(&text) && !uploads.any() {
            return;
        }
        let conversation = conversation.get_untracked();
        drafts::sent(conversation.id.get_untracked(), &text);
        sending::send(store, &conversation, text, uploads.take());
        paste.forget();
        area.set_value("");
        fit();
    };
    let on_submit = move |event: ev::SubmitEvent| {
        event.prevent_default();
        submit();
    };
    // 229: the key that some browsers report instead of `isComposing` while an input method is at work.
    let on_key = move |event: ev::KeyboardEvent| {
        if event.key() == "Enter" && !event.shift_key() && !event.is_composing() && event.key_code() != 229 {
            event.prevent_default();
            submit();
        }
    };
    let on_paste = move |event: ev::ClipboardEvent| {
        let Some(data) = event.clipboard_data() else { return };
        if let Some(files) = data.files().filter(|files| files.length() > 0) {
            event.prevent_default();
            uploads.add(&files);
        } else if let Ok(text) = data.get_data("text/plain") {
            paste.heard(&text);
        }
    };
    let typed = move || {
        fit();
        if let Some(area) = area.get_untracked() {
            let of = conversation.peek(|conversation| conversation.id.get_untracked());
            drafts::set_text(of, &area.value());
        }
    };
    // Wherever on the page a file is dropped, it is meant for the message; the browser would leave the page for it.
    effect(move || {
        let over = window_event_listener(ev::dragover, move |event| {
            event.prevent_default();
            if !hovered.get_untracked() {
                hovered.set(true);
            }
        });
        let leave = window_event_listener(ev::dragleave, move |event| {
            if event.related_target().is_none() {
                hovered.set(false);
            }
        });
        let drop = window_event_listener(ev::drop, move |event| {
            event.prevent_default();
            hovered.set(false);
            if let Some(files) = event.data_transfer().and_then(|data| data.files()) {
                uploads.add(&files);
            }
        });
        on_cleanup(move || [over, leave, drop].into_iter().for_each(WindowListenerHandle::remove));
    });
    // Ready to be typed in, where that does not bring up a keyboard over the page.
    effect(move || {
        conversation.track();
        if area.get().is_some() {
            browser::focus(anchors::COMPOSER);
        }
    });

    let hint = move || {
        if held.get() {
            return say!(words, "composer-held");
        }
        if busy.get().is_some() && full.get() {
            let most = MAX_FOLLOW_UPS as u64;
            return words.reason(&Reason::TooManyBehind { most });
        }
        if let Some(failed) = uploads.failed() {
            return match failed.stage.look(Stage::is_hopeful) {
                true => say!(words, "composer-file-again"),
                false => say!(words, "composer-file-failed"),
            };
        }
        if uploads.pending() {
            return say!(words, "composer-files-pending");
        }
        match bytes.get() {
            bytes if bytes > MAX_MESSAGE_BYTES => format::too_long(words, bytes),
            bytes if bytes > HINT_FROM => {
                let most = words.size(MAX_MESSAGE_BYTES as u64);
                say!(words, "composer-length", bytes = words.size(bytes as u64), most = most)
            }
            _ if busy.get().is_some() && begun.get() => say!(words, "composer-behind"),
            _ => String::new(),
        }
    };
    let prospect = move || {
        if store.is_lost() {
            return Some(say!(words, "composer-lost"));
        }
        // The start page says how the line is, unless there are several of which this one is meant.
        let at_start = conversation.look(|conversation| conversation.turns.look(Vec::is_empty));
        if at_start && !store.has_choice() {
            return None;
        }
        let queue = store.facts.look(|facts| facts.queue);
        line.look(|line| {
            let line = line.as_ref()?;
            // Both figures are those of somebody with nothing waiting.
            let own = |place: &Place| place.model == line.model && line.events.contains(&place.event);
            if store.status.look(|status| status.places.iter().any(own)) {
                return None;
            }
            Some(format::prospect(words, line, queue))
        })
    };
    let named = move || {
        let id = conversation.look(|conversation| conversation.id.get())?.to_string();
        Some(view! { <input type="hidden" name="conversation" value=id autocomplete="off" /> }.erase())
    };
    let wrong = move || bytes.get() > MAX_MESSAGE_BYTES || uploads.failed().is_some();

    let send = move || {
        view! {
            <button
                class="send"
                type="submit"
                data-testid="send"
                aria-label=text!(words, "composer-send")
                title=text!(words, "composer-send-enter")
                disabled=live(move || wrong() || waits.get() || uploads.pending())
            >
                <Icon path=icon::SEND />
            </button>
        }
        .erase()
    };
    let without = move || {
        let press = move || {
            uploads.remove_failed();
            submit();
            browser::focus(anchors::COMPOSER);
        };
        let button = button("button", "send-without", "", text!(words, "send-without")).press(press);
        view! { <p class="paste">{button}</p> }.erase()
    };
    let stop = move || {
        let running = move || busy.get().is_some_and(|(_, running)| running);
        let label = move || match running() {
            true => text!(words, "stop"),
            false => text!(words, "cancel"),
        };
        let press = move |_| {
            if let Some((turn, _)) = busy.get_untracked() {
                delivery::cancel(store, turn);
            }
            browser::focus(anchors::COMPOSER);
        };
        view! {
            <button
                class="send stop"
                type="button"
                data-testid=live(move || if running() { "stop" } else { "composer-cancel" })
                aria-label=live(label)
                title=live(label)
                on:click=press
            >
                <Icon path=icon::STOP />
            </button>
        }
        .erase()
    };

    view! {
        <form
            class="composer"
            id="composer"
            class:hovered=hovered
            method="post"
            action="/api/send_form"
            on:submit=on_submit
        >
            <input type="hidden" name="turn" value=TurnId(Uuid::new_v4()).to_string() autocomplete="off" />
            {live(named)}
            <Attachments uploads />
            {when(move || uploads.failed().is_some(), without)}
            {paste.view(typed)}
            <label class="visually-hidden" for=anchors::COMPOSER>
                {text!(words, "composer-label")}
            </label>
            <textarea
                class="composer-text"
                dir="auto"
                id=anchors::COMPOSER
                name="text"
                rows="1"
                placeholder=text!(words, "composer-placeholder")
                data-testid="composer"
                enterkeyhint="send"
                aria-describedby="composer-hint"
                node_ref=area
                on:input=move |_| typed()
                on:keydown=on_key
                on:paste=on_paste
            ></textarea>
            <div class="composer-bar">
                <AttachButton uploads />
                <Picker />
                <TuningButton />
                // `public/reading.js` opens the prompts.
                {button("icon-button needs-awake", "prompts", icon::PROMPTS, "")
                    .label(text!(words, "prompts"))
                    .post(live(|| "#prompts".to_owned()))}
                <p class="composer-hint" id="composer-hint">
                    <span class:bad=live(wrong)>{live(hint)}</span>
                    {when(
                        move || hint().is_empty() && busy.get().is_none(),
                        move || view! { <span>{live(prospect)}</span> }.erase(),
                    )}
                </p>
                {when(move || busy.get().is_some(), stop)}
                {when(move || begun.get() || busy.get().is_none(), send)}
            </div>
        </form>
        <Models />
        <Tuning />
    }
    .erase()
}

/// Picks files. The real input is hidden behind it.
#[component]
fn AttachButton(uploads: Uploads) -> impl IntoView {
    let words = words();
    let input = NodeRef::<html::Input>::new();
    let picked = move |_| {
        let Some(input) = input.get_untracked() else { return };
        if let Some(files) = input.files() {
            uploads.add(&files);
        }
        // The same file can be picked again after it was removed.
        input.set_value("");
    };
    view! {
        // `public/reading.js` opens what is hidden behind it, or asks first where files are to come from.
        {button("icon-button needs-awake", "", icon::ATTACH, "")
            .label(text!(words, "attach"))
            .post(live(|| "#attach".to_owned()))}
        <input
            class="visually-hidden"
            type="file"
            multiple
            tabindex="-1"
            aria-hidden="true"
            data-testid="attach"
            node_ref=input
            on:change=picked
        />
    }
    .erase()
}
