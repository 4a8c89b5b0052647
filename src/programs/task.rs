//! One request's task: in the line, asked, over.

mod alike;

use std::{convert::Infallible, pin::pin, sync::Arc};

use bytes::Bytes;
use futures_util::FutureExt as _;
use tracing::info;

use super::{
    Deps, Done, ProgramFault, Programs, Request, Source,
    alike::Lead,
    charge::charged,
    chunks::{Chunks, DONE},
    job::Job,
    kept::{Keeper, Said},
};
use crate::{
    agents::{AgentError, AnswerKey, Question, RelayFault, RelayRequest, Tries},
    jobs::{self, Attempt, Bounds, Course, Ending, Left, Waited, Waiting, model_first},
    queue::{BackendIndex, Ended, LeaveReason, Permit, PoolIndex, Ticket},
    settings::ModelName,
};

/// A request on its way.
pub(super) struct Task {
    programs: Programs,
    job: Arc<Job>,
    request: Request,
    model: ModelName,
    pool: PoolIndex,
    /// What the answer calls the model.
    called: String,
    tries: Tries,
    /// The ticket that it has already.
    ticket: Option<Ticket>,
    /// Who keeps it until it is answered; `None`: whoever has asked waits for it.
    keeper: Option<Arc<dyn Keeper>>,
    /// What those have that are like it.
    likeness: Option<AnswerKey>,
    /// It is asked for those, too.
    lead: Option<Lead>,
}

/// How a request starts.
enum Start {
    /// With a slot.
    Slot(Permit),
    /// One that is like it is asked.
    Alike(Ticket, Arc<Job>),
}

impl Task {
    pub(super) fn new(programs: Programs, job: Arc<Job>, request: Request, model: ModelName, pool: PoolIndex) -> Self {
        Self {
            programs,
            job,
            called: request.called.clone(),
            request,
            model,
            pool,
            tries: Tries::new(),
            ticket: None,
            keeper: None,
            likeness: None,
            lead: None,
        }
    }

    /// As one that may have the answer of another one with the same likeness, or the other way round.
    pub(super) fn alike(self, likeness: Option<AnswerKey>) -> Self {
        Self { likeness, ..self }
    }

    /// As one that is kept, and may have its ticket already.
    pub(super) fn kept_by(self, keeper: Arc<dyn Keeper>, ticket: Option<Ticket>) -> Self {
        Self {
            ticket,
            keeper: Some(keeper),
            ..self
        }
    }

    fn deps(&self) -> &Deps {
        &self.programs.deps
    }

    /// Takes the request through. Dropped before its end, it leaves the line or frees its slot.
    pub(super) async fn run(mut self) {
        let (programs, job) = (self.programs.clone(), Arc::clone(&self.job));
        let mut end = End {
            programs: &programs,
            job: &job,
            how: Some(Err(ProgramFault::Mistake)),
        };
        let how = {
            let mut work = pin!(self.take_through());
            let patience = || programs.deps.settings.borrow().abandon_after;
            tokio::select! {
                biased;
                how = &mut work => how,
                () = job.forsaken(patience) => {
                    job.cancel();
                    work.await
                }
            }
        };
        // Whoever is like it finds nobody to follow from here on.
        self.lead = None;
        end.how = Some(how);
    }

    /// The same for one that is kept: nobody need wait for it.
    pub(super) async fn run_kept(mut self) -> Result<Done, ProgramFault> {
        let job = Arc::clone(&self.job);
        let mut end = KeptEnd {
            job: &job,
            how: Some(Err(ProgramFault::Mistake)),
        };
        let how = match self.given() {
            Some(done) => Ok(done),
            None => self.take_through().await,
        };
        self.answered(&how);
        // Told here where it has had no slot to give back.
        if let Some(keeper) = self.keeper.take() {
            keeper.over(&how, self.said(), false).await;
        }
        end.how = Some(how.clone());
        drop(end);
        how
    }

    /// It has come to its end: whoever is like it finds nobody to follow from here on, and those that follow it have all of it.
    fn answered(&mut self, how: &Result<Done, ProgramFault>) {
        self.lead = None;
        self.job.answered(how.clone());
    }

    fn said(&self) -> Said {
        Said {
            events: self.job.events(),
            source: self.job.source(),
        }
    }

