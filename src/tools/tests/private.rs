//! Connections that are one person's each.

use std::{collections::BTreeSet, path::Path};

use super::*;
use crate::settings::{Secret, Settings};

/// The settings of a server `s` that wants a key of each person.
fn asking(more: &str) -> Arc<ToolSettings> {
    let text = format!(
        r#"{{"inputs": [{{"type": "promptString", "id": "key", "password": true}}],
            "mcpServers": {{"s": {{"url": "http://localhost/", "headers": {{"Key": "${{input:key}}"}}{more}}}}}}}"#
    );
    let read = move |_: &Path| Ok(text.clone().into_bytes());
    let loaded = Settings::load_with([("MCP_FILE".to_owned(), "mcp.json".to_owned())], None, &read);
    loaded.expect("right").settings.tools
}

fn few(settings: &ToolSettings, most_own: usize) -> ToolSettings {
    ToolSettings {
        most_own,
        ..settings.clone()
    }
}

fn given(key: &str) -> Given {
    let mut digest = [0; 32];
    digest[..key.len()].copy_from_slice(key.as_bytes());
    Given {
        key: OwnKey(digest),
        values: [("key".to_owned(), Secret(key.to_owned()))].into(),
    }
}

fn person(key: &str) -> Person {
    Person::new([("s".to_owned(), given(key))].into(), BTreeSet::new())
}

fn start(fake: &Arc<Fake>, settings: &ToolSettings) -> Tools {
    Tools::start_with(settings, Arc::new(Arc::clone(fake)))
}

async fn names(tools: &Tools, person: &Person) -> Vec<String> {
    let offer = tools.offer(person, |_| ()).await;
    offer.tools.into_iter().map(|tool| tool.tool).collect()
}

async fn missing(tools: &Tools, person: &Person) -> Option<Trouble> {
    let offer = tools.offer(person, |_| ()).await;
    let [missing] = &offer.missing[..] else { return None };
    assert!(missing.own && offer.tools.is_empty(), "{missing:?}");
    Some(missing.reason.clone())
}

async fn call(tools: &Tools, person: &Person, name: &str) -> Result<ToolOutput, ToolError> {
    tools.offer(person, |_| ()).await;
    let tool = tools.find(person, &format!("s__{name}")).ok_or(ToolError::NotThere)?;
    let slot = tools.slot("s", Owner(1)).await;
    tools.call(person, &tool, Map::new(), slot, |_| ()).await
}

#[tokio::test(start_paused = true)]
async fn each_person_has_a_connection_and_tools_of_their_own() {
    let fake = Fake::with(&["whose", "gate"]);
    let tools = start(&fake, &asking(""));
    let (anna, boris, nobody) = (person("anna"), person("boris"), Person::nobody());
    assert_eq!(names(&tools, &anna).await, ["whose", "gate", "of-anna"]);
    assert_eq!(names(&tools, &boris).await, ["whose", "gate", "of-boris"]);
    assert_eq!(missing(&tools, &nobody).await, Some(Trouble::Wanted));
    let unreadable = Person::new([].into(), ["s".to_owned()].into());
    assert_eq!(missing(&tools, &unreadable).await, Some(Trouble::Unreadable));
    assert_eq!((fake.dials(), fake.open()), (2, 2), "one each, and none for the others");
    // At once, each is who they are.
    let waiting = tokio::spawn({
        let (tools, anna) = (tools.clone(), anna.clone());
        async move { call(&tools, &anna, "gate").await }
    });
    fake.until(|_| tools.view()[0].running == 1).await;
    let (one, other) = tokio::join!(call(&tools, &anna, "whose"), call(&tools, &boris, "whose"));
    assert_eq!((one, other), (text("anna"), text("boris")));
    fake.gate.0.add_permits(1);
    assert_eq!(waiting.await.expect("it ran"), text("let through"));
    // Nobody finds or calls a tool that another one has.
    assert_eq!(tools.find(&boris, "s__of-anna"), None);
    assert_eq!(tools.find(&Person::nobody(), "s__whose"), None);
    let annas = tools.find(&anna, "s__of-anna").expect("it is there");
    let slot = tools.slot("s", Owner(1)).await;
    let taken = tools.call(&boris, &annas, Map::new(), slot, |_| ()).await;
    assert_eq!(taken, Err(ToolError::NotThere));
    let slot = tools.slot("s", Owner(1)).await;
    let taken = tools.call(&Person::nobody(), &annas, Map::new(), slot, |_| ()).await;
    assert_eq!(taken, Err(ToolError::Unreachable(Trouble::Wanted)));
    assert_eq!(fake.dials(), 2);
    assert_eq!(tools.view()[0].state, ServerState::Connected);
}

#[tokio::test(start_paused = true)]
async fn what_is_removed_closes_its_connection_after_the_last_call() {
    let fake = Fake::with(&["gate", "whose"]);
    let tools = start(&fake, &asking(""));
    let (anna, boris) = (person("anna"), person("boris"));
    names(&tools, &boris).await;
    let calling = tokio::spawn({
        let (tools, anna) = (tools.clone(), anna.clone());
        async move { call(&tools, &anna, "gate").await }
    });
    fake.until(|_| tools.view()[0].running == 1).await;
    tools.let_go(&given("anna"));
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(fake.open(), 2, "it is used");
    fake.gate.0.add_permits(1);
    assert_eq!(calling.await.expect("it ran"), text("let through"));
    fake.until(|fake| fake.open() == 1).await;
    // The other one goes on as before.
    assert_eq!(call(&tools, &boris, "whose").await, text("boris"));
    assert_eq!(fake.dials(), 2);
}

