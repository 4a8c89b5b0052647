//! What a server says of its tools, and how that changes.

use super::{fake::tool, *};
use crate::settings::Settings;

#[tokio::test(start_paused = true)]
async fn tools_that_change_are_listed_anew() {
    for is_new in [false, true] {
        let fake = Arc::new(Fake {
            tools: Mutex::new(vec![tool("echo"), tool("old")]),
            is_new,
            ..Fake::default()
        });
        let tools = start(&fake);
        let (echo, old) = (offered(&tools, "echo").await, offered(&tools, "old").await);
        let mut changed = tool("echo");
        changed["description"] = json!("Does something else.");
        *fake.tools.lock().expect("whole") = vec![changed, tool("new")];
        let mut news = json!({ "jsonrpc": "2.0", "method": "notifications/tools/list_changed" });
        if is_new {
            // Nobody else would hear it.
            while fake.subscription.lock().expect("whole").is_null() {
                tokio::task::yield_now().await;
            }
            let subscription = fake.subscription.lock().expect("whole").clone();
            news["params"] = json!({ "_meta": { "io.modelcontextprotocol/subscriptionId": subscription } });
        }
        fake.say(&news);
        tokio::time::sleep(Duration::from_secs(5)).await;
        let now = tools.find(&Person::nobody(), "s__new").expect("it is listed");
        assert_eq!(now.tool, "new", "{is_new}");
        assert_eq!(tools.find(&Person::nobody(), "s__old"), None);
        assert_eq!(call(&tools, &old).await, Err(ToolError::NotThere));
        assert_eq!(call(&tools, &echo).await, Err(ToolError::Changed));
        let echo = tools.find(&Person::nobody(), "s__echo").expect("it is there");
        assert_eq!(call(&tools, &echo).await, text("{\"a\":1}"));
        assert_eq!(fake.dials(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_fingerprint_is_of_all_that_is_said_and_of_nothing_else() {
    let of = async |tool: Value| {
        let fake = Fake::with(&[]);
        fake.tools.lock().expect("whole").push(tool);
        offered(&start(&fake), "echo").await.fingerprint
    };
    let plain = of(tool("echo")).await;
    assert_eq!(plain, of(tool("echo")).await);
    for (key, value) in [
        ("description", json!("Another.")),
        ("inputSchema", json!({ "type": "object", "properties": { "a": {} } })),
        ("annotations", json!({ "readOnlyHint": true })),
    ] {
        let mut changed = tool("echo");
        changed[key] = value;
        assert_ne!(plain, of(changed).await, "{key}");
    }
}

#[tokio::test(start_paused = true)]
async fn tools_that_lie_are_left_out_and_the_others_kept() {
    let fake = Fake::with(&["a"]);
    let with = |name: &str, schema: Value| {
        let mut tool = tool(name);
        tool["inputSchema"] = schema;
        tool
    };
    let big = "x".repeat(70_000);
    fake.tools.lock().expect("whole").extend([
        with("text", json!("an object")),
        with("list", json!({ "type": "array" })),
        with("broken", json!({ "type": "object", "properties": 7 })),
        with("big", json!({ "type": "object", "description": big })),
        with("bare", json!({})),
        tool("a"),
        json!({ "nothing": 1 }),
        tool("b"),
    ]);
    let offer = start(&fake).offer(&Person::nobody(), |_| ()).await;
    let names: Vec<_> = offer.tools.iter().map(|tool| tool.spec.name.as_str()).collect();
    assert_eq!(names, ["s__a", "s__bare", "s__b"]);
    assert_eq!(
        offer.tools[1].spec.schema,
        json!({ "type": "object", "properties": {} })
    );
}

#[tokio::test(start_paused = true)]
async fn leave_is_the_operators_and_else_follows_from_what_is_said() {
    let read = |path: &std::path::Path| match path.to_str() {
        Some("mcp.json") => Ok(br#"{"mcpServers": {
            "s": {"url": "http://127.0.0.1:1", "leave": {"ruled": "allow", "never": "deny"}},
            "t": {"url": "http://127.0.0.1:1", "leave": "ask", "tools": ["reads"]}
        }}"#
        .to_vec()),
        _ => Err(std::io::ErrorKind::NotFound.into()),
    };
    let loaded = Settings::load_with([("MCP_FILE".to_owned(), "mcp.json".to_owned())], None, &read);
    let fake = Fake::with(&["says_nothing", "ruled", "never"]);
    let with = |name: &str, annotations: Value| {
        let mut tool = tool(name);
        tool["annotations"] = annotations;
        tool
    };
    fake.tools.lock().expect("whole").extend([
        with(
            "reads",
            json!({ "readOnlyHint": true, "openWorldHint": false, "title": "Reads" }),
        ),
        with("reads_anything", json!({ "readOnlyHint": true })),
        with("writes", json!({ "readOnlyHint": false, "openWorldHint": false })),
    ]);
    let tools = Tools::start_with(&loaded.expect("right").settings.tools, Arc::new(fake));
    let offer = tools.offer(&Person::nobody(), |_| ()).await;
    let leaves: Vec<_> = offer
        .tools
        .iter()
        .map(|tool| (tool.spec.name.as_str(), tool.leave))
        .collect();
    assert_eq!(
        leaves,
        [
            ("s__says_nothing", Leave::Ask),
            ("s__ruled", Leave::Allow),
            ("s__reads", Leave::Allow),
            ("s__reads_anything", Leave::Ask),
            ("s__writes", Leave::Ask),
            ("t__reads", Leave::Ask),
        ]
    );
    assert_eq!(offer.tools[2].title.as_deref(), Some("Reads"));
}
