//! One use of a tool: its owner's leave, a slot of its server, a place in the line of tools, the call, and what is kept of what it returns.

use std::{future::pending, panic::AssertUnwindSafe, path::Path, sync::Arc, time::Duration};

use bytes::Bytes;
use futures_util::FutureExt as _;
use serde_json::{Map, Value};
use tokio::time::timeout;
use tracing::{Instrument as _, error, info, info_span, warn};

use super::{
    Conversations, TurnTask, arguments::arguments, in_flight::InFlight, live_steps::Said, rounds::MAX_TURN, step_view,
    toolbox::CallFault, view::summary,
};
use crate::{
    clock::now_ms,
    files::FileError,
    queue::{JoinError, LeaveReason, Outcome, Owner, Permit},
    store::{Leave, StoreError, ToolStep},
    tools::{Content, Offered, ServerSlot, ToolOutput},
    wire::{Event, FeedEvent, FileId, FileKind, StepAnswer, StepContent, StepState, ToolFault, TurnId},
};

/// What a model is told where a tool may not be used.
pub(super) const DENIED: &str = "The use of this tool was not allowed.";
/// What it is told where that holds for the whole conversation.
pub(super) const FORBIDDEN: &str =
    "The use of this tool is not allowed in this conversation. Do not call it again; go on without it.";
/// What it is told of one that was stopped.
pub(super) const STOPPED: &str = "The use of this tool was stopped before it had a result.";

/// Most text that is kept of what a tool returns, in bytes.
const MAX_TEXT: usize = 64 * 1024;
/// Largest picture that is kept, likewise.
const MAX_PICTURE: u64 = 8 * 1024 * 1024;
/// Most parts of what a tool returns.
const MAX_PARTS: usize = 64;

/// How long somebody who speaks of a step waits for this node to take its turn up, which another one had.
const TAKEN_UP: Duration = Duration::from_secs(10);

/// A tool that may be used now.
struct Ready {
    tool: Offered,
    told: Map<String, Value>,
    slot: ServerSlot,
    permit: Permit,
}

/// How a step has ended.
struct Used {
    state: StepState,
    content: Vec<StepContent>,
}

impl Used {
    fn said(state: StepState, said: impl Into<String>) -> Self {
        Self {
            state,
            content: vec![StepContent::Text(said.into())],
        }
    }

    fn failed(fault: ToolFault, said: impl Into<String>) -> Self {
        Self::said(StepState::Failed { fault }, said)
    }
}

impl Conversations {
    /// Takes a step to its end, or leaves it for the next start.
    pub(super) async fn take_step(&self, task: &TurnTask, in_flight: &InFlight, index: usize) {
        let Some(step) = in_flight.steps.step(index) else {
            return;
        };
        let span = info_span!("step", index, server = %step.server, tool = %step.tool);
        let stop = in_flight.steps.stop_of(index);
        let using = async {
            let ready = tokio::select! {
                biased;
                () = stop.cancelled() => Err(Some(Used::said(StepState::Stopped, STOPPED))),
                ready = self.make_ready(task, in_flight, index, step) => ready,
            };
            let used = match ready {
                Ok(ready) => self.use_tool(task, in_flight, index, ready).await,
                Err(used) => used,
            };
            if let Some(used) = used {
                self.end_step(task, in_flight, index, used).await;
            }
        };
        using.instrument(span).await;
    }

