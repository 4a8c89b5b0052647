//! Servers that each person has a connection of their own to: programs and addresses.

use std::collections::{BTreeMap, BTreeSet};

use anteroom::{
    settings::Settings,
    tools::{Given, OwnKey, Trouble},
};
use axum::{
    Json, Router,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse as _, Response},
    routing::post,
};
use serde_json::json;
use tokio::net::TcpListener;

use super::*;

/// A server that says whose key it was called with, and takes none that is old.
async fn mcp(headers: HeaderMap, Json(message): Json<Value>) -> Response {
    let key = headers.get(header::AUTHORIZATION).and_then(|key| key.to_str().ok());
    let Some(key) = key.and_then(|key| key.strip_prefix("Bearer ")) else {
        return StatusCode::UNAUTHORIZED.into_response();
    };
    let id = &message["id"];
    let result = match message["method"].as_str() {
        _ if key == "old" => return StatusCode::UNAUTHORIZED.into_response(),
        Some("initialize") => json!({
            "protocolVersion": "2025-06-18", "capabilities": { "tools": {} }, "serverInfo": { "name": "t", "version": "1" },
        }),
        Some("tools/list") => json!({ "tools": [{ "name": "whose", "inputSchema": { "type": "object" } }] }),
        // One that was revoked after the connection was made.
        Some("tools/call") if key == "revoked" => return StatusCode::UNAUTHORIZED.into_response(),
        Some("tools/call") => json!({ "content": [{ "type": "text", "text": key }] }),
        Some(method) if method.starts_with("notifications/") => return StatusCode::ACCEPTED.into_response(),
        _ => {
            let error = json!({ "code": -32601, "message": "Method not found" });
            return Json(json!({ "jsonrpc": "2.0", "id": id, "error": error })).into_response();
        }
    };
    Json(json!({ "jsonrpc": "2.0", "id": id, "result": result })).into_response()
}

/// Both kinds of servers, as a file names them.
async fn tools() -> Tools {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("bound");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move { axum::serve(listener, Router::new().route("/mcp", post(mcp))).await });
    let script = folder().join("server.py");
    let file = json!({
        "inputs": [{ "type": "promptString", "id": "key", "password": true }],
        "mcpServers": {
            "web": { "url": format!("http://{address}/mcp"), "headers": { "Authorization": "Bearer ${input:key}" } },
            "program": { "command": "python3", "args": [script], "env": { "WHOSE_KEY": "${input:key}" } },
        },
    });
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("mcp.json");
    std::fs::write(&path, file.to_string()).expect("written");
    let variables = [("MCP_FILE".to_owned(), path.display().to_string())];
    let loaded = Settings::load(variables, None).expect("right");
    let named = settings([]);
    Tools::start(&ToolSettings {
        keeper: named.keeper,
        ..(*loaded.settings.tools).clone()
    })
}

fn given(server: &str, key: &str) -> Given {
    let mut digest = [0; 32];
    let name = format!("{server} {key}");
    digest[..name.len()].copy_from_slice(name.as_bytes());
    Given {
        key: OwnKey(digest),
        values: BTreeMap::from([("key".to_owned(), Secret(key.to_owned()))]),
    }
}

fn person(key: &str) -> Person {
    let given = ["web", "program"].map(|server| (server.to_owned(), given(server, key)));
    Person::new(given.into(), BTreeSet::new())
}

async fn whose(tools: &Tools, person: &Person, server: &str) -> Result<ToolOutput, ToolError> {
    let offer = tokio::time::timeout(GIVE_UP, tools.offer(person, |_| ()))
        .await
        .expect("in time");
    let tool = tools.find(person, &format!("{server}__whose"));
    let tool = tool.unwrap_or_else(|| panic!("{server} in {offer:?}"));
    let slot = tools.slot(server, Owner(1)).await;
    tools.call(person, &tool, serde_json::Map::new(), slot, |_| ()).await
}

#[tokio::test]
async fn two_people_at_once_are_each_themselves() {
    if !has_python() {
        return;
    }
    let tools = tools().await;
    let (anna, boris) = (person("annas-key"), person("boriss-key"));
    for server in ["web", "program"] {
        let calls = tokio::join!(
            whose(&tools, &anna, server),
            whose(&tools, &boris, server),
            whose(&tools, &anna, server),
        );
        let calls = [calls.0, calls.1, calls.2].map(|output| said(&output.expect("a result")));
        assert_eq!(calls, ["annas-key", "boriss-key", "annas-key"], "{server}");
    }
    let offer = tools.offer(&Person::nobody(), |_| ()).await;
    assert_eq!(offer.tools, []);
    let missing = offer.missing.into_iter().map(|one| (one.server, one.reason, one.own));
    assert_eq!(
        missing.collect::<Vec<_>>(),
        [
            ("program".to_owned(), Trouble::Wanted, true),
            ("web".to_owned(), Trouble::Wanted, true)
        ]
    );
    tools.close().await;
}

#[tokio::test]
async fn a_key_that_is_not_taken_is_told_when_it_is_tried_and_when_it_is_used() {
    let tools = tools().await;
    let only = |key: &str| Person::new([("web".to_owned(), given("web", key))].into(), BTreeSet::new());
    let troubles = async |person: &Person| {
        let offer = tools.offer(person, |_| ()).await;
        let web = offer.missing.into_iter().find(|one| one.server == "web");
        web.map(|one| one.reason)
    };
    assert_eq!(troubles(&only("old")).await, Some(Trouble::Unauthorized));
    let revoked = only("revoked");
    assert_eq!(whose(&tools, &revoked, "web").await, Err(ToolError::Unauthorized));
    // From then on it is left out.
    assert_eq!(troubles(&revoked).await, Some(Trouble::Unauthorized));
    assert_eq!(
        said(&whose(&tools, &only("good"), "web").await.expect("a result")),
        "good"
    );
    tools.close().await;
}
