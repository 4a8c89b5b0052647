//! Conversations that wait or run: how to end one, and how far its answer is.

mod list;

use std::{
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
    time::Duration,
};

use tokio::{
    sync::{Notify, watch},
    time::Instant,
};
use tokio_util::sync::CancellationToken;
use tracing::error;

pub(super) use list::{Entered, InFlightTurns};

use super::{
    Chosen, SendError,
    live_steps::LiveSteps,
    making::{Lead, Making},
};
use crate::{
    agents::{AnswerKey, KeptAnswer, ToolCall},
    blocking, markdown,
    queue::TicketId,
    store::ToolStep,
    wire::{ConversationId, TurnId, TurnNotice},
};

/// What there is to see of an answer: HTML, one entry a Markdown block.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Shown {
    /// What is said.
    pub(super) blocks: Vec<String>,
    /// What the model thinks.
    pub(super) thoughts: Vec<String>,
    /// How many blocks stand before each use of a tool.
    pub(super) steps: Vec<usize>,
}

impl Shown {
    /// Of a whole answer, in which tools were used. Takes a while if that is long.
    pub(super) fn of(answer: &str, reasoning: &str, steps: &[ToolStep]) -> Self {
        let mut shown = Self {
            thoughts: markdown::render(reasoning),
            ..Self::default()
        };
        let mut from = 0;
        for step in steps {
            // What is said in one round is a text of its own.
            if let Some(said) = answer.get(from..step.said).filter(|said| !said.is_empty()) {
                shown.blocks.extend(markdown::render(said));
                from = step.said;
            }
            shown.steps.push(shown.blocks.len());
        }
        shown.blocks.extend(markdown::render(&answer[from..]));
        shown
    }
}

impl Shown {
    /// The same, made where it holds up no other turn. A panic is logged, and leaves `None`.
    pub(super) async fn rendered(answer: String, reasoning: String, steps: Vec<ToolStep>) -> Option<Self> {
        // Highlighting takes a while, and so does a long answer.
        let is_quick = markdown::is_quick(&answer) && markdown::is_quick(&reasoning);
        let rendered = blocking::run(is_quick, move || Self::of(&answer, &reasoning, &steps)).await;
        rendered
            .inspect_err(|panic| error!(panic, "an answer could not be rendered"))
            .ok()
    }
}

/// Whether a turn was taken in.
#[derive(Clone, Debug, Default)]
pub(super) enum Acceptance {
    /// Not decided yet.
    #[default]
    Pending,
    /// It is stored. The turn is another than the one asked for where that came to nothing and is answered in place.
    Accepted { turn: TurnId, conversation: ConversationId },
    /// Nothing has changed.
    Refused(SendError),
    /// The task that was to take it in has gone before it was decided.
    GivenUp,
}

/// One turn that is being taken in, waits or runs.
#[derive(Debug, Default)]
pub(super) struct InFlight {
    acceptance: watch::Sender<Acceptance>,
    /// Why it is not taken in. Told once the turn is off the list, so that its sender can try again at once.
    refusal: OnceLock<SendError>,
    /// Set once it has joined the line.
    pub(super) ticket: OnceLock<TicketId>,
    /// The conversation that it is in, likewise.
    pub(super) conversation: OnceLock<ConversationId>,
    pub(super) cancel: CancellationToken,
    /// The tools that are used meanwhile.
    pub(super) steps: LiveSteps,
    growing: Mutex<Growing>,
    /// What its owner has changed while it waited, until its task takes it.
    changed: Mutex<Changed>,
    has_changed: Notify,
    /// Under which key its answer is to be kept once it is whole.
    asked: Mutex<Option<AnswerKey>>,
    /// What it was given while it waited.
    given: Mutex<Option<Arc<KeptAnswer>>>,
    /// The answer that it is asked for, for itself and others.
    lead: Mutex<Option<Lead>>,
    /// Another turn has begun to be asked the same.
    led: Notify,
}

