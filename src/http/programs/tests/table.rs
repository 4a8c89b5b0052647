//! The doors of programs.

use axum::http::Method;

use crate::accounts::Scope;

/// Every door of programs, with what a key has to let its program do there. One that needs two scopes has two lines. A new one is a line here; one that is not is found by the test of the document.
pub(in super::super) const DOORS: &[(Method, &str, Option<Scope>)] = &[
    (Method::GET, "/api/v1/key", None),
    (Method::POST, "/api/v1/chat", Some(Scope::Chat)),
    (Method::POST, "/api/v1/chat/stream", Some(Scope::Chat)),
    (
        Method::DELETE,
        "/api/v1/chat/0190a3c2-7e0b-7c5e-8d6d-1d3a5b7c9e0f",
        Some(Scope::Chat),
    ),
    (Method::POST, "/chat", Some(Scope::Chat)),
    (Method::POST, "/chat/stream", Some(Scope::Chat)),
    (Method::GET, "/api/v1/queue", Some(Scope::Read)),
    (Method::GET, "/api/v1/models", Some(Scope::Read)),
    (Method::GET, "/api/v1/info", Some(Scope::Read)),
    (Method::GET, "/info", Some(Scope::Read)),
    (Method::GET, "/api/v1/conversations", Some(Scope::Read)),
    (Method::POST, "/api/v1/conversations", Some(Scope::Chat)),
    (Method::GET, "/api/v1/conversations/search?q=x", Some(Scope::Read)),
    (
        Method::GET,
        "/api/v1/conversations/0190a3c2-7e0b-7c5e-8d6d-1d3a5b7c9e0f",
        Some(Scope::Read),
    ),
    (
        Method::PATCH,
        "/api/v1/conversations/0190a3c2-7e0b-7c5e-8d6d-1d3a5b7c9e0f",
        Some(Scope::Chat),
    ),
    (
        Method::DELETE,
        "/api/v1/conversations/0190a3c2-7e0b-7c5e-8d6d-1d3a5b7c9e0f",
        Some(Scope::Chat),
    ),
    (
        Method::GET,
        "/api/v1/conversations/0190a3c2-7e0b-7c5e-8d6d-1d3a5b7c9e0f/turns",
        Some(Scope::Read),
    ),
    (
        Method::POST,
        "/api/v1/conversations/0190a3c2-7e0b-7c5e-8d6d-1d3a5b7c9e0f/turns",
        Some(Scope::Chat),
    ),
    (
        Method::GET,
        "/api/v1/conversations/0190a3c2-7e0b-7c5e-8d6d-1d3a5b7c9e0f/turns/1",
        Some(Scope::Read),
    ),
    (
        Method::DELETE,
        "/api/v1/conversations/0190a3c2-7e0b-7c5e-8d6d-1d3a5b7c9e0f/turns/1",
        Some(Scope::Chat),
    ),
    (
        Method::GET,
        "/api/v1/conversations/0190a3c2-7e0b-7c5e-8d6d-1d3a5b7c9e0f/export",
        Some(Scope::Read),
    ),
    (
        Method::POST,
        "/api/v1/conversations/0190a3c2-7e0b-7c5e-8d6d-1d3a5b7c9e0f/turns/1/steps/2",
        Some(Scope::Chat),
    ),
    (
        Method::POST,
        "/api/v1/conversations/0190a3c2-7e0b-7c5e-8d6d-1d3a5b7c9e0f/restore",
        Some(Scope::Chat),
    ),
    (
        Method::POST,
        "/api/v1/conversations/0190a3c2-7e0b-7c5e-8d6d-1d3a5b7c9e0f/release",
        Some(Scope::Chat),
    ),
    (
        Method::POST,
        "/api/v1/conversations/0190a3c2-7e0b-7c5e-8d6d-1d3a5b7c9e0f/turns/1/again",
        Some(Scope::Chat),
    ),
    (
        Method::POST,
        "/api/v1/conversations/0190a3c2-7e0b-7c5e-8d6d-1d3a5b7c9e0f/turns/1/show",
        Some(Scope::Chat),
    ),
    (
        Method::POST,
        "/api/v1/conversations/0190a3c2-7e0b-7c5e-8d6d-1d3a5b7c9e0f/turns/1/rating",
        Some(Scope::Chat),
    ),
    (
        Method::POST,
        "/api/v1/conversations/0190a3c2-7e0b-7c5e-8d6d-1d3a5b7c9e0f/turns/1/branch",
        Some(Scope::Chat),
    ),
    (
        Method::PATCH,
        "/api/v1/conversations/0190a3c2-7e0b-7c5e-8d6d-1d3a5b7c9e0f/turns/1",
        Some(Scope::Chat),
    ),
    (
        Method::GET,
        "/api/v1/conversations/0190a3c2-7e0b-7c5e-8d6d-1d3a5b7c9e0f/passes",
        Some(Scope::Read),
    ),
    (
        Method::POST,
        "/api/v1/conversations/0190a3c2-7e0b-7c5e-8d6d-1d3a5b7c9e0f/passes",
        Some(Scope::Chat),
    ),
    (
        Method::POST,
        "/api/v1/conversations/0190a3c2-7e0b-7c5e-8d6d-1d3a5b7c9e0f/passes",
        Some(Scope::Read),
    ),
    (
        Method::DELETE,
        "/api/v1/conversations/0190a3c2-7e0b-7c5e-8d6d-1d3a5b7c9e0f/passes/1",
        Some(Scope::Chat),
    ),
    (
        Method::GET,
        "/api/v1/conversations/0190a3c2-7e0b-7c5e-8d6d-1d3a5b7c9e0f/leaves",
        Some(Scope::Read),
    ),
    (
        Method::DELETE,
        "/api/v1/conversations/0190a3c2-7e0b-7c5e-8d6d-1d3a5b7c9e0f/leaves/s/t",
        Some(Scope::Chat),
    ),
    (Method::POST, "/api/v1/conversations/import", Some(Scope::Chat)),
    (Method::POST, "/api/v1/files", Some(Scope::Chat)),
    (Method::GET, "/api/v1/files/1", Some(Scope::Read)),
    (Method::GET, "/api/v1/files/1/text", Some(Scope::Read)),
    (Method::GET, "/api/v1/forget", Some(Scope::Read)),
    // What deletes everything needs both.
    (Method::POST, "/api/v1/forget", Some(Scope::Chat)),
    (Method::POST, "/api/v1/forget", Some(Scope::Tasks)),
    (Method::GET, "/api/v1/none", None),
    (Method::POST, "/v1/chat/completions", Some(Scope::Chat)),
    (Method::POST, "/v1/responses", Some(Scope::Chat)),
    (Method::POST, "/v1/embeddings", Some(Scope::Chat)),
    (Method::GET, "/v1/models", Some(Scope::Chat)),
    (Method::GET, "/v1/models/demo", Some(Scope::Chat)),
    (Method::GET, "/v1/none", None),
    (Method::POST, "/api/v1/tasks", Some(Scope::Tasks)),
    (Method::GET, "/api/v1/tasks", Some(Scope::Tasks)),
    (Method::GET, "/api/v1/tasks/0", Some(Scope::Tasks)),
    (Method::DELETE, "/api/v1/tasks/0", Some(Scope::Tasks)),
    (Method::GET, "/api/v1/tasks/0/stream", Some(Scope::Tasks)),
    (Method::GET, "/api/v1/tasks/batches/0", Some(Scope::Tasks)),
    (Method::GET, "/api/v1/tasks/batches/0/stream", Some(Scope::Tasks)),
    (Method::DELETE, "/api/v1/tasks/batches/0", Some(Scope::Tasks)),
    (Method::POST, "/chat/async", Some(Scope::Tasks)),
    (Method::GET, "/chat/task/0", Some(Scope::Tasks)),
];
