//! Servers elsewhere that do what they should not.

use anteroom::tools::Trouble;
use axum::{
    Json, Router,
    body::{Body, Bytes},
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse as _, Response},
    routing::post,
};
use serde_json::json;
use tokio::net::TcpListener;

use super::*;

/// Serves this, and returns its address.
async fn serve(router: Router) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("bound");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("http://{address}")
}

fn at(url: String) -> ToolTransport {
    ToolTransport::Http {
        url: Secret(url),
        headers: vec![("Authorization".to_owned(), Secret("Bearer key".to_owned()))],
    }
}

async fn trouble(url: String) -> Trouble {
    let tools = Tools::start(&settings([server("s", at(url))]));
    let offer = tokio::time::timeout(GIVE_UP, tools.offer(&Person::nobody(), |_| ()))
        .await
        .expect("in time");
    tools.close().await;
    offer.missing.first().expect("it is missing").reason.clone()
}

/// A server with the key that it wants, whose tool returns more than may be.
async fn mcp(headers: HeaderMap, Json(message): Json<Value>) -> Response {
    if headers.get(header::AUTHORIZATION).is_none_or(|key| key != "Bearer key") {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let id = &message["id"];
    let result = match message["method"].as_str() {
        Some("initialize") => json!({
            "protocolVersion": "2025-06-18", "capabilities": { "tools": {} }, "serverInfo": { "name": "t", "version": "1" },
        }),
        Some("tools/list") => json!({ "tools": [
            { "name": "huge", "inputSchema": { "type": "object" } }, { "name": "echo", "inputSchema": { "type": "object" } },
            { "name": "broken", "inputSchema": { "type": "object" } }, { "name": "streamed", "inputSchema": { "type": "object" } },
            { "name": "breaks_off", "inputSchema": { "type": "object" } }, { "name": "endless", "inputSchema": { "type": "object" } },
        ] }),
        Some("tools/call") => match message["params"]["name"].as_str() {
            Some("huge") => json!({ "content": [{ "type": "text", "text": "x".repeat(5 << 20) }] }),
            Some("streamed") => return events(id, 5 << 20),
            Some("endless") => return endless(id),
            Some("breaks_off") => {
                return ([(header::CONTENT_TYPE, "text/event-stream")], ": nothing\n\n").into_response();
            }
            Some("broken") => return StatusCode::INTERNAL_SERVER_ERROR.into_response(),
            _ => json!({ "content": [{ "type": "text", "text": message["params"]["arguments"].to_string() }] }),
        },
        Some(method) if method.starts_with("notifications/") => return StatusCode::ACCEPTED.into_response(),
        _ => {
            let error = json!({ "code": -32601, "message": "Method not found" });
            return Json(json!({ "jsonrpc": "2.0", "id": id, "error": error })).into_response();
        }
    };
    Json(json!({ "jsonrpc": "2.0", "id": id, "result": result })).into_response()
}

/// The same as a stream of events.
fn events(id: &Value, size: usize) -> Response {
    let text = "x".repeat(size);
    let answer = json!({ "jsonrpc": "2.0", "id": id, "result": { "content": [{ "type": "text", "text": text }] } });
    let events = format!("event: message\ndata: {answer}\n\n");
    ([(header::CONTENT_TYPE, "text/event-stream")], events).into_response()
}

/// A picture that never comes to its end.
fn endless(id: &Value) -> Response {
    let begun = json!({ "jsonrpc": "2.0", "id": id, "result": { "content": [{ "type": "image", "mimeType": "image/png", "data": "" }] } });
    let begun = begun.to_string();
    let (before, _) = begun.split_once("\"\"").expect("it is empty");
    let pieces = std::iter::once(Bytes::from(format!("{before}\"")))
        .chain(std::iter::repeat(Bytes::from("iVBORw0K".repeat(8192))));
    let body = Body::from_stream(futures_util::stream::iter(
        pieces.map(Ok::<_, std::convert::Infallible>),
    ));
    ([(header::CONTENT_TYPE, "application/json")], body).into_response()
}

/// Leads everybody elsewhere, as a post.
async fn elsewhere(State(to): State<String>) -> Response {
    (StatusCode::TEMPORARY_REDIRECT, [(header::LOCATION, to)]).into_response()
}

#[tokio::test]
async fn a_server_is_reached_with_its_key_and_what_is_too_large_is_refused() {
    let url = serve(Router::new().route("/mcp", post(mcp))).await;
    let tools = Tools::start(&settings([server("s", at(format!("{url}/mcp")))]));
    assert_eq!(text(&tools, "s__echo", json!({ "a": 1 })).await, "{\"a\":1}");
    let huge = call(&tools, "s__huge", json!({})).await;
    assert_eq!(huge, Err(ToolError::TooLarge { bytes: 4 << 20 }));
    let broken = call(&tools, "s__broken", json!({})).await;
    assert!(
        matches!(broken, Err(ToolError::Refused(ref said)) if said.contains("HTTP 500")),
        "{broken:?}"
    );
    let streamed = call(&tools, "s__streamed", json!({})).await;
    assert_eq!(streamed, Err(ToolError::TooLarge { bytes: 4 << 20 }));
    assert_eq!(call(&tools, "s__breaks_off", json!({})).await, Err(ToolError::Died));
    let endless = call(&tools, "s__endless", json!({})).await;
    assert_eq!(endless, Err(ToolError::TooLarge { bytes: 4 << 20 }));
    assert_eq!(
        text(&tools, "s__echo", json!({ "a": 2 })).await,
        "{\"a\":2}",
        "it is as good as before"
    );
    tools.close().await;
}

#[tokio::test]
async fn a_redirect_is_followed_at_the_same_address_alone() {
    let url = serve(Router::new().route("/mcp", post(mcp))).await;
    let away = Router::new()
        .route("/mcp", post(elsewhere))
        .with_state(format!("{url}/mcp"));
    let away = serve(away).await;
    assert_eq!(trouble(format!("{away}/mcp")).await, Trouble::Redirected);
    for private in [
        "http://169.254.169.254/latest/meta-data/",
        "http://10.0.0.1/mcp",
        "http://[::1]:1/mcp",
    ] {
        let inwards = Router::new()
            .route("/mcp", post(elsewhere))
            .with_state(private.to_owned());
        let inwards = serve(inwards).await;
        assert_eq!(
            trouble(format!("{inwards}/mcp")).await,
            Trouble::Redirected,
            "{private}"
        );
    }
    let within = Router::new()
        .route("/mcp/", post(mcp))
        .route("/mcp", post(elsewhere))
        .with_state("/mcp/".to_owned());
    let within = serve(within).await;
    let tools = Tools::start(&settings([server("s", at(format!("{within}/mcp")))]));
    assert_eq!(text(&tools, "s__echo", json!({})).await, "{}");
    tools.close().await;
    let round = Router::new()
        .route("/mcp", post(elsewhere))
        .with_state("/mcp".to_owned());
    assert_eq!(
        trouble(format!("{}/mcp", serve(round).await)).await,
        Trouble::Redirected
    );
}

#[tokio::test]
async fn what_is_wrong_with_a_server_is_told_apart() {
    let fixed = |status: StatusCode| Router::new().route("/mcp", post(move || async move { status }));
    for (status, expected) in [
        (StatusCode::UNAUTHORIZED, Trouble::Unauthorized),
        (StatusCode::FORBIDDEN, Trouble::Unauthorized),
        (StatusCode::NOT_FOUND, Trouble::Refused("HTTP 404".to_owned())),
        (StatusCode::BAD_GATEWAY, Trouble::Refused("HTTP 502".to_owned())),
    ] {
        let url = serve(fixed(status)).await;
        assert_eq!(trouble(format!("{url}/mcp")).await, expected, "{status}");
    }
    let page = Router::new().route("/mcp", post(|| async { axum::response::Html("<h1>Hello</h1>") }));
    let said = trouble(format!("{}/mcp", serve(page).await)).await;
    assert!(matches!(said, Trouble::Protocol(_)), "{said:?}");
    // Nobody listens on a port that has just been free.
    let nobody = format!("http://127.0.0.1:{}/mcp", anteroom_pgtest::free_port());
    assert_eq!(trouble(nobody).await, Trouble::NoAnswer);
}
