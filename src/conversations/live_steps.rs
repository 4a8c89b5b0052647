//! The steps of a turn that is on its way: how each of them is, what its owner says of it, and how to end it alone.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    sync::watch,
    time::{Instant, sleep_until},
};
use tokio_util::sync::CancellationToken;

use crate::{
    clock::now_ms,
    store::ToolStep,
    wire::{StepAnswer, StepState},
};

/// How long a step waits for its owner's leave. What nobody has allowed by then is not allowed: a browser that never comes back must not
/// keep a turn for ever.
pub(super) const PATIENCE: Duration = Duration::from_hours(7 * 24);

/// All of one turn. What it holds is looked at and changed under one lock, and told by a counter.
#[derive(Debug, Default)]
pub(super) struct LiveSteps {
    all: Mutex<All>,
    changes: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct All {
    steps: Vec<Live>,
    /// The servers that are being connected to, where that takes long enough to be told of.
    connecting: Option<String>,
    /// Nobody looks after them any more.
    over: bool,
}

/// What the owner of a step has said of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Said {
    /// It may be done.
    Yes,
    /// It may not, or nobody has said anything for too long.
    No,
    /// It may not, nor may the tool do anything else in this conversation.
    Never,
}

#[derive(Debug)]
struct Live {
    step: ToolStep,
    /// What its owner has said of it.
    leave: Option<Said>,
    stop: CancellationToken,
}

impl LiveSteps {
    fn all(&self) -> MutexGuard<'_, All> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn changed(&self) {
        self.changes.send_modify(|count| *count += 1);
    }

    /// As they are now.
    pub(super) fn steps(&self) -> Vec<ToolStep> {
        self.all().steps.iter().map(|live| live.step.clone()).collect()
    }

    /// One of them.
    pub(super) fn step(&self, index: usize) -> Option<ToolStep> {
        self.all().steps.get(index).map(|live| live.step.clone())
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.all().steps.len()
    }

    /// Puts steps in place of all others. Each can be ended by itself, and all of them with the turn, which `cancel` does.
    pub(super) fn set(&self, steps: Vec<ToolStep>, cancel: &CancellationToken) {
        self.all().steps = steps
            .into_iter()
            .map(|step| Live {
                step,
                leave: None,
                stop: cancel.child_token(),
            })
            .collect();
        self.changed();
    }

    /// Changes one of them.
    pub(super) fn change(&self, index: usize, change: impl FnOnce(&mut ToolStep)) {
        if let Some(live) = self.all().steps.get_mut(index) {
            change(&mut live.step);
        }
        self.changed();
    }

    /// Those that are not over.
    pub(super) fn open(&self) -> Vec<usize> {
        let all = self.all();
        let open = all
            .steps
            .iter()
            .enumerate()
            .filter(|(_, live)| !live.step.state.is_over());
        open.map(|(index, _)| index).collect()
    }

    /// Whether one of them waits for its owner's leave.
    pub(super) fn asks(&self) -> bool {
        self.all().steps.iter().any(|live| live.step.state == StepState::Asks)
    }

    /// The servers that are being connected to.
    pub(super) fn connecting(&self) -> Option<String> {
        self.all().connecting.clone()
    }

    /// See [`LiveSteps::connecting`].
    pub(super) fn set_connecting(&self, servers: Option<String>) {
        self.all().connecting = servers;
    }

    /// What ends one of them.
    pub(super) fn stop_of(&self, index: usize) -> CancellationToken {
        let all = self.all();
        all.steps
            .get(index)
            .map_or_else(CancellationToken::new, |live| live.stop.clone())
    }

    /// Ends one of them alone. `false`: it is over.
    pub(super) fn stop(&self, index: usize) -> bool {
        let all = self.all();
        let open = all.steps.get(index).filter(|live| !live.step.state.is_over());
        let is_open = open.is_some();
        if let Some(live) = open {
            live.stop.cancel();
        }
        is_open
    }

    /// Says whether its owner allows one of them; where that is meant for the tool as such, likewise of all others that ask for the same. `None`:
    /// it does not ask (any more).
    pub(super) fn answer(&self, index: usize, answer: StepAnswer) -> Option<()> {
        let (said, all_alike) = match answer {
            StepAnswer::Once => (Said::Yes, false),
            StepAnswer::Conversation => (Said::Yes, true),
            StepAnswer::No => (Said::No, false),
            StepAnswer::Never => (Said::Never, true),
            StepAnswer::Stop => return None,
        };
        let mut all = self.all();
        let asked = |live: &Live| live.step.state == StepState::Asks && live.leave.is_none();
        let one = all.steps.get(index).filter(|live| asked(live))?;
        let (key, fingerprint) = (one.step.key(), one.step.fingerprint.clone());
        for (at, live) in all.steps.iter_mut().enumerate() {
            let alike = all_alike && live.step.key() == key && live.step.fingerprint == fingerprint;
            if asked(live) && (at == index || alike) {
                live.leave = Some(said);
            }
        }
        drop(all);
        self.changed();
        Some(())
    }

    /// Waits until its owner has said whether one of them may be done, or has not for too long. Cancel-safe.
    pub(super) async fn leave_for(&self, index: usize) -> Said {
        let called_at = self.step(index).map_or(0, |step| step.called_at);
        let waited = Duration::from_millis(now_ms().saturating_sub(called_at));
        let until = Instant::now().checked_add(PATIENCE.saturating_sub(waited));
        let late = async {
            match until {
                Some(until) => sleep_until(until).await,
                None => std::future::pending().await,
            }
        };
        let said = self.once(|all| all.steps.get(index).and_then(|live| live.leave));
        tokio::select! {
            biased;
            leave = said => leave,
            () = late => Said::No,
        }
    }

    /// Waits until there is this one. `false`: nobody looks after them any more. Cancel-safe.
    pub(super) async fn there(&self, index: usize) -> bool {
        self.once(|all| (index < all.steps.len()).then_some(true).or(all.over.then_some(false)))
            .await
    }

    /// Waits until what was said of one of them is in force and stored. `false`: nobody looks after it any more. Cancel-safe.
    pub(super) async fn settled(&self, index: usize) -> bool {
        let asks = |all: &All| {
            let live = all.steps.get(index);
            live.is_some_and(|live| live.step.state == StepState::Asks)
        };
        self.once(|all| (!asks(all) || all.over).then(|| !asks(all))).await
    }

    /// Looks at them after each change, until something can be said. Cancel-safe.
    async fn once<T>(&self, said: impl Fn(&All) -> Option<T>) -> T {
        let mut changes = self.changes.subscribe();
        loop {
            let found = said(&self.all());
            if let Some(found) = found {
                return found;
            }
            // The sender lives as long as `self`.
            let _ = changes.changed().await;
        }
    }

    /// Nobody looks after them any more.
    pub(super) fn leave_alone(&self) {
        self.all().over = true;
        self.changed();
    }
}

