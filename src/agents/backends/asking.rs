//! One attempt, from its beginning to what it teaches.

use std::{
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use tokio::time::{Instant, sleep_until};

use super::{
    Backends,
    auto::Kind,
    directory::{Backend, Directory},
    known::{Attempt, Known},
    lock,
    tokens::{self, Size},
    verdict::Blame,
};
use crate::{
    agents::{AgentError, Answered, Question, providers::Server},
    queue::{BackendIndex, PoolIndex},
    settings::ModelName,
};

/// An attempt under way. Dropped before it has been told how it ended, it counts as given up.
pub(in crate::agents) struct Asking<'b> {
    backends: &'b Backends,
    directory: Arc<Directory>,
    backend: Arc<Backend>,
    /// `None`: the model is gone, though its ticket has got a slot.
    pool: Option<PoolIndex>,
    attempt: Mutex<Attempt>,
    size: Size,
    teaches_tokens: bool,
    trimmed: u32,
    without_tools: bool,
    over: bool,
}

impl Backends {
    /// Begins the attempt that a question asks for, and leaves out of it what its model could not read: turns that are too many, and tools where it
    /// is known to take none.
    ///
    /// # Errors
    /// [`AgentError::OutOfService`]: the back end is not to be asked any more.
    pub(in crate::agents) fn begin(&self, question: &mut Question) -> Result<Asking<'_>, AgentError> {
        let directory = self.directory();
        let mut trimmed = 0;
        let mut without_tools = false;
        if let Some(backend) = directory.backend(question.backend)
            && question.has_tools()
        {
            let (model, now) = (&question.model.name, Instant::now());
            without_tools = lock(&backend.known).toolless.has(model, now);
            if without_tools || backend.settings.tools == Some(false) {
                question.leave_tools_out();
            }
        }
        if let Some(backend) = directory.backend(question.backend)
            && let Some(pool) = directory.pool_of(&question.model).and_then(|at| directory.pool(at))
            && let Some(context) = Directory::context(pool, backend)
            && !question.parameters.whole
        {
            let tokens = lock(&pool.known).tokens;
            trimmed = tokens.fit(question, context);
        }
        let mut asking = self.begin_at(directory, &question.model, question.backend, Size::of(question))?;
        asking.trimmed = trimmed;
        asking.without_tools = without_tools;
        Ok(asking)
    }

    /// How many bytes of text a question may have there with a model, its history included, and leave room for the answer. `None`: nobody
    /// says how much the model can read.
    pub(crate) fn room(&self, model: &ModelName, backend: BackendIndex, max_tokens: Option<u32>) -> Option<u64> {
        let directory = self.directory();
        let pool = directory.pool_of(model).and_then(|at| directory.pool(at))?;
        let context = Directory::context(pool, directory.backend(backend)?)?;
        let tokens = lock(&pool.known).tokens;
        Some(tokens.room(context, max_tokens))
    }

    /// Whether a model is known to read pictures, at whichever of its back ends it is asked.
    pub(crate) fn sees(&self, model: &ModelName) -> bool {
        let directory = self.directory();
        let pool = directory.pool_of(model).and_then(|at| directory.pool(at));
        pool.is_some_and(|pool| {
            let mut backends = pool.backends.iter().filter_map(|at| directory.backend(*at)).peekable();
            backends.peek().is_some() && backends.all(|backend| Directory::vision(pool, backend) == Some(true))
        })
    }

    /// Begins the attempt to pass on a program's request of so many bytes.
    ///
    /// # Errors
    /// [`AgentError::OutOfService`]: the back end is not to be asked any more.
    pub(in crate::agents) fn begin_relay(
        &self,
        model: &ModelName,
        backend: BackendIndex,
        bytes: usize,
    ) -> Result<Asking<'_>, AgentError> {
        let size = Size {
            bytes: bytes as u64,
            ..Size::default()
        };
        let mut asking = self.begin_at(self.directory(), model, backend, size)?;
        // There is more in it than text, so its tokens say nothing of how many bytes one has.
        asking.teaches_tokens = false;
        Ok(asking)
    }

    fn begin_at(
        &self,
        directory: Arc<Directory>,
        model: &ModelName,
        backend: BackendIndex,
        size: Size,
    ) -> Result<Asking<'_>, AgentError> {
        let backend = directory.backend(backend).cloned();
        let backend = backend.ok_or(AgentError::OutOfService)?;
        let pool = directory.pool_of(model);
        let now = Instant::now();
        let kind = Kind::new(pool.map_or(u32::MAX, |PoolIndex(at)| at), size.bytes);
        let everywhere = self.running_everywhere(&backend);
        let attempt = lock(&backend.known).begin(kind, everywhere, now);
        let attempt = attempt.ok_or(AgentError::OutOfService)?;
        let asking = Asking {
            backends: self,
            directory,
            backend,
            pool,
            attempt: Mutex::new(attempt),
            size,
            teaches_tokens: true,
            trimmed: 0,
            without_tools: false,
            over: false,
        };
        asking.tell();
        Ok(asking)
    }
}

