//! What the person wrote: the text, its files, its versions, and a way to put it in other words.

use std::sync::Arc;

use anteroom::{
    text,
    wire::{ConversationId, FileKind, FileView, MAX_MESSAGE_BYTES, Reason, TurnId, TurnState, Versions, is_blank},
};
use leptos::{ev, html, prelude::*};

use super::{
    anchors,
    button::button,
    icon::{self, Icon},
    paper::paper,
};
use crate::{
    browser,
    erase::{Erase as _, Look as _, choose, effect, live, memo, when},
    feed::{Conversation, Delivery, Store, Turn, behind, changes, sending},
    focus, format,
    words::words,
    writing::drafts,
};

/// The two ways from a version.
const EARLIER: &str = "version-earlier";
const LATER: &str = "version-later";

/// A turn's message.
#[component]
pub(crate) fn Message(turn: Turn, conversation: Conversation) -> impl IntoView {
    let id = turn.id;
    let view = RwSignal::from(turn.view.clone());
    let delivery = RwSignal::from(turn.delivery.clone());
    let editing = RwSignal::new(false);
    // While something of the conversation is on its way, that is what counts.
    let words = words();
    let idle = memo(move || conversation.busy().is_none());
    let settled = memo(move || idle.get() && delivery.look(|delivery| *delivery == Delivery::Accepted));
    // What waits in the line can be put in other words, and keeps its place.
    let waits = memo(move || {
        delivery.look(|delivery| *delivery == Delivery::Accepted) && view.look(|view| view.state == TurnState::Waiting)
    });
    let text = move || {
        view! { <p class="message-text" dir="auto">{live(move || view.look(|view| view.message.clone()))}</p> }.erase()
    };
    let said = turn.view.clone();
    let typed = Typed::keep(id, editing, move || Some(said.peek(|view| view.conversation)));
    let editor = move || {
        let (turn, typed) = (turn.clone(), typed.clone());
        let message = view.peek(|view| view.message.clone());
        let submit: Submit = typed.hand_over(move |text, done| match view.peek(|view| view.state.is_over()) {
            true => sending::edit(&turn, text, done),
            false => behind::reword(id, text, done),
        });
        view! { <Editor message submit edit_id=edit_id(id) editing turn=id /> }.erase()
    };
    let tools = move || {
        effect(move || focus::arrived(&edit_id(id), None));
        view! {
            <div class="message-tools">
                {when(move || idle.get(), move || view! { <VersionSwitch view /> }.erase())}
                {button("quiet-button message-edit needs-awake", "edit", icon::PENCIL, text!(words, "edit"))
                    .id(edit_id(id))
                    .press(move || editing.set(true))}
            </div>
        }
        .erase()
    };
    view! {
        <div class="message">
            <h2 class="who">{text!(words, "you")}</h2>
            <div class="message-body">
                {choose(move || editing.get(), editor, text)}
                <Files files=view.peek(|view| view.files.clone()) />
                {when(move || (settled.get() || waits.get()) && !editing.get(), tools)}
            </div>
        </div>
    }
    .erase()
}

fn edit_id(turn: TurnId) -> String {
    format!("edit-{turn}")
}

/// The id of the button that leads from a turn to its neighbour among the versions.
fn version_id(hook: &str, turn: TurnId) -> String {
    format!("{hook}-{turn}")
}

/// One version after the other.
#[component]
fn VersionSwitch(view: RwSignal<anteroom::wire::TurnView>) -> impl IntoView {
    let store = expect_context::<Store>();
    let turn = view.peek(|view| view.id);
    let versions = memo(move || view.look(|view| view.versions));
    let words = words();
    let step =
        move |label: &'static str, hook: &'static str, path: &'static str, to: fn(&Versions) -> Option<TurnId>| {
            button("icon-button", hook, path, "")
                .id(version_id(hook, turn))
                .label(label)
                .disabled(live(move || versions.look(to).is_none()))
                .press(move || {
                    if let Some(turn) = versions.peek(to) {
                        changes::version(store, turn);
                        focus::follow(version_id(hook, turn), anchors::TRANSCRIPT);
                    }
                })
        };
    let switch = move || {
        // The first and the last lead only back.
        effect(move || {
            let (earlier, later) = (version_id(EARLIER, turn), version_id(LATER, turn));
            focus::arrived(&earlier, Some(&later));
            focus::arrived(&later, Some(&earlier));
        });
        let place = move || versions.look(|versions| format!("{} / {}", versions.number, versions.count));
        view! {
            <div class="versions" role="group" aria-label=text!(words, "versions") data-testid="versions">
                {step(text!(words, "version-earlier"), EARLIER, icon::LEFT, |versions| versions.earlier)}
                <span>{live(place)}</span>
                {step(text!(words, "version-later"), LATER, icon::RIGHT, |versions| versions.later)}
            </div>
        }
        .erase()
    };
    when(move || versions.look(|versions| versions.count > 1), switch)
}

/// What is done with other words; it is told what went wrong, if anything did.
pub(super) type Submit = Arc<dyn Fn(String, Done) + Send + Sync>;
pub(super) type Done = Box<dyn FnOnce(Option<Reason>)>;

/// What stands in an editor, which outlives the page. Should the editor go while somebody writes in it, the words are in the composer of their
/// conversation then.
#[derive(Clone)]
pub(super) struct Typed {
    turn: TurnId,
    /// Nothing is to be done for one that has gone.
    there: StoredValue<()>,
    store: Store,
    of: Arc<dyn Fn() -> Option<ConversationId> + Send + Sync>,
}

