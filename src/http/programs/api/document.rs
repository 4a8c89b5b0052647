//! What programs may ask for, in the words of OpenAPI: made of the requests and answers themselves, so that it cannot say anything else than they do.

use std::sync::LazyLock;

use axum::{
    Router,
    http::{HeaderValue, header},
    response::{IntoResponse as _, Response},
    routing::get,
};
use serde_json::{Value, json};
use utoipa::{
    Modify, OpenApi, ToSchema as _,
    openapi::{
        ContentBuilder, HttpMethod, PathItem, Paths, Ref, ResponseBuilder,
        path::{Operation, OperationBuilder},
        request_body::RequestBodyBuilder,
        security::{ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityRequirement, SecurityScheme},
    },
};

use super::{
    super::{me, openai, tasks},
    chat, conversations, files, forget, line,
};
use crate::{engine::VERSION, tasks::Message, wire::Refused};

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
        openai::completions, openai::responses::create, openai::embeddings, openai::models::list, openai::models::one,
        chat::whole, chat::stream, chat::cancel,
        tasks::take_in, tasks::list, tasks::one, tasks::cancel, tasks::batch, tasks::cancel_batch, tasks::streams::follow, tasks::streams::follow_batch,
        line::queue, line::models, line::info, me::look,
        conversations::list::list, conversations::list::search, conversations::list::one, conversations::list::turns, conversations::list::turn,
        conversations::list::export,
        conversations::sending::create, conversations::sending::send,
        conversations::changing::change, conversations::changing::remove, conversations::changing::restore, conversations::changing::release,
        conversations::changing::import,
        conversations::turns::again, conversations::turns::show, conversations::turns::rate, conversations::turns::branch,
        conversations::turns::reword, conversations::turns::cancel, conversations::steps::answer,
        conversations::passes::make, conversations::passes::list, conversations::passes::revoke,
        conversations::leaves::list, conversations::leaves::take_back,
        files::upload, files::download, files::text,
        forget::ask, forget::forget,
    ),
    components(schemas(Message, Refused, openai::ErrorBody<'static>)),
    modifiers(&Whole),
    tags(
        (name = "openai", description = "OpenAI's API, for its clients"),
        (name = "chat", description = "Ask a model"),
        (name = "tasks", description = "Work that outlives whoever asks for it"),
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
        for (names, shape) in [("Refused", Refused::name()), ("OpenAiError", openai::ErrorBody::name())] {
            for (status, why) in REFUSALS.into_iter().chain([TOO_SLOW]) {
                let content = ContentBuilder::new()
                    .schema(Some(Ref::from_schema_name(&*shape)))
                    .build();
                let response = ResponseBuilder::new()
                    .description(why)
                    .content("application/json", content);
                let name = format!("{names}{status}");
                components.responses.insert(name, response.build().into());
            }
        }
        document.webhooks = Some(webhooks());
        for (path, item) in &mut document.paths.paths {
            let names = if path.starts_with("/v1/") {
                "OpenAiError"
            } else {
                "Refused"
            };
            let operations = [
                ("get", &mut item.get),
                ("post", &mut item.post),
                ("patch", &mut item.patch),
                ("delete", &mut item.delete),
            ];
            for (method, operation) in operations {
                let Some(operation) = operation else { continue };
                operation.operation_id = Some(id(method, path));
                refusals(operation, names);
            }
        }
    }
}

/// What programs are told at the addresses that they have named.
fn webhooks() -> Paths {
    let message = ContentBuilder::new()
        .schema(Some(Ref::from_schema_name(&*Message::name())))
        .build();
    let body = RequestBodyBuilder::new().content("application/json", message);
    let told = OperationBuilder::new()
        .summary(Some("A task, or a batch, is over"))
        .description(Some(
            "Signed as Standard Webhooks has it: `webhook-id`, `webhook-timestamp` and `webhook-signature`. Any status of 2xx takes it; 410 wants no more.",
        ))
        .operation_id(Some("webhook_over"))
        .request_body(Some(body.build()))
        .response("2XX", ResponseBuilder::new().description("It is taken").build());
    let mut webhooks = Paths::new();
    let item = PathItem::new(HttpMethod::Post, told);
    webhooks.paths.insert("over".to_owned(), item);
    webhooks
}

/// `get_api_v1_queue`: of the names of functions, several are the same.
fn id(method: &str, path: &str) -> String {
    let words = path.split(|letter: char| !letter.is_ascii_alphanumeric());
    let words = words.filter(|word| !word.is_empty());
    [method].into_iter().chain(words).collect::<Vec<_>>().join("_")
}

/// Adds what may become of any request.
fn refusals(operation: &mut Operation, names: &str) {
    let slow = operation.request_body.is_some().then_some(TOO_SLOW);
    for (status, _) in REFUSALS.into_iter().chain(slow) {
        let known = &mut operation.responses.responses;
        if !known.contains_key(status) {
            let response = Ref::from_response_name(format!("{names}{status}"));
            known.insert(status.to_owned(), response.into());
        }
    }
}

/// What streams are made of.
const EVENTS: [&str; 3] = ["ChatEvent", "TaskEvent", "BatchEvent"];

static DOCUMENT: LazyLock<String> = LazyLock::new(|| {
    // It has no maps with keys that are no text, the only thing that JSON cannot have.
    let mut document = serde_json::to_value(Described::openapi()).unwrap_or_default();
    for name in EVENTS {
        let events = document.pointer_mut(&format!("/components/schemas/{name}/oneOf"));
        let events = events.and_then(Value::as_array_mut).into_iter().flatten();
        for data in events.filter_map(|event| event.pointer_mut("/properties/data")) {
            // The data of an event is a text, which has JSON in it.
            let schema = data.take();
            *data = json!({ "type": "string", "contentMediaType": "application/json", "contentSchema": schema });
        }
    }
    document.to_string()
});

/// Where the document is. It says nothing of the site, so nobody has to be known for it.
pub(in crate::http) fn described<S: Clone + Send + Sync + 'static>() -> Router<S> {
    Router::new().route("/api/v1/openapi.json", get(download))
}

