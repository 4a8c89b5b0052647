//! A turn's attempts: at the back end whose slot it has, and from the front of its line again.

use std::sync::Arc;

use tracing::info;

use super::{Conversations, TurnGuards, TurnTask, answers::Follower, in_flight::InFlight, making::Making, page::Fault};
use crate::{
    agents::{AgentError, KeptAnswer, Tries},
    clock::now_ms,
    jobs::{self, Attempt, Course, Ending, Heir, Waited, Waiting, Worked},
    queue::{BackendIndex, LeaveReason, Permit, PoolIndex, Ticket},
    settings::ModelName,
    store::TurnRecord,
    wire::{FileKind, Reason, TurnNotice, TurnState, Usage},
};

/// How a wait in the line has ended without a slot.
pub(super) enum NoSlot {
    /// The ticket has left.
    Left(LeaveReason),
    /// Nothing that has its model has been in service for too long.
    GaveUp(Reason),
    /// It was given an answer that was made for the same question.
    Answered(Arc<KeptAnswer>),
    /// It has read one along that was made at the same time.
    ReadAlong(Arc<KeptAnswer>),
    /// One that it may read along is being made: its ticket is parked.
    Led,
}

/// A turn, as it is asked once or several times.
struct TurnAttempt<'a> {
    conversations: &'a Conversations,
    task: &'a TurnTask,
    in_flight: &'a InFlight,
    backend: Option<BackendIndex>,
}

impl Attempt for TurnAttempt<'_> {
    type Fault = Fault;

    fn ask(&mut self) -> impl Future<Output = Ending<Fault>> {
        self.conversations.answer(self.task, self.in_flight, self.backend)
    }

    fn blame(fault: &Fault) -> Option<&AgentError> {
        match fault {
            Fault::Agent(error) => Some(error),
            Fault::History(_) => None,
        }
    }

    fn has_shown(&self) -> bool {
        self.in_flight.has_shown()
    }

    fn may_be_asked_of(&self, _: &ModelName) -> bool {
        true
    }
}

/// What a turn that joins the line has been through: nothing yet.
pub(super) fn tries_of(turn: &TurnRecord) -> Tries {
    Tries::new().seeing(turn.files.iter().any(|file| file.kind == FileKind::Image))
}

/// An answer that has ended with calls of tools goes on once they have their results.
fn calls(in_flight: &InFlight, ending: Ending<Fault>) -> Worked<Fault, Usage> {
    match ending {
        Ending::Done(usage) if in_flight.has_calls() => Worked::Parks(usage),
        ending => Worked::Over(ending),
    }
}

/// An answer that its owner wants no more goes on for those who read it along.
fn hand_on(in_flight: &InFlight, worked: Worked<Fault, Usage>) -> Worked<Fault, Usage> {
    let Some(lead) = in_flight.take_lead() else {
        return worked;
    };
    match worked {
        Worked::Over(Ending::Cancelled) if lead.is_read_along() => {
            let take = move |slot| lead.making().keep(slot);
            Worked::HandedOn(Ending::Cancelled, Heir(Box::new(take)))
        }
        worked => worked,
    }
}

impl Conversations {
    /// A turn that has a slot is about to be asked. `false`: another one is asked the same.
    pub(super) fn leads(&self, task: &TurnTask, in_flight: &InFlight) -> bool {
        let Some(key) = task.key.filter(|_| task.turn.steps.is_empty()) else {
            return true;
        };
        match self.answers.lead(key, task.turn.owner) {
            Some(making) => in_flight.set_lead(making),
            None => return false,
        }
        true
    }

    /// The answer that a turn may read along.
    pub(super) fn made_for_another(&self, task: &TurnTask) -> Option<Arc<Making>> {
        let key = task.key.filter(|_| task.turn.steps.is_empty())?;
        self.answers.making(&key)
    }

