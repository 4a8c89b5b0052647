//! What people do with their conversations.

use std::sync::Arc;

use super::{Conversations, going_on::Why, title::given, view::summary};
use crate::{
    clock::now_ms,
    queue::Owner,
    sessions::Session,
    store::{Hit, StoreError, search::find_in},
    wire::{ConversationId, FeedEvent, FileId, Found, SearchResults, Shelving, TurnId, TurnState},
};

/// Most conversations that one search finds.
const MOST_FOUND: usize = 50;
/// Characters of text around a place that was found, on each side.
const AROUND: usize = 60;

impl Conversations {
    /// Gives a conversation another title. `false`: there is no such conversation of this owner, or the title is blank.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn rename(
        &self,
        owner: Owner,
        session: &Session,
        id: ConversationId,
        title: &str,
    ) -> Result<bool, StoreError> {
        let Some(title) = given(title) else { return Ok(false) };
        self.titles.end((owner, id));
        let renamed = self.deps.store.rename(owner, id, &title).await?;
        if renamed {
            session.renamed(id, &title);
        }
        self.tell_line(owner, session, id).await?;
        Ok(renamed)
    }

    /// Puts a conversation elsewhere in the list: above the days, into the archive, or back. `false`: there is no such conversation of this
    /// owner.
    ///
    /// # Errors
    /// [`StoreError`]; nothing has changed then.
    pub async fn shelve(
        &self,
        owner: Owner,
        session: &Session,
        id: ConversationId,
        shelving: Shelving,
    ) -> Result<bool, StoreError> {
        let Some(shelf) = self.deps.store.shelve(owner, id, shelving).await? else {
            return Ok(false);
        };
        session.shelved(id, shelf);
        self.tell_line(owner, session, id).await?;
        Ok(true)
    }

    /// Tells every open page of a session how the line of a conversation in the list is now.
    pub(super) async fn tell_line(
        &self,
        owner: Owner,
        session: &Session,
        id: ConversationId,
    ) -> Result<(), StoreError> {
        if let Some(record) = self.deps.store.conversation(owner, id).await? {
            let busy = session.is_conversation_busy(id);
            session
                .journal()
                .append(FeedEvent::Conversation(summary(&record, busy, self.asks(owner, id))));
        }
        Ok(())
    }

    /// Deletes a conversation so that it can be brought back for a while; what waits or runs in it is ended. `false`: there is
    /// no such conversation of this owner.
    ///
    /// # Errors
    /// [`StoreError`]; nothing has changed then.
    pub async fn delete(&self, owner: Owner, session: &Session, id: ConversationId) -> Result<bool, StoreError> {
        let Some(record) = self.deps.store.conversation(owner, id).await? else {
            return Ok(false);
        };
        self.titles.end((owner, id));
        // From here on the end of its last turn does not bring it back to the pages, and what stands behind that does not begin.
        session.set_removed(id, true);
        let deleted = self.deps.store.delete(owner, id, now_ms()).await;
        let deleted = deleted.inspect_err(|_| session.set_removed(id, false))?;
        self.cancel(owner, record.head);
        if let Some(live) = self.in_flight.of_conversation(owner, id) {
            self.end_live(&live);
        }
        session.journal().append(FeedEvent::ConversationRemoved { id });
        Ok(deleted)
    }

    /// Brings back a conversation that was deleted. `false`: it is gone permanently, or was never there.
    ///
    /// # Errors
    /// [`StoreError`]; nothing has changed then.
    pub async fn undelete(&self, owner: Owner, session: &Arc<Session>, id: ConversationId) -> Result<bool, StoreError> {
        let Some(record) = self.deps.store.undelete(owner, id).await? else {
            return Ok(false);
        };
        session.set_removed(id, false);
        // The server may have ended between the deletion and the end of what was on its way in it: nobody took that up.
        if let Some(mut step) = self.deps.store.turn(owner, record.head).await?
            && !step.turn.state.is_over()
            && self.in_flight.find(owner, record.head).is_none()
        {
            step.turn.state = TurnState::Cancelled;
            step.turn.ended_at = Some(now_ms());
            self.keep(step.turn).await;
        }
        let busy = session.is_conversation_busy(id);
        session
            .journal()
            .append(FeedEvent::Conversation(summary(&record, busy, self.asks(owner, id))));
        self.go_on(session, owner, id, Why::Changed);
        Ok(true)
    }

    /// Shows a version of a turn, and the newest that follows it. `false`: there is no such turn of this owner, or its conversation has
    /// a turn that waits or runs.
    ///
    /// # Errors
    /// [`StoreError`]; nothing has changed then.
    pub async fn show(&self, owner: Owner, session: &Arc<Session>, turn: TurnId) -> Result<bool, StoreError> {
        let store = &self.deps.store;
        let Some(step) = store.turn(owner, turn).await? else {
            return Ok(false);
        };
        let conversation = step.turn.conversation;
        // A turn on its way is the one that is shown, until it is over.
        let Some(_claim) = session.claim_or_wait(conversation).await else {
            return Ok(false);
        };
        let head = store.newest_below(owner, turn).await?;
        let shown = store.show(owner, conversation, head).await?;
        if shown {
            session.journal().append(FeedEvent::Version { conversation, head });
        }
        Ok(shown)
    }

    /// Conversations of an owner with `text` in them.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn search(
        &self,
        owner: Owner,
        session: Option<&Session>,
        text: &str,
    ) -> Result<SearchResults, StoreError> {
        let text = text.trim();
        if text.is_empty() {
            return Ok(SearchResults::default());
        }
        let mut hits = self.deps.store.search(owner, text, MOST_FOUND + 1).await?;
        let more = hits.len() > MOST_FOUND;
        hits.truncate(MOST_FOUND);
        let busy = |id| session.is_some_and(|session| session.is_conversation_busy(id));
        let found = hits.into_iter().map(|Hit { conversation, turn }| {
            let (turn, role, whole) = match turn {
                Some((turn, role, whole)) => (Some(turn), Some(role), whole),
                None => (None, None, conversation.title.clone()),
            };
            Found {
                conversation: summary(&conversation, busy(conversation.id), self.asks(owner, conversation.id)),
                turn,
                role,
                excerpt: excerpt(&whole, text),
            }
        });
        Ok(SearchResults {
            found: found.collect(),
            more,
        })
    }

    /// Ends all that waits or runs of an owner, and removes everything of it from the store permanently; answers that were kept for it
    /// are forgotten. Returns its files,
    /// whose contents are the caller's to remove.
    ///
    /// # Errors
    /// [`StoreError`]; what is stored has not changed then.
    pub async fn forget(&self, owner: Owner) -> Result<Vec<FileId>, StoreError> {
        let files = self.deps.store.forget(owner).await?;
        self.cancel_all(owner);
        self.titles.end_all(owner);
        self.forget_answers(owner);
        Ok(files)
    }
}

