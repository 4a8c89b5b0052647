//! Buttons. All that only differ in their words, their icon and what they do are of one type: each other type of an element is some KB
//! more for a browser to load.

use leptos::{ev, prelude::*};

use super::icon::Icon;
use crate::erase::{Erase as _, Live};

/// A button that is being described; [`Button::press`] makes it.
pub(crate) struct Button {
    class: &'static str,
    hook: &'static str,
    icon: &'static str,
    text: &'static str,
    id: Option<String>,
    label: Option<String>,
    disabled: Option<Live<bool>>,
    pressed: Option<Live<&'static str>>,
    more: Option<AnyView>,
}

/// A button with an icon and a text. Either may be empty; so may the name that tests find it by.
pub(crate) const fn button(class: &'static str, hook: &'static str, icon: &'static str, text: &'static str) -> Button {
    Button {
        class,
        hook,
        icon,
        text,
        id: None,
        label: None,
        disabled: None,
        pressed: None,
        more: None,
    }
}

impl Button {
    pub(crate) fn id(mut self, id: impl Into<String>) -> Self {
        self.id = Some(id.into());
        self
    }

    /// What it is called, where that does not stand on it.
    pub(crate) fn label(mut self, label: impl Into<String>) -> Self {
        self.label = Some(label.into());
        self
    }

    pub(crate) fn disabled(mut self, disabled: Live<bool>) -> Self {
        self.disabled = Some(disabled);
        self
    }

    /// Whether it is pressed, `true` or `false`, where it stays so.
    pub(crate) fn pressed(mut self, pressed: Live<&'static str>) -> Self {
        self.pressed = Some(pressed);
        self
    }

    /// What stands on it beside its text.
    pub(crate) fn more(mut self, more: AnyView) -> Self {
        self.more = Some(more);
        self
    }

    /// The button, and what it does.
    pub(crate) fn press(self, mut press: impl FnMut() + 'static) -> AnyView {
        self.view(Box::new(move |_| press()))
    }

    fn view(self, press: Box<dyn FnMut(ev::MouseEvent)>) -> AnyView {
        let some = |text: &'static str| (!text.is_empty()).then_some(text);
        let icon = some(self.icon).map(|path| view! { <Icon path /> }.erase());
        view! {
            <button
                class=self.class
                type="button"
                id=self.id
                data-testid=some(self.hook)
                aria-label=self.label.clone()
                aria-pressed=self.pressed
                title=self.label
                disabled=self.disabled
                on:click=press
            >
                {icon}
                {self.text}
                {self.more}
            </button>
        }
        .erase()
    }
}
