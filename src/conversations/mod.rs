//! Conversations: what people write, and the answers to it. Answering a message is a job.
//!
//! A message's way goes forward through these files: `send` (checked, in the line), `task` (stored, waits, runs, ends), `page` (its
//! answer as it grows). A turn is owned by the server: its task goes on whether or not a page is open, and ends only by its own outcome.

mod accept;
mod answers;
mod arguments;
mod attempts;
mod choice;
mod copies;
mod error;
mod export;
mod fallback;
mod follow_ups;
mod going_on;
mod in_flight;
mod last_backends;
mod live_steps;
mod making;
mod manage;
mod offers;
mod order;
mod page;
mod path;
mod pending;
mod pictures;
mod prepare;
mod question;
mod ratings;
mod reading_along;
mod resume;
mod retold;
mod rounds;
mod send;
mod step_view;
mod strays;
mod task;
mod title;
mod titles;
mod told;
pub(crate) mod toolbox;
mod using;
mod view;

use std::{sync::Arc, time::Duration};

use tokio::sync::{Notify, watch};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::{Span, error_span};

use answers::Answers;
pub(crate) use choice::ChoiceError;
use choice::Chosen;
pub(crate) use copies::{ImportError, MAX_IMPORT_BYTES};
pub(crate) use error::SendError;
pub(crate) use export::Export;
use going_on::{GoesOn, GoingOn};
use in_flight::{Entered, InFlight, InFlightTurns};
use last_backends::LastBackends;
use path::Path;
use pending::PendingOutcomes;
pub(crate) use ratings::Ratings;
use toolbox::Toolbox;

use crate::{
    accounts::rates::Rates,
    agents::{AgentFactory, AnswerKey, Backends, Tries},
    files::Vault,
    logs::session_span,
    nodes::Homes,
    queue::{LeaveReason, Owner, Queue, Wait},
    sessions::{Claim, Place, Relisted, Session},
    settings::Settings,
    store::{ConversationRecord, Store, TurnRecord},
    wire::{Choice, Receipt, TurnId, TurnNotice, TurnState, Versions},
};

/// What conversations need of the other rooms.
pub struct Deps {
    /// The line they wait in.
    pub queue: Queue,
    /// Where they are kept.
    pub store: Arc<dyn Store>,
    /// Where the contents of their files are.
    pub vault: Arc<Vault>,
    /// Who makes the agents.
    pub agents: Arc<dyn AgentFactory>,
    /// Who answers, and what to do when they fail.
    pub backends: Arc<Backends>,
    /// What models may use.
    pub tools: Arc<dyn Toolbox>,
    /// What owners have used.
    pub rates: Arc<Rates>,
    /// Where owners are at home.
    pub homes: Arc<dyn Homes>,
    /// The settings in force.
    pub settings: watch::Receiver<Arc<Settings>>,
}

/// Nobody wants to read of a shorter wait.
const WORTH_TELLING: Duration = Duration::from_secs(1);

/// A turn that waits or runs, as its task has it.
#[derive(Clone)]
struct TurnTask {
    /// The one that asked: its agent answers, its pages are told.
    session: Arc<Session>,
    conversation: ConversationRecord,
    turn: TurnRecord,
    versions: Versions,
    /// What is chosen for the conversation.
    choice: Arc<Choice>,
    /// Whether that came with the message, and is to be kept.
    chooses: bool,
    /// Another answer is wanted than one that is there.
    again: bool,
    /// Under which key a kept answer was looked for; `None`: it was not.
    key: Option<AnswerKey>,
    /// What it has been through at the back ends.
    tries: Tries,
    /// It has started before, and waits again because its back end has failed.
    returned: bool,
    /// Where it has stood in its line.
    path: Path,
}

impl TurnTask {
    /// It waits in its line. An answer of which there is something has begun all the same.
    fn wait(&mut self) {
        self.turn.state = TurnState::Waiting;
        if self.turn.steps.is_empty() {
            self.turn.started_at = None;
        }
    }

    /// What its owner has chosen since it was sent holds, until it starts. `false`: nothing.
    fn take_new_choice(&mut self, in_flight: &InFlight) -> bool {
        let Some(Chosen { choice, model }) = in_flight.take_chosen() else {
            return false;
        };
        self.turn.model = model;
        self.choice = Arc::new(choice);
        self.turn
            .notices
            .retain(|notice| !matches!(notice, TurnNotice::Fallback { .. }));
        true
    }

    /// The message may have been put in other words while it waited. `false`: it has not.
    fn take_new_words(&mut self, in_flight: &InFlight) -> bool {
        let reworded = in_flight.take_reworded();
        let changed = reworded.is_some();
        if let Some(message) = reworded {
            self.turn.message = message;
        }
        changed
    }