impl Asking<'_> {
    /// Who is asked; `None`: the model that is built in.
    pub(in crate::agents) fn server(&self) -> Option<Arc<Server>> {
        self.backend.server.clone()
    }

    /// How many turns of the conversation have been left out.
    pub(in crate::agents) const fn trimmed(&self) -> u32 {
        self.trimmed
    }

    /// Whether the tools were left out, because the server has said before that the model takes none.
    pub(in crate::agents) const fn is_without_tools(&self) -> bool {
        self.without_tools
    }

    /// The server has said that the model takes no tools, and has answered without them: it is not asked with tools again for a while. The operator
    /// is told once. Outside the span of the session, whose records its browser may see.
    pub(in crate::agents) fn takes_no_tools(&self, model: &ModelName) {
        if self.known().toolless.add(&model.name, Instant::now()) {
            let backend = &*self.backend.settings.name;
            tracing::warn!(parent: None, backend, %model, "this model takes no tools, as its server says: it is asked without them from now on");
        }
    }

    /// Whether anything of an answer has come.
    pub(in crate::agents) fn is_shown(&self) -> bool {
        lock(&self.attempt).first.is_some()
    }

    /// Whether the model reads no pictures there.
    pub(in crate::agents) fn is_blind(&self) -> bool {
        let pool = self.pool.and_then(|pool| self.directory.pool(pool));
        let vision = pool.map_or(self.backend.settings.vision, |pool| {
            Directory::vision(pool, &self.backend)
        });
        vision == Some(false)
    }

    /// How long the operator lets a conversation be, in tokens.
    pub(in crate::agents) fn context(&self) -> Option<u64> {
        let pool = self.pool.and_then(|pool| self.directory.pool(pool))?;
        Directory::set_context(pool, &self.backend)
    }

    /// Longest silence.
    pub(in crate::agents) fn stall(&self) -> Duration {
        self.directory.bounds.stall
    }

    /// Leaves out half of the conversation, which the server says is too long. `false`: there is nothing left to leave out.
    pub(in crate::agents) fn halve(&mut self, question: &mut Question) -> bool {
        if let Some(pool) = self.pool.and_then(|pool| self.directory.pool(pool))
            && let Some(context) = Directory::context(pool, &self.backend)
        {
            lock(&pool.known).tokens.exceeded(self.size, context);
        }
        let left_out = tokens::halve(question);
        self.trimmed = self.trimmed.saturating_add(left_out);
        self.changed(question);
        left_out > 0
    }

    /// The question is another one now.
    pub(in crate::agents) fn changed(&mut self, question: &Question) {
        self.size = Size::of(question);
    }

    /// The first part of the answer has come.
    pub(in crate::agents) fn shown(&self) {
        let now = Instant::now();
        self.teach(|known, attempt| known.shown(attempt, now));
        self.tell();
    }

    /// Returns when the first part has been waited for longer than usual, if that says anything of the back end. It has been told then.
    pub(in crate::agents) async fn late(&self) {
        let late_at = self
            .known()
            .late_at(&lock(&self.attempt))
            .filter(|_| self.backend.is_auto());
        let Some(late_at) = late_at else { return };
        sleep_until(late_at).await;
        if !self.is_shown() {
            self.teach(|known, attempt| known.late(attempt, late_at));
            self.tell();
        }
    }

    /// The answer has come to its end.
    pub(in crate::agents) fn answered(mut self, answered: Answered) {
        self.over = true;
        let now = Instant::now();
        self.teach(|known, attempt| known.answered(attempt, answered, now));
        if let Some(pool) = self.pool.and_then(|pool| self.directory.pool(pool)) {
            let mut model = lock(&pool.known);
            if let Some(tokens) = answered.usage.input.filter(|_| self.teaches_tokens) {
                model.tokens.learn(self.size, tokens);
            }
            let prices = (pool.settings.input_price, pool.settings.output_price);
            model.consumption.add(answered.usage, prices.0, prices.1);
        }
        self.tell();
    }

    /// It has failed. `detail` is for the log.
    pub(in crate::agents) fn failed(mut self, error: &AgentError, detail: &str) {
        self.over = true;
        let (now, auto) = (Instant::now(), self.backend.is_auto());
        let jitter = rand::random_range(0.0..=1.0);
        let was_out = self.known().is_out(now);
        let everywhere = self.backends.running_everywhere(&self.backend);
        self.teach(|known, attempt| known.failed(attempt, error, auto, everywhere, now, jitter));
        self.log(error, detail);
        if error.blame() == Blame::Operator {
            self.tell_operator(error);
        }
        let (is_out, pause) = {
            let known = self.known();
            (known.is_out(now), known.until(now))
        };
        if is_out && !was_out {
            let pause_ms = pause.map_or(0, |until| (until - now).as_millis());
            tracing::warn!(parent: None, backend = self.backend.settings.name, kind = error.kind(), pause_ms, "this back end gets no tickets for now");
        }
        self.tell();
    }

    fn log(&self, error: &AgentError, detail: &str) {
        let (backend, kind) = (&*self.backend.settings.name, error.kind());
        match error.blame() {
            Blame::Question | Blame::Nobody => {
                tracing::warn!(
                    backend,
                    kind,
                    detail,
                    "the model server did not take the question, or gave no answer to it"
                );
            }
            Blame::Server(_) | Blame::Operator => tracing::warn!(backend, kind, detail, "the model server failed"),
        }
    }

    /// Once for each kind, until it works. Outside the span of the session, whose records its browser may see.
    fn tell_operator(&self, error: &AgentError) {
        let told = self.known().misfit.replace(error.kind());
        if told != Some(error.kind()) {
            let settings = &self.backend.settings;
            tracing::error!(parent: None, backend = settings.name, origin = settings.origin, %error, "this back end is not set up as it should be");
        }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        lock(&self.backend.known)
    }

    fn teach(&self, teach: impl FnOnce(&mut Known, &mut Attempt)) {
        teach(&mut lock(&self.backend.known), &mut lock(&self.attempt));
    }

    fn tell(&self) {
        self.backends.tell(self.backend.index, Instant::now());
    }
}

impl Drop for Asking<'_> {
    fn drop(&mut self) {
        if !self.over {
            self.teach(|known, attempt| known.left(attempt));
            self.tell();
        }
    }
}