    /// Waits for all that a step needs. Else how it has ended by that; `None`: it has not, and nobody goes on with it here: the server ends.
    async fn make_ready(
        &self,
        task: &TurnTask,
        in_flight: &InFlight,
        index: usize,
        step: ToolStep,
    ) -> Result<Ready, Option<Used>> {
        if step.state == StepState::Asks {
            let said = tokio::select! {
                biased;
                () = self.closing.cancelled() => return Err(None),
                said = in_flight.steps.leave_for(index) => said,
            };
            info!(?said, "whether a tool may be used was said");
            match said {
                Said::Yes => {}
                Said::No => return Err(Some(Used::said(StepState::Denied, DENIED))),
                Said::Never => return Err(Some(Used::said(StepState::Denied, FORBIDDEN))),
            }
            // Stored, so that nobody is asked twice.
            in_flight.steps.change(index, |step| step.state = StepState::Waits);
            self.keep_steps(task, in_flight).await;
            self.tell_step(task, in_flight, index);
        }
        let Some(tool) = self.tool_of(task.turn.owner, &step).await else {
            return Err(Some(Used::failed(ToolFault::Gone, "This tool is not there any more.")));
        };
        if tool.fingerprint != step.fingerprint {
            let said = "This tool has changed since it was called. Look at what it is now, and call it again if it still fits.";
            return Err(Some(Used::failed(ToolFault::Changed, said)));
        }
        let told = match arguments(&step.arguments, &tool.spec.schema) {
            Ok(told) => told,
            Err(why) => return Err(Some(Used::failed(ToolFault::Arguments, why))),
        };
        let slot = tokio::select! {
            biased;
            () = self.closing.cancelled() => return Err(None),
            slot = self.deps.tools.slot(&tool.server, task.turn.owner) => slot,
        };
        let permit = match self.tool_permit(task).await {
            Ok(permit) => permit,
            Err(LeaveReason::Closed) => return Err(None),
            Err(_) => {
                let said = "There are too many uses of tools at the moment.";
                return Err(Some(Used::failed(ToolFault::Busy, said)));
            }
        };
        Ok(Ready {
            tool,
            told,
            slot,
            permit,
        })
    }

    /// The tool of a step. After a start it is known only once its server has been asked.
    async fn tool_of(&self, owner: Owner, step: &ToolStep) -> Option<Offered> {
        if let Some(tool) = self.deps.tools.find(owner, &step.name).await {
            return Some(tool);
        }
        self.deps.tools.offer(owner, &|_| ()).await;
        self.deps.tools.find(owner, &step.name).await
    }

    /// Has a tool used. `None`: it goes on elsewhere.
    async fn use_tool(&self, task: &TurnTask, in_flight: &InFlight, index: usize, ready: Ready) -> Option<Used> {
        let Ready {
            tool,
            told,
            slot,
            permit,
        } = ready;
        in_flight.steps.change(index, |step| {
            step.state = StepState::Runs;
            step.began_at = Some(now_ms());
        });
        // Whoever takes this up must know that it may have been done. Where that does no harm, nobody need wait for the disk.
        if !tool.repeatable && !self.keep_steps(task, in_flight).await {
            let said = "It could not be noted that this tool is used, so it was not.";
            return Some(Used::failed(ToolFault::NotKept, said));
        }
        self.tell_step(task, in_flight, index);
        let call = AssertUnwindSafe(self.deps.tools.call(task.turn.owner, &tool, told, slot)).catch_unwind();
        let stop = in_flight.steps.stop_of(index);
        let called = tokio::select! {
            biased;
            () = stop.cancelled() => None,
            () = self.handed_on() => {
                permit.finish(Outcome::Cancelled);
                return None;
            }
            called = call => Some(called),
        };
        Some(self.called(task, in_flight, (&tool, permit), called).await)
    }

    /// Where several processes keep the line, others take up what is parked here as soon as this one ends: nothing of it may go on then.
    async fn handed_on(&self) {
        match self.deps.queue.is_common() {
            true => self.closing.cancelled().await,
            false => pending().await,
        }
    }

    async fn called(
        &self,
        task: &TurnTask,
        in_flight: &InFlight,
        (tool, permit): (&Offered, Permit),
        called: Option<std::thread::Result<Result<ToolOutput, CallFault>>>,
    ) -> Used {
        let Some(called) = called else {
            permit.finish(Outcome::Cancelled);
            return Used::said(StepState::Stopped, STOPPED);
        };
        let called = called.unwrap_or_else(|_| {
            error!("the use of a tool panicked");
            Err(CallFault {
                fault: ToolFault::Invalid,
                said: "Something went wrong while this tool was used.".to_owned(),
            })
        });
        match called {
            Ok(ToolOutput { content, failed }) => {
                permit.finish(if failed { Outcome::Failed } else { Outcome::Done });
                let state = match failed {
                    true => StepState::Failed {
                        fault: ToolFault::Itself,
                    },
                    false => StepState::Done,
                };
                let content = self.keep_content(task, in_flight, tool, content).await;
                Used { state, content }
            }
            Err(CallFault { fault, said }) => {
                permit.finish(match fault {
                    ToolFault::TimedOut => Outcome::Expired,
                    _ => Outcome::Failed,
                });
                Used::failed(fault, said)
            }
        }
    }

