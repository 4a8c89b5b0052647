//! Buttons. All that only differ in their words, their icon and what they do are of one type: each other type of an element is some KB
//! more for a browser to load.

use leptos::{ev, prelude::*};

use super::icon::Icon;
use crate::erase::{Erase as _, Live, live};

/// A button that is being described; [`Button::press`] makes it.
pub(crate) struct Button {
    class: &'static str,
    hook: &'static str,
    icon: &'static str,
    text: &'static str,
    id: Option<String>,
    label: Option<String>,
    disabled: Option<Live<bool>>,
    post: Option<Live<String>>,
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
        post: None,
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

    /// What stands on it beside its text.
    pub(crate) fn more(mut self, more: AnyView) -> Self {
        self.more = Some(more);
        self
    }

    /// Whether it is pressed in, where it is one that stays so.
    pub(crate) fn pressed(mut self, pressed: Live<bool>) -> Self {
        let mut pressed = pressed;
        self.pressed = Some(live(move || if pressed() { "true" } else { "false" }));
        self
    }

    /// The button, where `public/reading.js` asks the server at this address for what it does.
    pub(crate) fn post(mut self, path: Live<String>) -> AnyView {
        self.post = Some(path);
        self.view(Box::new(|_| ()))
    }

    /// The same, and what the page does by itself.
    pub(crate) fn post_and(mut self, path: String, press: impl FnMut() + 'static) -> AnyView {
        self.post = Some(live(move || path.clone()));
        self.press(press)
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
                title=self.label
                disabled=self.disabled
                data-post=self.post
                aria-pressed=self.pressed
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
