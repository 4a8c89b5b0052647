//! What its owner has said of tools for a whole conversation, on a page that works without scripts: shown, taken back, and nobody else's.

use std::path::Path;

use anteroom::wire::{ConversationId, Sent, StepState, TurnId, TurnView};
use axum::{
    Json, Router,
    http::StatusCode,
    response::{IntoResponse as _, Response},
    routing::post,
};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::{Client, header, redirect};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpListener;

use crate::support::{Browser, Html, Reply, Site, answer_of};

/// A server with one tool, which says of itself that it changes something.
async fn mcp(Json(message): Json<Value>) -> Response {
    let result = match message["method"].as_str() {
        Some("initialize") => json!({
            "protocolVersion": "2025-06-18", "capabilities": { "tools": {} }, "serverInfo": { "name": "t", "version": "1" },
        }),
        Some("tools/list") => json!({ "tools": [{ "name": "write", "inputSchema": { "type": "object" } }] }),
        Some("tools/call") => json!({ "content": [{ "type": "text", "text": "written" }] }),
        Some(method) if method.starts_with("notifications/") => return StatusCode::ACCEPTED.into_response(),
        _ => {
            let error = json!({ "code": -32601, "message": "Method not found" });
            return Json(json!({ "jsonrpc": "2.0", "id": message["id"], "error": error })).into_response();
        }
    };
    Json(json!({ "jsonrpc": "2.0", "id": message["id"], "result": result })).into_response()
}

/// A site whose models may use that tool, and are to ask before.
pub(crate) async fn site() -> (Site, TempDir) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("bound");
    let url = format!("http://{}/mcp", listener.local_addr().expect("an address"));
    tokio::spawn(async move { axum::serve(listener, Router::new().route("/mcp", post(mcp))).await });
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("mcp.json");
    let servers = json!({ "mcpServers": { "t": { "url": url } } });
    std::fs::write(&file, servers.to_string()).expect("written");
    (Site::start(&[("MCP_FILE", text(&file))]).await, folder)
}

fn text(path: &Path) -> &str {
    path.to_str().expect("text")
}

async fn get(browser: &Browser, path: &str) -> Reply {
    browser.ask(browser.get(path).header(header::ACCEPT, "text/html")).await
}

/// Sends a form, as a browser without scripts does, with the confirmation of `of`.
async fn submit(browser: &Browser, of: &Browser, action: &str, fields: &str) -> Reply {
    let overview = of.overview().await;
    let confirmation = overview["confirmation"].as_str().expect("text");
    let confirmation = utf8_percent_encode(confirmation, NON_ALPHANUMERIC);
    let device = Client::builder().no_proxy().redirect(redirect::Policy::none());
    let form = device
        .build()
        .expect("a client")
        .post(format!("http://{}/api/form/{action}", browser.addr))
        .header(header::COOKIE, &browser.cookie)
        .header(header::ACCEPT, "text/html")
        .header(header::ORIGIN, format!("http://{}", browser.addr))
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    browser
        .ask(form.body(format!("confirmation={confirmation}&{fields}")))
        .await
}

async fn asked(browser: &Browser, conversation: Option<ConversationId>) -> Sent {
    let sent = browser.send_with(conversation, "use tool t__write", Vec::new()).await;
    until_asked(browser, sent.conversation, sent.turn).await;
    sent
}

async fn until_asked(browser: &Browser, conversation: ConversationId, turn: TurnId) {
    crate::support::soon("a question for leave", async {
        loop {
            let view = browser.conversation(conversation).await.expect("there");
            let one = view.turns.iter().find(|one| one.id == turn).expect("there");
            if one.steps.iter().any(|step| step.state == StepState::Asks) {
                return;
            }
            assert!(!one.state.is_over(), "{one:?}");
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    })
    .await;
}

fn states(turn: &TurnView) -> Vec<&StepState> {
    turn.steps.iter().map(|step| &step.state).collect()
}

#[tokio::test]
async fn what_was_said_of_a_tool_is_shown_and_taken_back_by_whom_it_is_of() {
    let (site, _folder) = site().await;
    let (browser, other) = (site.browser().await, site.browser().await);
    for (answer, allowed, says) in [
        ("never", "false", "“write” of t is not used."),
        ("conversation", "true", "“write” of t is used without asking you."),
    ] {
        let sent = asked(&browser, None).await;
        let page = format!("/c/{}/tools", sent.conversation);
        let before = get(&browser, &page).await;
        assert_eq!(before.status, StatusCode::OK);
        assert!(before.text.contains("You have said nothing of any tool"), "{before:?}");
        let answered = format!(
            "conversation={}&turn={}&step=0&answer={answer}",
            sent.conversation, sent.turn
        );
        let reply = submit(&browser, &browser, "step", &answered).await;
        assert_eq!(reply.status, StatusCode::SEE_OTHER, "{reply:?}");
        let state = match allowed {
            "true" => StepState::Done,
            _ => StepState::Denied,
        };
        assert_eq!(states(&answer_of(&browser, sent.turn).await), [&state]);
        let next = browser
            .send_with(Some(sent.conversation), "use tool t__write", Vec::new())
            .await;
        let turn = answer_of(&browser, next.turn).await;
        assert_eq!(states(&turn), [&state], "nobody is asked: {turn:?}");

        let shown = get(&browser, &page).await;
        assert!(
            shown.text.contains(&format!("data-allowed=\"{allowed}\"")) && Html::read(&shown.text).says(says),
            "{shown:?}"
        );
        let stranger = get(&other, &page).await;
        assert_eq!(stranger.status, StatusCode::NOT_FOUND, "{stranger:?}");
        assert!(!stranger.text.contains("write"), "{stranger:?}");

        // Neither with somebody else's page, nor for somebody else's conversation.
        let back = format!("conversation={}&tool=t%2Fwrite", sent.conversation);
        let forged = submit(&browser, &other, "leave-back", &back).await;
        assert_eq!(forged.status, StatusCode::FORBIDDEN, "{forged:?}");
        submit(&other, &other, "leave-back", &back).await;
        assert_eq!(get(&browser, &page).await.text, shown.text);
        let reply = submit(&browser, &browser, "leave-back", &back).await;
        assert_eq!(reply.status, StatusCode::SEE_OTHER, "{reply:?}");
        let after = get(&browser, &page).await;
        assert!(after.text.contains("You have said nothing of any tool"), "{after:?}");
        let last = asked(&browser, Some(sent.conversation)).await;
        assert!(browser.cancel(last.turn).await);
    }
    for wrong in ["/c/x/tools".to_owned(), format!("/c/{}/tools", ConversationId::new())] {
        let reply = get(&browser, &wrong).await;
        assert_eq!(reply.status, StatusCode::NOT_FOUND, "{wrong}");
    }
}
