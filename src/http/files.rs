//! The doors for files: taking one in, and giving it back to its owner.

use std::sync::Arc;

use axum::{
    Json,
    body::Body,
    extract::{Path, Query, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use serde::Deserialize;
use tracing::Instrument as _;

use super::{Refusal, disposition::disposition};
use crate::{
    accounts::Principal,
    client::Client,
    engine::Engine,
    files::FileContent,
    wire::{FileId, FileKind, FileView, Reason},
};

const GONE: Refusal = Refusal::new(StatusCode::NOT_FOUND, Reason::FileGone);

#[derive(Debug, Deserialize)]
pub(super) struct Named {
    #[serde(default)]
    name: String,
}

/// Takes a file in: the request's body is its content. The body is not read before the line lets the upload start.
/// A browser that closes the request leaves the line, or frees its slot.
pub(super) async fn upload(
    State(engine): State<Arc<Engine>>,
    who: Principal,
    Query(Named { name }): Query<Named>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<FileView>, Refusal> {
    take(engine, who, &name, &headers, body).await
}

/// The same for whoever asks, at whichever door.
pub(super) async fn take(
    engine: Arc<Engine>,
    who: Principal,
    name: &str,
    headers: &HeaderMap,
    body: Body,
) -> Result<Json<FileView>, Refusal> {
    let announced = headers
        .get(header::CONTENT_LENGTH)
        .and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    let client = Client::new(engine, who);
    let taken = client.upload(name, announced, body.into_data_stream());
    let taken = taken.instrument(crate::logs::session_span(who.session)).await;
    Ok(Json(taken?))
}

/// Gives a file to its owner; for anybody else it is not there.
pub(super) async fn download(
    State(engine): State<Arc<Engine>>,
    who: Principal,
    Path(file): Path<FileId>,
) -> Result<Response, Refusal> {
    give(engine, who, file).await
}

/// The same, at whichever door.
pub(super) async fn give(engine: Arc<Engine>, who: Principal, file: FileId) -> Result<Response, Refusal> {
    let found = Client::new(engine, who).file(file).await?;
    let (file, content) = found.ok_or(GONE)?;
    Ok(given(&file, content))
}

/// A file, as whoever may have it is given it.
#[must_use]
pub fn given(file: &FileView, content: FileContent) -> Response {
    let body = Body::from_stream(tokio_util::io::ReaderStream::new(content));
    // Whatever it holds, it is never a page: pictures are shown by their checked type, the rest is to keep.
    let (mime, kind) = match file.kind {
        FileKind::Image => (file.mime.as_str(), "inline"),
        FileKind::Text => ("text/plain; charset=utf-8", "attachment"),
        FileKind::Document if file.mime == "text/html" => ("application/octet-stream", "attachment"),
        FileKind::Document => (file.mime.as_str(), "attachment"),
    };
    answer(body, mime, disposition(kind, &file.name), file.size)
}

/// Gives what was read of a document to its owner, as plain text.
pub(super) async fn read(
    State(engine): State<Arc<Engine>>,
    who: Principal,
    Path(file): Path<FileId>,
) -> Result<Response, Refusal> {
    give_text(engine, who, file).await
}

/// The same, at whichever door.
pub(super) async fn give_text(engine: Arc<Engine>, who: Principal, file: FileId) -> Result<Response, Refusal> {
    let found = Client::new(engine, who).read(file).await?;
    let (file, text) = found.ok_or(GONE)?;
    let (size, name) = (text.len() as u64, format!("{}.txt", file.name));
    let shown = disposition("inline", &name);
    Ok(answer(Body::from(text), "text/plain; charset=utf-8", shown, size))
}

/// A file as an answer, which no browser runs.
fn answer(body: Body, mime: &str, shown: HeaderValue, size: u64) -> Response {
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
    headers.insert(header::CONTENT_DISPOSITION, shown);
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(size));
    response
}
