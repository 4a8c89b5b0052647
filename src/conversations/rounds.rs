//! Answers in several rounds. An answer that ends with calls of tools is one round: its steps are stored, its slot is given back, and its ticket is
//! parked while tools work and people are asked for leave. It comes back as its owner's next ticket, for a round that begins with all results.

use std::sync::Arc;

use futures_util::future::join_all;
use tracing::{info, warn};

use super::{
    Conversations, TurnGuards, TurnTask,
    arguments::arguments,
    attempts::NoSlot,
    attempts::tries_of,
    in_flight::{InFlight, Shown},
    retold::callable,
    told::Figures,
    using,
};
use crate::{
    agents::ToolCall,
    clock::now_ms,
    jobs::Ending,
    queue::{BackendIndex, LeaveReason, Permit},
    store::{Leave, ToolStep},
    tools::{self, Offered},
    wire::{StepAnswer, StepContent, StepState, ToolFault, Usage},
};

/// Most of what a tool may be told, in bytes.
const MAX_ARGUMENTS: usize = 64 * 1024;
/// Most of what is kept of all steps of a turn, likewise.
pub(super) const MAX_TURN: usize = 512 * 1024;

/// What is not over when its turn is has been stopped by that.
pub(super) fn stop_steps(steps: &mut [ToolStep]) {
    for step in steps.iter_mut().filter(|step| !step.state.is_over()) {
        step.state = StepState::Stopped;
        step.content = vec![StepContent::Text(using::STOPPED.to_owned())];
        step.ended_at = Some(now_ms());
    }
}

/// How the time between two rounds has ended.
enum Between {
    /// All steps are over.
    Over,
    /// Its owner does not want the answer any more.
    Cancelled,
    /// The server ends. What is not over goes on after the next start, or at another node.
    Later,
}

impl TurnTask {
    /// Rounds that have ended with calls.
    pub(super) fn rounds(&self) -> u32 {
        self.turn.steps.last().map_or(0, |step| step.round + 1)
    }

    fn bytes_of_steps(&self) -> usize {
        self.turn.steps.iter().map(ToolStep::bytes).sum()
    }
}

/// What a call of a model becomes. `room`: bytes that the turn may still have.
fn step_of(
    call: ToolCall,
    tool: Option<Offered>,
    (round, said): (u32, usize),
    leaves: &[Leave],
    room: usize,
) -> ToolStep {
    let mut step = ToolStep {
        call: call.id,
        name: callable(&call.name),
        opaque: call.opaque,
        thoughts: call.thoughts,
        server: String::new(),
        tool: String::new(),
        title: None,
        fingerprint: String::new(),
        repeatable: false,
        arguments: call.arguments,
        state: StepState::Waits,
        content: Vec::new(),
        round,
        said,
        called_at: now_ms(),
        began_at: None,
        ended_at: None,
    };
    let mut fails = |fault, said: String| {
        step.state = StepState::Failed { fault };
        step.content = vec![StepContent::Text(said)];
    };
    let Some(tool) = tool else {
        fails(
            ToolFault::Gone,
            format!("There is no tool called {}.", callable(&call.name)),
        );
        step.arguments
            .truncate(step.arguments.floor_char_boundary(MAX_ARGUMENTS.min(room)));
        return step;
    };
    let fits = arguments(&step.arguments, &tool.spec.schema);
    if step.arguments.len() > MAX_ARGUMENTS.min(room) {
        fails(
            ToolFault::Arguments,
            format!("The arguments are longer than {MAX_ARGUMENTS} bytes."),
        );
        step.arguments = "{}".to_owned();
    } else if let Err(why) = fits {
        fails(ToolFault::Arguments, why);
    } else {
        let known = leaves.iter().find(|leave| {
            leave.tool == format!("{}/{}", tool.server, tool.tool) && leave.fingerprint == tool.fingerprint
        });
        step.state = match (tool.leave, known.map(|known| known.allowed)) {
            (tools::Leave::Allow, _) | (tools::Leave::Ask, Some(true)) => StepState::Waits,
            (tools::Leave::Deny, _) | (tools::Leave::Ask, Some(false)) => StepState::Denied,
            (tools::Leave::Ask, None) => StepState::Asks,
        };
        if step.state == StepState::Denied {
            let told = match tool.leave {
                tools::Leave::Deny => using::DENIED,
                tools::Leave::Ask | tools::Leave::Allow => using::FORBIDDEN,
            };
            step.content = vec![StepContent::Text(told.to_owned())];
        }
    }
    step.server = tool.server;
    step.tool = tool.tool;
    step.title = tool.title;
    step.fingerprint = tool.fingerprint;
    step.repeatable = tool.repeatable;
    step
}

