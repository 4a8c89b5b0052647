//! One line of the list of conversations: the way to it, and what can be done with it.

use anteroom::{
    say, text,
    wire::{ConversationId, ConversationSummary},
};
use leptos::{ev, html, prelude::*};

use super::{
    anchors,
    button::button,
    days::{Heads, head},
    icon::{self, Icon},
};
use crate::{
    browser,
    erase::{Erase as _, Look as _, choose, effect, live, memo, when},
    feed::{Store, changes},
    focus, format,
    location::here,
    route::conversation_of,
    words::words,
};

/// What the lines share.
#[derive(Clone, Copy)]
pub(crate) struct Rows {
    /// The time, for how long ago something was.
    pub(crate) now: RwSignal<u64>,
    /// How far the reader's clock is ahead of UTC, in minutes: as the server has it until the page is awake.
    pub(crate) zone: RwSignal<i32>,
    /// The one whose menu is open.
    menu: RwSignal<Option<ConversationId>>,
    /// The one that is being renamed.
    renaming: RwSignal<Option<ConversationId>>,
}

impl Rows {
    pub(crate) fn new() -> Self {
        Self {
            now: RwSignal::new(browser::now()),
            zone: RwSignal::new(0),
            menu: RwSignal::new(None),
            renaming: RwSignal::new(None),
        }
    }
}

/// One conversation.
#[component]
pub(crate) fn ConversationRow(summary: ConversationSummary, rows: Rows, days: Memo<Heads>) -> impl IntoView {
    let store = expect_context::<Store>();
    let id = summary.id;
    let words = words();
    // For the choice of several: `public/reading-more.js`.
    let pinned = summary.pinned.then_some("");
    let line = memo(move || store.summary(id).unwrap_or_else(|| summary.clone()));
    let title = memo(move || line.look(|line| line.title.clone()));
    let open = move || rows.menu.get() == Some(id);
    let toggle = move |_| rows.menu.update(|menu| *menu = (*menu != Some(id)).then_some(id));
    let on_key = move |event: ev::KeyboardEvent| {
        if event.key() == "Escape" && rows.menu.get_untracked() == Some(id) {
            event.prevent_default();
            rows.menu.set(None);
            browser::focus_control(&button_id(id));
        }
    };
    effect(move || focus::arrived(&button_id(id), None));
    // The open one shows both by itself.
    let mark = move || {
        let of = id.to_string();
        if line.look(|line| line.asks) {
            Some(("conversation-mark asks-mark", text!(words, "list-asks")))
        } else if store.unsent_in.look(|unsent| unsent.contains(&id)) {
            Some(("conversation-mark unsent-mark", text!(words, "list-unsent")))
        } else if store.drafted.look(|drafted| drafted.contains(&of)) {
            Some(("conversation-mark draft-mark", text!(words, "list-draft")))
        } else {
            None
        }
    };
    let mark = memo(mark);
    let marked = move || {
        let (class, text) = mark.get()?;
        Some(view! { <span class=class data-testid="mark">{text}</span> }.erase())
    };
    let sign = choose(
        move || line.look(|line| line.busy),
        move || view! { <span class="busy-dot" role="img" aria-label=text!(words, "row-busy")></span> }.erase(),
        move || {
            let at = live(move || {
                format::ago(
                    words,
                    line.look(|line| line.updated_at),
                    rows.now.get().max(browser::now()),
                )
            });
            view! { <span class="conversation-at">{at}</span> }.erase()
        },
    );
    let path = here().path;
    let link = view! {
        <div class="conversation-line" hidden=live(move || rows.renaming.get() == Some(id))>
            <a
                href=format!("/c/{id}")
                class="conversation"
                data-testid="conversation"
                data-pinned=pinned
                aria-current=live(move || path.look(|path| conversation_of(path) == Some(id)).then_some("page"))
                on:click=move |_| browser::hide_popover(anchors::CONVERSATIONS)
            >
                <span class="conversation-title" dir="auto">{live(move || title.get())}</span>
                {live(marked)}
                {sign}
            </a>
            <button
                class="icon-button conversation-more needs-awake"
                type="button"
                id=button_id(id)
                data-testid="conversation-more"
                aria-label=live(move || say!(words, "row-more", title = title.get()))
                aria-expanded=live(move || if open() { "true" } else { "false" })
                on:click=toggle
            >
                <Icon path=icon::MORE />
            </button>
        </div>
    };
    view! {
        <li on:keydown=on_key>
            {live(move || head(&days.get(), id))}
            {link}
            {when(move || rows.renaming.get() == Some(id), move || view! { <Rename id title rows /> }.erase())}
            {when(open, move || view! { <Menu line rows /> }.erase())}
        </li>
    }
    .erase()
}

/// The id of the button that opens a conversation's menu.
pub(super) fn button_id(id: ConversationId) -> String {
    format!("more-{id}")
}

