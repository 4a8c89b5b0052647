//! Turns and conversations, as their owner's browser shows them.

use super::{Conversations, TurnTask, in_flight::Shown, step_view};
use crate::{
    queue::Owner,
    sessions::Session,
    store::{ConversationRecord, Step, StoreError, TurnRecord},
    wire::{
        ConversationId, ConversationPage, ConversationSummary, ConversationView, FeedEvent, FeedPosition, TurnId,
        TurnPage, TurnState, TurnView, Versions,
    },
};

/// Conversations in one part of the list.
const CONVERSATIONS: usize = 50;
/// Turns in one part of a conversation.
const TURNS: usize = 30;

impl Conversations {
    /// Tells every open page of the session how a turn and its conversation are now.
    pub(super) fn announce(&self, task: &mut TurnTask, shown: Shown) {
        task.take_new_line();
        let asks = self
            .in_flight
            .find(task.turn.owner, task.turn.id)
            .is_some_and(|live| live.steps.asks());
        let TurnTask {
            session,
            conversation,
            turn,
            versions,
            ..
        } = task;
        if session.is_removed(conversation.id) {
            return;
        }
        let journal = session.journal();
        journal.append(FeedEvent::Turn(Box::new(view(turn.clone(), *versions, shown, None))));
        let busy = session.is_conversation_busy(conversation.id);
        journal.append(FeedEvent::Conversation(summary(conversation, busy, asks && busy)));
    }