    /// Its wait is over: what there is to tell of it is kept with it, if it was long enough to be told of.
    fn keep_receipt(&mut self, wait: Option<Wait>, waited: Duration) {
        // What is told is the wait for its beginning.
        if !self.turn.steps.is_empty() {
            return;
        }
        let notices = &mut self.turn.notices;
        notices.retain(|notice| !matches!(notice, TurnNotice::Waited(_)));
        let Some(wait) = wait.filter(|_| waited >= WORTH_TELLING) else {
            return;
        };
        notices.push(TurnNotice::Waited(Receipt {
            ms: u64::try_from(waited.as_millis()).unwrap_or(u64::MAX),
            position: wait.position,
            found: wait.found,
            people: wait.owners,
            own: wait.own,
            earlier: wait.earlier,
            later: wait.later,
            path: self.path.points(),
        }));
    }

    /// Its conversation, which its owner may have renamed meanwhile, or put elsewhere in the list.
    fn line(&self) -> ConversationRecord {
        let mut line = self.conversation.clone();
        let Relisted { title, shelf } = self.session.relisted(line.id);
        line.title = title.unwrap_or(line.title);
        line.shelf = shelf.unwrap_or(line.shelf);
        line
    }

    fn take_new_line(&mut self) {
        self.conversation = self.line();
    }
}

/// What a turn's task is logged under.
fn turn_span(session: &Session, turn: TurnId) -> Span {
    session_span(session.id()).in_scope(|| error_span!("turn", turn = %turn))
}

/// What a turn holds of its session until it is over.
struct TurnGuards {
    // In the order in which they are given back: who gets the conversation next finds nothing of this turn.
    /// Its entry in the list of turns on their way.
    entered: Entered,
    /// Its place in the line, and in what the session shows of itself.
    place: Place,
    /// Its conversation, which takes one turn at a time.
    claim: Claim,
    /// What stands behind it is looked at once the conversation is free.
    _next: GoesOn,
}

/// Every conversation, and every turn on its way. Cheap to clone; all clones are the same.
#[derive(Clone)]
pub struct Conversations {
    deps: Arc<Deps>,
    in_flight: Arc<InFlightTurns>,
    pending: Arc<PendingOutcomes>,
    last_backends: Arc<LastBackends>,
    answers: Arc<Answers>,
    going_on: Arc<GoingOn>,
    ratings: Arc<ratings::Counted>,
    titles: Arc<titles::Awaited>,
    /// A turn that is stored may have no place in the line.
    adrift: Arc<Notify>,
    tasks: TaskTracker,
    /// Cancelled when no more turns come, at the beginning of the grace.
    closing: CancellationToken,
    /// Cancelled when what still runs has to stop, at the end of the grace.
    stop: CancellationToken,
}

impl Conversations {
    /// No turns on their way yet.
    #[must_use]
    pub fn new(deps: Deps) -> Self {
        let settings = Arc::clone(&deps.settings.borrow());
        let conversations = Self {
            deps: Arc::new(deps),
            in_flight: Arc::default(),
            pending: Arc::default(),
            last_backends: Arc::default(),
            answers: Arc::default(),
            going_on: Arc::default(),
            ratings: Arc::default(),
            titles: Arc::default(),
            adrift: Arc::default(),
            tasks: TaskTracker::new(),
            closing: CancellationToken::new(),
            stop: CancellationToken::new(),
        };
        conversations.retune(&settings);
        conversations
    }

    /// Returns once a turn has been accepted of which it is not known here whether it has a place in the line. Cancel-safe.
    pub(crate) async fn adrift(&self) {
        self.adrift.notified().await;
    }

    /// Ends a turn for its owner: out of the line at once, or stopped with its slot free at once and what was
    /// written kept. `false`: no turn of this owner and this id waits or runs.
    pub fn cancel(&self, owner: Owner, turn: TurnId) -> bool {
        let Some(live) = self.in_flight.find(owner, turn) else {
            return false;
        };
        self.end_live(&live);
        true
    }

    fn end_live(&self, live: &InFlight) {
        live.cancel.cancel();
        // Those behind move up now, not when the turn's task gets to run.
        if let Some(&ticket) = live.ticket.get() {
            self.deps.queue.leave(ticket, LeaveReason::Cancelled);
        }
    }

    /// Ends whatever waits or runs of an owner. Returns how much that was.
    pub fn cancel_all(&self, owner: Owner) -> usize {
        let turns = self.in_flight.of(owner);
        turns.into_iter().filter(|&turn| self.cancel(owner, turn)).count()
    }

    /// How many turns wait or run.
    #[must_use]
    pub fn unfinished(&self) -> usize {
        self.in_flight.len()
    }

    /// Some of them, for the log.
    pub(crate) fn on_their_way(&self) -> Vec<TurnId> {
        self.in_flight.some()
    }

    /// Waits until every turn's task has ended. The queue has to be closed before, or more may come.
    pub async fn finished(&self) {
        self.closing.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }

    /// Stops what runs: for the end of the grace at shutdown.
    pub fn stop(&self) {
        self.stop.cancel();
    }
}