    /// Has a turn answered at a back end, once.
    pub(super) async fn attempts(
        &self,
        task: &TurnTask,
        in_flight: &InFlight,
        backend: Option<BackendIndex>,
        course: &mut Course,
    ) -> Worked<Fault, Usage> {
        if task.key.is_some() && !task.returned {
            self.answers.count_miss();
        }
        let (Some(at), Some(model)) = (backend, ModelName::of_id(&task.turn.model)) else {
            let ending = self.answer(task, in_flight, backend).await;
            return hand_on(in_flight, calls(in_flight, ending));
        };
        let mut attempt = TurnAttempt {
            conversations: self,
            task,
            in_flight,
            backend,
        };
        match jobs::attempt(&self.deps.backends, (&model, at), &mut attempt, course).await {
            Worked::Over(ending) => hand_on(in_flight, calls(in_flight, ending)),
            Worked::Back { pause } => hand_on(in_flight, Worked::Back { pause }),
            Worked::HandedOn(ending, heir) => Worked::HandedOn(ending, heir),
            Worked::Parks(never) => match never {},
        }
    }

    /// Where a turn was answered is kept with it, and its conversation is best answered there again.
    pub(super) fn note_backend(&self, task: &mut TurnTask, backend: Option<BackendIndex>, ending: &Ending<Fault>) {
        let Some(backend) = backend else { return };
        task.turn.backend = self.deps.backends.name_of(backend);
        if matches!(ending, Ending::Done(_) | Ending::Incomplete(..) | Ending::Cancelled) {
            self.last_backends.remember(task.turn.conversation, backend);
        }
    }

    /// A turn's ticket is back in the line, after its pause: at once with another slot, or waiting, which its pages are told.
    pub(super) async fn back_in_line(
        &self,
        task: &mut TurnTask,
        guards: &mut TurnGuards,
        mut ticket: Ticket,
        course: Course,
    ) -> Option<Permit> {
        task.tries = course.tries;
        task.returned = true;
        jobs::paused(&mut ticket, &guards.entered.in_flight.cancel, &self.stop).await;
        guards.place.take_back(ticket);
        if let Some(instead) = course.instead {
            self.fall_back(task, guards, instead);
        }
        let permit = guards.place.admitted_by_now();
        if permit.is_none() {
            info!("turn waits again");
            task.wait();
            self.announce(task, guards.entered.in_flight.shown());
        }
        permit
    }

    /// A turn's work was stopped, because another process may have it by now. It begins once more if not, and hears otherwise that it is over
    /// here.
    pub(super) async fn set_aside(
        &self,
        task: &mut TurnTask,
        guards: &mut TurnGuards,
        ticket: Ticket,
    ) -> Option<Permit> {
        drop(guards.entered.in_flight.take_lead());
        guards.entered.in_flight.begin_again();
        let course = Course::new(task.tries);
        self.back_in_line(task, guards, ticket, course).await
    }

    /// Another model is to answer.
    fn fall_back(&self, task: &mut TurnTask, guards: &TurnGuards, (model, pool): (ModelName, PoolIndex)) {
        task.tries.fall_back();
        task.turn.model = model.to_string();
        task.turn.notices.push(TurnNotice::Fallback {
            model: model.to_string(),
        });
        self.deps.queue.change_pool(guards.place.id(), pool);
    }

