//! What stands in a page for browsers without scripts: forms in place of the buttons that need them, and what is missing.
//!
//! The server makes all of it. To a browser with scripts the inside of a `<noscript>` is one text, which it neither reads nor makes itself.

use leptos::prelude::*;

use crate::{
    erase::Erase as _,
    feed::{Conversation, Store, Turn},
};

/// What is missing, on every page.
pub(crate) fn notice() -> AnyView {
    let inside = made::notice();
    view! { <noscript inner_html=inside></noscript> }.erase()
}

/// The way out of the line, out of an answer, or to another answer.
pub(crate) fn turn(store: Store, turn: &Turn, last: bool) -> AnyView {
    let inside = made::turn(store, turn, last);
    view! { <noscript inner_html=inside></noscript> }.erase()
}

/// What can be done with a conversation as a whole.
pub(crate) fn conversation(store: Store, conversation: &Conversation) -> AnyView {
    let inside = made::conversation(store, conversation);
    view! { <noscript inner_html=inside></noscript> }.erase()
}

/// In a page's head: has a page that shows a message which is not over come again by itself.
pub(crate) fn refresh() -> AnyView {
    let inside = made::refresh();
    view! { <noscript inner_html=inside></noscript> }.erase()
}

#[cfg(not(feature = "ssr"))]
mod made {
    use super::{Conversation, Store, Turn};

    pub(super) const fn notice() -> &'static str {
        ""
    }

    pub(super) const fn turn(_: Store, _: &Turn, _: bool) -> &'static str {
        ""
    }

    pub(super) const fn conversation(_: Store, _: &Conversation) -> &'static str {
        ""
    }

    pub(super) const fn refresh() -> &'static str {
        ""
    }
}

#[cfg(feature = "ssr")]
mod made {
    use anteroom::{
        say,
        wire::{ConversationId, StepState, TurnId, TurnState},
    };
    use leptos::prelude::*;

    use super::{Conversation, Store, Turn};
    use crate::{erase::Look as _, initial::Preloaded, words::words};

    /// From one refresh to the next, in seconds.
    const EVERY: u32 = 5;

    pub(super) fn notice() -> String {
        view! { <p class="notice plain-notice">{say!(words(), "plain-missing", seconds = EVERY)}</p> }.to_html()
    }

    pub(super) fn refresh() -> String {
        match Preloaded::of_request().is_some_and(|page| page.is_going_on()) {
            true => view! { <meta http-equiv="refresh" content=EVERY /> }.to_html(),
            false => String::new(),
        }
    }

    /// A form of these fields. The confirmation is what makes it ours: no other page, and nothing that is smuggled into one of ours, knows it.
    fn form(
        store: Store,
        action: &'static str,
        fields: Vec<(&'static str, String)>,
        inside: impl IntoView,
    ) -> impl IntoView {
        let confirmation = ("confirmation", store.facts.peek(|facts| facts.confirmation.clone()));
        let hidden = |(name, value)| view! { <input type="hidden" name=name value=value autocomplete="off" /> };
        let hidden = fields.into_iter().chain([confirmation]).map(hidden).collect_view();
        view! {
            <form class="plain-form" method="post" action=format!("/api/form/{action}")>
                {hidden} {inside}
            </form>
        }
    }

    pub(super) fn turn(store: Store, turn: &Turn, last: bool) -> String {
        format!("{}{}", leave(store, turn), whole(store, turn, last))
    }

    /// What can be said to tools that ask for leave.
    fn leave(store: Store, turn: &Turn) -> String {
        let words = words();
        let (of, asking) = turn.view.peek(|view| {
            let steps = view.steps.iter().enumerate();
            let asking = steps.filter(|(_, step)| step.state == StepState::Asks);
            let asking = asking.map(|(index, step)| (index, step.tool.clone(), step.server.clone()));
            (view.conversation, asking.collect::<Vec<_>>())
        });
        let forms = asking.into_iter().map(|(index, tool, server)| {
            let fields = vec![
                ("conversation", of.to_string()),
                ("turn", turn.id.to_string()),
                ("step", index.to_string()),
            ];
            let answer = |value: &'static str, text: String| {
                view! { <button class="button" type="submit" name="answer" value=value>{text}</button> }
            };
            let inside = view! {
                <p>{say!(words, "step-ask", tool = tool, server = server)}</p>
                {answer("once", say!(words, "step-once"))}
                {answer("conversation", say!(words, "step-conversation"))}
                {answer("no", say!(words, "step-no"))}
                {answer("never", say!(words, "step-never"))}
            };
            form(store, "step", fields, inside).to_html()
        });
        forms.collect()
    }

