//! The tools that a model is told of, and what people see while a server of tools is connected to.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{sync::Notify, time::sleep};

use super::{Conversations, TurnTask, in_flight::InFlight, step_view};
use crate::{
    agents::ToolSpec,
    tools::Leave,
    wire::{FeedEvent, OwnKeyFault, TurnNotice},
};

/// Nobody is told of a connection that is there sooner.
const WORTH_TELLING: Duration = Duration::from_millis(300);

impl Conversations {
    /// Whether a turn may use tools at all.
    pub(super) fn may_use_tools(&self, task: &TurnTask) -> bool {
        !self.deps.tools.is_empty() && !task.choice.without_tools
    }

    /// Whether a turn has used tools in as many rounds as it may.
    pub(super) fn is_last_round(&self, task: &TurnTask) -> bool {
        let most = self.deps.settings.borrow().tool_max_rounds;
        usize::try_from(task.rounds()).is_ok_and(|rounds| rounds >= most)
    }

    /// What a model is told of in the next round of a turn.
    pub(super) async fn offered(&self, task: &TurnTask, in_flight: &InFlight) -> Arc<[ToolSpec]> {
        if !self.may_use_tools(task) || self.is_last_round(task) {
            return Arc::default();
        }
        let servers = Mutex::new(String::new());
        let known = || servers.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let more = Notify::new();
        let waits = |waited: &[&str]| {
            *servers.lock().unwrap_or_else(PoisonError::into_inner) = waited.join(", ");
            more.notify_one();
        };
        // Whatever ends the round: nobody is told for longer than it is so.
        let telling = Telling {
            conversations: self,
            task,
            in_flight,
        };
        let tell = async {
            sleep(WORTH_TELLING).await;
            loop {
                let waited_for = known();
                if !waited_for.is_empty() {
                    telling.tell(Some(waited_for));
                }
                more.notified().await;
            }
        };
        let offers = tokio::select! {
            biased;
            offers = self.deps.tools.offer(task.turn.owner, &waits) => offers,
            never = tell => never,
        };
        drop(telling);
        in_flight.set_left_out(left_out(task, offers.left_out));
        let offered = offers.tools.into_iter().filter(|tool| tool.leave != Leave::Deny);
        offered.map(|tool| tool.spec).collect()
    }
}

/// What is told of servers that want a key of this person. That one is wanted is told with the first message of a conversation alone: whoever gives
/// none does without.
fn left_out(task: &TurnTask, servers: Vec<(String, OwnKeyFault)>) -> Vec<TurnNotice> {
    let is_first = task.turn.parent.is_none();
    let told = servers
        .into_iter()
        .filter(|(_, fault)| is_first || *fault != OwnKeyFault::Missing);
    told.map(|(server, fault)| TurnNotice::KeyWanted { server, fault })
        .collect()
}

/// Tells the pages of a turn which servers are connected to, until it is dropped.
struct Telling<'a> {
    conversations: &'a Conversations,
    task: &'a TurnTask,
    in_flight: &'a InFlight,
}

impl Telling<'_> {
    fn tell(&self, servers: Option<String>) {
        let steps = &self.in_flight.steps;
        let (task, index) = (self.task, steps.len());
        steps.set_connecting(servers.clone());
        if task.session.is_removed(task.turn.conversation) {
            return;
        }
        let stand = self.in_flight.stand_of(index);
        let step = servers.map(|servers| Box::new(step_view::connecting(servers, task.rounds(), stand)));
        task.session.journal().append(FeedEvent::Step {
            turn: task.turn.id,
            conversation: task.turn.conversation,
            index,
            step,
        });
    }
}

impl Drop for Telling<'_> {
    fn drop(&mut self) {
        if self.in_flight.steps.connecting().is_some() && !self.conversations.stop.is_cancelled() {
            self.tell(None);
        }
    }
}