/// What can be done with a conversation.
#[component]
fn Menu(line: Memo<ConversationSummary>, rows: Rows) -> impl IntoView {
    let store = expect_context::<Store>();
    let id = line.peek(|line| line.id);
    let here = here();
    let rename = move || {
        rows.menu.set(None);
        rows.renaming.set(Some(id));
    };
    let delete = move || {
        let was_open = here.path.peek(|path| conversation_of(path)) == Some(id);
        rows.menu.set(None);
        // The row goes: its neighbour is where one goes on.
        let next = store.conversations.beside(id).map(button_id);
        changes::delete(store, line.get_untracked(), was_open);
        browser::focus_control(next.as_deref().unwrap_or(anchors::NEW_CHAT));
        if was_open {
            here.go("/");
        }
    };
    let words = words();
    // A row is made anew wherever it is put, and with it this menu.
    let (pinned, archived) = line.peek(|line| (line.pinned, line.archived));
    let shelve = move |what: &'static str, icon, is: bool, text| {
        let press = move || {
            rows.menu.set(None);
            match store.conversations.beside(id).filter(|_| what == "archived" && !is) {
                // Out of sight with it: its neighbour is where one goes on.
                Some(next) => drop(browser::focus_control(&button_id(next))),
                None => focus::follow(button_id(id), anchors::NEW_CHAT),
            }
        };
        button("quiet-button", what, icon, text).post_and(format!("/shelf/{id}/{what}/{}", !is), press)
    };
    let pin = (!archived).then(|| {
        let text = if pinned {
            text!(words, "row-unpin")
        } else {
            text!(words, "row-pin")
        };
        shelve("pinned", icon::PIN, pinned, text)
    });
    let archive = if archived {
        text!(words, "row-unarchive")
    } else {
        text!(words, "row-archive")
    };
    // Pages of their own.
    let apart = |class: &'static str, page: &'static str, icon, text| {
        view! {
            <a class=class href=format!("/c/{id}/{page}") rel="external" data-testid=page>
                <Icon path=icon />
                {text}
            </a>
        }
        .erase()
    };
    let tools = store.facts.peek(|facts| facts.tools);
    let tools = tools.then(|| apart("quiet-button", "tools", icon::TUNE, text!(words, "row-tools")));
    let export = |form: &str| format!("/export/{id}.{form}");
    view! {
        <div class="conversation-menu" role="group" aria-label=live(move || line.look(|line| line.title.clone()))>
            {button("quiet-button", "rename", icon::PENCIL, text!(words, "row-rename")).press(rename)}
            {pin}
            {shelve("archived", icon::ARCHIVE, archived, archive)}
            <a class="quiet-button" href=export("md") download="" rel="external" data-testid="export-md">
                <Icon path=icon::SAVE />
                {text!(words, "row-markdown")}
            </a>
            <a class="quiet-button" href=export("json") download="" rel="external" data-testid="export-json">
                <Icon path=icon::SAVE />
                {text!(words, "row-json")}
            </a>
            {apart("quiet-button along-link", "along", icon::PHONE, text!(words, "row-along"))}
            {tools}
            // `public/reading.js` does this one.
            {button("quiet-button", "select-several", icon::MANY, text!(words, "row-several"))
                .post(live(|| "#several".to_owned()))}
            {button("quiet-button bad", "delete", icon::BIN, text!(words, "row-delete")).press(delete)}
        </div>
    }
    .erase()
}

/// The title as a field. Enter keeps it, Esc leaves it as it was.
#[component]
fn Rename(id: ConversationId, title: Memo<String>, rows: Rows) -> impl IntoView {
    let store = expect_context::<Store>();
    let words = words();
    let field = NodeRef::<html::Input>::new();
    effect(move || {
        if let Some(field) = field.get() {
            let _ = field.focus();
            field.select();
        }
    });
    let close = move || {
        rows.renaming.set(None);
        // Until the page has drawn it again, the button is hidden.
        request_animation_frame(move || {
            browser::focus_control(&button_id(id));
        });
    };
    let keep = move |event: ev::SubmitEvent| {
        event.prevent_default();
        if let Some(field) = field.get_untracked() {
            changes::rename(store, id, field.value());
        }
        close();
    };
    let on_key = move |event: ev::KeyboardEvent| {
        if event.key() == "Escape" {
            event.prevent_default();
            event.stop_propagation();
            close();
        }
    };
    view! {
        <form class="rename" on:submit=keep on:keydown=on_key>
            <input
                class="text-field"
                type="text"
                maxlength="200"
                aria-label=text!(words, "row-title")
                data-testid="title-field"
                value=title.get_untracked()
                node_ref=field
            />
            <button class="quiet-button" type="submit">
                {text!(words, "row-keep")}
            </button>
        </form>
    }
    .erase()
}
