//! Taking files to the server, with progress: by `XMLHttpRequest`, the one way a browser tells how much has gone out.

use anteroom::wire::{FileView, MAX_FILES_PER_MESSAGE, UploadError};
use leptos::prelude::*;
use send_wrapper::SendWrapper;
use wasm_bindgen::{JsCast, closure::Closure};
use web_sys::{File, FileList, ProgressEvent, XmlHttpRequest, js_sys};

use crate::{feed::Store, format, json};

/// How far a file is.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Stage {
    /// Others go first.
    Queued,
    /// On its way; at 100 it waits to be taken in.
    Sending { percent: u32 },
    /// The server has it.
    Taken(FileView),
    /// It was refused, or did not get through: a sentence for the person.
    Failed(String),
}

impl Stage {
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Sending { .. } => "sending",
            Self::Taken(_) => "taken",
            Self::Failed(_) => "failed",
        }
    }
}

/// One file.
#[derive(Clone)]
pub(crate) struct Upload {
    pub(crate) key: u32,
    pub(crate) name: String,
    pub(crate) size: u64,
    pub(crate) stage: ArcRwSignal<Stage>,
    file: SendWrapper<File>,
}

/// The one request that is under way, and its callbacks.
struct Request {
    key: u32,
    request: XmlHttpRequest,
    _on_progress: Closure<dyn FnMut(ProgressEvent)>,
    _on_end: Closure<dyn FnMut()>,
}

/// The files of the message that is being written. Copies share them.
#[derive(Clone, Copy)]
pub(crate) struct Uploads {
    store: Store,
    list: RwSignal<Vec<Upload>>,
    next: StoredValue<u32>,
    request: StoredValue<Option<SendWrapper<Request>>>,
}

impl Uploads {
    pub(crate) fn new(store: Store) -> Self {
        Self {
            store,
            list: RwSignal::new(Vec::new()),
            next: StoredValue::new(0),
            request: StoredValue::new(None),
        }
    }

    /// The files, in the order in which they were added.
    pub(crate) fn list(self) -> Vec<Upload> {
        self.list.get()
    }

    /// Whether there is any.
    pub(crate) fn any(self) -> bool {
        self.list.with(|list| !list.is_empty())
    }

    /// Whether some are still on their way.
    pub(crate) fn pending(self) -> bool {
        self.list.with(|list| {
            list.iter().any(|upload| {
                upload
                    .stage
                    .with(|stage| matches!(stage, Stage::Queued | Stage::Sending { .. }))
            })
        })
    }

    /// Takes those that the server has, and leaves none behind.
    pub(crate) fn take(self) -> Vec<FileView> {
        let list = self.list.try_update(std::mem::take).unwrap_or_default();
        list.into_iter()
            .filter_map(|upload| match upload.stage.get_untracked() {
                Stage::Taken(file) => Some(file),
                _ => None,
            })
            .collect()
    }

    /// Adds files. What cannot be taken says so at once.
    pub(crate) fn add(self, files: &FileList) {
        let most = self.store.facts.with_untracked(|facts| facts.max_upload_bytes);
        for file in (0..files.length()).filter_map(|index| files.get(index)) {
            let room = self.list.with_untracked(|list| list.len() < MAX_FILES_PER_MESSAGE);
            if !room {
                let text = format!("A message takes at most {MAX_FILES_PER_MESSAGE} files. The others were left out.");
                self.store.notice.set(Some(text));
                break;
            }
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "a size in whole bytes"
            )]
            let size = file.size() as u64;
            let stage = if size > most {
                Stage::Failed(format!(
                    "too large: {} of at most {}",
                    format::size(size),
                    format::size(most)
                ))
            } else if size == 0 {
                Stage::Failed("is empty".to_owned())
            } else {
                Stage::Queued
            };
            let key = self
                .next
                .try_update_value(|next| {
                    *next += 1;
                    *next
                })
                .unwrap_or_default();
            let stage = ArcRwSignal::new(stage);
            self.list.update(|list| {
                list.push(Upload {
                    key,
                    name: file.name(),
                    size,
                    stage,
                    file: SendWrapper::new(file),
                });
            });
        }
        self.go_on();
    }

    /// Takes a file back. If it is on its way, that ends.
    pub(crate) fn remove(self, key: u32) {
        self.list.update(|list| list.retain(|upload| upload.key != key));
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
        let next = self.list.with_untracked(|list| {
            list.iter()
                .find(|upload| upload.stage.with_untracked(|stage| *stage == Stage::Queued))
                .cloned()
        });
        let Some(upload) = next else { return };
        upload.stage.set(Stage::Sending { percent: 0 });
        if self.begin(&upload).is_err() {
            upload.stage.set(Stage::Failed("could not be sent".to_owned()));
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
        let stage = upload.stage.clone();
        let answered = request.clone();
        let on_end = Closure::<dyn FnMut()>::new(move || {
            stage.set(outcome(&answered));
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
        let sent = request.send_with_opt_blob(Some(&upload.file));
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

fn outcome(request: &XmlHttpRequest) -> Stage {
    let text = request.response_text().ok().flatten().unwrap_or_default();
    match request.status() {
        Ok(200..300) => match json::parse::<FileView>(&text) {
            Ok(file) => Stage::Taken(file),
            Err(_) => Stage::Failed("the server's answer was not understood".to_owned()),
        },
        Ok(0) | Err(_) => Stage::Failed("did not get through: check the connection".to_owned()),
        Ok(status) => Stage::Failed(
            json::parse::<UploadError>(&text)
                .map_or_else(|_| format!("was refused ({status})"), |refusal| refusal.message),
        ),
    }
}
