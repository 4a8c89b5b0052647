//! A site in which everything that can be called something is called by the same words.

use anteroom::{
    accounts::Scopes,
    wire::{ConversationId, FileView, TurnId},
};
use axum::{
    Json, Router,
    http::StatusCode,
    response::{IntoResponse as _, Response},
    routing::post,
};
use reqwest::{Client, RequestBuilder, header, redirect};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::{net::TcpListener, task::JoinHandle};

use super::encoded;
use crate::{
    along::{self, Guest},
    api::keyed_as,
    operator::operator,
    support::{Browser, Site, program::Program},
    tasks,
};

const OPERATOR: &str = "the-key-of-the-operator";

/// The most of a prompt's name that there may be.
const LONGEST_NAME: usize = 80;

/// One browser, which is the operator's, with one of everything, and who else may ask.
pub(crate) struct World {
    pub(super) words: String,
    pub(crate) site: Site,
    pub(crate) browser: Browser,
    pub(super) confirmation: String,
    pub(super) conversation: ConversationId,
    /// In which a tool was used.
    pub(super) turn: TurnId,
    pub(super) file: FileView,
    /// A document.
    pub(super) paper: FileView,
    pub(super) guest: Guest,
    /// A link that nobody has opened.
    pub(super) link: String,
    pub(super) program: Program,
    pub(super) key: String,
    /// The program's conversation, and its turn.
    pub(super) talk: [String; 2],
    /// The program's file, and its document.
    pub(super) own: [String; 2],
    pub(super) task: String,
    pub(super) batch: String,
    tool_server: JoinHandle<()>,
    _folder: TempDir,
}

impl Drop for World {
    fn drop(&mut self) {
        self.tool_server.abort();
    }
}

impl World {
    pub(crate) async fn of(words: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let (address, tool_server) = serve_tools(words).await;
        let [prompts, tools] = ["prompts.toml", "mcp.json"].map(|name| folder.path().join(name));
        std::fs::write(&prompts, prompts_of(words)).expect("written");
        std::fs::write(&tools, tools_of(words, &address)).expect("written");
        let site = Site::start(&[
            ("OPERATOR_KEY", OPERATOR),
            ("PROMPTS_FILE", &prompts.display().to_string()),
            ("MCP_FILE", &tools.display().to_string()),
            ("SECRET_KEY", "0123456789012345678901234567890123456789"),
        ])
        .await;
        let mut browser = operator(&site.browser().await, OPERATOR).await;
        // Where a form leads is looked at, not gone to.
        let client = Client::builder().no_proxy().redirect(redirect::Policy::none());
        browser.http = client.build().expect("a client");
        let mut feed = browser.feed().await;
        let file = browser
            .uploaded(&encoded(&format!("{words}.txt")), words.to_owned())
            .await;
        let html = format!("<!doctype html><html><body><p>{}</p></body></html>", escaped(words));
        let paper = browser.uploaded(&encoded(&format!("{words}.html")), html.clone()).await;
        let ask = format!("use tool open__whose with {}", json!({ "x": words }));
        let used = browser.send_with(None, &ask, vec![file.id, paper.id]).await;
        feed.over(used.turn).await;
        let conversation = used.conversation;
        let said = browser.send_with(Some(conversation), words, Vec::new()).await;
        feed.over(said.turn).await;
        let id = conversation.to_string();
        let renamed = browser.call("rename", &[("conversation", &id), ("title", words)]).await;
        assert_eq!(renamed.status, StatusCode::OK, "{renamed:?}");
        let choice = json!({ "conversation": id, "choice": {
            "model": null, "instructions": words, "temperature": null, "max_tokens": null, "without_tools": false,
        } });
        let choose = browser
            .post("/api/choose")
            .header(header::CONTENT_TYPE, "application/json");
        let chosen = browser.ask(choose.body(choice.to_string())).await;
        assert_eq!(chosen.status, StatusCode::OK, "{chosen:?}");

        let guest = along::open(&site, &along::link(&browser, conversation, "kind=watch").await).await;
        let link = along::link(&browser, conversation, "kind=watch").await;
        let (key, program) = keyed_as(&site, Scopes::WORK, words).await;
        let body = json!({ "message": words, "system": words });
        let talk = program.ask(program.post("/api/v1/conversations", &body)).await;
        assert_eq!(talk.status, StatusCode::OK, "{talk:?}");
        let talk = ["conversation", "id"].map(|name| talk.json[name].as_str().expect("an id").to_owned());
        let mut own = [const { String::new() }; 2];
        for (id, (kind, content)) in own.iter_mut().zip([("txt", words.to_owned()), ("html", html)]) {
            let name = encoded(&format!("{words}.{kind}"));
            let taken = program
                .ask(program.send(&format!("/api/v1/files?name={name}"), content))
                .await;
            assert_eq!(taken.status, StatusCode::OK, "{taken:?}");
            taken.json["id"].as_str().expect("an id").clone_into(id);
        }
        let name: String = words.chars().take(60).collect();
        let body = json!({ "message": words, "name": name.trim(), "metadata": { "row": words } });
        let task = tasks::accepted(&program, &body).await.remove(0);
        let batch = tasks::over(&program, &task).await["batch"]
            .as_str()
            .expect("a batch")
            .to_owned();
        let overview = browser.overview().await;
        let confirmation = overview["confirmation"].as_str().expect("text").to_owned();
        Self {
            words: words.to_owned(),
            site,
            browser,
            confirmation,
            conversation,
            turn: used.turn,
            file,
            paper,
            guest,
            link,
            program,
            key: key.0.to_string(),
            talk,
            own,
            task,
            batch,
            tool_server,
            _folder: folder,
        }
    }