/// The document, as JSON.
#[must_use]
pub fn document() -> &'static str {
    &DOCUMENT
}

async fn download() -> Response {
    let mut response = document().into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::{
        super::super::{routes, tests::DOORS},
        *,
    };

    /// Older names of what has another one in the document, and what answers for everything that there is not.
    const NOT_DESCRIBED: [&str; 7] = [
        "/chat",
        "/chat/stream",
        "/chat/async",
        "/chat/task/{id}",
        "/info",
        "/v1/{other}",
        "/api/v1/{other}",
    ];

    type Routes = BTreeMap<String, BTreeSet<String>>;

    /// The methods of each route, as the router itself tells them. There is no other way to ask it.
    fn known() -> Routes {
        let told = format!("{:?}", routes());
        let (routes, fallbacks) = told.split_once("fallback_router").expect("its form");
        assert!(fallbacks.contains("RouteId"), "its form");
        let (methods, paths) = routes.split_once("node: Node").expect("its form");
        let mut by_id: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for route in methods.split("RouteId(").skip(1) {
            let (id, rest) = route.split_once(')').expect("an id");
            let set = ["get", "post", "put", "patch", "delete"].into_iter();
            let set = set.filter(|method| !rest.contains(&format!(" {method}: None")));
            by_id.insert(id.to_owned(), set.map(str::to_owned).collect());
        }
        let paths = paths.split("RouteId(").skip(1).map(|path| {
            let (id, rest) = path.split_once(')').expect("an id");
            let path = rest.split('"').nth(1).expect("a path").replace("{*", "{");
            (path, by_id.get(id).cloned().expect("its methods"))
        });
        let mut routes = Routes::new();
        for (path, methods) in paths {
            routes.entry(path).or_default().extend(methods);
        }
        routes
    }

    fn described() -> (Value, Routes) {
        let document: Value = serde_json::from_str(&DOCUMENT).expect("JSON");
        let paths = document["paths"].as_object().expect("paths").iter();
        let routes = paths.map(|(path, item)| {
            let methods = item.as_object().expect("operations").keys().cloned();
            (path.clone(), methods.collect())
        });
        let routes = routes.collect();
        (document, routes)
    }

    #[test]
    fn every_route_is_described_and_what_is_described_is_there() {
        let mut known = known();
        for path in NOT_DESCRIBED {
            assert!(known.remove(path).is_some(), "{path} is not there any more");
        }
        assert_eq!(known, described().1);
    }

    /// Whether somebody who asks there is answered by this route.
    fn leads_to(asked: &str, route: &str) -> bool {
        let asked = asked.split('?').next().unwrap_or_default();
        let (asked, route): (Vec<_>, Vec<_>) = (asked.split('/').collect(), route.split('/').collect());
        asked.len() == route.len()
            && asked
                .iter()
                .zip(route)
                .all(|(asked, part)| *asked == part || part.starts_with('{'))
    }

    #[test]
    fn every_route_is_tried_with_every_kind_of_principal() {
        for (route, methods) in known() {
            let tried: BTreeSet<_> = DOORS
                .iter()
                .filter(|(_, asked, _)| leads_to(asked, &route))
                .map(|(method, ..)| method.as_str().to_ascii_lowercase())
                .collect();
            // What answers for everything that there is not does so for each method alike.
            if route.ends_with("{other}") {
                assert!(!tried.is_empty(), "{route}");
            } else {
                assert!(tried.is_superset(&methods), "{route}: {methods:?}, {tried:?}");
            }
        }
    }

    #[test]
    fn the_document_leads_nowhere_that_is_not_there() {
        let (document, _) = described();
        let text = document.to_string();
        let names: BTreeSet<_> = text
            .split("\"$ref\":\"#")
            .skip(1)
            .filter_map(|rest| rest.split('"').next())
            .collect();
        assert!(names.len() > 20, "{names:?}");
        for name in names {
            assert!(document.pointer(name).is_some(), "{name}");
        }
        let ids = text.matches("\"operationId\":").count();
        let own: BTreeSet<_> = text
            .split("\"operationId\":\"")
            .skip(1)
            .filter_map(|rest| rest.split('"').next())
            .collect();
        assert_eq!(own.len(), ids, "each has a name of its own");
    }
}
