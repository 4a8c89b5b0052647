//! What a server has for people.

use std::collections::BTreeMap;

use super::*;
use crate::tools::{Asker, Source, Wanted};

fn with(answers: &[(&'static str, Value)]) -> Arc<Fake> {
    Arc::new(Fake {
        answers: Mutex::new(answers.iter().cloned().collect()),
        ..Fake::default()
    })
}

fn listed() -> (&'static str, Value) {
    let notes = json!({ "uri": "a://notes", "name": "notes.md", "description": "What was said" });
    ("resources/list", json!({ "resources": [notes, { "nothing": 1 }] }))
}

fn wanted(uri: &str) -> Wanted {
    Wanted::Listed(uri.to_owned())
}

#[tokio::test(start_paused = true)]
async fn a_resource_that_is_listed_is_read_and_no_other() {
    let text = json!({ "contents": [{ "uri": "a://notes", "text": "words" }] });
    // Of templates it says nothing at all, which costs nobody the list.
    let silent = ("resources/templates/list", Value::Null);
    let fake = with(&[listed(), silent, ("resources/read", text)]);
    let tools = start(&fake);
    assert_eq!(fake.dials(), 0, "nothing is started before somebody looks");
    let all = tools.resources("s", &Asker::default()).await.expect("a list");
    assert_eq!((all.listed.len(), all.templates.len()), (1, 0));
    let file = tools
        .read("s", &wanted("a://notes"), &Asker::default())
        .await
        .expect("a file");
    assert_eq!((file.name.as_str(), &*file.content), ("s – notes.md", &b"words"[..]));
    let other = tools.read("s", &wanted("file:///etc/passwd"), &Asker::default()).await;
    assert_eq!(other, Err(ToolError::NotThere));
    let asked = fake.asked.lock().expect("whole").clone();
    let read = asked.iter().filter(|asked| asked["method"] == "resources/read");
    let read: Vec<_> = read.map(|asked| asked["params"]["uri"].clone()).collect();
    assert_eq!(read, ["a://notes"]);
    assert_eq!(
        tools.resources("other", &Asker::default()).await,
        Err(ToolError::NotThere)
    );
    assert_eq!(fake.dials(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_template_is_filled_in() {
    let templates = json!({ "resourceTemplates": [{ "uriTemplate": "a://orders/{id}", "name": "order" }] });
    let text = json!({ "contents": [{ "uri": "a://orders/7", "mimeType": "application/json", "text": "{}" }] });
    let fake = with(&[
        listed(),
        ("resources/templates/list", templates),
        ("resources/read", text),
    ]);
    let tools = start(&fake);
    let filled = |id: &str| Wanted::Filled {
        template: "a://orders/{id}".to_owned(),
        values: BTreeMap::from([("id".to_owned(), id.to_owned())]),
    };
    let file = tools
        .read("s", &filled("7/8"), &Asker::default())
        .await
        .expect("a file");
    assert_eq!(file.name, "s – order.json");
    let asked = fake.asked.lock().expect("whole").last().cloned().expect("one");
    assert_eq!(asked["params"]["uri"], "a://orders/7%2F8");
    assert_eq!(
        tools.read("s", &filled(""), &Asker::default()).await,
        Err(ToolError::NotThere)
    );
}

#[tokio::test(start_paused = true)]
async fn a_prompt_is_had_with_its_arguments() {
    let prompts = json!({ "prompts": [{ "name": "review", "arguments": [{ "name": "lang", "required": true }] }] });
    let said = json!({ "messages": [{ "role": "user", "content": { "type": "text", "text": "Review this" } }] });
    let fake = with(&[("prompts/list", prompts), ("prompts/get", said)]);
    let tools = start(&fake);
    let all = tools.prompts("s", &Asker::default()).await.expect("a list");
    assert!(all[0].key == "review" && all[0].arguments[0].required);
    let arguments = BTreeMap::from([("lang".to_owned(), "Rust".to_owned())]);
    let prompt = tools
        .prompt("s", "review", arguments, &Asker::default())
        .await
        .expect("a prompt");
    assert_eq!(prompt.text, "Review this");
    let asked = fake.asked.lock().expect("whole").last().cloned().expect("one");
    assert_eq!(asked["params"]["name"], "review");
    assert_eq!(asked["params"]["arguments"], json!({ "lang": "Rust" }));
}

#[tokio::test(start_paused = true)]
async fn what_a_server_does_not_have_is_not_looked_for_again() {
    let fake = Fake::with(&["echo"]);
    let tools = start(&fake);
    let may = |resources, prompts| {
        vec![Source {
            server: "s".to_owned(),
            resources,
            prompts,
        }]
    };
    assert_eq!(tools.sources(), may(true, true), "nobody knows yet");
    assert!(tools.resources("s", &Asker::default()).await.expect("none").is_empty());
    assert!(tools.prompts("s", &Asker::default()).await.expect("none").is_empty());
    assert_eq!(tools.sources(), []);
    assert!(fake.asked.lock().expect("whole").is_empty());
}

#[tokio::test(start_paused = true)]
async fn an_operator_keeps_them_from_people() {
    let fake = with(&[listed()]);
    let kept = ToolServer {
        resources: false,
        ..server("s")
    };
    let tools = Tools::start_with(&settings([kept]), Arc::new(Arc::clone(&fake)));
    assert!(tools.sources().iter().all(|source| !source.resources && source.prompts));
    assert_eq!(tools.resources("s", &Asker::default()).await, Err(ToolError::NotThere));
    assert_eq!(
        tools.read("s", &wanted("a://notes"), &Asker::default()).await,
        Err(ToolError::NotThere)
    );
    assert_eq!(fake.dials(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_does_not_answer_is_given_up_and_told() {
    let fake = with(&[("resources/list", Value::Null)]);
    let tools = start(&fake);
    let began = tokio::time::Instant::now();
    assert_eq!(
        tools.resources("s", &Asker::default()).await,
        Err(ToolError::TimedOut { seconds: 60 })
    );
    assert_eq!(began.elapsed().as_secs(), 60);
    fake.until(|fake| fake.cancelled.load(Ordering::SeqCst) == 1).await;
    // One that cannot be reached at all.
    let broken = Arc::new(Fake::default());
    broken.broken.store(1, Ordering::SeqCst);
    let tools = start(&broken);
    let unreachable = Err(ToolError::Unreachable(Trouble::NoAnswer));
    assert_eq!(tools.resources("s", &Asker::default()).await, unreachable);
}
