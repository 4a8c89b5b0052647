//! The doors for files: taking one in through the line of `file_upload`, and giving it back to its owner.

use std::{future::pending, sync::Arc, time::Duration};

use axum::{
    Json,
    body::Body,
    extract::{Path, Query, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use futures_util::StreamExt as _;
use serde::Deserialize;
use tokio::time::{Instant, timeout_at};
use tracing::{Instrument as _, info, warn};

use super::{Browser, Refusal, disposition::disposition};
use crate::{
    clock::now_ms,
    engine::Engine,
    files::{FileError, harmless},
    queue::{LeaveReason, Outcome},
    sessions::Session,
    status,
    turns::SendError,
    waiting,
    wire::{Event, FileId, FileKind, FileView},
};

/// How long a browser may be silent in the middle of an upload before its slot goes to the next one.
const STALL: Duration = Duration::from_secs(30);
/// Bytes a second that an upload has to make on the whole, so that nobody holds a slot by dripping.
const LEAST_RATE: u64 = 8 * 1024;

#[derive(Debug, Deserialize)]
pub(super) struct Named {
    #[serde(default)]
    name: String,
}

/// Takes a file in: the request's body is its content. The body is not read before the line lets the upload start.
/// A browser that closes the request leaves the line, or frees its slot.
pub(super) async fn upload(
    State(engine): State<Arc<Engine>>,
    Browser(id): Browser,
    Query(Named { name }): Query<Named>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<FileView>, Refusal> {
    let span = crate::logs::session_span(id);
    let work = async {
        let session = engine.sessions().open(id);
        // Known to be too large, it need not wait in line to hear so.
        let announced = headers
            .get(header::CONTENT_LENGTH)
            .and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
        let limit = engine.settings().max_upload_bytes;
        if announced.is_some_and(|bytes| bytes > limit) {
            return Err(refuse(&FileError::TooLarge {
                name: harmless(&name),
                limit,
            }));
        }
        take_in(&engine, &session, &name, body).await
    };
    work.instrument(span).await.map(Json)
}

async fn take_in(engine: &Engine, session: &Arc<Session>, name: &str, body: Body) -> Result<FileView, Refusal> {
    let event = Event::FileUpload;
    let ticket = engine
        .queue()
        .join(status::index(event), session.id().owner(), Instant::now())
        .map_err(|why| refused(&SendError::Refused(why)))?;
    let registered = session.register(ticket.id(), event, None);
    let patience = || engine.settings().abandon_after;
    // A browser that closes its request leaves the line, too.
    let moves_up = engine.turns().moves_up(session);
    let admitted = waiting::admitted(engine.queue(), ticket, session, patience, pending()).await;
    drop(registered);
    if admitted.is_ok() {
        moves_up.started();
    }
    let permit = admitted.map_err(|left| {
        let message = match left {
            LeaveReason::Expired => "No slot became free for this file in time. Try again when the line is shorter.",
            LeaveReason::Closed => "Anteroom is being restarted. Try again in a moment.",
            LeaveReason::Cancelled | LeaveReason::Abandoned | LeaveReason::Withdrawn => {
                "This file has left the line. Attach it again."
            }
        };
        Refusal::new(StatusCode::SERVICE_UNAVAILABLE, message).retry_after(Some(5))
    })?;
    let kept = keep(engine, session, name, body).await;
    permit.finish(if kept.is_ok() { Outcome::Done } else { Outcome::Failed });
    kept
}

async fn keep(engine: &Engine, session: &Session, name: &str, body: Body) -> Result<FileView, Refusal> {
    let limit = engine.settings().max_upload_bytes;
    let mut upload = engine
        .vault()
        .begin(name, limit)
        .await
        .map_err(|error| refuse(&error))?;
    let mut chunks = body.into_data_stream();
    let (begun, mut received) = (Instant::now(), 0);
    loop {
        let slowest = begun + STALL + Duration::from_secs(received / LEAST_RATE);
        match timeout_at(slowest.min(Instant::now() + STALL), chunks.next()).await {
            Ok(Some(Ok(chunk))) => {
                received += chunk.len() as u64;
                upload.write(&chunk).await.map_err(|error| refuse(&error))?;
            }
            Ok(None) => break,
            Ok(Some(Err(_))) => {
                return Err(Refusal::new(
                    StatusCode::BAD_REQUEST,
                    "The file did not arrive whole. Attach it again.",
                ));
            }
            Err(_) => {
                let message = "The file stopped arriving, so its slot went to somebody else. Attach it again.";
                return Err(Refusal::new(StatusCode::REQUEST_TIMEOUT, message));
            }
        }
    }
    let file = upload.finish().await.map_err(|error| refuse(&error))?;
    if let Err(error) = engine.store().add_file(session.id(), file.clone(), now_ms()).await {
        warn!(%error, "an uploaded file could not be noted");
        if let Err(fault) = engine.vault().remove(&[file.id]).await {
            warn!(error = %fault, "its content stays behind");
        }
        let message = format!(
            "This file was not kept, because {}. Try again in a moment.",
            error.sentence()
        );
        return Err(Refusal::new(StatusCode::SERVICE_UNAVAILABLE, message).retry_after(Some(5)));
    }
    info!(file = %file.id, bytes = file.size, mime = file.mime, "file taken in");
    Ok(file)
}

fn refused(error: &SendError) -> Refusal {
    let status = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::SERVICE_UNAVAILABLE);
    Refusal::new(status, error.to_string()).retry_after(error.retry_after())
}

fn refuse(error: &FileError) -> Refusal {
    let status = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    if status.is_server_error() {
        warn!(?error, "a file could not be taken in");
    }
    Refusal::new(status, error.to_string())
}

/// Gives a file to the session that it belongs to; to anybody else it is not there.
pub(super) async fn download(
    State(engine): State<Arc<Engine>>,
    Browser(id): Browser,
    Path(file): Path<FileId>,
) -> Result<Response, Refusal> {
    let missing = || Refusal::new(StatusCode::NOT_FOUND, "This file is not here (any more).");
    let file = engine.store().file(id, file).await.ok().flatten().ok_or_else(missing)?;
    let content = engine.vault().reader(file.id).await.map_err(|_| missing())?;
    let body = Body::from_stream(tokio_util::io::ReaderStream::new(content));
    // Whatever it holds, it is never a page: pictures are shown by their checked type, the rest is plain text to keep.
    let (mime, kind) = match file.kind {
        FileKind::Image => (file.mime.as_str(), "inline"),
        FileKind::Text => ("text/plain; charset=utf-8", "attachment"),
    };
    let mut response = body.into_response();
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_TYPE, mime),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox"),
        (header::CACHE_CONTROL, "private, max-age=31536000, immutable"),
    ] {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(name, value);
        }
    }
    headers.insert(header::CONTENT_DISPOSITION, disposition(kind, &file.name));
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(file.size));
    Ok(response)
}
