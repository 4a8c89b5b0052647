//! What feeds are told beside the journal: the answers to refreshes, and their refusals.
//!
//! Each feed has a place of its own for the latest of each kind, so that none is lost to a page that reads slowly, and none is
//! kept for longer than until it is sent. What nobody was there to hear, or what a feed had not sent when it ended, is told to
//! the next feed as something to ask for again: a page that waits for a refresh always hears something.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use super::Answer;
use crate::wire::{Reason, RefreshKind};

const KINDS: [RefreshKind; 2] = [RefreshKind::Stats, RefreshKind::Logs];

/// The feeds of a session that are told.
#[derive(Debug, Default)]
pub(super) struct Tellers(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    feeds: Vec<Arc<Place>>,
    /// What no feed has heard of, one for each of [`KINDS`].
    missed: [bool; KINDS.len()],
}

/// Where a feed finds what it is told.
#[derive(Debug, Default)]
struct Place {
    /// One for each of [`KINDS`].
    answers: Mutex<[Option<Arc<Answer>>; KINDS.len()]>,
    filled: Notify,
}

impl Place {
    fn answers(&self) -> MutexGuard<'_, [Option<Arc<Answer>>; KINDS.len()]> {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn put(&self, index: usize, answer: Arc<Answer>) {
        self.answers()[index] = Some(answer);
        self.filled.notify_one();
    }
}

impl Tellers {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells every feed what came of a refresh, in place of what it has not sent of that kind.
    pub(super) fn tell(&self, answer: Answer) {
        let index = answer.refresh as usize;
        let answer = Arc::new(answer);
        let mut state = self.state();
        state.missed[index] = state.feeds.is_empty();
        for feed in &state.feeds {
            feed.put(index, Arc::clone(&answer));
        }
    }

    /// A place for one more feed, with what was missed before it.
    pub(super) fn follow(&self) -> Told<'_> {
        let place = Arc::<Place>::default();
        let mut state = self.state();
        for (index, missed) in std::mem::take(&mut state.missed).into_iter().enumerate() {
            if missed {
                let again = Answer::new(KINDS[index], Err(Reason::RefreshMissed));
                place.put(index, Arc::new(again));
            }
        }
        state.feeds.push(Arc::clone(&place));
        drop(state);
        Told { all: self, place }
    }
}

/// What one feed is told, for as long as it lives.
#[derive(Debug)]
pub struct Told<'a> {
    all: &'a Tellers,
    place: Arc<Place>,
}

impl Told<'_> {
    /// The next answer; the same again until it is [`Told::sent`], or a later one has taken its place. Cancel-safe.
    pub async fn next(&self) -> Arc<Answer> {
        loop {
            let answer = self.place.answers().iter().flatten().next().map(Arc::clone);
            if let Some(answer) = answer {
                return answer;
            }
            self.place.filled.notified().await;
        }
    }

    /// Notes that an answer has been sent.
    pub fn sent(&self, answer: &Arc<Answer>) {
        for place in self.place.answers().iter_mut() {
            place.take_if(|known| Arc::ptr_eq(known, answer));
        }
    }
}

impl Drop for Told<'_> {
    fn drop(&mut self) {
        // Under the lock of all, so that nothing is told to it any more.
        let mut state = self.all.state();
        state.feeds.retain(|feed| !Arc::ptr_eq(feed, &self.place));
        for (missed, left) in state.missed.iter_mut().zip(self.place.answers().iter()) {
            *missed |= left.is_some();
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::{super::View, *};

    type Heard = (RefreshKind, Result<View, Reason>);

    fn refusal(refresh: RefreshKind, message: &str) -> Heard {
        let sentence = message.to_owned();
        (refresh, Err(Reason::Told { sentence }))
    }

    const fn missed(refresh: RefreshKind) -> Heard {
        (refresh, Err(Reason::RefreshMissed))
    }

    fn tell(all: &Tellers, kind: RefreshKind, message: &str) {
        let (refresh, outcome) = refusal(kind, message);
        all.tell(Answer::new(refresh, outcome));
    }

    fn heard(answer: &Answer) -> Heard {
        (answer.refresh, answer.outcome.clone())
    }

    /// What waits to be sent, in the order in which it would be.
    fn hear(told: &Told<'_>) -> Vec<Heard> {
        std::iter::from_fn(|| {
            let answer = told.next().now_or_never()?;
            told.sent(&answer);
            Some(heard(&answer))
        })
        .collect()
    }

    #[test]
    fn a_slow_page_misses_no_kind_however_much_is_told() {
        let all = Tellers::default();
        let (slow, other) = (all.follow(), all.follow());
        tell(&all, RefreshKind::Stats, "figures");
        for number in 0..100 {
            tell(&all, RefreshKind::Logs, &number.to_string());
        }
        let expected = [refusal(RefreshKind::Stats, "figures"), refusal(RefreshKind::Logs, "99")];
        assert_eq!(hear(&slow), expected);
        assert_eq!(hear(&slow), [], "each is sent once");
        assert_eq!(hear(&other), expected);
    }

    #[test]
    fn what_comes_while_another_is_being_sent_is_sent_too() {
        let all = Tellers::default();
        let told = all.follow();
        tell(&all, RefreshKind::Stats, "first");
        let sending = told.next().now_or_never().expect("it is there");
        tell(&all, RefreshKind::Stats, "second");
        told.sent(&sending);
        assert_eq!(hear(&told), [refusal(RefreshKind::Stats, "second")]);
    }

    #[test]
    fn what_nobody_was_there_to_hear_is_to_be_asked_for_again() {
        let all = Tellers::default();
        tell(&all, RefreshKind::Logs, "unheard");
        tell(&all, RefreshKind::Logs, "unheard");
        let told = all.follow();
        assert_eq!(hear(&told), [missed(RefreshKind::Logs)]);
        assert_eq!(hear(&all.follow()), [], "one has heard of it");
    }

    #[test]
    fn what_a_feed_had_not_sent_when_it_ended_is_told_to_the_next() {
        let all = Tellers::default();
        let (broken, stays) = (all.follow(), all.follow());
        tell(&all, RefreshKind::Stats, "figures");
        assert_eq!(hear(&stays).len(), 1);
        let sending = broken.next().now_or_never().expect("it is there");
        drop((sending, broken));
        let told = all.follow();
        assert_eq!(hear(&told), [missed(RefreshKind::Stats)]);
        tell(&all, RefreshKind::Stats, "figures");
        assert_eq!(hear(&told), [refusal(RefreshKind::Stats, "figures")]);
        drop(told);
        assert_eq!(hear(&all.follow()), []);
    }

    #[tokio::test]
    async fn a_feed_that_waits_is_woken() {
        let all = Tellers::default();
        let told = all.follow();
        let (answer, ()) = tokio::join!(told.next(), async { tell(&all, RefreshKind::Logs, "now") });
        assert_eq!(heard(&answer), refusal(RefreshKind::Logs, "now"));
    }
}