impl Conversations {
    /// A round has ended with calls, and its slot is free. Its steps are stored, then shown.
    pub(super) async fn end_round(
        &self,
        task: &mut TurnTask,
        guards: &TurnGuards,
        backend: Option<BackendIndex>,
        usage: Usage,
    ) {
        let in_flight = &guards.entered.in_flight;
        let round = task.rounds();
        self.note_backend(task, backend, &Ending::Done(usage));
        self.take_usage(&mut task.turn, usage);
        let leaves = self.leaves(task).await;
        let (said, mut room) = (in_flight.text().len(), MAX_TURN.saturating_sub(task.bytes_of_steps()));
        for call in in_flight.take_calls() {
            let tool = self.deps.tools.find(task.turn.owner, &call.name).await;
            let step = step_of(call, tool, (round, said), &leaves, room);
            room = room.saturating_sub(step.bytes());
            task.turn.steps.push(step);
        }
        let new = task.turn.steps.len() - in_flight.steps.len();
        in_flight.end_round(new);
        let turn = &mut task.turn;
        turn.answer = in_flight.text();
        turn.reasoning = in_flight.reasoning();
        turn.thought_ms = in_flight.thought_ms().or(turn.thought_ms);
        // It has come this far: what ends the server from here on is not what its beginning did.
        turn.attempts = 0;
        (task.returned, task.tries) = (false, tries_of(turn));
        // Stored before anybody can see them: what is asked for here is asked for after a crash, too.
        self.keep(task.turn.clone()).await;
        in_flight.steps.set(task.turn.steps.clone(), &in_flight.cancel);
        info!(
            round,
            steps = new,
            "a round of the answer has ended with calls of tools"
        );
        self.announce(task, in_flight.shown());
    }

    /// What was said of tools for the conversation of a turn. What cannot be read has not been said.
    async fn leaves(&self, task: &TurnTask) -> Vec<Leave> {
        let leaves = self.deps.store.leaves(task.turn.owner, task.turn.conversation).await;
        leaves.unwrap_or_else(|fault| {
            warn!(%fault, "what was allowed in a conversation could not be read");
            Vec::new()
        })
    }

    /// Takes a parked turn to its next round. Its permit, where there is one at once; `None`: it waits in its line. The turn is over, or goes on
    /// elsewhere, where its task does not come back.
    pub(super) async fn next_round(
        &self,
        mut task: TurnTask,
        mut guards: TurnGuards,
    ) -> Option<(TurnTask, TurnGuards, Option<Permit>)> {
        let in_flight = Arc::clone(&guards.entered.in_flight);
        let between = self.between(&mut task, &in_flight).await;
        task.turn.steps = in_flight.steps.steps();
        match between {
            Between::Over => {}
            Between::Cancelled => {
                // The line forgets it first.
                guards.place.leave(LeaveReason::Cancelled);
                self.without_slot(&mut task, NoSlot::Left(LeaveReason::Cancelled));
                let Figures { told, took_ms, .. } = Figures::of(&task.turn);
                info!(
                    told,
                    waited_ms = 0,
                    took_ms,
                    characters = task.turn.answer.chars().count(),
                    "turn ended between two rounds"
                );
                self.over(task, guards, None).await;
                return None;
            }
            Between::Later => {
                info!("turn stopped by the end of the server between two rounds; it goes on after the next start");
                // A line that is closed has let it go, or has given it to somebody else: dropped before that is known, it would leave for good.
                let _closed = guards.place.admitted(|| None, std::future::pending()).await;
                return None;
            }
        }
        guards.place.resume();
        let permit = guards.place.admitted_by_now();
        if permit.is_none() {
            // Its owner's others have moved back.
            self.moved_up(task.turn.owner).await;
            task.wait();
            self.announce(&mut task, in_flight.shown());
        }
        Some((task, guards, permit))
    }

    async fn between(&self, task: &mut TurnTask, in_flight: &Arc<InFlight>) -> Between {
        self.know_leaves(task, in_flight).await;
        let open = in_flight.steps.open();
        let all = join_all(open.into_iter().map(|index| self.take_step(task, in_flight, index)));
        tokio::select! {
            biased;
            () = self.stop.cancelled() => return Between::Later,
            _ = all => {}
        }
        if in_flight.cancel.is_cancelled() {
            Between::Cancelled
        } else if in_flight.steps.open().is_empty() && !self.closing.is_cancelled() {
            Between::Over
        } else {
            Between::Later
        }
    }

    /// Its owner may have said what is to become of a step just before the server ended.
    async fn know_leaves(&self, task: &TurnTask, in_flight: &InFlight) {
        if !in_flight.steps.asks() {
            return;
        }
        for leave in self.leaves(task).await {
            let all = in_flight.steps.steps().into_iter().enumerate();
            for (index, step) in
                all.filter(|(_, step)| step.key() == leave.tool && step.fingerprint == leave.fingerprint)
            {
                let answer = if leave.allowed {
                    StepAnswer::Once
                } else {
                    StepAnswer::Never
                };
                if step.state == StepState::Asks {
                    let _ = in_flight.steps.answer(index, answer);
                }
            }
        }
    }

    /// Has a turn go on with what was stored of it. A tool that was at work when the server ended is used again only where that does no harm.
    pub(super) async fn take_up_steps(&self, task: &mut TurnTask, in_flight: &InFlight) {
        for step in &mut task.turn.steps {
            if step.state == StepState::Runs {
                step.began_at = None;
                step.state = match step.repeatable {
                    true => StepState::Waits,
                    false => StepState::Failed {
                        fault: ToolFault::Unknown,
                    },
                };
                if !step.repeatable {
                    step.content = vec![StepContent::Text(
                        "The server ended meanwhile; it is not known whether it was done.".to_owned(),
                    )];
                }
            }
        }
        let (answer, reasoning) = (task.turn.answer.clone(), task.turn.reasoning.clone());
        let steps = task.turn.steps.clone();
        let shown = Shown::rendered(answer, reasoning, steps).await;
        in_flight.restore(&task.turn.answer, &task.turn.reasoning, shown.unwrap_or_default());
        in_flight.steps.set(task.turn.steps.clone(), &in_flight.cancel);
    }
}
