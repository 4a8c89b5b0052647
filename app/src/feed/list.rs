//! The list of conversations, as far as somebody has scrolled down it.

use anteroom::wire::{ConversationId, ConversationPage, ConversationSummary, Reason};
use leptos::prelude::*;

use super::{Rest, Store};
use crate::erase::Look as _;

/// The conversations that are here, and what lies beyond them. Copies share it.
#[derive(Clone, Copy)]
pub(crate) struct List {
    /// Those that are pinned, the others, those that are archived; of each the last used first.
    pub(crate) all: RwSignal<Vec<ConversationSummary>>,
    /// What comes after them.
    pub(crate) rest: RwSignal<Rest>,
}

impl List {
    pub(super) fn new() -> Self {
        Self {
            all: RwSignal::new(Vec::new()),
            rest: RwSignal::new(Rest::Nothing),
        }
    }

    /// Begins again with what was used last.
    pub(super) fn begin(self, page: ConversationPage) {
        self.all.set(page.conversations);
        self.rest.set(Rest::of(page.more));
    }

    /// Takes a line in, in its place. One that belongs further down than what is here comes with its own part.
    pub(super) fn put(self, summary: ConversationSummary) {
        let more = self.rest.peek(|rest| *rest != Rest::Nothing);
        self.all.update(|list| {
            list.retain(|known| known.id != summary.id);
            let place = list.partition_point(|known| known.rank() > summary.rank());
            if place < list.len() || !more {
                list.insert(place, summary);
            }
        });
    }

    /// The one after this, else the one before it, in the archive as outside of it.
    pub(crate) fn beside(self, id: ConversationId) -> Option<ConversationId> {
        self.all.peek(|list| {
            let place = list.iter().position(|known| known.id == id)?;
            let archived = list[place].archived;
            let at = |place: usize| list.get(place).filter(|near| near.archived == archived);
            let beside = at(place + 1).or_else(|| at(place.checked_sub(1)?))?;
            Some(beside.id)
        })
    }

    pub(super) fn remove(self, id: ConversationId) {
        self.all.update(|list| list.retain(|known| known.id != id));
    }

    /// More is about to be asked for: after this one. `None`: there is no more, or it is on its way.
    pub(super) fn begin_more(self) -> Option<ConversationId> {
        if !self.rest.peek(Rest::is_there) {
            return None;
        }
        let last = self.all.peek(|list| list.last().map(|last| last.id))?;
        self.rest.set(Rest::Loading);
        Some(last)
    }

    /// More has come: what follows `after`, unless that is the last no more.
    pub(super) fn append(self, after: ConversationId, page: ConversationPage) {
        if self.all.peek(|list| list.last().is_none_or(|last| last.id != after)) {
            self.rest.set(Rest::More);
            return;
        }
        self.all.update(|list| {
            for summary in page.conversations {
                if list.iter().all(|known| known.id != summary.id) {
                    list.push(summary);
                }
            }
        });
        self.rest.set(Rest::of(page.more));
    }

    /// More did not come.
    pub(super) fn fail_more(self, reason: Reason) {
        self.rest.set(Rest::Failed(reason));
    }
}

impl Store {
    /// A conversation's line, if it is in the list. Reactive.
    pub(crate) fn summary(self, id: ConversationId) -> Option<ConversationSummary> {
        self.conversations
            .all
            .look(|list| list.iter().find(|known| known.id == id).cloned())
    }
}
