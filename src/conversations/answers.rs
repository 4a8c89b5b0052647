//! Answers that are given again: looked for before a turn joins the line, kept once they are whole, and given to those that wait with the
//! same question. One that is being made is read along by those who ask the same meanwhile: `making.rs` makes it, `reading_along.rs` shows it to them.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
};

use tracing::{info, warn};

use super::{
    Conversations, TurnTask,
    in_flight::{Entered, InFlight, Shown},
    making::Making,
    told::Figures,
};
use crate::{
    agents::{AnswerFigures, AnswerKey, KeptAnswer, KeptAnswers, Question},
    clock::now_ms,
    queue::{LeaveReason, Owner},
    sessions::Claim,
    settings::Settings,
    store::TurnRecord,
    wire::{FeedEvent, TurnNotice, TurnState, Usage},
};

/// A question of more bytes than this is hashed where nobody waits for the thread.
const LONG: usize = 256 * 1024;

/// The answers that are kept, those that are being made, and who waits for one.
#[derive(Debug, Default)]
pub(super) struct Answers {
    kept: KeptAnswers,
    live: Mutex<Live>,
}

#[derive(Debug, Default)]
struct Live {
    /// Turns in the line.
    waiting: HashMap<AnswerKey, Vec<Arc<InFlight>>>,
    /// There as long as somebody reads them.
    making: HashMap<AnswerKey, Weak<Making>>,
}

impl Live {
    fn making(&self, key: &AnswerKey) -> Option<Arc<Making>> {
        self.making.get(key)?.upgrade().filter(|making| making.goes_on())
    }
}

impl Answers {
    /// Held while an answer is kept and given, so that whoever comes to wait for it either finds it or is given it.
    fn live(&self) -> MutexGuard<'_, Live> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A turn of this owner with a slot is about to be asked, for itself and for those who ask the same. `None`: another one is.
    pub(super) fn lead(&self, key: AnswerKey, owner: Owner) -> Option<Arc<Making>> {
        let mut live = self.live();
        if live.making(&key).is_some() {
            return None;
        }
        let making = Making::new(key, owner);
        live.making.insert(key, Arc::downgrade(&making));
        for waits in live.waiting.get(&key).into_iter().flatten() {
            waits.is_led();
        }
        Some(making)
    }

    /// The answer under this key that is being made.
    pub(super) fn making(&self, key: &AnswerKey) -> Option<Arc<Making>> {
        self.live().making(key)
    }

    /// How they do.
    pub(super) fn figures(&self) -> AnswerFigures {
        self.kept.figures()
    }

    /// Counts a question that was looked for and is asked all the same.
    pub(super) fn count_miss(&self) {
        self.kept.count_miss();
    }
}

/// A turn that is given the answer to its question, should that be there before its slot. Not any more once this is dropped.
pub(super) struct Follower {
    answers: Arc<Answers>,
    key: AnswerKey,
    in_flight: Arc<InFlight>,
}

impl Drop for Follower {
    fn drop(&mut self) {
        let mut live = self.answers.live();
        if let Some(followers) = live.waiting.get_mut(&self.key) {
            followers.retain(|other| !Arc::ptr_eq(other, &self.in_flight));
            if followers.is_empty() {
                live.waiting.remove(&self.key);
            }
        }
    }
}

/// Puts an answer into a turn, which is over by that. `why`: where it comes from.
fn fill(turn: &mut TurnRecord, answer: &KeptAnswer, why: TurnNotice) {
    let now = Some(now_ms());
    turn.state = TurnState::Done;
    turn.started_at = now;
    turn.ended_at = now;
    turn.answer.clone_from(&answer.text);
    turn.reasoning.clone_from(&answer.reasoning);
    turn.thought_ms = answer.thought_ms;
    turn.usage = Some(answer.usage);
    let trimmed = answer.trimmed.map(|turns| TurnNotice::Trimmed { turns });
    turn.notices.extend(trimmed);
    turn.notices.extend(answer.excerpts.iter().cloned());
    turn.notices.push(why);
}