    /// A slot in the line of tools. A turn that has begun does not leave it because its browser is away.
    async fn tool_permit(&self, task: &TurnTask) -> Result<Permit, LeaveReason> {
        let owner = task.turn.owner;
        let joined = task.session.join(&self.deps.queue, owner, Event::Tool).await;
        let mut place = joined.map_err(|why| match why {
            JoinError::Closed => LeaveReason::Closed,
            _ => LeaveReason::Expired,
        })?;
        // Events may share a line: where this one leaves, others of the same owner move up.
        let moves_up = self.moves_up(owner);
        let admitted = place.admitted(|| None, pending()).await;
        drop(place);
        if admitted.is_ok() {
            moves_up.started();
        }
        admitted
    }

    /// What is kept of what a tool has returned: as much as there is room for, and pictures as files of its owner.
    async fn keep_content(
        &self,
        task: &TurnTask,
        in_flight: &InFlight,
        tool: &Offered,
        content: Vec<Content>,
    ) -> Vec<StepContent> {
        let taken: usize = in_flight.steps.steps().iter().map(ToolStep::bytes).sum();
        let mut room = MAX_TURN.saturating_sub(taken).min(MAX_TEXT);
        let left_out = content.len().saturating_sub(MAX_PARTS);
        let mut kept = Vec::new();
        let mut cut = left_out > 0;
        for one in content.into_iter().take(MAX_PARTS) {
            match one {
                Content::Text(mut text) => {
                    if text.len() > room {
                        text.truncate(text.floor_char_boundary(room));
                        cut = true;
                    }
                    room -= text.len();
                    if !text.is_empty() {
                        kept.push(StepContent::Text(text));
                    }
                }
                Content::Link { uri, name } => {
                    let bytes = uri.len() + name.len();
                    match room.checked_sub(bytes) {
                        Some(rest) => {
                            room = rest;
                            kept.push(StepContent::Link { uri, name });
                        }
                        None => cut = true,
                    }
                }
                Content::Picture { mime, bytes } => {
                    kept.push(match self.keep_picture(task, tool, &mime, bytes).await {
                        Ok((file, mime)) => StepContent::Picture { file, mime },
                        Err(why) => StepContent::Text(format!("(a picture is left out: {why})")),
                    });
                }
            }
        }
        if cut {
            kept.push(StepContent::Text("(the rest is left out: it is too long)".to_owned()));
        }
        kept
    }

