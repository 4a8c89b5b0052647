//! All turns that are being taken in, wait or run, by their owners.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    pin::pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::Notify;
use uuid::Uuid;

use super::{Acceptance, InFlight};
use crate::{
    conversations::SendError,
    queue::{Owner, TicketId},
    wire::{ConversationId, TurnId},
};

type Key = (Owner, TurnId);

/// What is listed under an id.
#[derive(Debug, Default)]
struct Listed {
    live: Arc<InFlight>,
    /// The id is one that somebody asked for and that another turn took the place of.
    is_alias: bool,
}

/// Every turn that is being taken in, waits or runs. A turn's id is chosen by a browser, so it counts only together with its owner.
/// Sorted, so that those of one owner are beside each other.
#[derive(Debug, Default)]
pub(in crate::conversations) struct InFlightTurns {
    all: Mutex<BTreeMap<Key, Listed>>,
    /// Another one is listed.
    entered: Notify,
}

impl InFlightTurns {
    fn all(&self) -> MutexGuard<'_, BTreeMap<Key, Listed>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(in crate::conversations) fn find(&self, owner: Owner, turn: TurnId) -> Option<Arc<InFlight>> {
        self.all().get(&(owner, turn)).map(|listed| Arc::clone(&listed.live))
    }

    /// Waits until a turn is listed, for as long as that takes. Cancel-safe.
    pub(in crate::conversations) async fn listed(&self, owner: Owner, turn: TurnId) -> Arc<InFlight> {
        loop {
            let mut entered = pin!(self.entered.notified());
            // Before it is looked for, so that none falls between.
            entered.as_mut().enable();
            if let Some(live) = self.find(owner, turn) {
                return live;
            }
            entered.await;
        }
    }

    /// Lists a turn until the guard is dropped.
    ///
    /// # Errors
    /// It is listed already, as this.
    pub(in crate::conversations) fn enter(
        self: &Arc<Self>,
        owner: Owner,
        turn: TurnId,
    ) -> Result<Entered, Arc<InFlight>> {
        let key = (owner, turn);
        let mut all = self.all();
        let live = match all.entry(key) {
            Entry::Occupied(listed) => return Err(Arc::clone(&listed.get().live)),
            Entry::Vacant(vacant) => Arc::clone(&vacant.insert(Listed::default()).live),
        };
        drop(all);
        self.entered.notify_waiters();
        Ok(Entered {
            turns: Arc::clone(self),
            key,
            alias: None,
            in_flight: live,
        })
    }

    /// Those of one owner.
    pub(in crate::conversations) fn of(&self, owner: Owner) -> Vec<TurnId> {
        let all = self.all();
        of(&all, owner).map(|((_, turn), _)| turn).collect()
    }

    /// The one of a conversation that has joined the line: there is at most one at a time.
    pub(in crate::conversations) fn of_conversation(
        &self,
        owner: Owner,
        conversation: ConversationId,
    ) -> Option<Arc<InFlight>> {
        let all = self.all();
        let (first, last) = range(owner);
        let mut listed = all.range(first..=last).map(|(_, listed)| &listed.live);
        let found = listed.find(|live| live.conversation.get() == Some(&conversation));
        found.map(Arc::clone)
    }

    /// Those of one owner that have joined the line.
    pub(in crate::conversations) fn tickets_of(&self, owner: Owner) -> Vec<(Owner, TurnId, TicketId)> {
        let all = self.all();
        of(&all, owner).filter_map(joined).collect()
    }

    /// Those that have joined the line.
    pub(in crate::conversations) fn all_tickets(&self) -> Vec<(Owner, TurnId, TicketId)> {
        let all = self.all();
        turns(all.iter()).filter_map(joined).collect()
    }

    /// A few of them.
    pub(in crate::conversations) fn some(&self) -> Vec<TurnId> {
        let all = self.all();
        turns(all.iter()).map(|((_, turn), _)| turn).take(10).collect()
    }

    pub(in crate::conversations) fn len(&self) -> usize {
        turns(self.all().iter()).count()
    }
}

/// Each turn once.
fn turns<'a>(listed: impl Iterator<Item = (&'a Key, &'a Listed)>) -> impl Iterator<Item = (Key, &'a InFlight)> {
    listed
        .filter(|(_, listed)| !listed.is_alias)
        .map(|(&key, listed)| (key, &*listed.live))
}

fn of(all: &BTreeMap<Key, Listed>, owner: Owner) -> impl Iterator<Item = (Key, &InFlight)> {
    let (first, last) = range(owner);
    turns(all.range(first..=last))
}

/// The first and the last key that one owner may have.
const fn range(owner: Owner) -> (Key, Key) {
    ((owner, TurnId(Uuid::nil())), (owner, TurnId(Uuid::max())))
}

fn joined(((owner, turn), live): (Key, &InFlight)) -> Option<(Owner, TurnId, TicketId)> {
    Some((owner, turn, *live.ticket.get()?))
}

/// A turn that is listed. Dropping it takes it off the list.
#[derive(Debug)]
pub(in crate::conversations) struct Entered {
    turns: Arc<InFlightTurns>,
    key: Key,
    /// The id that was asked for, where it is another.
    alias: Option<Key>,
    pub(in crate::conversations) in_flight: Arc<InFlight>,
}

