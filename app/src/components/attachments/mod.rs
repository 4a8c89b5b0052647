//! The files of a message that is being written: one after another they go to the server, each can be taken back.

mod upload;

use anteroom::wire::Event;
use leptos::prelude::*;

pub(crate) use self::upload::Uploads;
use self::upload::{Stage, Upload};
use super::icon::{self, Icon};
use crate::{
    erase::{Erase as _, each, live, when},
    feed::Store,
    format,
};

/// The row of files above the text.
#[component]
pub(crate) fn Attachments(uploads: Uploads) -> impl IntoView {
    let chip = move |upload| view! { <Attachment uploads upload /> }.erase();
    let chips = move || {
        let chips = each(move || uploads.list(), |upload| upload.key.to_string(), chip);
        view! { <ul class="chips attachments">{chips}</ul> }.erase()
    };
    when(move || uploads.any(), chips)
}

/// One file: its name, how far it is, and the way out.
#[component]
fn Attachment(uploads: Uploads, upload: Upload) -> impl IntoView {
    let store = expect_context::<Store>();
    let key = upload.key;
    let stage = RwSignal::from(upload.stage);
    let size = upload.size;
    let note = move || match stage.get() {
        Stage::Queued => "next".to_owned(),
        Stage::Sending { percent } if percent < 100 => format!("{percent} %"),
        // All of it is sent; what is left is its turn in the line of the uploads.
        Stage::Sending { .. } => match store.first_place(Event::FileUpload) {
            Some(place) => format!("{} of {} in line", format::ordinal(place.position), place.waiting),
            None => "being checked".to_owned(),
        },
        Stage::Taken(_) => format::size(size),
        Stage::Failed(reason) => reason,
    };
    let percent = move || match stage.get() {
        Stage::Sending { percent } => Some(percent.to_string()),
        _ => None,
    };
    let failed = move || matches!(stage.get(), Stage::Failed(_));
    let label = format!("Remove {}", upload.name);
    view! {
        <li class="chip" class:bad=live(failed) data-testid="attachment" data-state=live(move || stage.with(Stage::name))>
            <Icon path=icon::FILE />
            <span class="chip-name">{upload.name}</span>
            <span class="chip-note" role=live(move || failed().then_some("alert"))>{live(note)}</span>
            {when(move || percent().is_some(), move || {
                view! { <progress class="chip-progress" max="100" value=live(percent)></progress> }.erase()
            })}
            <button class="chip-remove" type="button" aria-label=label on:click=move |_| uploads.remove(key)>
                <Icon path=icon::CLOSE />
            </button>
        </li>
    }
    .erase()
}
