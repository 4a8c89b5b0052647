//! Files: taken in through the line of uploads, and given back to their owner.

use std::{future::pending, pin::pin, time::Duration};

use bytes::Bytes;
use futures_util::{Stream, StreamExt as _};
use tokio::time::{Instant, timeout_at};
use tracing::{info, warn};

use super::{Client, ClientError, UploadError};
use crate::{
    clock::now_ms,
    conversations::SendError,
    files::{FileContent, FileError, harmless},
    papers,
    queue::Outcome,
    store::StoreError,
    wire::{Event, FileId, FileKind, FileView},
};

/// How long a sender may be silent in the middle of an upload before its slot goes to the next one.
const STALL: Duration = Duration::from_secs(30);
/// Bytes a second that an upload has to make on the whole, so that nobody holds a slot by dripping.
const LEAST_RATE: u64 = 8 * 1024;

impl Client {
    /// Takes a file in. Its content is not read before the line lets the upload start; `announced` is how many bytes its sender says
    /// that it has. Dropped before it returns, it leaves the line, or frees its slot, and nothing is kept.
    ///
    /// # Errors
    /// [`ClientError::Upload`], or [`ClientError::Send`] where it did not get into the line.
    pub async fn upload<E>(
        &self,
        name: &str,
        announced: Option<u64>,
        content: impl Stream<Item = Result<Bytes, E>> + Send,
    ) -> Result<FileView, ClientError> {
        // Known to be too large, it need not wait in line to hear so.
        let limit = self.engine.settings().max_upload_bytes;
        if announced.is_some_and(|bytes| bytes > limit) {
            let name = harmless(name);
            return Err(refuse(FileError::TooLarge { name, limit }).into());
        }
        let session = self.session();
        let patience = || self.engine.settings().abandon_after;
        let place = session
            .join(self.engine.queue(), self.owner(), Event::FileUpload)
            .await
            .map_err(|why| ClientError::Send(SendError::Refused(why)))?;
        // A sender who goes away leaves the line, too: the place goes first then.
        let moves_up = self.rooms().moves_up(self.owner());
        let mut place = place;
        let admitted = place.admitted(patience, pending()).await;
        drop(place);
        if admitted.is_ok() {
            moves_up.started();
        }
        let permit = admitted.map_err(UploadError::Left)?;
        let kept = self.keep(name, content).await;
        permit.finish(if kept.is_ok() { Outcome::Done } else { Outcome::Failed });
        Ok(kept?)
    }

    async fn keep<E>(
        &self,
        name: &str,
        content: impl Stream<Item = Result<Bytes, E>> + Send,
    ) -> Result<FileView, UploadError> {
        let limit = self.engine.settings().max_upload_bytes;
        let mut upload = self.engine.vault().begin(name, limit).await.map_err(refuse)?;
        let mut content = pin!(content);
        let (begun, mut received) = (Instant::now(), 0);
        loop {
            let slowest = begun + STALL + Duration::from_secs(received / LEAST_RATE);
            match timeout_at(slowest.min(Instant::now() + STALL), content.next()).await {
                Ok(Some(Ok(chunk))) => {
                    received += chunk.len() as u64;
                    upload.write(&chunk).await.map_err(refuse)?;
                }
                Ok(None) => break,
                Ok(Some(Err(_))) => return Err(UploadError::BrokenOff),
                Err(_) => return Err(UploadError::Stalled),
            }
        }
        let file = upload.finish().await.map_err(refuse)?;
        let noted = self.engine.store().add_file(self.owner(), file.clone(), now_ms());
        if let Err(error) = noted.await {
            warn!(%error, "an uploaded file could not be noted");
            if let Err(fault) = self.engine.vault().remove(&[file.id]).await {
                warn!(error = %fault, "its content stays behind");
            }
            return Err(UploadError::Store(error));
        }
        info!(file = %file.id, bytes = file.size, mime = file.mime, "file taken in");
        Ok(file)
    }

    /// A file of theirs, and its content. `None`: it is not there, or somebody else's.
    ///
    /// # Errors
    /// [`ClientError::Unreadable`]: whether it is there cannot be said at the moment.
    pub async fn file(&self, id: FileId) -> Result<Option<(FileView, FileContent)>, ClientError> {
        let found = self.engine.store().file(self.owner(), id).await;
        let Some(file) = found.map_err(ClientError::Unreadable)? else {
            return Ok(None);
        };
        match self.engine.vault().reader(file.id).await {
            Ok(content) => Ok(Some((file, content))),
            Err(FileError::Gone) => Ok(None),
            Err(error) => Err(ClientError::Unreadable(StoreError::Other(error.to_string()))),
        }
    }
}

impl Client {
    /// A document of theirs, and what was read of it. `None`: it is not there, is somebody else's, or none.
    ///
    /// # Errors
    /// [`ClientError::Unreadable`]: whether it is there cannot be said at the moment.
    pub async fn read(&self, id: FileId) -> Result<Option<(FileView, String)>, ClientError> {
        let found = self.engine.store().file(self.owner(), id).await;
        let found = found.map_err(ClientError::Unreadable)?;
        let Some(file) = found.filter(|file| file.kind == FileKind::Document) else {
            return Ok(None);
        };
        match self.engine.vault().text(file.id).await {
            Ok(text) => Ok(Some((file, shown(&text)))),
            Err(FileError::Gone) => Ok(None),
            Err(error) => Err(ClientError::Unreadable(StoreError::Other(error.to_string()))),
        }
    }
}

/// The parts of a document, one below the other.
fn shown(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for part in papers::parts(text) {
        if !shown.is_empty() {
            shown.push('\n');
        }
        part.write(&mut shown);
    }
    shown
}

fn refuse(error: FileError) -> UploadError {
    if error.is_ours() {
        warn!(?error, "a file could not be taken in");
    }
    error.into()
}
