//! Taking files to the server, with progress: by `XMLHttpRequest`, the one way a browser tells how much has gone out.

use anteroom::{
    say,
    wire::{ConversationId, FileView, MAX_FILES_PER_MESSAGE, Reason},
};
use leptos::prelude::*;
use send_wrapper::SendWrapper;
use wasm_bindgen::{JsCast, closure::Closure};
use web_sys::{File, FileList, ProgressEvent, XmlHttpRequest, js_sys};

use super::stage::{Stage, outcome};
use crate::{
    erase::Look as _,
    words::words,
    {feed::Store, format, writing::drafts},
};

/// One file.
#[derive(Clone)]
pub(crate) struct Upload {
    pub(crate) key: u32,
    pub(crate) name: String,
    pub(crate) size: u64,
    pub(crate) stage: ArcRwSignal<Stage>,
    /// What is to be sent. `None`: the server had it before this page.
    file: Option<SendWrapper<File>>,
}

impl Upload {
    /// What the server has of it.
    fn taken(&self) -> Option<FileView> {
        self.stage.peek(|stage| match stage {
            Stage::Taken(file) => Some(file.clone()),
            _ => None,
        })
    }
}

/// The one request that is under way, and its callbacks.
struct Request {
    key: u32,
    request: XmlHttpRequest,
    _on_progress: Closure<dyn FnMut(ProgressEvent)>,
    _on_end: Closure<dyn FnMut()>,
}

/// The files of the messages that are being written: those of the conversation that is open, and those that wait in others. Copies
/// share them. They live as long as the page, wherever on it somebody goes.
#[derive(Clone, Copy)]
pub(crate) struct Uploads {
    store: Store,
    list: RwSignal<Vec<Upload>>,
    /// Whose these are.
    open: StoredValue<Option<ConversationId>>,
    others: StoredValue<Vec<(Option<ConversationId>, Vec<Upload>)>>,
    next: StoredValue<u32>,
    request: StoredValue<Option<SendWrapper<Request>>>,
}

impl Uploads {
    pub(crate) fn new(store: Store) -> Self {
        Self {
            store,
            list: RwSignal::new(Vec::new()),
            open: StoredValue::new(None),
            others: StoredValue::new(Vec::new()),
            next: StoredValue::new(0),
            request: StoredValue::new(None),
        }
    }

    /// Shows those of a conversation: what is here of them, and what its draft says that the server has.
    pub(crate) fn show(self, of: Option<ConversationId>, kept: Vec<FileView>) {
        let before = self.open.try_update_value(|open| std::mem::replace(open, of));
        let left = self.list.try_update_untracked(std::mem::take).unwrap_or_default();
        let here = self.others.try_update_value(|others| {
            if !left.is_empty() {
                others.push((before.flatten(), left));
            }
            let place = others.iter().position(|(whose, _)| *whose == of)?;
            Some(others.swap_remove(place).1)
        });
        let mut list = here.flatten().unwrap_or_default();
        // What another tab has sent along or removed is not in the draft any more.
        list.retain(|upload| upload.taken().is_none_or(|file| kept.contains(&file)));
        for file in kept {
            if list.iter().all(|upload| upload.taken().as_ref() != Some(&file)) {
                list.push(Upload {
                    key: self.next_key(),
                    name: file.name.clone(),
                    size: file.size,
                    stage: ArcRwSignal::new(Stage::Taken(file)),
                    file: None,
                });
            }
        }
        self.list.set(list);
    }

    /// The conversation that had not begun has an id now.
    pub(crate) fn begun(self, id: ConversationId) {
        self.open.set_value(Some(id));
    }

    /// The files, in the order in which they were added.
    pub(crate) fn list(self) -> Vec<Upload> {
        self.list.get()
    }

    /// Whether there is any.
    pub(crate) fn any(self) -> bool {
        self.list.look(|list| !list.is_empty())
    }

    /// Whether some are still on their way.
    pub(crate) fn pending(self) -> bool {
        self.list.look(|list| {
            list.iter().any(|upload| {
                upload
                    .stage
                    .look(|stage| matches!(stage, Stage::Queued | Stage::Sending { .. }))
            })
        })
    }

    /// The first that could not be attached. Nothing is sent until something is done about it. Reactive.
    pub(crate) fn failed(self) -> Option<Upload> {
        let failed = |upload: &&Upload| upload.stage.look(|stage| matches!(stage, Stage::Failed { .. }));
        self.list.look(|list| list.iter().find(failed).cloned())
    }

    /// Sends a file once more that did not get through.
    pub(crate) fn again(self, upload: &Upload) {
        upload.stage.set(Stage::Queued);
        self.go_on();
    }

    /// Those that the server has.
    pub(crate) fn taken(self) -> Vec<FileView> {
        self.list.peek(|list| list.iter().filter_map(Upload::taken).collect())
    }

    /// Takes those that the server has, and leaves none behind.
    pub(crate) fn take(self) -> Vec<FileView> {
        let list = self.list.try_update(std::mem::take).unwrap_or_default();
        list.iter().filter_map(Upload::taken).collect()
    }

    /// Has the draft say which files the server has.
    fn keep(self, of: Option<ConversationId>) {
        let taken = |list: &Vec<Upload>| list.iter().filter_map(Upload::taken).collect();
        let files = if self.open.get_value() == of {
            self.list.peek(taken)
        } else {
            self.others.with_value(|others| {
                let found = others.iter().find(|(whose, _)| *whose == of);
                found.map(|(_, list)| taken(list)).unwrap_or_default()
            })
        };
        drafts::set_files(of, files);
    }

