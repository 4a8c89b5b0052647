//! A long text that is pasted may become a file of the message: that is offered, and undone with one click.

use anteroom::{say, text};
use leptos::{html, prelude::*};
use web_sys::{File, js_sys::Array};

use crate::{
    browser,
    components::{anchors, attachments::Uploads, button::button},
    erase::{Erase as _, Look as _, effect, live, when},
    feed::Conversation,
    words::words,
};

/// From so many characters on, a text may be of more use as a file.
const LONG: usize = 4_000;

/// What was pasted.
#[derive(Clone, PartialEq)]
struct Pasted {
    text: String,
    /// Which file it has become, and where it stood, in bytes; `None`: it stands in the message.
    file: Option<(u32, usize)>,
}

/// The last long text that was pasted. Copies share it.
#[derive(Clone, Copy)]
pub(super) struct Paste {
    pasted: RwSignal<Option<Pasted>>,
    uploads: Uploads,
    area: NodeRef<html::Textarea>,
}

impl Paste {
    pub(super) fn new(area: NodeRef<html::Textarea>, uploads: Uploads, conversation: Memo<Conversation>) -> Self {
        let pasted = RwSignal::new(None);
        effect(move || {
            conversation.track();
            pasted.set(None);
        });
        Self { pasted, uploads, area }
    }

    /// A text is pasted into the message.
    pub(super) fn heard(self, text: &str) {
        if text.chars().nth(LONG).is_some() {
            // As it stands in the field.
            let text = text.replace("\r\n", "\n");
            self.pasted.set(Some(Pasted { text, file: None }));
        }
    }

    /// The message is on its way.
    pub(super) fn forget(self) {
        if self.pasted.peek(Option::is_some) {
            self.pasted.set(None);
        }
    }

    /// Makes it a file.
    fn attach(self) {
        let (Some(area), Some(pasted)) = (self.area.get_untracked(), self.pasted.get_untracked()) else {
            return;
        };
        let (typed, text) = (area.value(), &pasted.text);
        let parts = Array::of1(&text.as_str().into());
        let file = File::new_with_str_sequence(&parts, &say!(words(), "paste-name"));
        // What has been changed since then is no paste any more.
        let became = typed.find(text.as_str()).zip(file.ok());
        let became = became.and_then(|(at, file)| Some((self.uploads.add_file(file)?, at)));
        let Some((key, at)) = became else {
            return self.pasted.set(None);
        };
        area.set_value(&format!("{}{}", &typed[..at], &typed[at + text.len()..]));
        let file = Some((key, at));
        self.pasted.set(Some(Pasted { file, ..pasted }));
    }

    /// Makes it text again.
    fn undo(self) {
        let (Some(area), Some(pasted)) = (self.area.get_untracked(), self.pasted.get_untracked()) else {
            return;
        };
        if let Some((key, at)) = pasted.file {
            self.uploads.remove(key);
            let mut typed = area.value();
            let at = if typed.is_char_boundary(at) { at } else { typed.len() };
            typed.insert_str(at, &pasted.text);
            area.set_value(&typed);
        }
        self.pasted.set(None);
    }

    /// The offer, and the way back. `changed` is told when the message is another.
    pub(super) fn view(self, changed: impl Fn() + Copy + Send + 'static) -> AnyView {
        let words = words();
        let is_file = move || {
            self.pasted
                .look(|pasted| pasted.as_ref().is_some_and(|one| one.file.is_some()))
        };
        let press = move || {
            match untrack(is_file) {
                true => self.undo(),
                false => self.attach(),
            }
            changed();
            browser::focus(anchors::COMPOSER);
        };
        let said = move || {
            if is_file() {
                text!(words, "paste-is-file")
            } else {
                text!(words, "paste-long")
            }
        };
        let label = move || {
            if is_file() {
                text!(words, "paste-undo")
            } else {
                text!(words, "paste-attach")
            }
        };
        let offer = move || {
            let button = button("button", "paste-press", "", "").more(live(label).erase());
            view! {
                <p class="paste" role="status" data-testid="paste">
                    <span>{live(said)}</span>
                    {button.press(press)}
                </p>
            }
            .erase()
        };
        when(move || self.pasted.look(Option::is_some), offer).erase()
    }
}