/// What is to be taken over before it begins.
#[derive(Debug, Default)]
struct Changed {
    choice: Option<Chosen>,
    message: Option<String>,
}

/// An answer so far.
#[derive(Debug, Default)]
struct Growing {
    /// As the agent says it.
    text: String,
    /// What the model thinks.
    reasoning: String,
    /// When it began to think, and how long that took until it said something.
    thinks_since: Option<Instant>,
    thought_for: Option<Duration>,
    /// Turns that the model could not be told of.
    trimmed: u32,
    /// Documents of which it was told a part.
    excerpts: Vec<TurnNotice>,
    /// Servers of tools of which it was told nothing.
    left_out: Vec<TurnNotice>,
    /// Both as a page shows them.
    shown: Shown,
    /// What was there when this round began: it stays, whatever becomes of the round.
    before: Before,
    /// The tools that the model wants to have used, in this round.
    calls: Vec<ToolCall>,
}

/// How much there is of an answer at the beginning of a round.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Before {
    /// Bytes of what was said.
    pub(super) text: usize,
    /// Bytes of what the model has thought.
    pub(super) reasoning: usize,
    /// Blocks of both.
    pub(super) blocks: usize,
    /// See `blocks`.
    pub(super) thoughts: usize,
}

impl Growing {
    /// Only the first thought is measured: what comes after the first words is not waited for.
    fn end_thought(&mut self) {
        if let Some(since) = self.thinks_since {
            self.thought_for.get_or_insert_with(|| since.elapsed());
        }
    }
}

impl InFlight {
    /// It has been taken in, as this turn.
    pub(super) fn accepted(&self, turn: TurnId, conversation: ConversationId) {
        self.decide(Acceptance::Accepted { turn, conversation });
    }

    /// It is not taken in: those who wait for it are told the reason once it is off the list.
    pub(super) fn refuse(&self, refusal: SendError) {
        // One that has been refused already has its reason.
        let _ = self.refusal.set(refusal);
    }

    /// What was said first holds.
    fn decide(&self, acceptance: Acceptance) {
        self.acceptance.send_if_modified(|known| {
            let open = matches!(known, Acceptance::Pending);
            if open {
                *known = acceptance;
            }
            open
        });
    }

    /// How taking it in has ended, once that is decided. Cancel-safe.
    pub(super) async fn decided(&self) -> Acceptance {
        let mut acceptance = self.acceptance.subscribe();
        let decided = acceptance.wait_for(|known| !matches!(known, Acceptance::Pending)).await;
        // The sender lives as long as `self`, so waiting cannot fail.
        decided.map_or(Acceptance::GivenUp, |decided| decided.clone())
    }

    /// What the agent has said in this round counts no more: it is asked again.
    pub(super) fn begin_again(&self) {
        let mut growing = self.growing();
        let before = growing.before;
        growing.text.truncate(before.text);
        growing.reasoning.truncate(before.reasoning);
        growing.shown.blocks.truncate(before.blocks);
        growing.shown.thoughts.truncate(before.thoughts);
        growing.calls.clear();
        if before == Before::default() {
            (growing.thinks_since, growing.thought_for, growing.trimmed) = (None, None, 0);
        }
    }

    /// An attempt at this round begins. What there was before it.
    pub(super) fn begin_attempt(&self) -> Before {
        let mut growing = self.growing();
        growing.calls.clear();
        growing.before
    }

    /// Adds a tool that the model wants to have used.
    pub(super) fn add_call(&self, call: ToolCall) {
        self.growing().calls.push(call);
    }

    /// Whether the model wants tools used.
    pub(super) fn has_calls(&self) -> bool {
        !self.growing().calls.is_empty()
    }

    /// The tools that the model wants to have used, once.
    pub(super) fn take_calls(&self) -> Vec<ToolCall> {
        std::mem::take(&mut self.growing().calls)
    }

