//! What follows a turn: the message that stands behind it, once there is an answer.
//!
//! One task looks after a conversation at a time, so that what is told of it is told in order, and so that nobody is passed over: whoever changes
//! something asks for another look, and so does each turn as it gives its conversation back.

use std::{
    collections::{HashMap, hash_map::Entry as Place},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::sleep;
use tracing::{Instrument as _, info, warn};

use super::{Conversations, SendError, prepare::Prepared, prepare::next_turn, send::Entry};
use crate::{
    accounts::browser_of,
    clock::now_ms,
    logs::session_span,
    nodes::Home,
    queue::{JoinError, Owner},
    sessions::{Claim, Session, Sessions},
    store::{ConversationRecord, StoreError},
    wire::{Choice, ConversationId, FeedEvent, FollowUp, Reason, TurnState, Versions},
};

/// Between two tries where the store fails.
const RETRY: Duration = Duration::from_secs(5);
/// Between two tries to have a conversation that somebody has for a moment.
const TAKEN: Duration = Duration::from_millis(50);

/// Why a conversation is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Why {
    /// A turn of it is over, or whoever wanted to begin one has given it back.
    Free,
    /// Something of what stands behind has changed, which its pages are to be told.
    Changed,
    /// The same, and what was held is to go.
    Released,
}

/// Another look at a conversation that is being looked after.
#[derive(Clone, Copy, Debug, Default)]
struct Wanted {
    again: bool,
    tell: bool,
    released: bool,
}

impl Wanted {
    fn of(why: Why) -> Self {
        Self {
            again: true,
            tell: why != Why::Free,
            released: why == Why::Released,
        }
    }
}

/// The conversations that are being looked after.
#[derive(Debug, Default)]
pub(super) struct GoingOn(Mutex<HashMap<(Owner, ConversationId), Wanted>>);

impl GoingOn {
    fn all(&self) -> MutexGuard<'_, HashMap<(Owner, ConversationId), Wanted>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the caller is to look after it; else whoever does takes another look.
    fn begin(&self, key: (Owner, ConversationId), wanted: Wanted) -> bool {
        match self.all().entry(key) {
            Place::Vacant(place) => {
                place.insert(wanted);
                true
            }
            Place::Occupied(mut place) => {
                let known = place.get_mut();
                known.again |= wanted.again;
                known.tell |= wanted.tell;
                known.released |= wanted.released;
                false
            }
        }
    }

    /// What is wanted by now; `None`: nothing more, and it is looked after no more.
    fn next(&self, key: (Owner, ConversationId)) -> Option<Wanted> {
        let mut all = self.all();
        let wanted = all.get_mut(&key).map(std::mem::take).filter(|wanted| wanted.again);
        if wanted.is_none() {
            all.remove(&key);
        }
        wanted
    }
}

/// Has a conversation looked at when it is dropped: after the claim, so that it is free by then.
pub(super) struct GoesOn {
    conversations: Conversations,
    session: Arc<Session>,
    owner: Owner,
    conversation: ConversationId,
}

impl Drop for GoesOn {
    fn drop(&mut self) {
        self.conversations
            .go_on(&self.session, self.owner, self.conversation, Why::Free);
    }
}

/// What a look has come to.
#[derive(Clone, Copy)]
enum Looked {
    /// There is nothing more to do, for now.
    Done,
    /// Somebody has the conversation for a moment.
    Taken,
    /// The store has failed.
    Failed,
    /// Something has changed: its pages are to be told, and it is to be looked at again.
    Changed,
    /// It was changed while it was looked at.
    Again,
}

impl Conversations {
    /// See [`GoesOn`].
    pub(super) fn goes_on(&self, session: &Arc<Session>, owner: Owner, conversation: ConversationId) -> GoesOn {
        GoesOn {
            conversations: self.clone(),
            session: Arc::clone(session),
            owner,
            conversation,
        }
    }

