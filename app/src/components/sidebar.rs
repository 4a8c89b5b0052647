//! The conversations of this browser: a column where there is space, else a drawer.

use std::time::Duration;

use anteroom::{say, text};
use leptos::{html, prelude::*};

use super::{
    anchors,
    conversation_row::{ConversationRow, Rows},
    days,
    header::Tabs,
    icon::{self, Icon},
    language::LanguageSwitch,
    more::more,
    search::{Found, Search, Searching},
};
use crate::{
    browser,
    erase::{Erase as _, Look as _, choose, each, effect, every, live, memo, when},
    feed::{self, Conversation, Rest, Store, Turn},
    location::here,
    route::{Page, conversation_of},
    words::words,
    writing::drafts,
};

/// Most characters of a message that stand for its title.
const LONGEST_TITLE: usize = 60;
/// So near to the end of the list, in pixels, more of it is fetched.
const NEAR: i32 = 300;

/// The list of conversations, the last used first, and the search in them.
#[component]
pub(crate) fn Sidebar() -> impl IntoView {
    let store = expect_context::<Store>();
    let searching = Searching::new();
    let words = words();
    // Where there are several, the composer says which one answers.
    let model = move || match store.has_choice() {
        true => String::new(),
        false => store.title(&store.facts.look(|facts| facts.model.clone())),
    };
    let path = here().path;
    let drafted = move || {
        path.look(|path| path != "/") && store.drafted.look(|drafted| drafted.iter().any(|of| of == drafts::NEW))
    };
    view! {
        <aside class="sidebar" id=anchors::CONVERSATIONS aria-label=text!(words, "conversations") popover="auto">
            <Tabs class="tabs only-narrow" />
            <a
                class="button new-chat"
                id=anchors::NEW_CHAT
                href="/"
                data-testid="new-chat"
                on:click=move |_| {
                    store.begin_another();
                    browser::hide_popover(anchors::CONVERSATIONS);
                }
            >
                <Icon path=icon::PLUS />
                {text!(words, "new-chat")}
                {when(drafted, move || {
                    view! { <span class="conversation-mark draft-mark" data-testid="mark">{text!(words, "list-draft")}</span> }.erase()
                })}
            </a>
            <Search searching />
            {choose(
                move || searching.is_active(),
                move || view! { <Found searching /> }.erase(),
                || view! { <Conversations /> }.erase(),
            )}
            <div class="sidebar-foot">
                <span>{live(model)}</span>
                <span class="version">
                    "Anteroom "{live(move || store.facts.look(|facts| facts.version.clone()))}" · "
                    <a href="/data" on:click=move |_| browser::hide_popover(anchors::CONVERSATIONS)>
                        {Page::Data.name(words)}
                    </a>
                </span>
                <button class="language needs-awake" type="button" data-keys="" data-testid="show-keys">
                    {text!(words, "list-keys")}
                </button>
                <LanguageSwitch />
            </div>
        </aside>
    }
    .erase()
}

/// The list, as far as it is here. More comes as it is scrolled.
#[component]
fn Conversations() -> impl IntoView {
    let store = expect_context::<Store>();
    let list = NodeRef::<html::Nav>::new();
    let rows = Rows::new();
    let words = words();
    effect(move || {
        rows.zone.set(browser::zone());
        every(Duration::from_secs(30), move || rows.now.set(browser::now()));
    });
    let days = memo(move || {
        let (now, zone) = (rows.now.get().max(browser::now()), rows.zone.get());
        store.conversations.all.look(|all| days::heads(all, now, zone))
    });
    let scrolled = move |_| {
        if let Some(list) = list.get_untracked()
            && list.scroll_height() - list.scroll_top() - list.client_height() < NEAR
            && store.conversations.rest.peek(|rest| *rest == Rest::More)
            && list
                .query_selector(".archived:not([open])")
                .is_ok_and(|folded| folded.is_none())
        {
            feed::load_more(store);
        }
    };
    // Those whose first message has not been sent: the server has not given them a title and an address yet.
    let unbegun = move || {
        let all = store.unbegun.get();
        let held = all.into_iter().filter(Conversation::holds_unsent);
        held.filter_map(|one| {
            let first = one.turns.look(|turns| turns.first().cloned())?;
            Some((one, first))
        })
        .collect::<Vec<_>>()
    };
    let empty = move || store.conversations.all.look(Vec::is_empty) && store.unbegun.look(Vec::is_empty);
    let path = here().path;
    // They come last, so that what lies beyond is theirs, too.
    let has_archived = move || {
        store
            .conversations
            .all
            .look(|all| all.last().is_some_and(|last| last.archived))
    };
    let beyond = move || {
        more(&store.conversations.rest.get(), text!(words, "list-more"), move || {
            feed::load_more(store);
        })
    };
    let shown = move |archived: bool| {
        each(
            move || {
                let all = store.conversations.all.get();
                all.into_iter().filter(|one| one.archived == archived).collect()
            },
            // Put elsewhere, it is another row: whatever waits for that finds it there.
            |summary| format!("{}{}", summary.id, summary.pinned),
            move |summary| view! { <ConversationRow summary rows days /> }.erase(),
        )
    };
    let archive = move || {
        let open = path.peek(|path| conversation_of(path));
        let open = store
            .conversations
            .all
            .peek(|all| all.iter().any(|one| one.archived && Some(one.id) == open));
        view! {
            <details class="archived" open=open data-testid="archive">
                <summary class="list-day">{text!(words, "list-archive")}</summary>
                <ul>{shown(true)}</ul>
                {live(beyond)}
            </details>
        }
        .erase()
    };
    view! {
        <nav class="conversations" aria-label=text!(words, "conversations") node_ref=list on:scroll=scrolled>
            {when(empty, move || view! {
                <p class="hint">{text!(words, "list-empty")}</p>
            }.erase())}
            <ul>
                {each(
                    unbegun,
                    |(_, turn)| turn.id.to_string(),
                    move |(conversation, turn)| view! { <Unbegun conversation turn /> }.erase(),
                )}
                {shown(false)}
            </ul>
            {choose(has_archived, archive, move || live(beyond).erase())}
        </nav>
    }
    .erase()
}

/// A conversation whose first message has not been sent.
#[component]
fn Unbegun(conversation: Conversation, turn: Turn) -> impl IntoView {
    let store = expect_context::<Store>();
    let path = here().path;
    let words = words();
    let view = turn.view;
    let title = view.peek(|view| {
        let line = view.message.lines().find(|line| !line.trim().is_empty());
        line.map_or_else(
            || say!(words, "list-files"),
            |line| line.trim().chars().take(LONGEST_TITLE).collect(),
        )
    });
    let this = conversation.clone();
    let open = move || path.look(|path| path == "/") && store.fresh.look(|fresh| *fresh == this);
    let show = move |_| {
        store.fresh.set(conversation.clone());
        browser::hide_popover(anchors::CONVERSATIONS);
    };
    view! {
        <li>
            <a
                class="conversation"
                href="/"
                data-testid="unbegun"
                aria-current=live(move || open().then_some("page"))
                on:click=show
            >
                <span class="conversation-title" dir="auto">{title}</span>
                <span class="conversation-at">{text!(words, "list-unsent")}</span>
            </a>
        </li>
    }
    .erase()
}