    /// A round is over, and these steps stand at the end of it. What is there by now stays.
    pub(super) fn end_round(&self, steps: usize) {
        let mut growing = self.growing();
        growing.end_thought();
        let stand = growing.shown.blocks.len();
        growing.shown.steps.extend(std::iter::repeat_n(stand, steps));
        growing.before = Before {
            text: growing.text.len(),
            reasoning: growing.reasoning.len(),
            blocks: stand,
            thoughts: growing.shown.thoughts.len(),
        };
    }

    /// How many blocks stand before a step.
    pub(super) fn stand_of(&self, step: usize) -> usize {
        let growing = self.growing();
        let stands = growing.shown.steps.get(step);
        stands.map_or(growing.shown.blocks.len(), |stand| *stand)
    }

    /// It goes on after this, which was said before the server ended.
    pub(super) fn restore(&self, text: &str, reasoning: &str, shown: Shown) {
        let mut growing = self.growing();
        text.clone_into(&mut growing.text);
        reasoning.clone_into(&mut growing.reasoning);
        growing.shown = shown;
        drop(growing);
        self.end_round(0);
    }

    /// Adds what the agent says next.
    pub(super) fn add_text(&self, text: &str) {
        let mut growing = self.growing();
        growing.end_thought();
        growing.text.push_str(text);
    }

    /// What the agent has said so far.
    pub(super) fn text(&self) -> String {
        self.growing().text.clone()
    }

    /// Adds what the model thinks next.
    pub(super) fn add_reasoning(&self, text: &str) {
        let mut growing = self.growing();
        growing.thinks_since.get_or_insert_with(Instant::now);
        growing.reasoning.push_str(text);
    }

    /// What the model has thought so far.
    pub(super) fn reasoning(&self) -> String {
        self.growing().reasoning.clone()
    }

    /// How long the model thought before it said something, in milliseconds, once it has.
    pub(super) fn thought_ms(&self) -> Option<u64> {
        let thought = self.growing().thought_for?;
        Some(u64::try_from(thought.as_millis()).unwrap_or(u64::MAX))
    }

    /// Nothing is said any more.
    pub(super) fn end_thought(&self) {
        self.growing().end_thought();
    }

    /// Whether there is anything of this round that somebody can have read.
    pub(super) fn has_shown(&self) -> bool {
        let growing = self.growing();
        growing.text.len() > growing.before.text || growing.reasoning.len() > growing.before.reasoning
    }

    /// So many of the oldest turns were left out of the question.
    pub(super) fn set_trimmed(&self, turns: u32) {
        self.growing().trimmed = turns;
    }

    /// The same; `None`: it has all of them.
    pub(super) fn trimmed(&self) -> Option<u32> {
        Some(self.growing().trimmed).filter(|turns| *turns > 0)
    }

    /// So much of documents went into the question.
    pub(super) fn set_excerpts(&self, excerpts: Vec<TurnNotice>) {
        self.growing().excerpts = excerpts;
    }

    /// The same.
    pub(super) fn excerpts(&self) -> Vec<TurnNotice> {
        self.growing().excerpts.clone()
    }

    /// The tools of these servers were left out of the question.
    pub(super) fn set_left_out(&self, left_out: Vec<TurnNotice>) {
        self.growing().left_out = left_out;
    }

    /// The same.
    pub(super) fn left_out(&self) -> Vec<TurnNotice> {
        self.growing().left_out.clone()
    }

    /// No picture of a document has gone along after all.
    pub(super) fn leave_pictures_out(&self) {
        for notice in &mut self.growing().excerpts {
            if let TurnNotice::Pictures { taken, .. } = notice {
                *taken = 0;
            }
        }
    }

    /// Puts a changed block in place. A block takes those after it along.
    pub(super) fn set_block(&self, index: usize, html: String) {
        put(&mut self.growing().shown.blocks, index, html);
    }

    /// The same of what the model thinks.
    pub(super) fn set_thought(&self, index: usize, html: String) {
        put(&mut self.growing().shown.thoughts, index, html);
    }