#[tokio::test(start_paused = true)]
async fn they_are_lazy_made_once_and_closed_when_nobody_uses_them() {
    let fake = Fake::with(&["whose"]);
    *fake.slow.lock().expect("whole") = Some(Duration::from_secs(5));
    let tools = start(&fake, &asking(""));
    assert_eq!(fake.dials(), 0);
    let anna = person("anna");
    let (one, other, third) = tokio::join!(names(&tools, &anna), names(&tools, &anna), call(&tools, &anna, "whose"));
    assert_eq!((one.len(), other.len(), third), (2, 2, text("anna")));
    assert_eq!(fake.dials(), 1);
    fake.until(|fake| fake.open() == 0).await;
    assert_eq!(names(&tools, &anna).await.len(), 2, "its tools stay known");
    assert_eq!(fake.dials(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_key_that_is_refused_is_one_persons_trouble() {
    let fake = Fake::with(&["whose"]);
    fake.refused.lock().expect("whole").push("old".to_owned());
    let tools = start(&fake, &asking(""));
    let (old, anna) = (person("old"), person("anna"));
    assert_eq!(missing(&tools, &old).await, Some(Trouble::Unauthorized));
    assert_eq!(tools.own_trouble("s", &given("old")), Some(Trouble::Unauthorized));
    assert_eq!(tools.own_trouble("s", &given("anna")), None);
    assert_eq!(call(&tools, &anna, "whose").await, text("anna"));
    let shown = &tools.view()[0];
    assert_eq!((&shown.state, shown.tools), (&ServerState::Connected, Some(2)));
    // It is not tried again with every question.
    assert_eq!(missing(&tools, &old).await, Some(Trouble::Unauthorized));
    assert_eq!(fake.dials(), 2);
    tools.let_go(&given("old"));
    fake.refused.lock().expect("whole").clear();
    assert_eq!(
        call(&tools, &old, "whose").await,
        text("old"),
        "what is given anew is tried at once"
    );
}

#[tokio::test(start_paused = true)]
async fn the_one_that_has_not_been_used_for_longest_makes_room() {
    let fake = Fake::with(&["gate", "whose"]);
    let settings = asking("");
    let tools = start(&fake, &few(&settings, 2));
    let [anna, boris, clara, dora] = ["anna", "boris", "clara", "dora"].map(person);
    for one in [&anna, &boris, &anna] {
        names(&tools, one).await;
    }
    names(&tools, &clara).await;
    fake.until(|fake| fake.open() == 2).await;
    assert_eq!(fake.dials(), 3);
    assert!(tools.find(&anna, "s__whose").is_some());
    assert_eq!(tools.find(&boris, "s__whose"), None);
    // What is in use stays.
    let calls = [&anna, &clara].map(|one| {
        let (tools, one) = (tools.clone(), one.clone());
        tokio::spawn(async move { call(&tools, &one, "gate").await })
    });
    fake.until(|_| tools.view()[0].running == 2).await;
    assert_eq!(missing(&tools, &dora).await, Some(Trouble::Full));
    fake.gate.0.add_permits(2);
    for call in calls {
        assert_eq!(call.await.expect("it ran"), text("let through"));
    }
    assert_eq!(call(&tools, &dora, "whose").await, text("dora"));
    // Fewer from now on.
    tools.retune(&few(&settings, 1));
    fake.until(|fake| fake.open() == 1).await;
    assert!(tools.find(&dora, "s__whose").is_some());
}

#[tokio::test(start_paused = true)]
async fn one_limit_is_for_all_and_an_edited_server_begins_anew() {
    let fake = Fake::with(&["gate", "whose"]);
    let tools = start(&fake, &asking(r#", "limit": 1"#));
    let (anna, boris) = (person("anna"), person("boris"));
    names(&tools, &boris).await;
    let calling = tokio::spawn({
        let (tools, anna) = (tools.clone(), anna.clone());
        async move { call(&tools, &anna, "gate").await }
    });
    fake.until(|_| tools.view()[0].running == 1).await;
    let second = tokio::spawn({
        let (tools, boris) = (tools.clone(), boris.clone());
        async move { call(&tools, &boris, "whose").await }
    });
    tokio::time::sleep(Duration::from_secs(10)).await;
    assert!(!second.is_finished(), "the server takes one at once");
    fake.gate.0.add_permits(1);
    assert_eq!(calling.await.expect("it ran"), text("let through"));
    assert_eq!(second.await.expect("it ran"), text("boris"));
    assert_eq!(fake.dials(), 2);
    tools.retune(&asking(r#", "limit": 2"#));
    fake.until(|fake| fake.open() == 0).await;
    assert_eq!(call(&tools, &anna, "whose").await, text("anna"));
    assert_eq!(fake.dials(), 3);
    tools.retune(&settings([server("s")]));
    fake.until(|fake| fake.open() == 0).await;
    assert_eq!(tools.find(&anna, "s__of-anna"), None);
}