impl Typed {
    /// For the editor of this message, which is there while `editing`: also of one that another page has begun to put in other words.
    pub(super) fn keep(
        turn: TurnId,
        editing: RwSignal<bool>,
        of: impl Fn() -> Option<ConversationId> + Send + Sync + 'static,
    ) -> Self {
        let there = StoredValue::new(());
        let (store, of): (Store, Arc<dyn Fn() -> Option<ConversationId> + Send + Sync>) =
            (expect_context(), Arc::new(of));
        let this = Self { turn, there, store, of };
        effect(move || {
            if drafts::reworded(turn).is_some() {
                editing.set(true);
            }
        });
        let left = this.clone();
        on_cleanup(move || {
            // What another page has sent meanwhile is no more here.
            if editing.try_get_untracked() == Some(true)
                && let Some(words) = drafts::reworded(turn)
            {
                left.to_composer(words);
            }
        });
        this
    }

    fn to_composer(&self, words: String) {
        drafts::reword(self.turn, "");
        behind::keep(self.store, (self.of)(), words);
    }

    /// What is submitted is the server's, unless that says otherwise.
    pub(super) fn hand_over(&self, submit: impl Fn(String, Done) + Send + Sync + 'static) -> Submit {
        let this = self.clone();
        Arc::new(move |text: String, done: Done| {
            drafts::reword(this.turn, "");
            let (this, kept) = (this.clone(), text.clone());
            let told = move |failed: Option<Reason>| {
                match failed.is_some().then(|| this.there.try_get_value()) {
                    Some(Some(())) => drafts::reword(this.turn, &kept),
                    Some(None) => this.to_composer(kept),
                    None => {}
                }
                done(failed);
            };
            submit(text, Box::new(told));
        })
    }
}

/// The message in other words. Of one that is over, what was there stays, as an earlier version.
#[component]
pub(super) fn Editor(
    message: String,
    submit: Submit,
    /// Of the button that opens it.
    edit_id: String,
    editing: RwSignal<bool>,
    /// Whose message it is.
    turn: TurnId,
) -> impl IntoView {
    let area = NodeRef::<html::Textarea>::new();
    let sending = RwSignal::new(false);
    let fault = RwSignal::new(None::<String>);
    let words = words();
    let fit = move || {
        let Some(area) = area.get_untracked() else { return };
        let style = web_sys::HtmlElement::style(&area);
        let _ = style.set_property("height", "auto");
        let _ = style.set_property("height", &format!("{}px", area.scroll_height() + 2));
    };
    effect(move || {
        if let Some(area) = area.get() {
            area.set_value(drafts::reworded(turn).as_ref().unwrap_or(&message));
            let _ = area.focus();
            fit();
        }
    });
    let send = move || {
        let Some(area) = area.get_untracked() else { return };
        let text = area.value();
        if sending.get_untracked() || is_blank(&text) {
            return;
        }
        if text.len() > MAX_MESSAGE_BYTES {
            fault.set(Some(format::too_long(words, text.len())));
            return;
        }
        sending.set(true);
        // By then the feed may have put the new version in this one's place, and taken all of this away.
        let done = move |failed: Option<Reason>| {
            sending.try_set(false);
            match failed {
                Some(reason) => drop(fault.try_set(Some(words.reason(&reason)))),
                None => {
                    editing.try_set(false);
                    browser::focus(anchors::COMPOSER);
                }
            }
        };
        submit(text, Box::new(done));
    };
    let close = move || {
        drafts::reword(turn, "");
        editing.set(false);
        focus::follow(edit_id.clone(), anchors::TRANSCRIPT);
    };
    let by_escape = close.clone();
    let send = Arc::new(send);
    let by_key = Arc::clone(&send);
    let on_key = move |event: ev::KeyboardEvent| match event.key().as_str() {
        "Enter" if !event.shift_key() && !event.is_composing() && event.key_code() != 229 => {
            event.prevent_default();
            by_key();
        }
        "Escape" => {
            event.prevent_default();
            by_escape();
        }
        _ => {}
    };
    view! {
        <div class="editor" on:keydown=on_key>
            <textarea
                class="text-field"
                dir="auto"
                rows="1"
                aria-label=text!(words, "editor")
                data-testid="editor"
                node_ref=area
                on:input=move |_| {
                    fit();
                    if let Some(area) = area.get_untracked() {
                        drafts::reword(turn, &area.value());
                    }
                }
            ></textarea>
            <p class="bad" role="status">{live(move || fault.get())}</p>
            <div class="actions">
                {button("button", "editor-send", "", text!(words, "composer-send"))
                    .disabled(live(move || sending.get()))
                    .press(move || send())}
                {button("quiet-button", "", "", text!(words, "cancel")).press(close)}
            </div>
        </div>
    }
    .erase()
}

/// The files that came with a message.
#[component]
pub(super) fn Files(files: Vec<FileView>) -> impl IntoView {
    let words = words();
    (!files.is_empty()).then(|| {
        let chips = files
            .into_iter()
            .map(move |file| {
                let address = format!("/files/{}", file.id);
                let read = paper(&file);
                let inside = match file.kind {
                    FileKind::Image => {
                        view! { <img class="thumbnail" src=address.clone() alt="" loading="lazy" /> }.erase()
                    }
                    FileKind::Text | FileKind::Document => view! { <Icon path=icon::FILE /> }.erase(),
                };
                view! {
                    <li class:with-paper=file.paper.is_some()>
                        <a class="chip" href=address target="_blank" rel="external noopener" data-testid="file">
                            {inside}
                            <span class="chip-name">{file.name}</span>
                            <span class="chip-note">{words.size(file.size)}</span>
                        </a>
                        {read}
                    </li>
                }
                .erase()
            })
            .collect_view();
        view! { <ul class="chips">{chips}</ul> }
    })
}
