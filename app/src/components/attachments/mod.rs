//! The files of a message that is being written: one after another they go to the server, each can be taken back.

mod stage;
mod upload;

use anteroom::{
    say, text,
    wire::{Event, FileKind},
};
use leptos::prelude::*;

use self::upload::Upload;
pub(crate) use self::{stage::Stage, upload::Uploads};
use super::{
    anchors,
    button::button,
    icon::{self, Icon},
    paper::paper,
};
use crate::{
    browser,
    erase::{Erase as _, Look as _, each, live, memo, when},
    feed::Store,
    format,
    words::words,
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

/// The id of the button that removes a file.
pub(crate) fn remove_id(key: u32) -> String {
    format!("remove-{key}")
}

/// One file: its name, how far it is, and the way out.
#[component]
fn Attachment(uploads: Uploads, upload: Upload) -> impl IntoView {
    let store = expect_context::<Store>();
    let key = upload.key;
    let words = words();
    let stage = RwSignal::from(upload.stage.clone());
    let size = upload.size;
    let note = move || match stage.get() {
        Stage::Queued => say!(words, "file-next"),
        Stage::Sending { percent } if percent < 100 => say!(words, "percent", number = percent),
        // All of it is sent; what is left is its turn in the line of the uploads.
        Stage::Sending { .. } => match store.first_place(Event::FileUpload) {
            Some(place) => format::short_rank(words, &place),
            None => say!(words, "file-checked"),
        },
        // What was read says more than its size does.
        Stage::Taken(file) if file.paper.is_some() => String::new(),
        Stage::Taken(_) => words.size(size),
        Stage::Failed { reason, .. } => reason,
    };
    let pictured = memo(move || {
        stage.look(|stage| match stage {
            Stage::Taken(file) if file.kind == FileKind::Image => Some(file.id),
            _ => None,
        })
    });
    let picture = move || match pictured.get() {
        Some(id) => view! { <img class="thumbnail" src=format!("/files/{id}") alt="" /> }.erase(),
        None => view! { <Icon path=icon::FILE /> }.erase(),
    };
    let read = move || {
        stage.look(|stage| match stage {
            Stage::Taken(file) => paper(file),
            _ => None,
        })
    };
    let percent = move || match stage.get() {
        Stage::Sending { percent } => Some(percent.to_string()),
        _ => None,
    };
    let failed = move || matches!(stage.get(), Stage::Failed { .. });
    let hopeful = move || stage.look(Stage::is_hopeful);
    let label = say!(words, "file-remove", name = &upload.name);
    let once_more = say!(words, "file-again", name = &upload.name);
    let named = upload.name.clone();
    let remove = move || {
        uploads.remove(key);
        browser::focus(anchors::COMPOSER);
    };
    let again = move || {
        let upload = upload.clone();
        let again = move || {
            uploads.again(&upload);
            browser::focus(anchors::COMPOSER);
        };
        button("chip-again", "attach-again", icon::AGAIN, text!(words, "try-again"))
            .label(&once_more)
            .press(again)
    };
    view! {
        <li class="chip" class:bad=live(failed) data-testid="attachment" data-state=live(move || stage.look(Stage::name))>
            {live(picture)}
            <span class="chip-name">{named}</span>
            <span class="chip-note" role=live(move || failed().then_some("alert"))>{live(note)}</span>
            {live(read)}
            {when(move || percent().is_some(), move || {
                view! { <progress class="chip-progress" max="100" value=live(percent)></progress> }.erase()
            })}
            {when(hopeful, again)}
            {button("chip-remove", "", icon::CLOSE, "").id(remove_id(key)).label(label).press(remove)}
        </li>
    }
    .erase()
}