    /// An owner's conversations that come after `after`, or the first ones: in the order of the list. `session` is
    /// that of who asks, if it is in memory.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn conversations(
        &self,
        owner: Owner,
        session: Option<&Session>,
        after: Option<ConversationId>,
    ) -> Result<ConversationPage, StoreError> {
        // One more than is shown tells whether there are more.
        let mut records = self.deps.store.conversations(owner, after, CONVERSATIONS + 1).await?;
        let more = records.len() > CONVERSATIONS;
        records.truncate(CONVERSATIONS);
        let busy = |id| session.is_some_and(|session| session.is_conversation_busy(id));
        Ok(ConversationPage {
            conversations: records
                .iter()
                .map(|record| summary(record, busy(record.id), self.asks(owner, record.id)))
                .collect(),
            more,
        })
    }

    /// One conversation of an owner with its newest turns; `None` where it has none of this id.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn conversation(
        &self,
        owner: Owner,
        session: Option<&Session>,
        conversation: ConversationId,
        feed: FeedPosition,
    ) -> Result<Option<ConversationView>, StoreError> {
        let Some((record, choice)) = self.deps.store.chosen(owner, conversation).await? else {
            return Ok(None);
        };
        // Before the turns: one that begins meanwhile is in both, and not in neither.
        let behind = self.deps.store.follow_ups(owner, conversation).await?;
        let TurnPage { turns, earlier } = self.page(owner, record.head).await?;
        let busy = session.is_some_and(|session| session.is_conversation_busy(conversation));
        Ok(Some(ConversationView {
            summary: summary(&record, busy, self.asks(owner, conversation)),
            turns,
            earlier,
            choice,
            behind,
            feed,
        }))
    }

    /// The turns that lead to `before`, without that one; `None` where the owner has none of this id.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn earlier(&self, owner: Owner, before: TurnId) -> Result<Option<TurnPage>, StoreError> {
        let Some(step) = self.deps.store.turn(owner, before).await? else {
            return Ok(None);
        };
        let page = match step.turn.parent {
            Some(last) => self.page(owner, last).await?,
            None => TurnPage {
                turns: Vec::new(),
                earlier: false,
            },
        };
        Ok(Some(page))
    }

    /// A turn of an owner, as it is at this moment; `None` where it has none of this id.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn turn(&self, owner: Owner, id: TurnId) -> Result<Option<TurnView>, StoreError> {
        let Some(mut step) = self.deps.store.turn(owner, id).await? else {
            return Ok(None);
        };
        self.pending.correct(&mut step.turn);
        Ok(self.shown(owner, vec![step]).await?.pop())
    }

    /// The turns that lead to `last`, as they are at this moment.
    pub(super) async fn path(&self, owner: Owner, last: TurnId, most: usize) -> Result<Vec<Step>, StoreError> {
        let mut steps = self.deps.store.path(owner, last, most).await?;
        for step in &mut steps {
            self.pending.correct(&mut step.turn);
        }
        Ok(steps)
    }

    async fn page(&self, owner: Owner, last: TurnId) -> Result<TurnPage, StoreError> {
        let steps = self.path(owner, last, TURNS).await?;
        let earlier = steps.first().is_some_and(|step| step.turn.parent.is_some());
        let turns = self.shown(owner, steps).await?;
        Ok(TurnPage { turns, earlier })
    }

    async fn shown(&self, owner: Owner, mut steps: Vec<Step>) -> Result<Vec<TurnView>, StoreError> {
        let live: Vec<(Option<Shown>, Option<String>)> = steps
            .iter_mut()
            .map(|step| self.catch_up(owner, &mut step.turn))
            .collect();
        // Rendering long answers takes a while that the async threads must not wait.
        let rendered = tokio::task::spawn_blocking(move || {
            let all = steps.into_iter().zip(live);
            all.map(|(Step { turn, versions }, (live, connecting))| {
                let shown = live.unwrap_or_else(|| Shown::of(&turn.answer, &turn.reasoning, &turn.steps));
                view(turn, versions, shown, connecting)
            })
            .collect()
        });
        rendered.await.map_err(|error| StoreError::Other(error.to_string()))
    }

    /// Whether a turn of a conversation waits for its owner to allow the use of a tool.
    pub(super) fn asks(&self, owner: Owner, conversation: ConversationId) -> bool {
        let live = self.in_flight.of_conversation(owner, conversation);
        live.is_some_and(|live| live.steps.asks())
    }

    /// What the store does not know of a turn that is not over: whether it runs, its answer so far, and the servers of tools that it waits for.
    fn catch_up(&self, owner: Owner, turn: &mut TurnRecord) -> (Option<Shown>, Option<String>) {
        if turn.state.is_over() {
            return (None, None);
        }
        let Some(live) = self.in_flight.find(owner, turn.id) else {
            return (None, None);
        };
        let steps = live.steps.steps();
        // One that has just been taken up has not been shown here yet.
        if steps.len() < turn.steps.len() {
            return (None, None);
        }
        turn.steps = steps;
        let waits = live
            .ticket
            .get()
            .is_some_and(|ticket| self.deps.queue.order_key(*ticket).is_some());
        turn.state = if waits { TurnState::Waiting } else { TurnState::Running };
        if waits && turn.steps.is_empty() {
            turn.started_at = None;
        }
        turn.answer = live.text();
        turn.thought_ms = live.thought_ms().or(turn.thought_ms);
        (Some(live.shown()), live.steps.connecting())
    }
}

pub(super) fn summary(record: &ConversationRecord, busy: bool, asks: bool) -> ConversationSummary {
    ConversationSummary {
        id: record.id,
        title: record.title.clone(),
        updated_at: record.updated_at,
        busy,
        asks,
        pinned: record.shelf.pinned,
        archived: record.shelf.archived,
    }
}

fn view(turn: TurnRecord, versions: Versions, shown: Shown, connecting: Option<String>) -> TurnView {
    let rounds = turn.steps.last().map_or(0, |step| step.round + 1);
    let connecting = connecting.map(|servers| step_view::connecting(servers, rounds, shown.blocks.len()));
    let steps = turn.steps.iter().zip(&shown.steps);
    let steps = steps
        .map(|(step, stand)| step_view::of(step, *stand))
        .chain(connecting)
        .collect();
    TurnView {
        id: turn.id,
        conversation: turn.conversation,
        parent: turn.parent,
        versions,
        message: turn.message,
        files: turn.files,
        state: turn.state,
        answer: turn.answer,
        blocks: shown.blocks,
        thoughts: shown.thoughts,
        thought_ms: turn.thought_ms,
        steps,
        notices: turn.notices,
        good: turn.good,
        model: turn.model,
        usage: turn.usage,
        accepted_at: turn.accepted_at,
        started_at: turn.started_at,
        ended_at: turn.ended_at,
    }
}