impl Entered {
    /// Takes the turn off the list, since it is not taken in. Others who have sent it hear the reason. Gives it back.
    pub(in crate::conversations) fn refuse(self, refusal: SendError) -> SendError {
        self.in_flight.refuse(refusal.clone());
        refusal
    }

    /// Lists the turn as `turn`, too, which takes the place of the id that was asked for. `false`: that one is listed already.
    pub(in crate::conversations) fn stand_for(&mut self, turn: TurnId) -> bool {
        let key = (self.key.0, turn);
        let mut all = self.turns.all();
        let Entry::Vacant(vacant) = all.entry(key) else {
            return false;
        };
        vacant.insert(Listed {
            live: Arc::clone(&self.in_flight),
            is_alias: false,
        });
        if let Some(asked) = all.get_mut(&self.key) {
            asked.is_alias = true;
        }
        drop(all);
        self.alias = Some(std::mem::replace(&mut self.key, key));
        true
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        self.in_flight.steps.leave_alone();
        let mut all = self.turns.all();
        all.remove(&self.key);
        if let Some(alias) = self.alias {
            all.remove(&alias);
        }
        drop(all);
        // Without a reason, one of those who wait to hear of it has to take it in now.
        let refusal = self.in_flight.refusal.get().cloned();
        self.in_flight
            .decide(refusal.map_or(Acceptance::GivenUp, Acceptance::Refused));
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;
    use crate::store::testing::an_owner;

    fn ids() -> (Arc<InFlightTurns>, Owner, TurnId) {
        (Arc::default(), an_owner(), TurnId::new())
    }

    #[tokio::test]
    async fn whoever_sends_the_same_hears_what_became_of_the_first() {
        let (turns, owner, turn) = ids();
        let first = turns.enter(owner, turn).expect("it is new");
        let second = turns.enter(owner, turn).expect_err("it is listed");
        assert!(second.decided().now_or_never().is_none(), "nothing is decided yet");
        assert!(turns.enter(an_owner(), turn).is_ok(), "another's turn is another");
        let conversation = ConversationId::new();
        first.in_flight.accepted(turn, conversation);
        let accepted = |acceptance| matches!(acceptance, Acceptance::Accepted { turn: known, .. } if known == turn);
        assert!(accepted(second.decided().await));
        drop(first);
        assert!(
            accepted(second.decided().await),
            "the end of the turn changes nothing of it"
        );
        assert!(turns.enter(owner, turn).is_ok());
    }

    #[tokio::test]
    async fn who_comes_before_a_turn_is_listed_waits_for_that_one() {
        let (turns, owner, turn) = ids();
        let mut waiting = Box::pin(turns.listed(owner, turn));
        assert!(waiting.as_mut().now_or_never().is_none());
        let _other = turns.enter(owner, TurnId::new()).expect("it is new");
        assert!(waiting.as_mut().now_or_never().is_none(), "that is another");
        let entered = turns.enter(owner, turn).expect("it is new");
        assert!(Arc::ptr_eq(&waiting.await, &entered.in_flight));
        assert!(turns.listed(owner, turn).now_or_never().is_some());
    }

    #[tokio::test]
    async fn a_refusal_is_told_once_the_turn_can_be_sent_again() {
        let (turns, owner, turn) = ids();
        let first = turns.enter(owner, turn).expect("it is new");
        let second = turns.enter(owner, turn).expect_err("it is listed");
        first.in_flight.refuse(SendError::Empty);
        assert!(second.decided().now_or_never().is_none());
        assert_eq!(first.refuse(SendError::UnknownFile), SendError::UnknownFile);
        assert!(matches!(second.decided().await, Acceptance::Refused(SendError::Empty)));
        assert!(turns.enter(owner, turn).is_ok());
    }

    #[tokio::test]
    async fn a_first_sender_who_goes_strands_nobody() {
        let (turns, owner, turn) = ids();
        let first = turns.enter(owner, turn).expect("it is new");
        let second = turns.enter(owner, turn).expect_err("it is listed");
        drop(first);
        assert!(matches!(second.decided().await, Acceptance::GivenUp));
        assert!(turns.enter(owner, turn).is_ok(), "the second can do it now");
    }

    #[tokio::test]
    async fn a_turn_that_is_answered_in_place_has_two_names_and_counts_once() {
        let (turns, owner, asked) = ids();
        let known = TurnId::new();
        let mut entered = turns.enter(owner, asked).expect("it is new");
        assert!(entered.stand_for(known));
        for name in [asked, known] {
            let live = turns.enter(owner, name).expect_err("it is listed");
            assert!(Arc::ptr_eq(&live, &entered.in_flight));
        }
        assert_eq!((turns.len(), turns.of(owner)), (1, vec![known]));
        let mut other = turns.enter(owner, TurnId::new()).expect("it is new");
        assert!(!other.stand_for(known), "it is taken");
        drop(other);
        drop(entered);
        assert_eq!(turns.len(), 0);
        assert!(turns.enter(owner, asked).is_ok() && turns.enter(owner, known).is_ok());
    }
}
