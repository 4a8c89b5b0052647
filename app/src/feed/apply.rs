//! What each message of the feed does to the store.

use anteroom::wire::{ConversationId, FeedEvent, FeedMessage};
use leptos::prelude::*;

use super::{Link, Load, Store, loading, unsent};
use crate::erase::Look as _;

impl Store {
    /// Takes one message of the feed in.
    pub(super) fn hear(self, message: FeedMessage) {
        match message {
            FeedMessage::Hello {
                position,
                resumed,
                version,
            } => {
                self.position.set_value(Some(position));
                self.stats.pending.set(false);
                self.logs.pending.set(false);
                if self.facts.peek(|facts| facts.version != version) {
                    self.outdated.set(true);
                }
                if !resumed {
                    self.invalidate_all();
                    loading::reload(self);
                } else {
                    self.retry_failed();
                }
                if self.link.get_untracked() != Link::Live {
                    self.link.set(Link::Live);
                }
                unsent::flush(self);
            }
            FeedMessage::Event { number, event } => {
                let new = self.position.try_update_value(|position| match position {
                    Some(position) if number <= position.number => false,
                    Some(position) => {
                        position.number = number;
                        true
                    }
                    None => true,
                });
                if new == Some(true) {
                    self.apply_event(number, event);
                }
            }
            FeedMessage::Status(status) => {
                self.statuses.update_value(|count| *count += 1);
                if self.status.peek(|known| *known != status) {
                    self.stand(status);
                }
            }
            FeedMessage::Drawn { refresh, html } => self.refresh(refresh).arrived(html),
            FeedMessage::RefreshRefused { refresh, reason } => self.refresh(refresh).refused(reason),
        }
    }

    fn apply_event(self, number: u64, event: FeedEvent) {
        match event {
            FeedEvent::Conversation(_) | FeedEvent::ConversationRemoved { .. } => self.list(number, event),
            FeedEvent::Turn(view) => {
                self.adopt(view.id, view.conversation);
                self.pass_on(view.conversation, number, FeedEvent::Turn(view));
            }
            FeedEvent::Version { conversation, .. }
            | FeedEvent::Chosen { conversation, .. }
            | FeedEvent::Behind { conversation, .. } => {
                self.pass_on(conversation, number, event);
            }
            FeedEvent::Block { conversation, turn, .. }
            | FeedEvent::Thought { conversation, turn, .. }
            | FeedEvent::Step { conversation, turn, .. } => {
                // An answer may begin before its message is accepted, and with it the conversation that it stands in.
                match self.unbegun_with(turn) {
                    Some(unbegun) => unbegun.apply(event),
                    None => self.pass_on(conversation, number, event),
                }
            }
        }
    }

    /// Hands an event to its conversation, unless that is not here: then it is fetched whole when it is shown.
    fn pass_on(self, id: ConversationId, number: u64, event: FeedEvent) {
        let Some(conversation) = self.conversation(id) else {
            return;
        };
        match conversation.load.get_untracked() {
            Load::Ready => conversation.apply(event),
            Load::Loading => conversation.hold(number, event),
            Load::Stale | Load::Absent | Load::Failed(_) => {}
        }
    }
}