    async fn take_through(&mut self) -> Result<Done, ProgramFault> {
        let job = Arc::clone(&self.job);
        let queue = self.deps().queue.clone();
        let had = self.ticket.take();
        let had_one = had.is_some();
        let mut ticket = match had {
            Some(ticket) => ticket,
            None => {
                let placed = tokio::select! {
                    biased;
                    () = job.cancelled().cancelled() => return Err(ProgramFault::Cancelled),
                    placed = jobs::join(&queue, (job.id(), job.owner()), jobs::work(Some(self.pool), None)) => placed,
                };
                let placed = placed.map_err(ProgramFault::Line)?;
                if let Some(keeper) = &self.keeper {
                    keeper.lined_up();
                }
                placed
            }
        };
        let mut granted = ticket.granted();
        let (id, mut led, mut waiting) = (ticket.id(), None, None);
        match self.leader() {
            // Said before anybody hears of its place: it has none.
            Some(leader) => {
                job.comes_from(Some(Source::Shared));
                let mut ticket = granted.take().map_or(ticket, Permit::step_aside);
                ticket.step_aside();
                led = Some(Start::Alike(ticket, leader));
            }
            None => {
                // Where another node had it, it may have followed one that is like it.
                if had_one && ticket.is_parked() {
                    ticket.resume();
                }
                waiting = Some(ticket);
            }
        }
        job.placed(id, granted.is_some() || led.is_some());
        loop {
            let start = match (led.take(), granted.take(), waiting.take()) {
                (Some(led), _, _) => led,
                (None, Some(permit), _) => Start::Slot(permit),
                (None, None, Some(ticket)) => match self.wait(ticket).await {
                    Ok(start) => start,
                    Err(fault) => {
                        self.deps().conversations.moved_up(job.owner()).await;
                        return Err(fault);
                    }
                },
                // Each turn of the loop leaves one of them.
                (None, None, None) => return Err(ProgramFault::Mistake),
            };
            let permit = match self.leads(start) {
                Start::Slot(permit) => permit,
                Start::Alike(mut ticket, leader) => {
                    if let Some(how) = self.share(&leader).await {
                        queue.leave(ticket.id(), LeaveReason::Done);
                        return how;
                    }
                    ticket.resume();
                    granted = ticket.admitted().now_or_never().and_then(Result::ok);
                    if granted.is_none() {
                        job.waits_again();
                        waiting = Some(ticket);
                    }
                    continue;
                }
            };
            job.started();
            let (waited, model, keeper) = (permit.waited(), self.model.clone(), self.keeper.clone());
            let told = pin!(async {
                model_first(&queue).await;
                info!(waited_ms = waited.as_millis(), %model, "request started");
                if let Some(keeper) = &keeper {
                    keeper.started(job.round()).await;
                }
                Ok::<_, Infallible>(())
            });
            let mut course = Course::new(self.tries);
            let mut asked = Asked::new(self);
            let backend = permit.backend();
            let ran = {
                let work = pin!(asked.work(backend, &mut course));
                let Ok(ran) = jobs::run(&queue, permit, work, told).await;
                ran.left
            };
            let done = asked.done.take();
            let (mut ticket, is_halted) = match ran {
                Left::Over(ending, ended) => {
                    let how = self.end(ending, done);
                    self.keep(&how, ended).await;
                    return how;
                }
                Left::Back(ticket) => (ticket, false),
                Left::Halted(ticket) => (ticket, true),
                Left::Parked(_, never) => match never {},
            };
            if is_halted && job.has_shown() {
                if self.keeper.is_none() {
                    return Err(ProgramFault::Moved);
                }
                job.begin_again();
            }
            self.tries = course.tries;
            jobs::paused(&mut ticket, job.cancelled(), &self.programs.stop).await;
            if let Some((model, pool)) = course.instead {
                self.fall_back(&ticket, model, pool);
            }
            granted = ticket.admitted().now_or_never().and_then(Result::ok);
            if granted.is_none() {
                info!("request waits again");
                job.waits_again();
                waiting = Some(ticket);
            }
        }
    }

    /// Gives the slot back, once whoever keeps the request is about to store how it has ended.
    async fn keep(&mut self, how: &Result<Done, ProgramFault>, ended: Ended) {
        let Some(keeper) = self.keeper.take() else { return };
        self.answered(how);
        let mut keeping = pin!(keeper.over(how, self.said(), true));
        let early = keeping.as_mut().now_or_never();
        drop(ended);
        if early.is_none() {
            keeping.await;
        }
    }