    /// Looks at what stands behind in a conversation, in a task that ends with the server, if not before.
    pub(super) fn go_on(&self, session: &Arc<Session>, owner: Owner, conversation: ConversationId, why: Why) {
        let key = (owner, conversation);
        if self.closing.is_cancelled() || !self.going_on.begin(key, Wanted::of(why)) {
            return;
        }
        let (turns, session) = (self.clone(), Arc::clone(session));
        let span = session_span(session.id());
        let work = async move {
            while let Some(wanted) = turns.going_on.next(key) {
                let looked = Box::pin(turns.look(&session, key, wanted)).await;
                let pause = match looked {
                    Looked::Done => continue,
                    Looked::Changed | Looked::Again => Duration::ZERO,
                    Looked::Taken => TAKEN,
                    Looked::Failed => RETRY,
                };
                if !pause.is_zero() {
                    tokio::select! {
                        () = sleep(pause) => {}
                        () = turns.closing.cancelled() => {}
                    }
                }
                let again = Wanted {
                    again: !turns.closing.is_cancelled(),
                    tell: match looked {
                        Looked::Changed | Looked::Again => true,
                        Looked::Failed => wanted.tell,
                        Looked::Taken | Looked::Done => false,
                    },
                    // What has been let go once is not let go again: the next one stands behind that.
                    released: wanted.released && !matches!(looked, Looked::Changed),
                };
                turns.going_on.begin(key, again);
            }
        };
        self.tasks.spawn(work.instrument(span));
    }

    /// Has the conversations of owners looked at in which something stands behind, where `is_ours` says so: after a start, or where another node
    /// has left. Returns whether there are any.
    ///
    /// # Errors
    /// [`StoreError`].
    pub(crate) async fn take_up_follow_ups(
        &self,
        sessions: &Sessions,
        is_ours: impl Fn(Owner) -> bool,
    ) -> Result<bool, StoreError> {
        let mut followed = self.deps.store.followed().await?;
        followed.retain(|(owner, _)| is_ours(*owner));
        for (owner, conversation) in &followed {
            let session = sessions.open(browser_of(*owner));
            self.go_on(&session, *owner, *conversation, Why::Free);
        }
        Ok(!followed.is_empty())
    }

    /// Tells the pages what stands behind in a conversation.
    fn tell_behind(session: &Session, conversation: ConversationId, follow_ups: Vec<FollowUp>) {
        if !session.is_removed(conversation) {
            session.journal().append(FeedEvent::Behind {
                conversation,
                follow_ups,
            });
        }
    }

    async fn look(&self, session: &Arc<Session>, key: (Owner, ConversationId), wanted: Wanted) -> Looked {
        let (owner, conversation) = key;
        let store = &self.deps.store;
        let waiting = match store.follow_ups(owner, conversation).await {
            Ok(waiting) => waiting,
            Err(fault) => return failed(&fault),
        };
        let first = waiting.first().map(|first| (first.id, first.held.is_some()));
        if wanted.tell {
            Self::tell_behind(session, conversation, waiting);
        }
        let Some((first, false)) = first else {
            return Looked::Done;
        };
        // It is another node's to go on, or will be: that one looks for what it has to take up.
        if self.deps.homes.home(owner) != Home::Here {
            return Looked::Done;
        }
        let Some(claim) = session.claim(conversation) else {
            // A turn that is on its way comes by here when it gives the conversation back.
            let on_its_way = self.in_flight.of_conversation(owner, conversation).is_some();
            return if on_its_way { Looked::Done } else { Looked::Taken };
        };
        match self.head(session, key).await {
            Ok(Some((head, choice, state))) => {
                let answered = matches!(state, TurnState::Done | TurnState::Incomplete { .. });
                if !state.is_over() {
                    Looked::Done
                } else if answered || wanted.released {
                    self.begin_next(session, claim, (head, choice), first).await
                } else {
                    drop(claim);
                    self.hold(key, Reason::BeforeFailed).await
                }
            }
            Ok(None) => Looked::Done,
            Err(fault) => failed(&fault),
        }
    }

