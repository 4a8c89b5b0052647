//! Which model answers a conversation, and how: what is offered, what is chosen, and the line that leads there.

use anteroom::wire::{Choice, LineView, ModelInfo};
use leptos::{prelude::*, task::spawn_local};

use super::{Conversation, Store};
use crate::{
    api,
    erase::{Look as _, memo},
    writing::{drafts, outbox},
};

/// What the page is about: the conversation that is open, or the one that the next message begins.
#[derive(Clone, Copy)]
pub(crate) struct Shown {
    pub(crate) conversation: Memo<Conversation>,
    /// The model that answers its next message, by its id.
    pub(crate) model: Memo<String>,
    /// The line that leads to that one.
    pub(crate) line: Memo<Option<LineView>>,
}

impl Shown {
    pub(crate) fn new(store: Store, conversation: Memo<Conversation>) -> Self {
        let model = memo(move || conversation.look(|conversation| store.chosen(conversation)));
        Self {
            conversation,
            model,
            line: store.line(move || model.get()),
        }
    }
}

impl Store {
    /// Every model that is offered, the default one first. Reactive.
    pub(crate) fn models(self) -> Vec<ModelInfo> {
        self.facts.look(|facts| facts.models.clone())
    }

    /// Whether there is more than one to choose from. Reactive.
    pub(crate) fn has_choice(self) -> bool {
        self.facts.look(|facts| facts.models.len() > 1)
    }

    /// Whether a model is offered. Reactive.
    pub(crate) fn offers(self, model: &str) -> bool {
        self.facts
            .look(|facts| facts.models.iter().any(|known| known.id == model))
    }

    /// What people call a model. Reactive.
    pub(crate) fn title(self, model: &str) -> String {
        self.facts.look(|facts| {
            let known = facts.models.iter().find(|known| known.id == model);
            let title = known.and_then(|known| known.title.as_deref());
            title.unwrap_or(model).to_owned()
        })
    }

    /// The model that answers a conversation's next message, by its id. Reactive.
    pub(crate) fn chosen(self, conversation: &Conversation) -> String {
        let chosen = conversation.choice.look(|choice| choice.model.clone());
        chosen.unwrap_or_else(|| self.facts.look(|facts| facts.model.clone()))
    }

    /// The line that leads to a model; `None`: it is not offered any more.
    pub(crate) fn line(self, model: impl Fn() -> String + Send + Sync + 'static) -> Memo<Option<LineView>> {
        memo(move || {
            let model = model();
            self.status.look(|status| {
                let own = |line: &&LineView| line.model.as_ref() == Some(&model);
                // A line that leads to no model is that of all.
                let only = || status.line().filter(|line| line.model.is_none());
                let line = status.lines.iter().find(own).or_else(only)?;
                Some(self.counted_down(line))
            })
        })
    }
}

/// Chooses for a conversation. One that has not begun keeps it for when it does; of any other the server has to know, and tells all tabs.
pub(crate) fn choose(store: Store, conversation: &Conversation, choice: Choice) {
    let before = conversation.choice.get_untracked();
    conversation.choose(choice.clone());
    let Some(id) = conversation.id.get_untracked() else {
        let unsent = conversation.unsent();
        if unsent.is_empty() {
            drafts::set_choice(choice);
        } else {
            for turn in unsent {
                outbox::change(turn.id, |unsent| unsent.choice = choice.clone());
            }
        }
        return;
    };
    let conversation = conversation.clone();
    spawn_local(async move {
        if let Err(error) = api::choose(id, choice.clone()).await {
            // What has been chosen since then stays.
            if conversation.choice.peek(|known| *known == choice) {
                conversation.choose(before);
            }
            store.notice.set(Some(error.reason));
        }
    });
}
