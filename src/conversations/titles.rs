//! Titles that a model makes of the first message and its answer, where the site wants that (`TITLES=model`).
//!
//! A title is worth nobody's wait. It is asked for in a slot that nobody needs ([`Queue::idle_slot`](crate::queue::Queue::idle_slot)), and given up the
//! moment a ticket gets that slot; then it is tried again, a few times. It takes the place of the title that was made of the first words, and of no other:
//! whoever has renamed a conversation by then keeps the name that they gave it.

use std::{
    collections::{HashMap, hash_map::Entry},
    pin::pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures_util::future::join;
use tokio::{
    sync::mpsc,
    time::{Instant, timeout, timeout_at},
};
use tokio_util::sync::CancellationToken;
use tracing::{Instrument as _, debug, warn};

use super::{
    Conversations, TurnTask,
    title::{model_made, title},
    turn_span,
};
use crate::{
    agents::{Message, Parameters, Part, Question},
    queue::{BackendIndex, EventIndex, Owner, PoolIndex},
    sessions::Session,
    settings::{ModelName, Provider, Titles},
    store::TurnRecord,
    wire::{ConversationId, Event, Role, TurnState},
};

/// Said to the model behind the first message and its answer.
const ASKED: &str = "Write a title for this conversation: at most six words, in the language of the first message. \
    Answer with the title alone, on one line, without quotation marks.";
/// Most bytes that it is told of the message, and of the answer.
const TOLD: usize = 2_000;
/// Longest that it may write, its thoughts included, in tokens.
const MAX_TOKENS: u32 = 1_000;
/// Bytes after which nobody reads on: no title is as long.
const ENOUGH: usize = 1_000;
/// Longest that it may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long a title waits for a slot that nobody needs.
const LATEST: Duration = Duration::from_secs(600);
/// How often it is asked for.
const TRIES: usize = 3;
/// Most titles that wait; further conversations keep their first words.
const MOST: usize = 16;

/// The conversations whose titles are awaited, each with what ends that.
#[derive(Debug, Default)]
pub(super) struct Awaited(Mutex<HashMap<(Owner, ConversationId), CancellationToken>>);

impl Awaited {
    fn all(&self) -> MutexGuard<'_, HashMap<(Owner, ConversationId), CancellationToken>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lists a conversation; `None`: it is listed already, or there are too many.
    fn begin(self: &Arc<Self>, of: (Owner, ConversationId)) -> Option<Await> {
        let mut all = self.all();
        if all.len() >= MOST {
            return None;
        }
        let Entry::Vacant(free) = all.entry(of) else {
            return None;
        };
        let ended = free.insert(CancellationToken::new()).clone();
        drop(all);
        Some(Await {
            all: Arc::clone(self),
            of,
            ended,
        })
    }

    /// No title is wanted any more: from here on none that was made takes effect.
    pub(super) fn end(&self, of: (Owner, ConversationId)) {
        if let Some(ended) = self.all().get(&of) {
            ended.cancel();
        }
    }

    /// The same of everything of an owner.
    pub(super) fn end_all(&self, owner: Owner) {
        let all = self.all();
        all.iter()
            .filter(|((of, _), _)| *of == owner)
            .for_each(|(_, ended)| ended.cancel());
    }
}

/// A title is awaited for as long as this lives.
struct Await {
    all: Arc<Awaited>,
    of: (Owner, ConversationId),
    ended: CancellationToken,
}

impl Drop for Await {
    fn drop(&mut self) {
        self.all.all().remove(&self.of);
    }
}

/// What a title is made of, and where.
struct Wanted {
    session: Arc<Session>,
    turn: TurnRecord,
    model: ModelName,
    pool: PoolIndex,
    /// That of the first words.
    made: String,
}

impl Conversations {
    /// Has the model asked for a title, if this was the first answer of a conversation that nobody has renamed.
    pub(super) fn entitle(&self, task: &TurnTask) {
        let Some(wanted) = self.wanted(task) else { return };
        let Some(awaited) = self.titles.begin((wanted.turn.owner, wanted.turn.conversation)) else {
            return;
        };
        let (conversations, closing) = (self.clone(), self.closing.clone());
        let span = turn_span(&task.session, task.turn.id);
        let work = async move {
            let ended = awaited.ended.clone();
            let titled = timeout(LATEST, conversations.titled(&wanted));
            tokio::select! {
                biased;
                () = closing.cancelled() => {}
                () = ended.cancelled() => {}
                _ = titled => {}
            }
            drop(awaited);
        };
        self.tasks.spawn(work.instrument(span));
    }

    fn wanted(&self, task: &TurnTask) -> Option<Wanted> {
        let turn = &task.turn;
        let asked_for = self.deps.settings.borrow().titles == Titles::Model && !self.deps.queue.is_common();
        let is_first = turn.parent.is_none() && task.versions.number == 1;
        let is_answered = matches!(turn.state, TurnState::Done | TurnState::Incomplete { .. });
        if !(asked_for && is_first && is_answered) {
            return None;
        }
        let made = title(&turn.message, &turn.files);
        let model = ModelName::of_id(&turn.model)?;
        // The demo model knows nothing of titles.
        if made != task.conversation.title || model.place == Provider::Builtin.name() {
            return None;
        }
        Some(Wanted {
            session: Arc::clone(&task.session),
            turn: turn.clone(),
            pool: self.deps.agents.pool(&turn.model)?,
            model,
            made,
        })
    }

    /// Waits for a slot that nobody needs, asks, and gives the conversation the title.
    async fn titled(&self, wanted: &Wanted) {
        for _ in 0..TRIES {
            let chat = EventIndex(Event::Chat.index());
            let Some(slot) = self.deps.queue.idle_slot(chat, wanted.pool).await else {
                return;
            };
            let said = tokio::select! {
                biased;
                () = slot.claimed() => None,
                said = timeout_at(Instant::now() + PATIENCE, self.said(wanted, slot.backend())) => Some(said),
            };
            // The request has been dropped by now: whoever waits for the slot may ask.
            drop(slot);
            let Some(said) = said else {
                debug!("a title was given up: somebody needs the slot");
                continue;
            };
            let said = said.ok().flatten();
            match said.as_deref().and_then(model_made) {
                Some(title) => self.retitle(wanted, &title).await,
                None => debug!("the model has given no title"),
            }
            return;
        }
    }

    /// What a model says when it is asked for a title; `None`: it has failed.
    async fn said(&self, wanted: &Wanted, backend: BackendIndex) -> Option<String> {
        let messages = vec![
            Message::said(Role::User, beginning(&wanted.turn.message)),
            Message::said(Role::Agent, beginning(&wanted.turn.answer)),
            Message::said(Role::User, ASKED.to_owned()),
        ];
        let question = Question {
            messages,
            model: wanted.model.clone(),
            backend,
            parameters: Parameters {
                max_tokens: Some(MAX_TOKENS),
                ..Parameters::default()
            },
            tools: Arc::from([]),
        };
        let agent = wanted.session.agent(&*self.deps.agents);
        let (parts, coming) = mpsc::channel(16);
        let answering = pin!(agent.answer(question, parts, CancellationToken::new()));
        let (answered, said) = join(answering, read(coming)).await;
        answered
            .inspect_err(|fault| debug!(%fault, "a title was not made"))
            .ok()
            .map(|_| said)
    }

    async fn retitle(&self, wanted: &Wanted, title: &str) {
        let TurnRecord {
            owner, conversation, ..
        } = wanted.turn;
        if title == wanted.made {
            return;
        }
        let retitled = self.deps.store.retitle(owner, conversation, &wanted.made, title).await;
        let told = match retitled {
            Ok(true) => {
                wanted.session.renamed(conversation, title);
                self.tell_line(owner, &wanted.session, conversation).await
            }
            Ok(false) => Ok(()),
            Err(fault) => Err(fault),
        };
        if let Err(fault) = told {
            warn!(%fault, "a title was not kept");
        }
    }
}

/// What is said, as far as anybody reads it.
async fn read(mut coming: mpsc::Receiver<Part>) -> String {
    let mut said = String::new();
    while let Some(part) = coming.recv().await {
        if let Part::Text(text) = part {
            said += &text;
        }
        // Its first line, behind whatever is blank.
        if said.len() > ENOUGH || said.trim_start().contains('\n') {
            break;
        }
    }
    said
}

/// The beginning of a text.
fn beginning(text: &str) -> String {
    text[..text.floor_char_boundary(TOLD)].to_owned()
}
