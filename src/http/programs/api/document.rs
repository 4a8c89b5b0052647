//! What programs may ask for, in the words of OpenAPI: made of the requests and answers themselves, so that it cannot say anything else than they do.

use std::sync::LazyLock;

use axum::{
    Router,
    http::{HeaderValue, header},
    response::{IntoResponse as _, Response},
    routing::get,
};
use utoipa::{
    Modify, OpenApi, ToSchema as _,
    openapi::{
        ContentBuilder, Ref, ResponseBuilder,
        path::Operation,
        security::{ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityRequirement, SecurityScheme},
    },
};

use super::{chat, conversations, line};
use crate::{engine::VERSION, wire::Refused};

/// What may become of any request, and why.
const REFUSALS: [(&str, &str); 12] = [
    ("400", "It cannot be taken as it is"),
    ("401", "It has no key, or one that is not valid"),
    ("403", "Its key may not do this, or it comes from another site's page"),
    ("404", "There is no such model, or nothing of this id"),
    ("408", "It took too long to arrive"),
    ("409", "It was ended, or what it is about is busy"),
    ("413", "It is larger than it may be, or than the model can read"),
    ("422", "Its Idempotency-Key names another request"),
    (
        "429",
        "The line is full, or as much of this key waits as may: see Retry-After",
    ),
    ("500", "A mistake of the server's, which it has noted"),
    ("502", "The model's server failed"),
    ("503", "Not now: see Retry-After"),
];
/// The same where something is waited for.
const TOO_SLOW: (&str, &str) = ("504", "The answer took longer than it may");

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Anteroom",
        description = "A fair line in front of language models. Programs stand in it with the people of the pages, by the same rules: one key is one in the line. \
            `/v1` is OpenAI's API, for its clients; `/api/v1` is Anteroom's own.",
        license(name = "MIT OR Apache-2.0"),
    ),
    paths(
        chat::whole, chat::stream, chat::cancel,
        line::queue, line::models, line::info,
        conversations::list::list, conversations::list::search, conversations::list::one, conversations::list::turns, conversations::list::turn,
        conversations::list::export,
        conversations::sending::create, conversations::sending::send, conversations::sending::rename, conversations::sending::remove,
        conversations::sending::cancel,
    ),
    components(schemas(chat::Placed, chat::Part, chat::Done, Refused)),
    modifiers(&Whole),
    tags(
        (name = "chat", description = "Ask a model"),
        (name = "line", description = "The lines, the models and the site"),
        (name = "conversations", description = "Conversations that are kept, as the pages have them"),
    ),
)]
struct Described;

/// What is so of every request.
struct Whole;

impl Modify for Whole {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        VERSION.clone_into(&mut document.info.version);
        let components = document.components.get_or_insert_default();
        let bearer = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
        components.add_security_scheme("bearer", bearer);
        let header = SecurityScheme::ApiKey(ApiKey::Header(ApiKeyValue::new("x-api-key")));
        components.add_security_scheme("header", header);
        // Without any key, programs of the server's own machine are let in.
        let none: [String; 0] = [];
        let keys = ["bearer", "header"].map(|name| SecurityRequirement::new(name, none.clone()));
        document.security = Some(keys.into_iter().chain([SecurityRequirement::default()]).collect());
        for item in document.paths.paths.values_mut() {
            let operations = [&mut item.get, &mut item.post, &mut item.patch, &mut item.delete];
            for operation in operations.into_iter().flatten() {
                refusals(operation);
            }
        }
    }
}

fn refusals(operation: &mut Operation) {
    let slow = operation.request_body.is_some().then_some(TOO_SLOW);
    for (status, why) in REFUSALS.into_iter().chain(slow) {
        let known = &mut operation.responses.responses;
        if !known.contains_key(status) {
            let content = ContentBuilder::new()
                .schema(Some(Ref::from_schema_name(Refused::name())))
                .build();
            let response = ResponseBuilder::new()
                .description(why)
                .content("application/json", content);
            known.insert(status.to_owned(), response.build().into());
        }
    }
}

static DOCUMENT: LazyLock<String> = LazyLock::new(|| {
    let document = Described::openapi();
    // It has no maps with keys that are no text, the only thing that JSON cannot have.
    document.to_json().unwrap_or_default()
});

/// Where the document is. It says nothing of the site, so nobody has to be known for it.
pub(in crate::http) fn described<S: Clone + Send + Sync + 'static>() -> Router<S> {
    Router::new().route("/api/v1/openapi.json", get(document))
}

async fn document() -> Response {
    let mut response = DOCUMENT.as_str().into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response
}