/// The text around the first place of `needle`.
fn excerpt(text: &str, needle: &str) -> (String, String, String) {
    let Some(place) = find_in(text, needle) else {
        return (String::new(), String::new(), text.chars().take(2 * AROUND).collect());
    };
    let (head, tail) = (&text[..place.start], &text[place.end..]);
    let from = head.char_indices().rev().take(AROUND).last().map_or(0, |(at, _)| at);
    let to = tail.char_indices().nth(AROUND).map_or(tail.len(), |(at, _)| at);
    let one_line = |text: &str| text.replace(['\n', '\r', '\t'], " ");
    let before = if from > 0 {
        format!("…{}", &head[from..])
    } else {
        head.to_owned()
    };
    let after = if to < tail.len() {
        format!("{}…", &tail[..to])
    } else {
        tail.to_owned()
    };
    (one_line(&before), one_line(&text[place]), one_line(&after))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_excerpt_has_whole_characters_and_says_where_it_is_cut() {
        assert_eq!(
            excerpt("A Needle, here", "needle"),
            ("A ".into(), "Needle".into(), ", here".into())
        );
        let long = format!("{}\nnadel{}", "ü".repeat(100), "ß".repeat(100));
        let (before, place, after) = excerpt(&long, "NADEL");
        assert_eq!(
            (before.chars().count(), place.as_str(), after.chars().count()),
            (61, "nadel", 61)
        );
        assert!(before.starts_with('…') && before.ends_with("ü ") && after.ends_with('…'));
    }
}
