//! What else is chosen for a conversation: what the model is told before all that is said, how freely it answers, and how much.

use anteroom::{
    say, text,
    wire::{Choice, MAX_ANSWER_TOKENS, MAX_INSTRUCTIONS_BYTES, MAX_TEMPERATURE, is_blank},
};
use leptos::{ev, html, prelude::*};
use web_sys::HtmlInputElement;

use crate::{
    browser,
    components::{
        anchors,
        icon::{self, Icon},
    },
    erase::{Erase as _, Look as _, live, when},
    feed::{Shown, Store, choose},
    format::{decimal, whole},
    words::words,
};

/// Opens it. It tells whether anything is chosen.
#[component]
pub(crate) fn TuningButton() -> impl IntoView {
    let shown = expect_context::<Shown>();
    let words = words();
    let set = move || {
        let choice = shown.conversation.look(|conversation| conversation.choice.get());
        let plain = Choice {
            model: choice.model.clone(),
            ..Choice::default()
        };
        choice != plain
    };
    let label = move || match set() {
        true => text!(words, "tuning-set"),
        false => text!(words, "tuning"),
    };
    view! {
        <button
            class="icon-button tuning-button needs-awake"
            type="button"
            data-testid="tuning"
            class:set=live(set)
            aria-label=live(label)
            title=live(label)
            popovertarget=anchors::TUNING
        >
            <Icon path=icon::TUNE />
        </button>
    }
    .erase()
}

/// What stands in a field of numbers; `None`: nothing.
fn number(field: &HtmlInputElement) -> Option<f64> {
    Some(field.value_as_number()).filter(|number| !number.is_nan())
}

/// The fields. What is typed is kept as soon as a field is left; what cannot be kept is marked, and gone once this is closed.
#[component]
pub(crate) fn Tuning() -> impl IntoView {
    let store = expect_context::<Store>();
    let shown = expect_context::<Shown>();
    let words = words();
    let instructions = NodeRef::<html::Textarea>::new();
    let [temperature, longest, tools] = [(); 3].map(|()| NodeRef::<html::Input>::new());
    let wrong = RwSignal::new([false; 3]);
    let kept = RwSignal::new(false);

    let fields = move || {
        Some((
            instructions.get_untracked()?,
            temperature.get_untracked()?,
            longest.get_untracked()?,
        ))
    };
    // As it opens, and as it closes.
    let fill = move |_: ev::Event| {
        let Some((instructions, temperature, longest)) = fields() else {
            return;
        };
        let choice = shown.conversation.peek(|one| one.choice.get_untracked());
        instructions.set_value(&choice.instructions);
        temperature.set_value(
            &choice
                .temperature
                .map(|number| decimal(number.into()))
                .unwrap_or_default(),
        );
        // Where the site has tools.
        if let Some(tools) = tools.get_untracked() {
            tools.set_checked(!choice.without_tools);
        }
        longest.set_value(&choice.max_tokens.map(|number| number.to_string()).unwrap_or_default());
        wrong.set([false; 3]);
        kept.set(false);
    };
    let keep = move || {
        let Some((instructions, temperature, longest)) = fields() else {
            return false;
        };
        let text = instructions.value();
        let bad = [
            text.len() > MAX_INSTRUCTIONS_BYTES,
            !temperature.check_validity(),
            !longest.check_validity(),
        ];
        let good = !bad.contains(&true);
        wrong.set(bad);
        kept.set(good);
        if good {
            let conversation = shown.conversation.get_untracked();
            let known = conversation.choice.get_untracked();
            #[expect(clippy::cast_possible_truncation, reason = "the fields have checked them")]
            let choice = Choice {
                model: known.model.clone(),
                instructions: if is_blank(&text) { String::new() } else { text },
                temperature: number(&temperature).map(|number| number as f32),
                max_tokens: number(&longest).map(|number| whole(number) as u32),
                without_tools: tools
                    .get_untracked()
                    .map_or(known.without_tools, |tools| !tools.checked()),
            };
            if choice != known {
                choose(store, &conversation, choice);
            }
        }
        good
    };
    let submit = move |event: ev::SubmitEvent| {
        event.prevent_default();
        if keep() {
            browser::hide_popover(anchors::TUNING);
        }
    };
    let field = move |index: usize, label: &'static str, hint: String, control: AnyView| {
        view! {
            <label class="tuning-field">
                <span class="tuning-name">{label}</span>
                {control}
                <span class="tuning-hint" class:bad=live(move || wrong.look(|wrong| wrong[index]))>
                    {hint}
                </span>
            </label>
        }
        .erase()
    };
    let invalid = move |index: usize| live(move || wrong.look(|wrong| wrong[index]).then_some("true"));
    let numbers =
        move |index: usize, node, hook: &'static str, least: &'static str, most: String, step: &'static str| {
            view! {
                <input
                    class="text-field"
                    type="number"
                    data-testid=hook
                    inputmode="decimal"
                    min=least
                    max=most
                    step=step
                    aria-invalid=invalid(index)
                    node_ref=node
                />
            }
            .erase()
        };
    let use_tools = move || {
        view! {
            <label class="tuning-switch">
                <input type="checkbox" data-testid="tuning-tools" node_ref=tools />
                {text!(words, "tuning-tools")}
            </label>
        }
        .erase()
    };
    let told = move || match (wrong.look(|wrong| wrong.contains(&true)), kept.get()) {
        (true, _) => text!(words, "tuning-wrong"),
        (false, true) => text!(words, "tuning-kept"),
        (false, false) => "",
    };
    view! {
        <form
            class="sheet tuning-sheet"
            id=anchors::TUNING
            popover="auto"
            novalidate
            aria-label=text!(words, "tuning")
            on:toggle=fill
            on:change=move |_| {
                keep();
            }
            on:submit=submit
        >
            <h2>{text!(words, "tuning")}</h2>
            <p class="tuning-hint">{text!(words, "tuning-hint")}</p>
            {field(
                0,
                text!(words, "tuning-instructions"),
                say!(words, "tuning-instructions-hint", most = words.size(MAX_INSTRUCTIONS_BYTES as u64)),
                view! {
                    <textarea
                        class="text-field"
                        rows="4"
                        data-testid="tuning-instructions"
                        aria-invalid=invalid(0)
                        node_ref=instructions
                    ></textarea>
                }
                    .erase(),
            )}
            {field(
                1,
                text!(words, "tuning-temperature"),
                say!(words, "tuning-temperature-hint", most = decimal(MAX_TEMPERATURE.into())),
                numbers(1, temperature, "tuning-temperature", "0", decimal(MAX_TEMPERATURE.into()), "any"),
            )}
            {field(
                2,
                text!(words, "tuning-longest"),
                say!(words, "tuning-longest-hint", most = MAX_ANSWER_TOKENS),
                numbers(2, longest, "tuning-longest", "1", MAX_ANSWER_TOKENS.to_string(), "1"),
            )}
            {when(move || store.facts.look(|facts| facts.tools), use_tools)}
            <div class="sheet-foot">
                <p class="quiet" role="status" data-testid="tuning-told">{live(told)}</p>
                <button class="button" type="submit" data-testid="tuning-done">
                    {text!(words, "tuning-done")}
                </button>
            </div>
        </form>
    }
    .erase()
}