#[cfg(test)]
pub(super) mod tests {
    use futures_util::FutureExt as _;
    use tokio::time::advance;

    use super::*;

    /// A step that asks for leave.
    pub(in super::super) fn asking(tool: &str, fingerprint: &str) -> ToolStep {
        ToolStep {
            call: format!("call-{tool}"),
            name: format!("files__{tool}"),
            opaque: None,
            thoughts: None,
            server: "files".to_owned(),
            tool: tool.to_owned(),
            title: None,
            fingerprint: fingerprint.to_owned(),
            repeatable: false,
            arguments: "{}".to_owned(),
            state: StepState::Asks,
            content: Vec::new(),
            round: 0,
            said: 0,
            called_at: now_ms(),
            began_at: None,
            ended_at: None,
        }
    }

    fn three() -> LiveSteps {
        let steps = LiveSteps::default();
        let all = vec![asking("write", "1"), asking("write", "1"), asking("write", "2")];
        steps.set(all, &CancellationToken::new());
        steps
    }

    #[tokio::test]
    async fn leave_for_one_is_for_that_one() {
        let steps = three();
        assert!(steps.leave_for(0).now_or_never().is_none());
        assert_eq!(steps.answer(0, StepAnswer::Once), Some(()));
        assert_eq!(steps.leave_for(0).now_or_never(), Some(Said::Yes));
        assert!(steps.leave_for(1).now_or_never().is_none());
        assert_eq!(steps.answer(0, StepAnswer::No), None, "it has been said");
        assert_eq!(steps.leave_for(0).now_or_never(), Some(Said::Yes), "and that holds");
        assert_eq!(steps.answer(7, StepAnswer::Once), None);
    }

    #[tokio::test]
    async fn leave_for_a_tool_is_for_all_that_ask_for_that_version_of_it() {
        for (answer, said) in [(StepAnswer::Conversation, Said::Yes), (StepAnswer::Never, Said::Never)] {
            let steps = three();
            assert_eq!(steps.answer(1, answer), Some(()));
            assert_eq!(steps.leave_for(0).now_or_never(), Some(said));
            assert_eq!(steps.leave_for(1).now_or_never(), Some(said));
            assert!(
                steps.leave_for(2).now_or_never().is_none(),
                "the tool has changed since"
            );
        }
    }

    #[tokio::test(start_paused = true)]
    async fn leave_that_nobody_gives_is_not_given() {
        let steps = three();
        let mut waiting = Box::pin(steps.leave_for(0));
        assert!(waiting.as_mut().now_or_never().is_none());
        advance(PATIENCE).await;
        assert_eq!(waiting.await, Said::No);
    }

    #[tokio::test]
    async fn one_is_stopped_alone_and_all_with_their_turn() {
        let (steps, turn) = (LiveSteps::default(), CancellationToken::new());
        steps.set(vec![asking("a", ""), asking("b", "")], &turn);
        assert!(steps.stop(0) && steps.stop_of(0).is_cancelled() && !steps.stop_of(1).is_cancelled());
        steps.change(0, |step| step.state = StepState::Stopped);
        assert!(!steps.stop(0) && !steps.stop(2), "what is over is not stopped");
        assert_eq!(steps.open(), [1]);
        turn.cancel();
        assert!(steps.stop_of(1).is_cancelled());
    }

    #[tokio::test]
    async fn who_answers_hears_when_it_is_in_force() {
        let steps = three();
        assert!(steps.settled(0).now_or_never().is_none());
        steps.change(0, |step| step.state = StepState::Waits);
        assert_eq!(steps.settled(0).now_or_never(), Some(true));
        steps.leave_alone();
        assert_eq!(steps.settled(1).now_or_never(), Some(false));
    }

    #[tokio::test]
    async fn who_answers_before_a_step_is_there_waits_for_it() {
        let steps = LiveSteps::default();
        let mut waiting = Box::pin(steps.there(0));
        assert!(waiting.as_mut().now_or_never().is_none());
        steps.set(vec![asking("a", "")], &CancellationToken::new());
        assert_eq!(waiting.now_or_never(), Some(true));
        assert!(steps.there(1).now_or_never().is_none());
        steps.leave_alone();
        assert_eq!(steps.there(1).now_or_never(), Some(false));
        assert_eq!(steps.there(0).now_or_never(), Some(true));
    }
}