/// The whole answer of a turn.
pub(super) fn whole(in_flight: &InFlight, usage: Usage) -> Arc<KeptAnswer> {
    in_flight.end_thought();
    Arc::new(KeptAnswer {
        text: in_flight.text(),
        reasoning: in_flight.reasoning(),
        thought_ms: in_flight.thought_ms(),
        trimmed: in_flight.trimmed(),
        excerpts: in_flight.excerpts(),
        usage,
        ..KeptAnswer::default()
    })
}

impl Conversations {
    /// Edited settings come into force.
    pub fn retune(&self, settings: &Settings) {
        self.answers.kept.set_size(settings.answer_cache_size);
    }

    /// Gives back the memory of answers that are too old.
    pub fn expire_answers(&self) {
        self.answers.kept.expire(self.deps.settings.borrow().answer_cache_ttl);
        self.answers.live().making.retain(|_, making| making.strong_count() > 0);
    }

    /// How the kept answers do.
    #[must_use]
    pub fn answer_figures(&self) -> AnswerFigures {
        self.answers.figures()
    }

    /// The answers that are kept.
    pub(crate) fn kept_answers(&self) -> &KeptAnswers {
        &self.answers.kept
    }

    /// Forgets the answers that were kept for an owner.
    pub(super) fn forget_answers(&self, owner: Owner) {
        self.answers.kept.forget(owner);
    }

    /// Under which key an answer to this turn may be found; `None`: it is to be asked. Where no answers are kept, this costs a look at
    /// the settings: no question is made.
    pub(super) async fn looked_for(&self, task: &TurnTask) -> Option<AnswerKey> {
        if task.again || !self.deps.settings.borrow().keeps_answers(task.choice.temperature) {
            return None;
        }
        // What tools find is of the moment, and of whoever allows it.
        if self.may_use_tools(task) {
            return None;
        }
        // Why the question cannot be made is told when it is to be asked.
        let (question, _) = self.question(task, None, Arc::default()).await.ok()?;
        self.key_of(question, task.turn.owner).await.1
    }

    /// The key of a question whose answer is to be kept, and the question again.
    pub(super) async fn key_of(&self, question: Question, owner: Owner) -> (Question, Option<AnswerKey>) {
        let shared = {
            let settings = self.deps.settings.borrow();
            if !question.tools.is_empty() || !settings.keeps_answers(question.parameters.temperature) {
                return (question, None);
            }
            settings.answer_cache_shared
        };
        let owner = (!shared).then_some(owner);
        let bytes = |message: &crate::agents::Message| {
            let pictures: usize = message.images.iter().map(|image| image.bytes.len()).sum();
            message.text.len() + pictures
        };
        if question.messages.iter().map(bytes).sum::<usize>() <= LONG {
            let key = AnswerKey::of(&question, owner);
            return (question, Some(key));
        }
        let copy = question.clone();
        let hashed = tokio::task::spawn_blocking(move || AnswerKey::of(&copy, owner)).await;
        let key = hashed.inspect_err(|fault| warn!(%fault, "an answer cannot be kept"));
        (question, key.ok())
    }

    /// The kept answer under this key, which is given now.
    pub(super) fn kept(&self, key: &AnswerKey) -> Option<Arc<KeptAnswer>> {
        // What is given takes no part in the shutdown; the line says why nothing is taken in any more.
        if self.closing.is_cancelled() {
            return None;
        }
        let answer = self.find(key)?;
        self.answers.kept.count_hit();
        Some(answer)
    }

    fn find(&self, key: &AnswerKey) -> Option<Arc<KeptAnswer>> {
        let ttl = self.given_for(key)?;
        self.answers.kept.get(key, ttl)
    }

    /// How old an answer under this key may be; `None`: such answers are not given (any more).
    fn given_for(&self, key: &AnswerKey) -> Option<std::time::Duration> {
        let settings = self.deps.settings.borrow();
        let given = settings.answer_cache_size.is_some() && key.is_shared() == settings.answer_cache_shared;
        given.then_some(settings.answer_cache_ttl)
    }

