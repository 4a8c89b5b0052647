//! Being called when it is one's turn: by a notification where the page is out of sight, by a knock to be heard. Both only for whoever has
//! asked for it, which this browser remembers.

mod knock;
mod note;

use anteroom::{
    say, text,
    wire::{StepState, TurnId, TurnState},
};
use leptos::prelude::*;

use super::{button::button, icon};
use crate::{
    browser,
    erase::{Erase as _, Look as _, effect, live, when},
    feed::{Delivery, Shown, Store},
    storage,
    words::words,
};

const NOTE: &str = "call/note";
const KNOCK: &str = "call/knock";

/// What has been asked for.
#[derive(Clone, Copy)]
pub(crate) struct Calls {
    note: RwSignal<bool>,
    knock: RwSignal<bool>,
    /// Whether the browser has any such thing to offer.
    can_note: RwSignal<bool>,
}

/// What somebody is called for.
#[derive(Clone, Copy, PartialEq)]
enum Call {
    /// It is their turn.
    Begun,
    /// Their leave is wanted.
    Asks,
    /// The answer is there.
    Answered,
    /// It has come to nothing.
    Failed,
}

/// Where the last turn of the conversation that is shown stands.
#[derive(Clone, Copy, PartialEq)]
enum Stage {
    Waits,
    Runs,
    Asks,
    Over(Option<Call>),
}

impl Stage {
    const fn of(state: &TurnState, accepted: bool, asks: bool) -> Self {
        match state {
            // One that is still on its way waits for nobody.
            TurnState::Waiting if !accepted => Self::Over(None),
            TurnState::Waiting => Self::Waits,
            TurnState::Running if asks => Self::Asks,
            TurnState::Running => Self::Runs,
            TurnState::Done | TurnState::Incomplete { .. } => Self::Over(Some(Call::Answered)),
            TurnState::Failed { .. } | TurnState::Expired { .. } => Self::Over(Some(Call::Failed)),
            // By whoever is at the page.
            TurnState::Cancelled => Self::Over(None),
        }
    }

    /// What has happened between two stages of one turn.
    const fn since(self, before: Self) -> Option<Call> {
        match (before, self) {
            (Self::Waits, Self::Runs) => Some(Call::Begun),
            (Self::Waits | Self::Runs, Self::Asks) => Some(Call::Asks),
            (Self::Waits | Self::Runs, Self::Over(call)) => call,
            _ => None,
        }
    }
}

impl Calls {
    pub(crate) fn new() -> Self {
        Self {
            note: RwSignal::new(false),
            knock: RwSignal::new(false),
            can_note: RwSignal::new(false),
        }
    }

    /// Calls when there is something to be called for. In the browser; ends with the page.
    pub(crate) fn start(self, store: Store, shown: Shown) {
        self.can_note.set(note::is_there());
        self.note.set(storage::read(NOTE).is_some() && note::is_allowed());
        self.knock.set(storage::read(KNOCK).is_some());
        window_event_listener(leptos::ev::visibilitychange, move |_| {
            if browser::visible() {
                store.unseen.set(false);
            }
        });
        Effect::new(move |before: Option<Option<(TurnId, Stage)>>| {
            let now = shown.conversation.look(|conversation| {
                let turns = &conversation.turns;
                turns.look(|turns| {
                    let last = turns.last()?;
                    let accepted = last.delivery.look(|delivery| *delivery == Delivery::Accepted);
                    let stage = last.view.look(|view| {
                        let asks = view.steps.iter().any(|step| step.state == StepState::Asks);
                        Stage::of(&view.state, accepted, asks)
                    });
                    Some((last.id, stage))
                })
            });
            if let (Some(Some((turn, before))), Some((same, now))) = (before, now)
                && turn == same
                && let Some(call) = now.since(before)
            {
                self.call(store, call);
            }
            now
        });
    }

    fn call(self, store: Store, call: Call) {
        let words = words();
        let hidden = !browser::visible();
        // Whoever looks at the page sees the answer without being told.
        if self.knock.get_untracked() && (hidden || call == Call::Begun) {
            knock::knock();
        }
        if !hidden {
            return;
        }
        if call != Call::Begun {
            store.unseen.set(true);
        }
        if self.note.get_untracked() {
            note::show(match call {
                Call::Begun => text!(words, "call-begun"),
                Call::Asks => text!(words, "call-asks"),
                Call::Answered => text!(words, "call-answered"),
                Call::Failed => text!(words, "call-failed"),
            });
        }
    }
}

/// The buttons with which one asks for it.
#[component]
pub(crate) fn CallButtons() -> impl IntoView {
    let calls = expect_context::<Calls>();
    let words = words();
    let refused = RwSignal::new(false);
    let keep = |key, on: bool| {
        if on {
            storage::write(key, "1");
        } else {
            storage::remove(key);
        }
    };
    let ask = move || {
        if calls.note.get_untracked() {
            calls.note.set(false);
            keep(NOTE, false);
            return;
        }
        // Here and nowhere else: whoever presses this knows what they are asked for.
        note::ask(move |allowed| {
            refused.try_set(!allowed);
            calls.note.set(allowed);
            keep(NOTE, allowed);
        });
    };
    let sound = move || {
        let on = !calls.knock.get_untracked();
        calls.knock.set(on);
        keep(KNOCK, on);
        if on {
            knock::knock();
        }
    };
    let pressed = |on: RwSignal<bool>| live(move || on.get());
    let note = move || {
        button("quiet-button call", "call-note", icon::BELL, text!(words, "call-note"))
            .pressed(pressed(calls.note))
            .press(ask)
    };
    view! {
        <div class="calls needs-awake">
            {when(move || calls.can_note.get(), note)}
            {button("quiet-button call", "call-knock", icon::KNOCK, text!(words, "call-knock"))
                .pressed(pressed(calls.knock))
                .press(sound)}
            <p class="call-refused" role="status">
                {live(move || refused.get().then(|| say!(words, "call-refused")))}
            </p>
        </div>
    }
    .erase()
}

/// Begins to call, once the page is awake.
pub(crate) fn start(store: Store) {
    let (calls, shown) = (expect_context::<Calls>(), expect_context::<Shown>());
    effect(move || untrack(|| calls.start(store, shown)));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_waited_for_calls() {
        use Stage::{Over, Runs, Waits};
        let answered = Over(Some(Call::Answered));
        assert!(Runs.since(Waits) == Some(Call::Begun));
        assert!(answered.since(Runs) == Some(Call::Answered));
        // The page has missed the beginning.
        assert!(answered.since(Waits) == Some(Call::Answered));
        assert!(answered.since(answered).is_none());
        // Who is asked for leave once is called once, however long that takes.
        let asks = Stage::of(&TurnState::Running, true, true);
        assert!(asks.since(Runs) == Some(Call::Asks) && asks.since(asks).is_none() && Runs.since(asks).is_none());
        // A ticket that has come back.
        assert!(Waits.since(Runs).is_none());
        assert!(Stage::of(&TurnState::Cancelled, true, false).since(Waits).is_none());
        assert!(
            Runs.since(Stage::of(&TurnState::Waiting, false, false)).is_none(),
            "it began at once"
        );
    }
}