    /// The conversation, what is chosen for it, and how what is shown last of it is. `None`: it has been deleted.
    async fn head(
        &self,
        session: &Session,
        (owner, conversation): (Owner, ConversationId),
    ) -> Result<Option<(ConversationRecord, Choice, TurnState)>, StoreError> {
        if session.is_removed(conversation) {
            return Ok(None);
        }
        let Some((record, choice)) = self.deps.store.chosen(owner, conversation).await? else {
            return Ok(None);
        };
        let Some(mut head) = self.deps.store.turn(owner, record.head).await? else {
            return Ok(None);
        };
        self.pending.correct(&mut head.turn);
        Ok(Some((record, choice, head.turn.state)))
    }

    /// Takes the first of those that stand behind for a turn, and puts it into the line.
    async fn begin_next(
        &self,
        session: &Arc<Session>,
        claim: Claim,
        (conversation, choice): (ConversationRecord, Choice),
        first: crate::wire::TurnId,
    ) -> Looked {
        let (owner, id) = (conversation.owner, conversation.id);
        let store = &self.deps.store;
        let entered = match self.enter(owner, first).await {
            Ok(Entry::New(entered)) => entered,
            // It is a turn already, and stands here in vain.
            Ok(Entry::Known(_)) => {
                let gone = store.withdraw_follow_up(owner, first).await;
                return gone.map_or_else(|fault| failed(&fault), |_| Looked::Again);
            }
            Err(SendError::Store(fault)) => return failed(&fault),
            Err(_) => return Looked::Taken,
        };
        // Read once more, now that nobody can change it.
        let next = match store.follow_ups(owner, id).await {
            Ok(waiting) => waiting.into_iter().next(),
            Err(fault) => return failed(&fault),
        };
        let Some(next) = next.filter(|next| next.id == first && next.held.is_none()) else {
            return Looked::Again;
        };
        let chosen = match self.chosen(choice) {
            Ok(chosen) => chosen,
            Err(refusal) => {
                drop((claim, entered));
                return self.hold((owner, id), SendError::from(refusal).reason()).await;
            }
        };
        // Its place outlives its browser as long as that of one that is sent now.
        session.presence().touch();
        let prepared = Prepared {
            title: conversation.title,
            shelf: conversation.shelf.in_use(),
            turn: next_turn((owner, id), conversation.head, next, chosen.model),
            versions: Some(Versions::default()),
            claim,
            choice: chosen.choice,
            chooses: false,
            again: false,
        };
        match self.enqueue(session, prepared, entered).await {
            Ok(_) => {
                info!(turn = %first, "what stood behind the turn before has joined the line");
                self.undo_return(session, (owner, id), first).await;
                Looked::Changed
            }
            // It stays, for the next start.
            Err(SendError::Refused(JoinError::Closed)) => Looked::Done,
            Err(SendError::Store(fault)) => failed(&fault),
            Err(refusal) => self.hold((owner, id), refusal.reason()).await,
        }
    }

    /// What was deleted while its next message began does not come back by that: nobody has sent it in this moment.
    async fn undo_return(&self, session: &Session, (owner, id): (Owner, ConversationId), turn: crate::wire::TurnId) {
        if session.is_removed(id) {
            if let Err(fault) = self.deps.store.delete(owner, id, now_ms()).await {
                warn!(%fault, "a deleted conversation has come back with its next message");
            }
            self.cancel(owner, turn);
        }
    }

    async fn hold(&self, (owner, conversation): (Owner, ConversationId), reason: Reason) -> Looked {
        info!(?reason, "what stands behind is held");
        let held = self.deps.store.hold_follow_ups(owner, conversation, Some(reason));
        held.await.map_or_else(|fault| failed(&fault), |()| Looked::Changed)
    }
}

fn failed(fault: &StoreError) -> Looked {
    warn!(%fault, "what stands behind cannot be looked after yet");
    match fault {
        StoreError::Closed => Looked::Done,
        _ => Looked::Failed,
    }
}