    fn whole(store: Store, turn: &Turn, last: bool) -> String {
        let words = words();
        let of = turn.view.peek(|view| view.conversation);
        let (action, text) = match turn.view.peek(|view| view.state.clone()) {
            TurnState::Waiting => ("cancel", say!(words, "cancel")),
            TurnState::Running => ("cancel", say!(words, "stop")),
            _ if !last => return String::new(),
            TurnState::Failed { .. } | TurnState::Expired { .. } => ("again", say!(words, "retry")),
            TurnState::Done | TurnState::Incomplete { .. } | TurnState::Cancelled => {
                ("again", say!(words, "regenerate"))
            }
        };
        let fields = vec![
            ("conversation", of.to_string()),
            ("turn", turn.id.to_string()),
            ("new", TurnId::new().to_string()),
        ];
        let button = view! { <button class="button" type="submit">{text}</button> };
        form(store, action, fields, button).to_html()
    }

    pub(super) fn conversation(store: Store, conversation: &Conversation) -> String {
        match conversation.id.get_untracked() {
            Some(id) => manage(store, id),
            None => String::new(),
        }
    }

    fn manage(store: Store, id: ConversationId) -> String {
        let words = words();
        let Some(line) = Preloaded::of_request().and_then(|page| page.line()) else {
            return String::new();
        };
        let title = line.title;
        let of = || vec![("conversation", id.to_string())];
        let rename = view! {
            <input class="text-field" name="title" maxlength="200" aria-label=say!(words, "row-title") value=title />
            <button class="button" type="submit">{say!(words, "row-keep")}</button>
        };
        let shelve = |what: &'static str, is: bool, text: String| {
            let mut fields = of();
            fields.push((what, (!is).to_string()));
            let button = view! { <button class="button" type="submit">{text}</button> };
            form(store, "shelve", fields, button)
        };
        let pin = (!line.archived).then(|| {
            let text = if line.pinned {
                say!(words, "row-unpin")
            } else {
                say!(words, "row-pin")
            };
            shelve("pinned", line.pinned, text)
        });
        let archive = match line.archived {
            true => say!(words, "row-unarchive"),
            false => say!(words, "row-archive"),
        };
        let delete = view! {
            <p>{say!(words, "plain-delete-really")}</p>
            <button class="button button-bad" type="submit">{say!(words, "row-delete")}</button>
        };
        let tools = store.facts.peek(|facts| facts.tools).then(|| {
            view! { <a class="button" href=format!("/c/{id}/tools")>{say!(words, "row-tools")}</a> }
        });
        let save = |form: &str, text: String| {
            view! { <a class="button" href=format!("/export/{id}.{form}") download="">{text}</a> }
        };
        view! {
            <details class="plain-manage">
                <summary class="button">{say!(words, "plain-manage")}</summary>
                {form(store, "rename", of(), rename)}
                <div class="actions">{pin} {shelve("archived", line.archived, archive)}</div>
                <div class="actions">
                    {save("md", say!(words, "row-markdown"))} {save("json", say!(words, "row-json"))}
                    <a class="button along-link" href=format!("/c/{id}/along")>{say!(words, "row-along")}</a>
                    {tools}
                </div>
                {form(store, "delete", of(), delete)}
            </details>
        }
        .to_html()
    }
}
