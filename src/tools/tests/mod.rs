//! Servers of tools within this process. Those in processes of their own are in `app/tests/tools`.

mod fake;
mod listing;
mod pooling;
mod private;
mod sources;

use std::sync::{Arc, Mutex, atomic::Ordering};

use serde_json::{Map, Value, json};

use self::fake::{Fake, server, settings};
use super::*;
use crate::settings::ToolServer;

fn start(fake: &Arc<Fake>) -> Tools {
    Tools::start_with(&settings([server("s")]), Arc::new(Arc::clone(fake)))
}

async fn offered(tools: &Tools, name: &str) -> Offered {
    tools.offer(&Person::nobody(), |_| ()).await;
    tools
        .find(&Person::nobody(), &format!("s__{name}"))
        .expect("it is there")
}

async fn call(tools: &Tools, tool: &Offered) -> Result<ToolOutput, ToolError> {
    let arguments = json!({ "a": 1 }).as_object().expect("one").clone();
    let slot = tools.slot(&tool.server, Owner(1)).await;
    tools.call(&Person::nobody(), tool, arguments, slot, |_| ()).await
}

fn text(text: &str) -> Result<ToolOutput, ToolError> {
    Ok(ToolOutput {
        content: vec![Content::Text(text.to_owned())],
        failed: false,
    })
}

#[tokio::test(start_paused = true)]
async fn a_tool_is_called_with_its_arguments() {
    let fake = Fake::with(&["echo"]);
    let tools = start(&fake);
    let echo = offered(&tools, "echo").await;
    assert_eq!(call(&tools, &echo).await, text("{\"a\":1}"));
    assert_eq!((echo.tool.as_str(), echo.server.as_str()), ("echo", "s"));
    assert_eq!(echo.spec.description, "Does echo.");
    assert_eq!(echo.spec.schema, json!({ "type": "object", "properties": {} }));
}

#[tokio::test(start_paused = true)]
async fn a_call_that_hangs_ends_in_time_and_the_server_is_told() {
    let fake = Fake::with(&["hang", "echo"]);
    let tools = start(&fake);
    let hang = offered(&tools, "hang").await;
    let began = tokio::time::Instant::now();
    assert_eq!(call(&tools, &hang).await, Err(ToolError::TimedOut { seconds: 60 }));
    assert_eq!(began.elapsed().as_secs(), 60);
    fake.until(|fake| fake.cancelled.load(Ordering::SeqCst) == 1).await;
    let echo = offered(&tools, "echo").await;
    assert_eq!(call(&tools, &echo).await, text("{\"a\":1}"));
    assert_eq!(fake.dials(), 1, "the connection is as good as before");
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_dropped_is_cancelled_and_its_slot_free() {
    let fake = Fake::with(&["hang", "echo"]);
    let one = ToolServer {
        limit: Some(1),
        ..server("s")
    };
    let tools = Tools::start_with(&settings([one]), Arc::new(Arc::clone(&fake)));
    let (hang, echo) = (offered(&tools, "hang").await, offered(&tools, "echo").await);
    let calling = tokio::spawn({
        let (tools, hang) = (tools.clone(), hang.clone());
        async move { call(&tools, &hang).await }
    });
    let called = || tools.view()[0].running == 1;
    fake.until(|_| called()).await;
    let second = tokio::spawn({
        let (tools, echo) = (tools.clone(), echo.clone());
        async move { call(&tools, &echo).await }
    });
    tokio::time::sleep(Duration::from_secs(10)).await;
    assert!(!second.is_finished(), "the server takes one at once");
    calling.abort();
    assert_eq!(second.await.expect("it ran"), text("{\"a\":1}"));
    fake.until(|fake| fake.cancelled.load(Ordering::SeqCst) == 1).await;
    assert_eq!(tools.view()[0].running, 0);
    let figures = tools.figures();
    let counted = |outcome| figures.calls.get(&("s".to_owned(), outcome)).copied();
    assert_eq!((counted("cancelled"), counted("done")), (Some(1), Some(1)));
    let seconds: u64 = figures.seconds["s"].buckets().map(|(_, count)| count).sum();
    assert_eq!(seconds, 2);
}

#[tokio::test(start_paused = true)]
async fn a_message_that_is_too_long_ends_its_call_alone() {
    let fake = Fake::with(&["huge", "gate"]);
    let tools = start(&fake);
    let (huge, gate) = (offered(&tools, "huge").await, offered(&tools, "gate").await);
    let beside = tokio::spawn({
        let tools = tools.clone();
        async move { call(&tools, &gate).await }
    });
    fake.until(|_| tools.view()[0].running == 1).await;
    assert_eq!(call(&tools, &huge).await, Err(ToolError::TooLarge { bytes: 4 << 20 }));
    fake.gate.0.add_permits(1);
    assert_eq!(beside.await.expect("it ran"), text("let through"));
    assert_eq!(fake.dials(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_a_server_says_of_a_call_is_told_apart() {
    let fake = Fake::with(&["refuse", "mistake", "odd", "die"]);
    let tools = start(&fake);
    for (name, expected) in [
        ("refuse", ToolError::Refused("not today".to_owned())),
        ("mistake", ToolError::BadArguments("no such column".to_owned())),
        ("odd", ToolError::Protocol("an answer that is none".to_owned())),
        ("die", ToolError::Died),
    ] {
        let tool = offered(&tools, name).await;
        assert_eq!(call(&tools, &tool).await, Err(expected), "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_server_asks_is_refused() {
    let fake = Fake::with(&["ask"]);
    let tools = start(&fake);
    let ask = offered(&tools, "ask").await;
    assert_eq!(call(&tools, &ask).await, text("all refused"));
}

#[tokio::test(start_paused = true)]
async fn progress_is_told() {
    let fake = Fake::with(&["progress"]);
    let tools = start(&fake);
    let tool = offered(&tools, "progress").await;
    let told = Mutex::new(Vec::new());
    let slot = tools.slot("s", Owner(1)).await;
    let result = tools
        .call(
            &Person::nobody(),
            &tool,
            Map::<String, Value>::new(),
            slot,
            |progress| {
                told.lock().expect("whole").push(progress);
                fake.gate.0.add_permits(1);
            },
        )
        .await;
    assert_eq!(result, text("whole"));
    let half = CallProgress {
        progress: 1.0,
        total: Some(2.0),
        message: Some("half".to_owned()),
    };
    assert_eq!(*told.lock().expect("whole"), [half]);
}
