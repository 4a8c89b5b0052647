//! The tools that an answer has used, each a line where it was called: what it was told and what it has returned is folded behind that. One
//! that asks for leave stands open, with what can be said to it.

use anteroom::{
    language::Words,
    say, text,
    wire::{StepState, StepView, TurnView},
};
use leptos::prelude::*;

use super::{
    button::button,
    icon::{self, Icon},
};
use crate::{
    erase::{Erase as _, Look as _, live, memo, when},
    format,
    words::words,
};

/// One of them.
pub(super) fn row(view: RwSignal<TurnView>, index: usize) -> AnyView {
    let words = words();
    let turn = view.peek(|view| view.id);
    let step = memo(move || view.look(|view| view.steps.get(index).cloned()));
    let is = move |wanted: fn(&StepState) -> bool| {
        move || step.look(|step| step.as_ref().is_some_and(|step| wanted(&step.state)))
    };
    let of = move |read: fn(&StepView) -> &String| {
        live(move || step.look(|step| step.as_ref().map(|step| read(step).clone()).unwrap_or_default()))
    };
    // A picture has its name in the language of the page.
    let result = live(move || {
        step.look(|step| {
            step.as_ref()
                .map(|step| words.labelled(&step.result))
                .unwrap_or_default()
        })
    });
    let asks = memo(is(|state| *state == StepState::Asks));
    let line = live(move || step.look(|step| step.as_ref().map(|step| line(words, step)).unwrap_or_default()));
    let name = live(move || step.look(|step| step.as_ref().map(|step| name(&step.state)).unwrap_or_default()));
    let post = move |answer: &'static str| live(move || format!("/step/{turn}/{index}/{answer}"));
    // `public/reading.js` says what is pressed.
    let ask = move || {
        let asked = step.peek(|step| {
            let (tool, server) = step
                .as_ref()
                .map(|step| (step.tool.clone(), step.server.clone()))
                .unwrap_or_default();
            say!(words, "step-ask", tool = tool, server = server)
        });
        let spoken = asked.clone();
        view! {
            <div class="step-ask" role="group" aria-label=asked data-testid="step-ask">
                <p role="alert">{spoken}</p>
                <div class="actions needs-awake">
                    {button("button", "step-once", "", text!(words, "step-once")).post(post("once"))}
                    {button("button", "step-conversation", "", text!(words, "step-conversation"))
                        .post(post("conversation"))}
                    {button("quiet-button", "step-no", "", text!(words, "step-no")).post(post("no"))}
                    {button("quiet-button", "step-never", "", text!(words, "step-never")).post(post("never"))}
                </div>
            </div>
        }
        .erase()
    };
    let stop = move || {
        button("icon-button step-stop needs-awake", "step-stop", icon::STOP, "")
            .label(text!(words, "step-stop"))
            .post(post("stop"))
    };
    view! {
        <div class="step" data-testid="step" data-state=name>
            <details open=live(move || asks.get())>
                <summary>
                    <Icon path=icon::RIGHT />
                    <span class="step-tool" dir="auto">{of(|step| &step.tool)}</span>
                    <span class="step-line" dir="auto">{line}</span>
                </summary>
                <pre
                    class="step-text"
                    dir="auto"
                    tabindex="0"
                    aria-label=text!(words, "step-told")
                    hidden=live(move || step.look(|step| step.as_ref().is_none_or(|step| step.arguments.is_empty())))
                >
                    {of(|step| &step.arguments)}
                </pre>
                <div class="step-result" role="group" aria-label=text!(words, "step-result") inner_html=result></div>
            </details>
            {when(is(|state| matches!(state, StepState::Runs | StepState::Waits)), stop)}
            {when(move || asks.get(), ask)}
        </div>
    }
    .erase()
}

/// Whose it is, and how it is.
fn line(words: &Words, step: &StepView) -> String {
    let how = match (&step.state, step.ms) {
        (StepState::Connects, _) => return say!(words, "step-connects", server = &step.server),
        (StepState::Failed { fault }, _) => say!(words, "step-failed", fault = *fault),
        (StepState::Done, Some(took)) => say!(words, "step-done", time = format::millis(words, took)),
        (state, _) => say!(words, "step-state", state = name(state)),
    };
    if step.server.is_empty() {
        return how;
    }
    format!("{} · {how}", step.server)
}

const fn name(state: &StepState) -> &'static str {
    match state {
        StepState::Asks => "asks",
        StepState::Waits => "waits",
        StepState::Connects => "connects",
        StepState::Runs => "runs",
        StepState::Done => "done",
        StepState::Failed { .. } => "failed",
        StepState::Denied => "denied",
        StepState::Stopped => "stopped",
    }
}