    async fn keep_picture(
        &self,
        task: &TurnTask,
        tool: &Offered,
        mime: &str,
        bytes: Bytes,
    ) -> Result<(FileId, String), &'static str> {
        let ending = mime.strip_prefix("image/").unwrap_or("png");
        let name = Path::new(&tool.tool).with_extension(ending);
        let kept = async {
            let mut upload = self.deps.vault.begin(&name.to_string_lossy(), MAX_PICTURE).await?;
            upload.write(&bytes).await?;
            upload.finish().await
        };
        let unfit = |fault: FileError| {
            let ours = fault.is_ours();
            warn!(%fault, "a picture of a tool is not kept");
            if ours {
                "it could not be kept"
            } else {
                "it is none, or too large"
            }
        };
        let file = kept.await.map_err(unfit)?;
        let (id, mime, is_picture) = (file.id, file.mime.clone(), file.kind == FileKind::Image);
        let noted = match is_picture {
            true => {
                let store = &self.deps.store;
                store.add_step_file(task.turn.owner, task.turn.id, file, now_ms()).await
            }
            false => Ok(false),
        };
        if matches!(noted, Ok(true)) {
            return Ok((id, mime));
        }
        if let Err(fault) = self.deps.vault.remove(&[id]).await {
            warn!(%fault, "the content of a picture that is not kept stays behind");
        }
        match noted {
            Err(fault) => {
                warn!(%fault, "a picture of a tool could not be noted");
                Err("it could not be kept")
            }
            Ok(_) => Err("it is none"),
        }
    }

    /// A step is over: that is stored, then shown.
    async fn end_step(&self, task: &TurnTask, in_flight: &InFlight, index: usize, used: Used) {
        let Used { state, content } = used;
        let ended_at = now_ms();
        in_flight.steps.change(index, |step| {
            step.state = state;
            step.content = content;
            step.ended_at = Some(ended_at);
        });
        if let Some(step) = in_flight.steps.step(index) {
            let took_ms = step.began_at.map_or(0, |began| ended_at.saturating_sub(began));
            info!(state = ?step.state, took_ms, bytes = step.bytes(), "a use of a tool has ended");
        }
        // All of a turn that is over is stored at once.
        if !in_flight.cancel.is_cancelled() {
            self.keep_steps(task, in_flight).await;
            self.tell_step(task, in_flight, index);
        }
    }

    /// Stores how the steps of a turn are. `false`: they are not stored, which has been logged.
    async fn keep_steps(&self, task: &TurnTask, in_flight: &InFlight) -> bool {
        let mut turn = task.turn.clone();
        turn.steps = in_flight.steps.steps();
        self.keep(turn).await
    }

    /// Tells every open page of the session how a step is.
    pub(super) fn tell_step(&self, task: &TurnTask, in_flight: &InFlight, index: usize) {
        let Some(step) = in_flight.steps.step(index) else {
            return;
        };
        let (session, conversation) = (&task.session, task.turn.conversation);
        if session.is_removed(conversation) {
            return;
        }
        let journal = session.journal();
        journal.append(FeedEvent::Step {
            turn: task.turn.id,
            conversation,
            index,
            step: Some(Box::new(step_view::of(&step, in_flight.stand_of(index)))),
        });
        // Whether it asks is told in the list, too.
        let record = task.line();
        let busy = session.is_conversation_busy(conversation);
        let line = summary(&record, busy, in_flight.steps.asks());
        journal.append(FeedEvent::Conversation(line));
    }

    /// Ends a step alone, or says whether it may be done. What is said of a tool for the whole conversation is stored before it is in force.
    /// `false`: there is no such step of this owner, or nobody is asked for it any more.
    ///
    /// # Errors
    /// [`StoreError`]; nothing has changed then.
    pub(crate) async fn answer_step(
        &self,
        owner: Owner,
        turn: TurnId,
        index: usize,
        answer: StepAnswer,
    ) -> Result<bool, StoreError> {
        let Some(live) = self.taken_up(owner, turn, index).await? else {
            return Ok(false);
        };
        // What is stored is shown. Its task is about to have it, too: a round has just ended, or the server has just started.
        if live.steps.len() <= index && self.is_open(owner, turn, index).await? {
            live.steps.there(index).await;
        }
        if answer == StepAnswer::Stop {
            return Ok(live.steps.stop(index));
        }
        let Some(step) = live.steps.step(index).filter(|step| step.state == StepState::Asks) else {
            return Ok(false);
        };
        if let (StepAnswer::Conversation | StepAnswer::Never, Some(&conversation)) = (answer, live.conversation.get()) {
            let leave = Leave {
                tool: step.key(),
                fingerprint: step.fingerprint,
                allowed: answer == StepAnswer::Conversation,
            };
            self.deps.store.keep_leave(owner, conversation, leave).await?;
        }
        Ok(live.steps.answer(index, answer).is_some() && live.steps.settled(index).await)
    }

    /// A turn that is on its way here, or is about to be: where another node had it, this one is its owner's home a moment before it takes that up.
    /// `None`: nobody goes on with that step.
    async fn taken_up(&self, owner: Owner, turn: TurnId, index: usize) -> Result<Option<Arc<InFlight>>, StoreError> {
        let found = self.in_flight.find(owner, turn);
        if found.is_some() || !self.is_open(owner, turn, index).await? {
            return Ok(found);
        }
        let listed = timeout(TAKEN_UP, self.in_flight.listed(owner, turn)).await;
        Ok(listed.ok())
    }

    /// Whether this step is stored, and its turn is not over.
    async fn is_open(&self, owner: Owner, turn: TurnId, index: usize) -> Result<bool, StoreError> {
        let kept = self.deps.store.turn(owner, turn).await?;
        Ok(kept.is_some_and(|kept| !kept.turn.state.is_over() && index < kept.turn.steps.len()))
    }
}
