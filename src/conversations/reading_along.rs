//! A turn that is shown the answer that is being made for another one with the same question. It has no slot, and its ticket is parked. Should
//! nothing whole come of that answer, it goes back to its line and is asked itself.

use std::sync::Arc;

use tracing::info;

use super::{
    Conversations, TurnGuards, TurnTask, answers::whole, attempts::NoSlot, in_flight::InFlight, making::Making,
    page::Page,
};
use crate::{
    clock::now_ms,
    jobs::{self, Bounds, Ending},
    queue::{LeaveReason, Permit},
    wire::{TurnState, is_blank},
};

impl Conversations {
    /// Shows a parked turn the answer that is being made for another one, to its end. The turn again, and its permit where there is one at once: it
    /// is to be asked itself. `None`: it is over, or goes on elsewhere.
    pub(super) async fn read_along(
        &self,
        mut task: TurnTask,
        mut guards: TurnGuards,
        making: Arc<Making>,
    ) -> Option<(TurnTask, TurnGuards, Option<Permit>)> {
        let in_flight = Arc::clone(&guards.entered.in_flight);
        task.turn.state = TurnState::Running;
        task.turn.started_at = Some(now_ms());
        self.announce(&mut task, in_flight.shown());
        info!("turn reads an answer along that is being made for another");
        // Its owner may have another model asked meanwhile, or something else.
        let ending = tokio::select! {
            biased;
            ending = self.read(&task, &in_flight, &making) => Some(ending),
            () = in_flight.rechosen() => None,
        };
        let why = match ending {
            Some(Ending::Done(usage)) if !is_blank(&in_flight.text()) && !in_flight.has_calls() => {
                in_flight.set_excerpts(making.excerpts());
                let answer = whole(&in_flight, usage);
                if making.is_left() {
                    self.keep_under(making.key(), making.owner(), &answer, &in_flight);
                    making.free();
                }
                self.count_read_along();
                guards.place.leave(LeaveReason::Done);
                NoSlot::ReadAlong(answer)
            }
            Some(Ending::Cancelled) => {
                guards.place.leave(LeaveReason::Cancelled);
                task.turn.answer = in_flight.text();
                task.turn.reasoning = in_flight.reasoning();
                NoSlot::Left(LeaveReason::Cancelled)
            }
            Some(Ending::Stopped) => {
                info!("turn stopped by the end of the server; it is asked after the next start");
                drop(making);
                // A line that is closed has let it go, or has given it to somebody else: dropped before that is known, it would leave for good.
                let _closed = guards.place.admitted(|| None, std::future::pending()).await;
                return None;
            }
            _ => {
                drop(making);
                return Some(self.asked_itself(task, guards, ending.is_none()).await);
            }
        };
        drop(making);
        self.without_slot(&mut task, why);
        self.over(task, guards, None).await;
        None
    }

    /// Reads an answer to its end, on the turn's page.
    async fn read(&self, task: &TurnTask, in_flight: &InFlight, making: &Making) -> Ending<()> {
        let mut page = Page::new(&task.session, &task.turn, in_flight);
        // How long it may take is its leader's to bound.
        let bounds = Bounds {
            cancelled: &in_flight.cancel,
            stopped: &self.stop,
            timeout: None,
        };
        let reading = jobs::answer(bounds, &mut page, |parts, _| async move {
            making.read(&parts).await.ok_or(())
        });
        reading.await
    }

    /// Back in its line, as its owner's next, or at the front if it had a slot. What it was shown counts no more.
    async fn asked_itself(
        &self,
        mut task: TurnTask,
        mut guards: TurnGuards,
        changed: bool,
    ) -> (TurnTask, TurnGuards, Option<Permit>) {
        info!("nothing whole has come of the answer: the turn is asked itself");
        let in_flight = Arc::clone(&guards.entered.in_flight);
        in_flight.begin_again();
        task.wait();
        guards.place.resume();
        if changed {
            self.take_changes(&mut task, &guards).await;
        }
        let permit = guards.place.admitted_by_now();
        // Its owner's others have moved back.
        self.moved_up(task.turn.owner).await;
        self.announce(&mut task, in_flight.shown());
        (task, guards, permit)
    }
}