    /// The first of all files of which this holds, and whose it is.
    fn find(self, holds: impl Fn(&Upload) -> bool) -> Option<(Option<ConversationId>, Upload)> {
        let open = self.list.peek(|list| list.iter().find(|upload| holds(upload)).cloned());
        if let Some(upload) = open {
            return Some((self.open.get_value(), upload));
        }
        self.others.with_value(|others| {
            let mut all = others
                .iter()
                .flat_map(|(of, list)| list.iter().map(move |upload| (*of, upload)));
            let (of, upload) = all.find(|(_, upload)| holds(upload))?;
            Some((of, upload.clone()))
        })
    }

    fn next_key(self) -> u32 {
        let next = self.next.try_update_value(|next| {
            *next += 1;
            *next
        });
        next.unwrap_or_default()
    }

    /// Adds files. What cannot be taken says so at once.
    pub(crate) fn add(self, files: &FileList) {
        for file in (0..files.length()).filter_map(|index| files.get(index)) {
            if self.add_file(file).is_none() {
                break;
            }
        }
    }

    /// Adds one, and gives its key. `None`: there is no room for it, which is said.
    pub(crate) fn add_file(self, file: File) -> Option<u32> {
        if self.list.peek(|list| list.len() >= MAX_FILES_PER_MESSAGE) {
            let most = MAX_FILES_PER_MESSAGE as u64;
            self.store.notice.set(Some(Reason::FilesLeftOut { most }));
            return None;
        }
        let most = self.store.facts.peek(|facts| facts.max_upload_bytes);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a size in whole bytes"
        )]
        let size = file.size() as u64;
        let stage = if size > most {
            Stage::hopeless(format::too_large(words(), size, most))
        } else if size == 0 {
            Stage::hopeless(say!(words(), "file-is-empty"))
        } else {
            Stage::Queued
        };
        let key = self.next_key();
        let stage = ArcRwSignal::new(stage);
        self.list.update(|list| {
            list.push(Upload {
                key,
                name: file.name(),
                size,
                stage,
                file: Some(SendWrapper::new(file)),
            });
        });
        self.go_on();
        Some(key)
    }

    /// Takes those back that could not be attached.
    pub(crate) fn remove_failed(self) {
        while let Some(failed) = untrack(move || self.failed()) {
            self.remove(failed.key);
        }
    }

    /// Takes a file back. If it is on its way, that ends.
    pub(crate) fn remove(self, key: u32) {
        self.list.update(|list| list.retain(|upload| upload.key != key));
        self.keep(self.open.get_value());
        let running = self
            .request
            .with_value(|request| request.as_ref().is_some_and(|request| request.key == key));
        if running {
            self.end();
            self.go_on();
        }
    }

    /// Starts the next one, if none is under way.
    fn go_on(self) {
        if self.request.with_value(Option::is_some) {
            return;
        }
        let next = self.find(|upload| upload.stage.peek(|stage| *stage == Stage::Queued));
        let Some((_, upload)) = next else { return };
        upload.stage.set(Stage::Sending { percent: 0 });
        if self.begin(&upload).is_err() {
            upload.stage.set(Stage::passing(say!(words(), "file-unsendable")));
            self.end();
        }
    }

    fn begin(self, upload: &Upload) -> Result<(), wasm_bindgen::JsValue> {
        let request = XmlHttpRequest::new()?;
        let name = String::from(js_sys::encode_uri_component(&upload.name));
        request.open_with_async("POST", &format!("/files?name={name}"), true)?;
        request.set_request_header("Content-Type", "application/octet-stream")?;

        let stage = upload.stage.clone();
        let on_progress = Closure::<dyn FnMut(ProgressEvent)>::new(move |event: ProgressEvent| {
            if event.length_computable() && event.total() > 0.0 {
                #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 0 to 100")]
                let percent = (event.loaded() / event.total() * 100.0) as u32;
                stage.set(Stage::Sending { percent });
            }
        });
        let (key, stage) = (upload.key, upload.stage.clone());
        let answered = request.clone();
        let on_end = Closure::<dyn FnMut()>::new(move || {
            stage.set(outcome(&answered));
            if let Some((of, _)) = self.find(|upload| upload.key == key) {
                self.keep(of);
            }
            // This callback belongs to the request that is dropped here: only once it has returned.
            set_timeout(
                move || {
                    self.end();
                    self.go_on();
                },
                std::time::Duration::ZERO,
            );
        });
        request
            .upload()?
            .set_onprogress(Some(on_progress.as_ref().unchecked_ref()));
        request.set_onloadend(Some(on_end.as_ref().unchecked_ref()));
        let sent = request.send_with_opt_blob(upload.file.as_ref().map(|file| &***file));
        let held = Request {
            key: upload.key,
            request,
            _on_progress: on_progress,
            _on_end: on_end,
        };
        self.request.set_value(Some(SendWrapper::new(held)));
        sent
    }

    /// Forgets the request; where it is under way, it is broken off.
    fn end(self) {
        let Some(Some(ended)) = self.request.try_update_value(Option::take) else {
            return;
        };
        ended.request.set_onloadend(None);
        let _ = ended.request.abort();
    }
}
