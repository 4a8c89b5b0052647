//! The door for conversations as files to keep.

use std::sync::Arc;

use axum::{
    Extension,
    extract::{Path, State},
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
};

use super::{Refusal, disposition::disposition};
use crate::{
    accounts::Principal,
    client::Client,
    conversations::Export,
    engine::Engine,
    files::titled,
    language::Language,
    wire::{ConversationId, Reason},
};

/// `/export/{conversation}.md` and `.json`: a conversation of the session that asks, as a file to save.
pub(super) async fn download(
    State(engine): State<Arc<Engine>>,
    who: Principal,
    Extension(language): Extension<Language>,
    Path(file): Path<String>,
) -> Result<Response, Refusal> {
    let missing = || Refusal::new(StatusCode::NOT_FOUND, Reason::ConversationGone);
    let (conversation, form, mime) = match file.rsplit_once('.') {
        Some((name, "md")) => (name, Export::Markdown(language), "text/markdown; charset=utf-8"),
        Some((name, "json")) => (name, Export::Json, "application/json"),
        _ => return Err(missing()),
    };
    let conversation: ConversationId = conversation.parse().map_err(|_| missing())?;
    let exported = Client::new(engine, who).export(conversation, form).await?;
    let (title, content) = exported.ok_or_else(missing)?;
    let extension = if form == Export::Json { "json" } else { "md" };
    let disposition = disposition("attachment", &titled(&title, extension));
    let mut response = content.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(mime));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    headers.insert(header::CONTENT_DISPOSITION, disposition);
    Ok(response)
}
