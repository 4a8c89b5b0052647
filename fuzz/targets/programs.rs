//! The doors of programs, in front of whatever bodies they may send: nothing fails, every refusal and every event has its shape, nobody sees or uses
//! what is another key's, and what is taken in is whole.
//!
//! Input: a path in the first line, the body after it. `{conversation}` and `{task}` are ours, the task is done; `{theirs}` is another key's task.
#![no_main]

use std::{
    sync::{Arc, LazyLock, Mutex},
    time::Duration,
};

use anteroom::{
    accounts::{Scopes, keys::Made},
    engine::Engine,
    logs::Logs,
    settings::Settings,
};
use anteroom_app::server::pages;
use anteroom_loopback::{Config, Loopback};
use axum::{
    Router,
    body::Body,
    http::{Method, Request, StatusCode, header},
};
use http_body_util::BodyExt as _;
use libfuzzer_sys::{Corpus, fuzz_target};
use serde_json::{Value, json};
use tokio::{
    runtime::Runtime,
    time::{sleep, timeout},
};
use tower::ServiceExt as _;

const HOST: &str = "chat.example";
/// Another key's words.
const SECRET: &str = "quetzalcoatlus";
/// No honest request takes nearly as long.
const PATIENCE: Duration = Duration::from_secs(20);
const PATHS: [&str; 9] = [
    "/v1/chat/completions",
    "/v1/responses",
    "/v1/embeddings",
    "/api/v1/chat",
    "/api/v1/chat/stream",
    "/api/v1/tasks",
    "/api/v1/conversations",
    "/api/v1/conversations/{conversation}/turns",
    "/chat/async",
];

static SITE: LazyLock<Mutex<Site>> = LazyLock::new(|| Mutex::new(Site::new()));

fuzz_target!(|data: &[u8]| -> Corpus {
    let site = SITE.lock().expect("a panic ends the process");
    site.check(data)
});

/// A site with two keys, in front of the demo model and of a model server.
struct Site {
    runtime: Runtime,
    site: Router,
    key: String,
    places: Vec<(&'static str, String)>,
    _model: Loopback,
}

struct Answer {
    status: StatusCode,
    kind: String,
    body: String,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|fault| panic!("{fault}: {:?}", self.body))
    }
}

impl Site {
    fn new() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        // Whoever starts this clears it away: xtask gives each run a TMPDIR of its own.
        let data = tempfile::tempdir().expect("a folder").keep();
        let (engine, model) = runtime.block_on(async {
            let model = Loopback::start(Config::default()).await.expect("a free port");
            let variables = [
                ("DATA_DIR", data.display().to_string()),
                ("MODEL", "demo@builtin".to_owned()),
                ("MODELS", "loopback@openai,text-embedding-x@openai".to_owned()),
                ("OPENAI_BASE_URL", model.base_url()),
                ("CHAT_CONCURRENCY_LIMIT", "4".to_owned()),
                ("DEMO_FIRST_TOKEN", "0".to_owned()),
                ("DEMO_SPEED", "100000".to_owned()),
                ("MODEL_RETRIES", "0".to_owned()),
            ];
            let variables = variables.map(|(name, value)| (name.to_owned(), value));
            // This program would read its fuzz: no document is taken here.
            anteroom::papers::read_with("/nowhere/reads".into());
            let loaded = Settings::load(variables, None).expect("good settings");
            (Engine::start(loaded, Logs::default()).await.expect("an engine"), model)
        });
        let (key, other) = runtime.block_on(async { (a_key(&engine, "ours").await, a_key(&engine, "theirs").await) });
        let mut site = Self {
            runtime,
            site: pages::router(&engine),
            key: other,
            places: Vec::new(),
            _model: model,
        };
        let secret = json!({ "message": SECRET }).to_string();
        let theirs = site.expect("/api/v1/tasks", secret).json()["id"].clone();
        site.key = key;
        let hello = json!({ "message": "hello" }).to_string();
        let task = site.expect("/api/v1/tasks", hello.clone()).json()["id"].clone();
        let conversation = site.expect("/api/v1/conversations", hello).json()["conversation"].clone();
        let text = |id: Value| id.as_str().expect("an id").to_owned();
        let task = text(task);
        let path = format!("/api/v1/tasks/{task}");
        while site.ask(Method::GET, &path, String::new()).json()["state"] != "done" {
            site.runtime.block_on(sleep(Duration::from_millis(5)));
        }
        site.places = vec![
            ("{conversation}", text(conversation)),
            ("{task}", task),
            ("{theirs}", text(theirs)),
        ];
        site
    }

    fn expect(&self, path: &str, body: String) -> Answer {
        let answer = self.ask(Method::POST, path, body);
        assert!(answer.status.is_success(), "{path}: {} {}", answer.status, answer.body);
        answer
    }

    fn ask(&self, method: Method, path: &str, body: String) -> Answer {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, HOST)
            .header(header::AUTHORIZATION, format!("Bearer {}", self.key))
            .header(header::CONTENT_TYPE, "application/json")
            .body(Body::from(body))
            .expect("a request");
        self.runtime.block_on(async {
            let whole = async {
                let Ok(response) = self.site.clone().oneshot(request).await;
                let (parts, body) = response.into_parts();
                let body = body.collect().await.expect("a whole body").to_bytes();
                let kind = parts.headers.get(header::CONTENT_TYPE);
                Answer {
                    status: parts.status,
                    kind: kind.map_or("", |kind| kind.to_str().expect("text")).to_owned(),
                    body: String::from_utf8(body.to_vec()).expect("UTF-8"),
                }
            };
            timeout(PATIENCE, whole).await.expect("an answer in time")
        })
    }

    fn check(&self, data: &[u8]) -> Corpus {
        let mut text = String::from_utf8_lossy(data).into_owned();
        let is_known = text.lines().next().is_some_and(|path| PATHS.contains(&path));
        // What the model server is told to do in brackets is not what this is about.
        if !is_known || text.contains("[[") {
            return Corpus::Reject;
        }
        for (place, value) in &self.places {
            text = text.replace(place, value);
        }
        let (path, body) = text.split_once('\n').unwrap_or((&text, ""));
        let answer = self.ask(Method::POST, path, body.to_owned());
        let (status, said) = (answer.status, &answer.body);
        assert_ne!(status, StatusCode::INTERNAL_SERVER_ERROR, "{text}: {said}");
        assert!(
            !said.contains(SECRET) || text.contains(SECRET),
            "another key's words for {text}: {said}"
        );
        if answer.kind.starts_with("text/event-stream") {
            assert_eq!(status, StatusCode::OK, "{text}");
            stream(path, said);
        } else if status.is_success() {
            let json = answer.json();
            if status == StatusCode::ACCEPTED && (path == "/api/v1/tasks" || path == "/chat/async") {
                self.taken_in(&text, body, &json);
            }
        } else {
            refusal(path, &answer.json());
        }
        Corpus::Keep
    }

    /// A batch is there as it was sent, and is taken away again.
    fn taken_in(&self, text: &str, body: &str, told: &Value) {
        assert!(
            !text.contains(self.places[2].1.as_str()) || !uses(body, &self.places[2].1),
            "{text}: {told}"
        );
        let batch = told["batch"].as_str().expect("an id");
        let path = format!("/api/v1/tasks/batches/{batch}");
        let cancelled = self.ask(Method::DELETE, &path, String::new());
        assert_eq!(cancelled.status, StatusCode::OK, "{text}: {}", cancelled.body);
        let cancelled = cancelled.json();
        let tasks = told["tasks"].as_array().expect("tasks").len();
        assert_eq!(cancelled["tasks"], tasks, "{text}");
        let over: u64 = ["done", "failed", "cancelled"]
            .iter()
            .map(|state| cancelled[*state].as_u64().expect("a number"))
            .sum();
        assert_eq!(over, tasks as u64, "{text}: {cancelled}");
    }
}