    /// Waits in the line until there is a slot. Meanwhile another model may be chosen, by the owner or because no back end of its own is in
    /// service. Whoever has not got a slot has left the line by then.
    pub(super) async fn wait(&self, task: &mut TurnTask, guards: &mut TurnGuards) -> Result<Permit, NoSlot> {
        let in_flight = Arc::clone(&guards.entered.in_flight);
        let mut follower = task.key.map(|key| self.follow(key, &in_flight));
        // An answer that has begun does not depend on its page.
        let has_begun = !task.turn.steps.is_empty();
        let patience = || self.deps.settings.borrow().abandon_after.filter(|_| !has_begun);
        loop {
            let model = ModelName::of_id(&task.turn.model);
            if in_flight.given().is_none() && self.made_for_another(task).is_some() {
                drop(follower.take());
                guards.place.step_aside();
                return Err(NoSlot::Led);
            }
            let waiting = Waiting {
                backends: &self.deps.backends,
                model: model.as_ref(),
                pool: self.deps.agents.pool(&task.turn.model),
                tries: task.tries,
                outlasts_outages: false,
            };
            let admitted = guards.place.admitted(patience, in_flight.cancel.cancelled());
            tokio::select! {
                biased;
                () = in_flight.rechosen() => {
                    drop(follower.take());
                    self.take_changes(task, guards).await;
                    follower = task.key.map(|key| self.follow(key, &in_flight));
                }
                () = in_flight.led() => {}
                waited = waiting.until(admitted, |_| in_flight.given().is_none()) => match waited {
                    Waited::Slot(permit) => return Ok(permit),
                    Waited::Left(left) => return Err(in_flight.given().map_or(NoSlot::Left(left), NoSlot::Answered)),
                    Waited::GaveUp(reason) => {
                        guards.place.leave(LeaveReason::Expired);
                        return Err(NoSlot::GaveUp(self.gone(&task.turn.model).unwrap_or(reason)));
                    }
                    Waited::Instead(model, pool) => {
                        // From here on it is not given the answer of the model that it leaves.
                        drop(follower.take());
                        if in_flight.given().is_none() {
                            self.fall_back(task, guards, (model, pool));
                            self.moved(task, guards).await;
                            follower = self.follow_anew(task, &in_flight).await;
                        }
                    }
                },
                () = task.path.due() => task.path.note(self.deps.queue.position(guards.place.id())),
            }
        }
    }

    /// A turn that waits is to be asked something else, or somebody else.
    pub(super) async fn take_changes(&self, task: &mut TurnTask, guards: &TurnGuards) {
        let in_flight = &guards.entered.in_flight;
        // Who chose has put its ticket into the other line.
        let reworded = task.take_new_words(in_flight);
        if task.take_new_choice(in_flight) {
            self.moved(task, guards).await;
        } else if reworded {
            self.announce(task, in_flight.shown());
        }
        task.key = self.looked_for(task).await;
    }

    /// What a turn that waits asks is another question now.
    async fn follow_anew(&self, task: &mut TurnTask, in_flight: &Arc<InFlight>) -> Option<Follower> {
        task.key = self.looked_for(task).await;
        task.key.map(|key| self.follow(key, in_flight))
    }

    /// Why a model is not answered by anybody: it is not offered any more.
    fn gone(&self, model: &str) -> Option<Reason> {
        let known = ModelName::of_id(model)?;
        let gone = self.deps.backends.pool(&known).is_none();
        gone.then(|| Reason::ModelGone {
            model: model.to_owned(),
        })
    }

    /// A turn is in another line: its place is stored, and its pages are told.
    async fn moved(&self, task: &mut TurnTask, guards: &TurnGuards) {
        self.announce(task, guards.entered.in_flight.shown());
        // Those of the same owner that were behind it have moved up.
        self.moved_up(task.turn.owner).await;
        if let Some(key) = guards.place.order_key() {
            self.reorder(vec![(task.turn.owner, task.turn.id, key)]).await;
        }
    }

    /// Why a turn is over that never got a slot; `None`: it waits on, in the store.
    pub(super) fn without_slot(&self, task: &mut TurnTask, why: NoSlot) -> Option<()> {
        task.turn.state = match why {
            NoSlot::Left(LeaveReason::Closed) => return None,
            NoSlot::Left(left) => {
                info!(?left, "turn left the line");
                self.left(left)
            }
            NoSlot::Answered(answer) => {
                self.answered(task, &answer, TurnNotice::Cached);
                TurnState::Done
            }
            NoSlot::ReadAlong(answer) => {
                self.answered(task, &answer, TurnNotice::Shared);
                TurnState::Done
            }
            // It goes on by reading.
            NoSlot::Led => return None,
            NoSlot::GaveUp(reason) => {
                info!("turn left the line: its model has been out of service for too long");
                TurnState::Failed { reason }
            }
        };
        task.turn.ended_at = Some(now_ms());
        Some(())
    }
}