    /// A path of the table, with what is here.
    pub(super) fn path(&self, template: &str) -> String {
        let ([talk, talk_turn], words) = (&self.talk, encoded(&self.words));
        let ids = [
            self.conversation.to_string(),
            self.turn.to_string(),
            self.file.id.to_string(),
            self.paper.id.to_string(),
        ];
        let [conversation, turn, file, paper] = &ids;
        let places: [(&str, &str); 14] = [
            ("{words}", &words),
            ("{conversation}", conversation),
            ("{turn}", turn),
            ("{file}", file),
            ("{paper}", paper),
            ("{guest}", &self.guest.path),
            ("{link}", &self.link),
            ("{talk}", talk),
            ("{talk_turn}", talk_turn),
            ("{task}", &self.task),
            ("{batch}", &self.batch),
            ("{key}", &self.key),
            ("{own_file}", &self.own[0]),
            ("{own_paper}", &self.own[1]),
        ];
        let put = |path: String, (place, value): (&str, &str)| path.replace(place, value);
        places.into_iter().fold(template.to_owned(), put)
    }

    /// What a prompt is called here.
    pub(super) fn prompt(&self) -> String {
        self.words.chars().take(LONGEST_NAME).collect()
    }

    /// A request of whoever watches by the pass.
    pub(super) fn of_guest(&self, path: &str) -> RequestBuilder {
        let guest = Browser {
            cookie: self.guest.cookie.clone(),
            ..self.browser.clone()
        };
        guest.get(path)
    }
}

fn escaped(words: &str) -> String {
    words.replace('&', "&amp;").replace('<', "&lt;")
}

/// What JSON writes, TOML reads.
fn prompts_of(words: &str) -> String {
    let name: String = words.chars().take(LONGEST_NAME).collect();
    let prompt = |starter| {
        format!(
            "[[prompt]]\nname = {}\ntext = {}\nstarter = {starter}\n",
            json!(name),
            json!(words)
        )
    };
    [prompt(true), prompt(false)].concat()
}

/// A server whose tools anybody may use, and one that wants a key of each person.
fn tools_of(words: &str, address: &str) -> String {
    json!({
        "inputs": [{ "type": "promptString", "id": "key", "description": words, "password": true }],
        "mcpServers": {
            "open": { "url": address },
            "own": { "url": address, "headers": { "X-Key": "${input:key}" } },
        },
    })
    .to_string()
}

async fn serve_tools(words: &str) -> (String, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = format!("http://{}/mcp", listener.local_addr().expect("an address"));
    let words = words.to_owned();
    let answer = async move |Json(message): Json<Value>| answered(&words, &message);
    let server = tokio::spawn(async move {
        let router = Router::new().route("/mcp", post(answer));
        axum::serve(listener, router).await.expect("it serves");
    });
    (address, server)
}

/// Whatever it is asked for, it says the words.
fn answered(words: &str, message: &Value) -> Response {
    let (id, text) = (&message["id"], json!({ "type": "text", "text": words }));
    let result = match message["method"].as_str() {
        Some("initialize") => json!({
            "protocolVersion": "2025-06-18", "serverInfo": { "name": words, "version": words },
            "capabilities": { "tools": {}, "resources": {}, "prompts": {} },
        }),
        Some("tools/list") => json!({ "tools": [{
            "name": "whose", "title": words, "description": words,
            "inputSchema": { "type": "object", "properties": { "x": { "type": "string", "description": words } } },
            "annotations": { "readOnlyHint": true, "openWorldHint": false },
        }] }),
        Some("tools/call") => json!({ "content": [text] }),
        Some("resources/list") => json!({ "resources": [{
            "uri": "test://one", "name": words, "title": words, "description": words, "mimeType": "text/plain",
        }] }),
        Some("resources/templates/list") => json!({ "resourceTemplates": [{
            "uriTemplate": "test://of/{x}", "name": words, "title": words, "description": words,
        }] }),
        Some("resources/read") => {
            json!({ "contents": [{ "uri": "test://one", "mimeType": "text/plain", "text": words }] })
        }
        Some("prompts/list") => json!({ "prompts": [{
            "name": "one", "title": words, "description": words,
            "arguments": [{ "name": "x", "title": words, "description": words }],
        }] }),
        Some("prompts/get") => json!({ "description": words, "messages": [{ "role": "user", "content": text }] }),
        Some(method) if method.starts_with("notifications/") => return StatusCode::ACCEPTED.into_response(),
        _ => {
            let error = json!({ "code": -32601, "message": words });
            return Json(json!({ "jsonrpc": "2.0", "id": id, "error": error })).into_response();
        }
    };
    Json(json!({ "jsonrpc": "2.0", "id": id, "result": result })).into_response()
}