/// Whether a task of this batch needs one of this id.
fn uses(body: &str, id: &str) -> bool {
    let Ok(batch) = serde_json::from_str::<Value>(body) else {
        return false;
    };
    let needs = |task: &Value| {
        let named = task["depends_on"].as_array().into_iter().flatten();
        named.into_iter().any(|needed| needed == id)
    };
    match &batch["tasks"] {
        Value::Array(tasks) => tasks.iter().any(needs),
        _ => needs(&batch),
    }
}

/// A key that lets its program do its work.
async fn a_key(engine: &Arc<Engine>, name: &str) -> String {
    let Made { key, token } = Made::new(name, Scopes::WORK, None).expect("a name");
    let id = key.id;
    assert_eq!(engine.store().add_key(key).await, Ok(true));
    engine.keys().look_again();
    while engine.keys().find(id).is_none() {
        sleep(Duration::from_millis(5)).await;
    }
    token.reveal().to_owned()
}

/// Each line is one of an event or a comment, each event has JSON, and no empty line stands by itself.
fn stream(path: &str, said: &str) {
    assert!(
        said.is_empty() || said.ends_with("\n\n") || said.ends_with('\n'),
        "{said:?}"
    );
    let is_openai = path.starts_with("/v1/");
    let mut in_event = false;
    for line in said.lines() {
        if let Some(data) = line.strip_prefix("data:") {
            let data = data.trim_start();
            in_event = true;
            assert!(
                data == "[DONE]" || serde_json::from_str::<Value>(data).is_ok(),
                "{path}: {line}"
            );
        } else if line.is_empty() {
            assert!(
                in_event || !is_openai,
                "{path}: an empty line outside of an event: {said:?}"
            );
            in_event = false;
        } else if line.starts_with(':') {
            assert!(!in_event, "{path}: a comment within an event: {said:?}");
        } else {
            let is_field = line.starts_with("event: ") || line.starts_with("id: ") || line.starts_with("retry: ");
            assert!(is_field, "{path}: {line}");
            in_event = true;
        }
    }
}

/// In the shape of its API.
fn refusal(path: &str, said: &Value) {
    let is_text = |value: &Value| value.as_str().is_some_and(|text| !text.is_empty());
    if path.starts_with("/v1/") {
        let error = &said["error"];
        assert!(is_text(&error["message"]) && is_text(&error["type"]), "{path}: {said}");
        assert!(
            error.get("param").is_some() && error.get("code").is_some(),
            "{path}: {said}"
        );
    } else {
        assert!(
            is_text(&said["reason"]["code"]) && is_text(&said["message"]),
            "{path}: {said}"
        );
    }
}
