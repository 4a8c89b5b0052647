//! Turns: takes a message through: accept, line, agent, journal, store.
//!
//! A turn is owned by the server: its task goes on whoever is connected, and ends only by its own outcome.

mod accept;
mod answer;
mod answered;
mod conversations;
mod error;
mod export;
mod live;
mod order;
mod owed;
mod question;
mod resume;
mod run;
mod title;
mod view;

use std::sync::Arc;

use tokio::sync::watch;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::{Span, error_span};

pub use error::{SendError, refusal};
pub use export::Export;
use live::LiveTurns;
use owed::Owed;

use crate::{
    agents::AgentFactory,
    files::Vault,
    logs::session_span,
    queue::{LeaveReason, Queue},
    sessions::Session,
    settings::Settings,
    store::{ConversationRecord, Store, TurnRecord},
    wire::{TurnId, Versions},
};

/// What turns need of the house.
pub struct Parts {
    /// The line they wait in.
    pub queue: Queue,
    /// Where they are kept.
    pub store: Arc<dyn Store>,
    /// Where the contents of their files are.
    pub vault: Arc<Vault>,
    /// Who makes the agents.
    pub agents: Arc<dyn AgentFactory>,
    /// The settings in force.
    pub settings: watch::Receiver<Arc<Settings>>,
}

/// A turn that waits or runs, as its task has it.
#[derive(Clone)]
struct OnItsWay {
    session: Arc<Session>,
    conversation: ConversationRecord,
    turn: TurnRecord,
    versions: Versions,
}

impl OnItsWay {
    /// Its owner may have renamed the conversation meanwhile.
    fn take_new_title(&mut self) {
        if let Some(title) = self.session.new_title(self.conversation.id) {
            self.conversation.title = title;
        }
    }
}

/// What a turn's task is logged under.
fn turn_span(turn: &TurnRecord) -> Span {
    session_span(turn.session).in_scope(|| error_span!("turn", turn = %turn.id))
}

/// Every turn on its way. Cheap to clone; all clones are the same.
#[derive(Clone)]
pub struct Turns {
    parts: Arc<Parts>,
    live: Arc<LiveTurns>,
    owed: Arc<Owed>,
    tasks: TaskTracker,
    /// Cancelled when no more turns come, at the beginning of the grace.
    closing: CancellationToken,
    /// Cancelled when what still runs has to stop, at the end of the grace.
    stop: CancellationToken,
}

impl Turns {
    /// No turns yet.
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        Self {
            parts: Arc::new(parts),
            live: Arc::default(),
            owed: Arc::default(),
            tasks: TaskTracker::new(),
            closing: CancellationToken::new(),
            stop: CancellationToken::new(),
        }
    }

    /// Ends a turn for its owner: out of the line at once, or stopped with its slot free at once and what was
    /// written kept. `false`: no turn of this session and this id waits or runs.
    pub fn cancel(&self, session: &Session, turn: TurnId) -> bool {
        let Some(live) = self.live.find(session.id(), turn) else {
            return false;
        };
        live.cancel.cancel();
        // Those behind move up now, not when the turn's task gets to run.
        if let Some(&ticket) = live.ticket.get() {
            self.parts.queue.leave(ticket, LeaveReason::Cancelled);
        }
        true
    }

    /// How many turns wait or run.
    #[must_use]
    pub fn unfinished(&self) -> usize {
        self.live.len()
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