    /// Has a turn that waits given the answer under this key as soon as it is there, which may be now. It leaves the line then as
    /// [`LeaveReason::Done`].
    pub(super) fn follow(&self, key: AnswerKey, in_flight: &Arc<InFlight>) -> Follower {
        let mut live = self.answers.live();
        match self.find(&key) {
            Some(answer) => self.give(in_flight, &answer),
            None => live.waiting.entry(key).or_default().push(Arc::clone(in_flight)),
        }
        drop(live);
        Follower {
            answers: Arc::clone(&self.answers),
            key,
            in_flight: Arc::clone(in_flight),
        }
    }

    /// Keeps the whole answer to a turn that has just been given, and gives it to those who wait for it. To be called while the turn still has its
    /// slot, or that would go to one of them first.
    pub(super) fn keep_answer(&self, owner: Owner, in_flight: &InFlight, usage: Usage) {
        let Some(key) = in_flight.take_asked() else { return };
        self.keep_under(key, owner, &whole(in_flight, usage), in_flight);
    }

    /// The same of an answer that this turn has read to its end.
    pub(super) fn keep_under(&self, key: AnswerKey, owner: Owner, answer: &Arc<KeptAnswer>, in_flight: &InFlight) {
        if self.given_for(&key).is_none() {
            return;
        }
        let mut live = self.answers.live();
        self.answers.kept.keep(key, owner, Arc::clone(answer));
        // Looked at after keeping: who wants all of theirs deleted has their turns cancelled first, and what is kept forgotten then.
        if in_flight.cancel.is_cancelled() {
            self.answers.kept.remove(&key);
            return;
        }
        for follower in live.waiting.remove(&key).unwrap_or_default() {
            self.give(&follower, answer);
        }
    }

    fn give(&self, in_flight: &InFlight, answer: &Arc<KeptAnswer>) {
        let Some(&ticket) = in_flight.ticket.get() else { return };
        let leave = || self.deps.queue.leave(ticket, LeaveReason::Done);
        if in_flight.give(answer, leave) {
            self.answers.kept.count_hit();
        }
    }

    /// A turn that waited has been given its answer, or has read it along.
    pub(super) fn answered(&self, task: &mut TurnTask, answer: &KeptAnswer, why: TurnNotice) {
        let started = task.turn.started_at;
        fill(&mut task.turn, answer, why);
        task.turn.started_at = started.or(task.turn.started_at);
        info!(
            bytes = answer.text.len(),
            "turn is given an answer that was made for another"
        );
    }

    /// Counts an answer that was read along.
    pub(super) fn count_read_along(&self) {
        self.answers.kept.count_hit();
    }

    /// Takes a new turn through whose answer is there already. It is stored whole, in one write, before anybody is told.
    pub(super) async fn accept_answered(
        self,
        mut task: TurnTask,
        (claim, entered): (Claim, Entered),
        answer: Arc<KeptAnswer>,
        look_up: bool,
    ) {
        // Dropped once the conversation has been given back, or a moment before.
        let _next = self.goes_on(&task.session, task.turn.owner, task.turn.conversation);
        fill(&mut task.turn, &answer, TurnNotice::Cached);
        match self.store(&task, None, look_up).await {
            Ok(versions) => task.versions = versions,
            Err(fault) => {
                entered.in_flight.refuse(fault.into());
                return;
            }
        }
        info!(
            bytes = task.turn.message.len(),
            files = task.turn.files.len(),
            told = Figures::of(&task.turn).told,
            characters = answer.text.chars().count(),
            "turn accepted, and given a kept answer"
        );
        let rendered = Shown::rendered(answer.text.clone(), answer.reasoning.clone(), Vec::new()).await;
        let shown = rendered.unwrap_or_default();
        // Given back before the page hears of it: it may send its next message in the same instant.
        drop(claim);
        self.announce(&mut task, shown);
        if task.chooses {
            task.session.journal().append(FeedEvent::Chosen {
                conversation: task.conversation.id,
                choice: (*task.choice).clone(),
            });
        }
        entered.in_flight.accepted(task.turn.id, task.turn.conversation);
    }
}
