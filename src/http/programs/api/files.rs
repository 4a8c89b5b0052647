//! Files of messages: taken in, and given back to whoever has sent them.

use std::sync::Arc;

use axum::{
    Json, Router,
    body::Body,
    extract::{Path, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::Response,
    routing::{get, post},
};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::{
    super::scope,
    fault::{gone, invalid},
    read::Asked,
};
use crate::{
    accounts::{Principal, Scope},
    client::Client,
    engine::Engine,
    http::{Refusal, files},
    wire::{FileId, FileView, Reason, Refused},
};

/// Where they are sent to. Their bodies have bounds of their own.
pub(in crate::http::programs) const UPLOAD: &str = "/api/v1/files";

/// Their doors.
pub(super) fn routes() -> Router<Arc<Engine>> {
    let read = Router::new()
        .route("/api/v1/files/{id}", get(download))
        .route("/api/v1/files/{id}/text", get(text));
    let chat = Router::new().route(UPLOAD, post(upload));
    scope::needs(Scope::Read, read).merge(scope::needs(Scope::Chat, chat))
}

/// A file, byte by byte.
#[derive(ToSchema)]
#[schema(value_type = String, format = Binary)]
#[expect(dead_code, reason = "it only describes a body")]
pub(super) struct Bytes(Vec<u8>);

/// What the file is called.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Named {
    /// Its name, for people. What it is, its content tells.
    #[serde(default)]
    name: String,
}

/// Takes in a file, for a message.
///
/// The body is the file: text, a picture or a document (`docs/files.md`), as large as `MAX_UPLOAD_SIZE` says. It is not read before the line of uploads lets it start. A
/// file that no message has carried is removed after a while.
#[utoipa::path(
    post, path = "/api/v1/files", tag = "conversations", params(Named),
    request_body(content = Bytes, content_type = "application/octet-stream", description = "The file"),
    responses(
        (status = 200, description = "The file: its id goes into the `files` of a message", body = FileView),
        (status = 415, description = "It is of a kind that is not taken", body = Refused),
        (status = 422, description = "It is a document that cannot be read", body = Refused),
        (status = 507, description = "There is no room for it", body = Refused),
    ),
)]
pub(super) async fn upload(
    State(engine): State<Arc<Engine>>,
    who: Principal,
    Asked(Named { name }): Asked<Named>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<FileView>, Refusal> {
    // Whoever sends it is there for as long as it waits to be let in.
    let kind = headers.get(header::CONTENT_TYPE).map_or(&[][..], HeaderValue::as_bytes);
    if kind.to_ascii_lowercase().starts_with(b"multipart/") {
        let sentence =
            "Send the file itself as the body, not a form with it: `curl --data-binary @FILE` in place of `curl -F`.";
        return Err(invalid(StatusCode::UNSUPPORTED_MEDIA_TYPE, sentence));
    }
    let session = Client::new(Arc::clone(&engine), who).session();
    let _here = session.presence().enter();
    files::take(engine, who, &name, &headers, body).await
}

/// A file, as it was sent.
#[utoipa::path(
    get, path = "/api/v1/files/{id}", tag = "conversations",
    params(("id" = FileId, Path, description = "The file")),
    responses(
        (status = 200, description = "The file", content((Bytes = "*/*"))),
        (status = 404, description = "The caller has none of this id", body = Refused),
    ),
)]
pub(super) async fn download(
    State(engine): State<Arc<Engine>>,
    who: Principal,
    Path(id): Path<String>,
) -> Result<Response, Refusal> {
    files::give(engine, who, named(&id)?).await
}

/// What was read of a document, as text.
#[utoipa::path(
    get, path = "/api/v1/files/{id}/text", tag = "conversations",
    params(("id" = FileId, Path, description = "The document")),
    responses(
        (status = 200, description = "Its text", content((String = "text/plain"))),
        (status = 404, description = "The caller has no document of this id", body = Refused),
    ),
)]
pub(super) async fn text(
    State(engine): State<Arc<Engine>>,
    who: Principal,
    Path(id): Path<String>,
) -> Result<Response, Refusal> {
    files::give_text(engine, who, named(&id)?).await
}

fn named(id: &str) -> Result<FileId, Refusal> {
    id.parse().map_err(|_| gone(Reason::FileGone))
}
