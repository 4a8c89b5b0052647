//! Which model answers: a button that names it, and the models to choose from, each with its own line.

mod tuning;

use anteroom::{
    text,
    wire::{Choice, ModelInfo, Reason},
};
use leptos::{ev, prelude::*};
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlElement};

pub(crate) use self::tuning::{Tuning, TuningButton};
use super::{
    anchors,
    icon::{self, Icon},
};
use crate::{
    browser,
    erase::{Erase as _, Look as _, each, live, memo, when},
    feed::{Shown, Store, choose},
    format,
    words::words,
};

/// Whether there is anything to choose.
fn is_needed(store: Store, shown: Shown) -> bool {
    store.has_choice() || shown.model.look(|model| !store.offers(model))
}

/// The button that names the model and opens the others. Without scripts, a plain field of the composer's form.
#[component]
pub(crate) fn Picker() -> impl IntoView {
    let store = expect_context::<Store>();
    let shown = expect_context::<Shown>();
    let words = words();
    let name = move || shown.model.look(|model| store.title(model));
    let gone = move || shown.model.look(|model| !store.offers(model));
    let picker = move || {
        view! {
            <button
                class="quiet-button picker needs-awake"
                type="button"
                data-testid="model"
                data-model=live(move || shown.model.get())
                aria-haspopup="menu"
                popovertarget=anchors::MODELS
                class:bad=live(gone)
            >
                <span class="visually-hidden">{text!(words, "model")}</span>
                <span class="picker-name">{live(name)}</span>
                <Icon path=icon::UNFOLD />
            </button>
            <select
                class="text-field without-scripts"
                name="model"
                data-testid="model-field"
                aria-label=text!(words, "model")
                inner_html=options(store, shown)
            ></select>
        }
        .erase()
    };
    when(move || is_needed(store, shown), picker)
}

/// The models as options of a field, which only pages without scripts show: so a browser with them need not know how.
#[cfg(feature = "ssr")]
fn options(store: Store, shown: Shown) -> String {
    let words = words();
    let chosen = shown.model.get_untracked();
    let each = |model: ModelInfo| {
        let label = [Some(store.title(&model.id)), line(store, words, &model.id)];
        let label = label.into_iter().flatten().collect::<Vec<_>>().join(" · ");
        let selected = model.id == chosen;
        view! { <option value=model.id selected=selected>{label}</option> }.to_html()
    };
    untrack(|| store.models().into_iter().map(each).collect())
}

#[cfg(not(feature = "ssr"))]
const fn options(_: Store, _: Shown) -> &'static str {
    ""
}

/// What is to be said of the line of a model. Reactive.
fn line(store: Store, words: &anteroom::language::Words, model: &str) -> Option<String> {
    if store.is_lost() {
        return None;
    }
    let queue = store.facts.look(|facts| facts.queue);
    store.status.look(|status| {
        let line = status.lines.iter().find(|line| line.model.as_deref() == Some(model))?;
        Some(format::short(words, &store.counted_down(line), queue))
    })
}

/// The models to choose from.
#[component]
pub(crate) fn Models() -> impl IntoView {
    let store = expect_context::<Store>();
    let shown = expect_context::<Shown>();
    let words = words();
    let opened = move |event: ev::Event| {
        let menu = event.target().and_then(|menu| menu.dyn_into::<Element>().ok());
        let find = |what| menu.as_ref().and_then(|menu| menu.query_selector(what).ok().flatten());
        focus(find("[aria-checked=true]").or_else(|| find("button")));
    };
    let on_key = move |event: ev::KeyboardEvent| {
        let Some(at) = document().active_element() else { return };
        let all = at.parent_element();
        let first = || all.as_ref().and_then(Element::first_element_child);
        let last = || all.as_ref().and_then(Element::last_element_child);
        let next = match event.key().as_str() {
            "ArrowDown" => at.next_element_sibling().or_else(first),
            "ArrowUp" => at.previous_element_sibling().or_else(last),
            "Home" => first(),
            "End" => last(),
            _ => return,
        };
        event.prevent_default();
        focus(next);
    };
    let gone = move || {
        let model = shown.model.get();
        (!store.offers(&model)).then(|| words.reason(&Reason::ModelNotOffered { model }))
    };
    let menu = move || {
        let row = move |model| view! { <Model model /> }.erase();
        view! {
            <div class="sheet" id=anchors::MODELS popover="auto" on:toggle=opened on:keydown=on_key>
                <p class="sheet-note bad">{live(gone)}</p>
                <div class="models" role="menu" aria-label=text!(words, "model")>
                    {each(move || store.models(), |model| model.id.clone(), row)}
                </div>
            </div>
        }
        .erase()
    };
    when(move || is_needed(store, shown), menu)
}

fn focus(element: Option<Element>) {
    if let Some(element) = element.and_then(|element| element.dyn_into::<HtmlElement>().ok()) {
        let _ = element.focus();
    }
}

/// One model, with what would become of a message to it.
#[component]
fn Model(model: ModelInfo) -> impl IntoView {
    let store = expect_context::<Store>();
    let shown = expect_context::<Shown>();
    let words = words();
    let id = StoredValue::new(model.id);
    let chosen = memo(move || id.with_value(|id| shown.model.look(|model| model == id)));
    let trouble = move || {
        let trouble = store
            .line(move || id.get_value())
            .look(|line| line.as_ref()?.trouble.clone());
        trouble.map(|trouble| words.reason(&trouble.reason))
    };
    let pick = move |_| {
        browser::hide_popover(anchors::MODELS);
        if !chosen.get_untracked() {
            let conversation = shown.conversation.get_untracked();
            let known = conversation.choice.get_untracked();
            let choice = Choice {
                model: Some(id.get_value()),
                ..known
            };
            choose(store, &conversation, choice);
        }
    };
    view! {
        <button
            class="model"
            type="button"
            role="menuitemradio"
            aria-checked=live(move || if chosen.get() { "true" } else { "false" })
            data-testid="model-option"
            data-model=id.get_value()
            on:click=pick
        >
            <span class="model-title">{live(move || id.with_value(|id| store.title(id)))}" "</span>
            <span class="model-line">{live(move || id.with_value(|id| line(store, words, id)))}</span>
            <span class="model-trouble">{live(trouble)}</span>
        </button>
    }
    .erase()
}

/// A button that opens the models, of a message whose own is not offered any more.
pub(crate) fn another() -> AnyView {
    let words = words();
    view! {
        <button class="button" type="button" data-testid="another-model" popovertarget=anchors::MODELS>
            {text!(words, "model-another")}
        </button>
    }
    .erase()
}
