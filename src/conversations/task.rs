//! One turn's task: stored, in the line, answered, its outcome stored.

use std::{
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use futures_util::{FutureExt as _, future::Either};
use tracing::{error, info, warn};

use super::{
    Conversations, TurnGuards, TurnTask,
    accept::NotAccepted,
    attempts::NoSlot,
    in_flight::{InFlight, Shown},
    page::{Fault, Page},
    rounds::stop_steps,
    told::Figures,
};
use crate::{
    agents::AgentError,
    clock::now_ms,
    jobs::{self, Bounds, Course, Ending, Left, model_first},
    queue::{BackendIndex, Ended, LeaveReason, Permit},
    store::{StoreError, TurnRecord},
    wire::{FeedEvent, Reason, TurnNotice, TurnState, Usage, is_blank},
};

impl Conversations {
    /// Takes a new turn through. One that finds a free slot is stored while the model is asked; nobody is told that it is accepted before it
    /// is, and should it not be, the model is stopped and the slot is free again. One that has to wait is stored first.
    pub(super) async fn accept_and_run(self, mut task: TurnTask, mut guards: TurnGuards, look_up: bool) {
        // A store that has just failed is asked before the model: its answer would be for nothing.
        let mut permit = match self.deps.store.fault() {
            None => guards.place.granted(),
            Some(_) => None,
        };
        let mut stood = None;
        if permit.is_some() && !self.leads(&task, &guards.entered.in_flight) {
            // Whoever reads along needs no slot.
            stood = permit.as_ref().map(Permit::order_key);
            if let Some(permit) = permit.take() {
                guards.place.take_back(permit.step_aside());
            }
        }
        if permit.is_none() && stood.is_none() && self.made_for_another(&task).is_some() {
            stood = guards.place.order_key();
            guards.place.step_aside();
        }
        if let Some(permit) = permit {
            // Boxed: those that wait need not have room for it.
            Box::pin(self.run_at_once(task, permit, guards, look_up)).await;
            return;
        }
        let key = guards.place.order_key().or(stood);
        let in_flight = Arc::clone(&guards.entered.in_flight);
        if self.accept(&mut task, key, &in_flight, look_up).await.is_err() {
            guards.place.withdraw();
            self.moved_up(task.turn.owner).await;
            return;
        }
        // A ticket of the same owner that left meanwhile has moved this one up.
        let moved = guards.place.order_key();
        if let Some(moved) = moved.filter(|moved| Some(*moved) != key) {
            self.reorder(vec![(task.turn.owner, task.turn.id, moved)]).await;
        }
        self.wait_and_run(task, guards).await;
    }

    /// Takes a turn through that is stored. Dropped before its end (only when the process ends), it leaves the line or
    /// frees its slot, and the store still has the turn as unfinished: the next start takes it up.
    pub(super) async fn wait_and_run(self, mut task: TurnTask, guards: TurnGuards) {
        if !task.turn.steps.is_empty() {
            self.take_up_steps(&mut task, &guards.entered.in_flight).await;
        }
        self.run(task, guards, None).await;
    }

    /// The same for one that may have its slot. It starts as often as a back end fails before the first word and the ticket goes back.
    pub(super) async fn run(self, mut task: TurnTask, mut guards: TurnGuards, mut permit: Option<Permit>) {
        let in_flight = Arc::clone(&guards.entered.in_flight);
        loop {
            if guards.place.is_parked() {
                let next = match self.made_for_another(&task) {
                    Some(making) => Box::pin(self.read_along(task, guards, making)).await,
                    None => Box::pin(self.next_round(task, guards)).await,
                };
                match next {
                    Some(next) => (task, guards, permit) = next,
                    None => return,
                }
            }
            let admitted = match permit.take() {
                Some(permit) => Ok(permit),
                None => self.wait(&mut task, &mut guards).await,
            };
            if task.take_new_choice(&in_flight) | task.take_new_words(&in_flight) {
                // It is another question now.
                task.key = None;
            }
            let admitted = match admitted {
                Ok(permit) if self.leads(&task, &in_flight) => permit,
                Ok(permit) => {
                    guards.place.take_back(permit.step_aside());
                    continue;
                }
                Err(NoSlot::Led) => continue,
                Err(why) => {
                    if self.without_slot(&mut task, why).is_some() {
                        let figures = Figures::of(&task.turn);
                        let (told, waited_ms) = (figures.told, figures.waited_ms);
                        info!(
                            told,
                            waited_ms,
                            characters = figures.characters,
                            "turn ended in the line"
                        );
                        self.moved_up(task.turn.owner).await;
                        self.over(task, guards, None).await;
                    }
                    return;
                }
            };
            // It should have been parked, and is not: its place in the log was another's.
            if !in_flight.steps.open().is_empty() {
                guards.place.take_back(admitted.park());
                continue;
            }
            begin(&mut task);
            task.keep_receipt(admitted.wait(), admitted.waited());
            let (mut beginning, waited) = (task.clone(), admitted.waited());
            let told = pin!(async {
                model_first(&self.deps.queue).await;
                // Something of the answer may be there already.
                let shown = in_flight.shown();
                self.announce(&mut beginning, shown);
                info!(waited_ms = waited.as_millis(), "turn started");
                // What is stored of a start is that there was one.
                if !beginning.returned {
                    self.keep(beginning.turn).await;
                }
                Ok::<_, NotAccepted>(())
            });
            let (backend, mut course) = (admitted.backend(), Course::new(task.tries));
            let work = Box::pin(self.attempts(&task, &in_flight, backend, &mut course));
            // Should the disk be slow, the end of the answer need not wait for it: what is not kept of the start by then never is.
            let Ok(ran) = jobs::run(&self.deps.queue, admitted, work, told).await else {
                return;
            };
            match ran.left {
                Left::Over(ending, ended) => return self.end(task, ending, backend, guards, ended).await,
                Left::Back(ticket) => permit = self.back_in_line(&mut task, &mut guards, ticket, course).await,
                Left::Parked(ticket, usage) => {
                    guards.place.take_back(ticket);
                    self.end_round(&mut task, &guards, backend, usage).await;
                }
                Left::Halted(ticket) => permit = self.set_aside(&mut task, &mut guards, ticket).await,
            }
        }
    }

    async fn run_at_once(self, mut task: TurnTask, permit: Permit, mut guards: TurnGuards, look_up: bool) {
        begin(&mut task);
        let (key, waited) = (permit.order_key(), permit.waited());
        let in_flight = Arc::clone(&guards.entered.in_flight);
        // Stored as it begins, so that its start need not be stored a second time.
        let mut beginning = task.clone();
        let accepted = Box::pin(async {
            let accepted = self.accept(&mut beginning, Some(key), &in_flight, look_up).await;
            if accepted.is_ok() {
                info!(waited_ms = waited.as_millis(), "turn started");
            }
            accepted
        });
        let (backend, mut course) = (permit.backend(), Course::new(task.tries));
        let work = Box::pin(self.attempts(&task, &in_flight, backend, &mut course));
        let Ok(ran) = jobs::run(&self.deps.queue, permit, work, accepted).await else {
            return;
        };
        let left = ran.left;
        let accepted = match ran.beginning {
            Either::Left(versions) => Ok(versions),
            Either::Right(accepted) => accepted.await,
        };
        match (left, accepted) {
            (Left::Over(_, ended), Err(NotAccepted)) => ended.withdraw(),
            (Left::Back(ticket) | Left::Halted(ticket) | Left::Parked(ticket, _), Err(NotAccepted)) => {
                ticket.withdraw();
            }
            (Left::Over(ending, ended), Ok(versions)) => {
                task.versions = versions;
                self.end(task, ending, backend, guards, ended).await;
            }
            (Left::Parked(ticket, usage), Ok(versions)) => {
                task.versions = versions;
                guards.place.take_back(ticket);
                self.end_round(&mut task, &guards, backend, usage).await;
                self.clone().run(task, guards, None).await;
            }
            (Left::Halted(ticket), Ok(versions)) => {
                task.versions = versions;
                let permit = self.set_aside(&mut task, &mut guards, ticket).await;
                self.clone().run(task, guards, permit).await;
            }
            (Left::Back(ticket), Ok(versions)) => {
                task.versions = versions;
                let permit = self.back_in_line(&mut task, &mut guards, ticket, course).await;
                self.clone().run(task, guards, permit).await;
            }
        }
    }

    /// Has the session's agent answer a turn on its page, at a back end, once.
    pub(super) async fn answer(
        &self,
        task: &TurnTask,
        in_flight: &InFlight,
        backend: Option<BackendIndex>,
    ) -> Ending<Fault> {
        let session = &*task.session;
        let mut page = Page::new(session, &task.turn, in_flight);
        let bounds = Bounds {
            cancelled: &in_flight.cancel,
            stopped: &self.stop,
            timeout: self.deps.settings.borrow().chat_timeout,
        };
        let offers = &AtomicBool::new(false);
        let ending = jobs::answer(bounds, &mut page, |parts, cancel| async move {
            let tools = self.offered(task, in_flight).await;
            offers.store(!tools.is_empty(), Ordering::Relaxed);
            let asked = self.question(task, backend, tools).await;
            let (question, excerpts) = asked.map_err(Fault::History)?;
            in_flight.set_excerpts(excerpts);
            let (question, key) = self.key_of(question, task.turn.owner).await;
            in_flight.set_asked(key);
            let agent = session.agent(&*self.deps.agents);
            let shared = in_flight.making().filter(|making| Some(making.key()) == key);
            let answered = match shared {
                Some(making) => {
                    making.begin(agent, question, in_flight.excerpts());
                    making.lead(&parts).await
                }
                None => agent.answer(question, parts, cancel).await,
            };
            answered.map_err(Fault::Agent)
        });
        let ending = ending.await;
        // What nobody has offered is not there to be called.
        if !offers.load(Ordering::Relaxed) {
            drop(in_flight.take_calls());
        }
        match ending {
            ending @ Ending::Done(_) if in_flight.has_calls() => ending,
            Ending::Done(_) if is_blank(&in_flight.text()) => {
                Ending::Failed(Fault::Agent(AgentError::of_silence(None)))
            }
            Ending::Incomplete(cause, _) if is_blank(&in_flight.text()) => {
                Ending::Failed(Fault::Agent(AgentError::of_silence(Some(cause))))
            }
            Ending::Done(usage) => {
                self.keep_answer(task.turn.owner, in_flight, usage);
                Ending::Done(usage)
            }
            ending => ending,
        }
    }

    /// What the owner is told of a ticket that never started.
    pub(super) fn left(&self, left: LeaveReason) -> TurnState {
        let settings = self.deps.settings.borrow();
        match left {
            LeaveReason::Cancelled => TurnState::Cancelled,
            LeaveReason::Expired => TurnState::Expired {
                reason: Reason::NoSlot {
                    seconds: seconds(settings.policy.max_wait),
                },
            },
            LeaveReason::Abandoned => TurnState::Expired {
                reason: Reason::Away {
                    seconds: seconds(settings.abandon_after),
                },
            },
            // What the closed queue has waiting is taken up by the next start. One that was withdrawn was never accepted.
            LeaveReason::Closed | LeaveReason::Withdrawn => TurnState::Waiting,
            LeaveReason::Done => TurnState::Done,
        }
    }

    /// How a turn is once its job has ended in this way. `None`: it is not over, the next start of the server takes it up.
    fn state(&self, ending: Ending<Fault>, turn: &mut TurnRecord) -> Option<TurnState> {
        if let Ending::Done(usage) | Ending::Incomplete(_, usage) = &ending {
            self.take_usage(turn, *usage);
        }
        Some(match ending {
            Ending::Done(_) => TurnState::Done,
            Ending::Incomplete(cause, _) => TurnState::Incomplete { cause },
            Ending::Cancelled => TurnState::Cancelled,
            Ending::Expired => TurnState::Expired {
                reason: Reason::TooSlow {
                    seconds: seconds(self.deps.settings.borrow().chat_timeout),
                },
            },
            Ending::Failed(fault) => TurnState::Failed { reason: fault.reason() },
            Ending::Panicked => TurnState::Failed {
                reason: Reason::Mistake,
            },
            Ending::Overflow => TurnState::Failed {
                reason: Reason::AnswerTooLong,
            },
            Ending::Stopped => return None,
        })
    }

    /// Counts what a round has taken, beside what those before it have.
    pub(super) fn take_usage(&self, turn: &mut TurnRecord, usage: Usage) {
        let settings = self.deps.settings.borrow().clone();
        self.deps.rates.take_usage((turn.id.0, turn.owner), &settings, usage);
        let before = turn.usage.unwrap_or_default();
        let sum = |before: Option<u64>, now: Option<u64>| match (before, now) {
            (Some(before), Some(now)) => Some(before.saturating_add(now)),
            (before, now) => before.or(now),
        };
        turn.usage = Some(Usage {
            input: sum(before.input, usage.input),
            output: sum(before.output, usage.output),
        });
    }

    /// Stores how a job has left its turn.
    async fn end(
        &self,
        mut task: TurnTask,
        ending: Ending<Fault>,
        backend: Option<BackendIndex>,
        guards: TurnGuards,
        ended: Ended,
    ) {
        let outcome = ending.outcome();
        self.note_backend(&mut task, backend, &ending);
        let Some(state) = self.state(ending, &mut task.turn) else {
            info!("turn stopped by the end of the server; it runs again after the next start");
            // That was no fault of its own.
            task.turn.attempts = task.turn.attempts.saturating_sub(1);
            self.keep(task.turn).await;
            return;
        };
        task.turn.answer = guards.entered.in_flight.text();
        let trimmed = guards.entered.in_flight.trimmed();
        task.turn
            .notices
            .extend(trimmed.map(|turns| TurnNotice::Trimmed { turns }));
        task.turn.notices.extend(guards.entered.in_flight.excerpts());
        for notice in guards.entered.in_flight.left_out() {
            if !task.turn.notices.contains(&notice) {
                task.turn.notices.push(notice);
            }
        }
        task.turn.reasoning = guards.entered.in_flight.reasoning();
        guards.entered.in_flight.end_thought();
        task.turn.thought_ms = guards.entered.in_flight.thought_ms().or(task.turn.thought_ms);
        task.turn.state = state;
        task.turn.ended_at = Some(now_ms());
        let Figures {
            told,
            waited_ms,
            took_ms,
            characters,
        } = Figures::of(&task.turn);
        let bytes = task.turn.answer.len();
        info!(?outcome, bytes, told, waited_ms, took_ms, characters, "turn ended");
        self.over(task, guards, Some(ended)).await;
    }

    /// Stores how a turn has ended, then tells the pages.
    pub(super) async fn over(&self, mut task: TurnTask, guards: TurnGuards, ended: Option<Ended>) {
        stop_steps(&mut task.turn.steps);
        guards.claim.ends();
        // Given to the store before the slot is free for other processes: none of them can know of the one without the other. And counted
        // before anybody hears of it.
        let store = &self.deps.store;
        let storing = match &ended {
            Some(_) => store.end(task.turn.clone()),
            None => store.update(task.turn.clone()),
        };
        let mut keeping = pin!(kept(storing, false));
        let early = keeping.as_mut().now_or_never();
        let gives_slot = ended.is_some();
        drop(ended);
        let kept = match early {
            Some(kept) => kept,
            None => keeping.await,
        };
        // Where several processes keep the line, the slot is somebody's only now, and his process may be on the same cores.
        if gives_slot && self.deps.queue.is_common() {
            model_first(&self.deps.queue).await;
        }
        // What was deleted or shown otherwise must not wait for the disk: listed before the claim is given back.
        let pending = (!kept).then(|| self.pending.enter(&task.turn));
        let (answer, reasoning) = (task.turn.answer.clone(), task.turn.reasoning.clone());
        let steps = task.turn.steps.clone();
        let rendered = Shown::rendered(answer, reasoning, steps).await;
        let shown = rendered.unwrap_or_else(|| guards.entered.in_flight.shown());
        task.take_new_line();
        let head = self.show_answered(&task).await;
        // Given back before the page hears of it: it may send its next message in the same instant.
        drop(guards);
        self.announce(&mut task, shown);
        self.entitle(&task);
        if let Some(head) = head {
            let conversation = task.turn.conversation;
            task.session.journal().append(FeedEvent::Version { conversation, head });
        }
        if let Some(pending) = pending {
            self.retry(pending).await;
        }
    }

    /// Stores how a turn is. A fault is logged: the turn itself goes on.
    pub(super) async fn keep(&self, turn: TurnRecord) -> bool {
        let running = turn.state == TurnState::Running;
        kept(self.deps.store.update(turn), running).await
    }
}

/// Whether how a turn is, `running` or over, has been stored. A fault is logged.
async fn kept(storing: impl Future<Output = Result<(), StoreError>>, running: bool) -> bool {
    match storing.await {
        Ok(()) => true,
        Err(error) if running => {
            warn!(%error, "the start of a turn could not be stored");
            false
        }
        Err(error) => {
            error!(%error, "the outcome of a turn could not be stored yet");
            false
        }
    }
}

/// Marks a turn as begun.
fn begin(task: &mut TurnTask) {
    task.turn.state = TurnState::Running;
    // What was there before is a part of the same answer.
    let began = task.turn.started_at.filter(|_| !task.turn.steps.is_empty());
    task.turn.started_at = began.or_else(|| Some(now_ms()));
    task.turn.attempts += u32::from(!task.returned);
}

/// A limit of time in whole seconds, for a reason.
fn seconds(limit: Option<Duration>) -> u64 {
    limit.map_or(0, |limit| limit.as_secs())
}