    /// Another model is to answer, which the answer says.
    fn fall_back(&mut self, ticket: &Ticket, model: ModelName, pool: PoolIndex) {
        self.tries.fall_back();
        // That model's answer is kept for nobody.
        (self.likeness, self.lead) = (None, None);
        self.called = model.to_string();
        (self.model, self.pool) = (model, pool);
        self.deps().queue.change_pool(ticket.id(), pool);
    }

    /// Waits in the line until there is a slot, or one that is like it is asked. Whoever has neither has left the line by then.
    async fn wait(&mut self, mut ticket: Ticket) -> Result<Start, ProgramFault> {
        let programs = self.programs.clone();
        let job = Arc::clone(&self.job);
        loop {
            let begun = programs.alike.begun();
            if let Some(leader) = self.leader() {
                ticket.step_aside();
                return Ok(Start::Alike(ticket, leader));
            }
            let waiting = Waiting {
                backends: &programs.deps.backends,
                model: Some(&self.model),
                pool: Some(self.pool),
                tries: self.tries,
                outlasts_outages: self.keeper.is_some(),
            };
            let admitted = async {
                tokio::select! {
                    biased;
                    () = job.cancelled().cancelled() => Err(LeaveReason::Cancelled),
                    admitted = ticket.admitted() => admitted,
                }
            };
            let waited = tokio::select! {
                biased;
                waited = waiting.until(admitted, |pool| self.may_be_asked_at(pool)) => waited,
                () = begun, if self.likeness.is_some() => continue,
            };
            match waited {
                Waited::Slot(permit) => return Ok(Start::Slot(permit)),
                Waited::Left(LeaveReason::Cancelled) => return Err(ProgramFault::Cancelled),
                Waited::Left(left) => {
                    let longest = programs.deps.settings.borrow().policy.max_wait;
                    return Err(ProgramFault::Left(left, longest));
                }
                Waited::GaveUp(reason) => {
                    programs.deps.queue.leave(ticket.id(), LeaveReason::Expired);
                    return Err(ProgramFault::Outage(reason));
                }
                Waited::Instead(model, pool) => self.fall_back(&ticket, model, pool),
            }
        }
    }

    /// Whether the back ends of a pool can honour the request.
    fn may_be_asked_at(&self, pool: PoolIndex) -> bool {
        self.deps().backends.all_relay(pool, self.request.door) || self.request.question().is_ok()
    }

    /// What an answer took counts for its key, once for all who follow.
    fn charge(&self, done: Option<&Done>) {
        let settings = self.deps().settings.borrow().clone();
        let usage = charged(&self.request, &self.job, done);
        self.deps()
            .rates
            .take_usage((self.job.id(), self.job.owner()), &settings, usage);
    }

    /// What comes of an attempt that has ended so. The model has worked for one that was ended before its time, too.
    fn end(&self, ending: Ending<Fault>, done: Option<Bytes>) -> Result<Done, ProgramFault> {
        let was_ended = matches!(
            ending,
            Ending::Cancelled | Ending::Expired | Ending::Stopped | Ending::Overflow
        );
        if was_ended || (matches!(ending, Ending::Failed(_)) && self.job.has_shown()) {
            self.charge(None);
        }
        match ending {
            Ending::Done(usage) | Ending::Incomplete(_, usage) => {
                let done = Done {
                    last: done.unwrap_or_default(),
                    usage,
                };
                self.charge(Some(&done));
                if let Some(key) = self.lead.as_ref().map(Lead::key) {
                    self.programs.keep_answer(key, self.request.door, &self.job, &done);
                }
                Ok(done)
            }
            Ending::Failed(Fault::Agent(error, said)) => Err(ProgramFault::Agent(error, said.map(Arc::from))),
            Ending::Failed(Fault::Unfit(fault)) => Err(ProgramFault::Unfit(fault)),
            Ending::Panicked => Err(ProgramFault::Mistake),
            Ending::Overflow => Err(ProgramFault::Endless),
            Ending::Cancelled => Err(ProgramFault::Cancelled),
            Ending::Expired => Err(ProgramFault::TooSlow(self.deps().settings.borrow().chat_timeout)),
            Ending::Stopped => Err(ProgramFault::Stopped),
        }
    }
}

/// Ends a request when it is dropped: its followers hear so even of a task that has panicked.
struct End<'a> {
    programs: &'a Programs,
    job: &'a Job,
    how: Option<Result<Done, ProgramFault>>,
}

impl Drop for End<'_> {
    fn drop(&mut self) {
        if let Some(how) = self.how.take() {
            self.job.over(how);
            self.programs.registry.over(self.job);
        }
    }
}

