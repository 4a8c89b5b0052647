//! What a request has to do with those that are like it.

use std::sync::Arc;

use tracing::info;

use super::{Start, Task};
use crate::{
    programs::{Done, ProgramFault, Source, Step, job::Job},
    queue::LeaveReason,
};

impl Task {
    /// The answer that is kept for one like it, which takes no slot. A ticket that it has by then leaves.
    pub(super) fn given(&mut self) -> Option<Done> {
        let key = self.likeness.filter(|_| !self.request.fresh)?;
        let kept = self.deps().conversations.kept_answers();
        let Some(answer) = self.programs.kept_answer(&key) else {
            kept.count_miss();
            return None;
        };
        kept.count_hit();
        self.job.give(&answer.events);
        if let Some(mut ticket) = self.ticket.take() {
            ticket.step_aside();
            self.deps().queue.leave(ticket.id(), LeaveReason::Done);
        }
        info!("request is given a kept answer");
        Some(Done {
            last: answer.last.clone(),
            usage: answer.usage,
        })
    }

    /// Who is asked for it, too. One that leads itself goes on as it has begun.
    pub(super) fn leader(&self) -> Option<Arc<Job>> {
        let key = self.likeness.filter(|_| self.lead.is_none() && !self.request.fresh)?;
        self.programs.alike.leader(&key)
    }

    /// One that has a slot leads those that are like it, unless another one does: then it gives the slot back.
    pub(super) fn leads(&mut self, start: Start) -> Start {
        let (permit, key) = match (start, self.likeness) {
            (Start::Slot(permit), Some(key)) if self.lead.is_none() => (permit, key),
            (start, _) => return start,
        };
        match self.programs.alike.lead(key, &self.job) {
            Ok(lead) => {
                self.lead = Some(lead);
                Start::Slot(permit)
            }
            // It wants an answer of its own.
            Err(_) if self.request.fresh => Start::Slot(permit),
            Err(leader) => Start::Alike(permit.step_aside(), leader),
        }
    }

    /// Has the answer of one that is like it, as it comes. `None`: nothing whole has come of that, and it is to be asked itself.
    pub(super) async fn share(&self, leader: &Arc<Job>) -> Option<Result<Done, ProgramFault>> {
        let job = &self.job;
        // One that has just failed is none to wait for.
        let Some(mut follower) = leader.share(&self.programs.registry) else {
            job.comes_from(None);
            return None;
        };
        job.comes_from(Some(Source::Shared));
        job.started();
        info!(leader = %leader.id(), "request is answered with another one that is like it");
        loop {
            let step = tokio::select! {
                biased;
                () = job.cancelled().cancelled() => return Some(Err(ProgramFault::Cancelled)),
                () = self.programs.stop.cancelled() => return Some(Err(ProgramFault::Stopped)),
                step = follower.next() => step,
            };
            match step {
                Step::Waiting | Step::Started => {}
                Step::Events(events) if job.put(events.clone()) => {}
                Step::Events(_) => return Some(Err(ProgramFault::Endless)),
                Step::Over(Ok(done)) => {
                    self.deps().conversations.kept_answers().count_hit();
                    return Some(Ok(done));
                }
                // Its program has had the beginning of that answer, which no other one goes on from.
                Step::Over(Err(fault)) if job.has_shown() && self.keeper.is_none() => return Some(Err(fault)),
                Step::Over(Err(_)) => {
                    // Of one that is kept nothing is told before it is over, or has begun itself.
                    job.drop_events();
                    job.comes_from(None);
                    return None;
                }
            }
        }
    }
}