    /// The answer so far, as a page shows it.
    pub(super) fn shown(&self) -> Shown {
        self.growing().shown.clone()
    }

    /// Its owner chooses otherwise, for as long as it `waits`. Looked at under the lock that the task takes the choice with once it is
    /// admitted: so what is found to wait here is answered with this choice.
    pub(super) fn choose(&self, chosen: Chosen, waits: impl FnOnce() -> bool) {
        let mut changed = self.changed();
        if waits() {
            changed.choice = Some(chosen);
            drop(changed);
            self.has_changed.notify_one();
        }
    }

    /// It is put in other words, if it `waits`; looked at under the same lock, for the same reason. `false`: it does not.
    pub(super) fn reword(&self, message: &str, waits: impl FnOnce() -> bool) -> bool {
        let mut changed = self.changed();
        let waits = waits();
        if waits {
            changed.message = Some(message.to_owned());
            drop(changed);
            self.has_changed.notify_one();
        }
        waits
    }

    /// Waits until its owner has chosen otherwise, or has put it in other words. Cancel-safe.
    pub(super) async fn rechosen(&self) {
        self.has_changed.notified().await;
    }

    /// What its owner has chosen since this was last asked for.
    pub(super) fn take_chosen(&self) -> Option<Chosen> {
        self.changed().choice.take()
    }

    /// The words that its owner has put it in since this was last asked for.
    pub(super) fn take_reworded(&self) -> Option<String> {
        self.changed().message.take()
    }

    /// It is asked now, and its answer is to be kept under this key; `None`: it is not.
    pub(super) fn set_asked(&self, key: Option<AnswerKey>) {
        *self.asked.lock().unwrap_or_else(PoisonError::into_inner) = key;
    }

    /// The key under which its answer is to be kept, once.
    pub(super) fn take_asked(&self) -> Option<AnswerKey> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// It is about to be asked, for itself and for those who ask the same.
    pub(super) fn set_lead(&self, making: Arc<Making>) {
        let before = self.lead().replace(Lead::new(making));
        drop(before);
    }

    /// The answer that it is asked for.
    pub(super) fn making(&self) -> Option<Arc<Making>> {
        self.lead().as_ref().map(Lead::making)
    }

    /// The same, once. Dropped, nothing comes of it any more, unless it is over.
    pub(super) fn take_lead(&self) -> Option<Lead> {
        self.lead().take()
    }

    fn lead(&self) -> MutexGuard<'_, Option<Lead>> {
        self.lead.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Another turn has begun to be asked the same.
    pub(super) fn is_led(&self) {
        self.led.notify_one();
    }

    /// Waits until another turn has begun to be asked the same. Cancel-safe.
    pub(super) async fn led(&self) {
        self.led.notified().await;
    }

    /// Gives it this answer, if it can `leave` the line for that. `false`: it cannot, or its owner has changed something since it was asked for.
    /// Under the lock that a choice is put in place with: what was chosen while it waited is not passed over.
    pub(super) fn give(&self, answer: &Arc<KeptAnswer>, leave: impl FnOnce() -> bool) -> bool {
        let changed = self.changed();
        // Held until it has the answer: leaving wakes its task, which looks for it here.
        let mut given = self.given.lock().unwrap_or_else(PoisonError::into_inner);
        let gives = changed.choice.is_none() && changed.message.is_none() && leave();
        if gives {
            *given = Some(Arc::clone(answer));
        }
        gives
    }

    /// The answer that it was given while it waited.
    pub(super) fn given(&self) -> Option<Arc<KeptAnswer>> {
        self.given.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn changed(&self) -> MutexGuard<'_, Changed> {
        self.changed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn growing(&self) -> MutexGuard<'_, Growing> {
        self.growing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn put(blocks: &mut Vec<String>, index: usize, html: String) {
    blocks.truncate(index);
    blocks.push(html);
}