/// The same of one that is kept, which nobody but its keeper knows.
struct KeptEnd<'a> {
    job: &'a Job,
    how: Option<Result<Done, ProgramFault>>,
}

impl Drop for KeptEnd<'_> {
    fn drop(&mut self) {
        if let Some(how) = self.how.take() {
            self.job.over(how);
        }
    }
}

/// Why an attempt has failed.
enum Fault {
    Agent(AgentError, Option<String>),
    Unfit(super::RequestFault),
}

/// A request that has a slot, as it is asked once or several times.
struct Asked<'a> {
    task: &'a Task,
    backend: BackendIndex,
    /// What the answer calls the model, in JSON without its quotes.
    called: String,
    /// The end of a stream, or the whole answer.
    done: Option<Bytes>,
}

impl<'a> Asked<'a> {
    fn new(task: &'a Task) -> Self {
        let quoted = serde_json::Value::from(task.called.as_str()).to_string();
        Self {
            task,
            backend: BackendIndex(0),
            called: quoted[1..quoted.len() - 1].to_owned(),
            done: None,
        }
    }

    async fn work(&mut self, backend: Option<BackendIndex>, course: &mut Course) -> jobs::Worked<Fault> {
        let task = self.task;
        // A model's work always has one.
        self.backend = backend.unwrap_or(BackendIndex(0));
        let at = (&task.model, self.backend);
        jobs::attempt(&task.deps().backends, at, self, course).await
    }

    async fn relay(&mut self, bounds: Bounds<'_>) -> Ending<Fault> {
        let Task {
            job, request, model, ..
        } = self.task;
        let relayed = RelayRequest {
            door: request.door,
            model,
            backend: self.backend,
            body: request.to(&model.name),
            called: &self.called,
            streams: request.streams,
            usage: request.usage,
            images: request.images,
        };
        let done = &mut self.done;
        jobs::within(bounds, async {
            let mut put = |events| job.put(events);
            let relayed = self.task.deps().backends.relay(relayed, &mut put, job.cancelled());
            match relayed.await {
                Ok((answered, whole)) => {
                    *done = Some(if request.streams {
                        Bytes::from_static(DONE)
                    } else {
                        whole
                    });
                    Ending::Done(answered.usage)
                }
                Err(RelayFault::Full) => Ending::Overflow,
                Err(RelayFault::Agent(error, said)) => Ending::Failed(Fault::Agent(error, said)),
            }
        })
        .await
    }

    async fn ask_agent(&mut self, bounds: Bounds<'_>) -> Ending<Fault> {
        let task = self.task;
        let (messages, parameters) = match task.request.question() {
            Ok(question) => question,
            Err(fault) => return Ending::Failed(Fault::Unfit(fault)),
        };
        let question = Question {
            messages,
            model: task.model.clone(),
            backend: self.backend,
            parameters,
            // A program that has tools uses them itself: its request is passed on.
            tools: Arc::default(),
        };
        let agent = task.deps().agents.agent();
        let mut chunks = Chunks::new(&task.job, &task.called, task.request.streams, task.request.usage);
        let ending = jobs::answer(bounds, &mut chunks, |parts, cancel| async move {
            let answered = agent.answer(question, parts, cancel).await;
            answered.map_err(|error| Fault::Agent(error, None))
        });
        let ending = ending.await;
        self.done = match &ending {
            Ending::Done(usage) => Some(chunks.finish(*usage, None)),
            Ending::Incomplete(cause, usage) => Some(chunks.finish(*usage, Some(*cause))),
            _ => None,
        };
        ending
    }
}

impl Attempt for Asked<'_> {
    type Fault = Fault;

    async fn ask(&mut self) -> Ending<Fault> {
        let task = self.task;
        let bounds = Bounds {
            cancelled: task.job.cancelled(),
            stopped: &task.programs.stop,
            timeout: task.deps().settings.borrow().chat_timeout,
        };
        if task.deps().backends.relays(self.backend, task.request.door) {
            self.relay(bounds).await
        } else {
            self.ask_agent(bounds).await
        }
    }

    fn blame(fault: &Fault) -> Option<&AgentError> {
        match fault {
            Fault::Agent(error, _) => Some(error),
            Fault::Unfit(_) => None,
        }
    }

    fn has_shown(&self) -> bool {
        self.task.job.has_shown()
    }

    fn may_be_asked_of(&self, model: &ModelName) -> bool {
        let pool = self.task.deps().backends.pool(model);
        pool.is_some_and(|pool| self.task.may_be_asked_at(pool))
    }
}
