//! What servers of tools answer: their lists of tools, and what calls return. Whatever they say, models are told what their formats take, within
//! bounds, and nothing is called a picture that is none.
//!
//! Input: the JSON of an answer.
#![no_main]

use std::{collections::BTreeSet, sync::LazyLock, time::Duration};

use anteroom::{
    settings::{LeaveRules, Secret, ToolServer, ToolTransport},
    tools::{Content, Leave, Offered, ToolOutput, recorded_output, recorded_tools},
};
use libfuzzer_sys::fuzz_target;

static SERVER: LazyLock<ToolServer> = LazyLock::new(|| ToolServer {
    name: "fuzz".to_owned(),
    transport: ToolTransport::Http {
        url: Secret("http://127.0.0.1/".to_owned()),
        headers: Vec::new(),
    },
    limit: None,
    timeout: Duration::from_secs(1),
    connect_timeout: Duration::from_secs(1),
    idle: Duration::from_secs(1),
    leave: LeaveRules::default(),
    only: None,
});

fuzz_target!(|answer: &[u8]| {
    if let Some(output) = recorded_output(answer) {
        check_output(&output, answer.len());
    }
    if let Some(tools) = recorded_tools(&SERVER, answer) {
        check_tools(&tools);
    }
});

fn check_output(output: &ToolOutput, length: usize) {
    // Two more say what is left out.
    assert!(output.content.len() <= 202, "{output:?}");
    let mut text = 0;
    for piece in &output.content {
        match piece {
            Content::Text(piece) => {
                assert!(!piece.is_empty(), "{output:?}");
                text += piece.len();
            }
            Content::Link { uri, name } => text += uri.len() + name.len(),
            Content::Picture { mime, bytes } => {
                let known = ["image/png", "image/jpeg", "image/gif", "image/webp"];
                assert!(known.contains(&mime.as_str()), "{mime}");
                assert!(!bytes.is_empty() && bytes.len() <= length, "{output:?}");
            }
        }
    }
    assert!(text <= (256 << 10) + 200, "{text} bytes of text");
}

fn check_tools(tools: &[Offered]) {
    assert!(tools.len() <= 256);
    let names: BTreeSet<_> = tools.iter().map(|tool| &tool.spec.name).collect();
    assert_eq!(names.len(), tools.len(), "{tools:?}");
    for tool in tools {
        let name = &tool.spec.name;
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        assert!(
            !name.is_empty() && name.len() <= 64 && name.chars().all(plain),
            "{name}"
        );
        assert!(!tool.tool.is_empty() && tool.leave != Leave::Deny, "{tool:?}");
        assert!(tool.spec.description.chars().count() <= 8_001, "{tool:?}");
        let title = tool.title.as_ref();
        assert!(
            title.is_none_or(|title| !title.trim().is_empty() && title.chars().count() <= 101),
            "{tool:?}"
        );
        let schema = &tool.spec.schema;
        assert!(
            schema["type"] == "object" && schema["properties"].is_object(),
            "{tool:?}"
        );
        assert!(schema.to_string().len() <= 64 << 10, "{tool:?}");
        assert_eq!(tool.fingerprint.len(), 32);
    }
}
