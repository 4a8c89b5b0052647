//! What a program has said of tools for a whole conversation: shown, and taken back.

use reqwest::StatusCode;
use serde_json::{Value, json};

use super::{chat::refused, keyed};
use crate::{
    leaves,
    support::{program::Program, soon},
};

const LIST: &str = "/api/v1/conversations";

/// Sends a message that has the tool used; the first use of it, once it is in this state.
async fn used(program: &Program, path: &str, state: &str) -> (Value, String) {
    let body = json!({ "message": "use tool t__write", "wait": false });
    let sent = program.ask(program.post(path, &body)).await;
    assert_eq!(sent.status, StatusCode::ACCEPTED, "{sent:?}");
    let (conversation, turn) = (&sent.json["conversation"], &sent.json["turn"]);
    let path = format!("{LIST}/{}", conversation.as_str().expect("an id"));
    let turn = format!("{path}/turns/{}", turn.as_str().expect("an id"));
    let seen = soon("the use of the tool", async {
        loop {
            let seen = program.ask(program.get(&turn)).await.json;
            if seen["steps"][0]["state"] == state {
                return seen;
            }
            assert!(
                ["waiting", "running"].contains(&seen["state"].as_str().expect("a state")),
                "{seen}"
            );
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    });
    (seen.await, path)
}

#[tokio::test]
async fn what_was_said_of_a_tool_is_listed_and_taken_back() {
    let (site, _folder) = leaves::site().await;
    let (program, other) = (keyed(&site).await, keyed(&site).await);
    for (answer, allowed, state) in [("never", false, "denied"), ("conversation", true, "done")] {
        let (asking, path) = used(&program, LIST, "asks").await;
        let (leaves, turns) = (format!("{path}/leaves"), format!("{path}/turns"));
        assert_eq!(program.ask(program.get(&leaves)).await.json, json!({ "leaves": [] }));
        let step = format!("{turns}/{}/steps/0", asking["id"].as_str().expect("an id"));
        let said = program.post(&step, &json!({ "answer": answer })).send().await;
        assert_eq!(said.expect("an answer").status(), StatusCode::NO_CONTENT);
        let over = async || {
            soon("the end of the turn", async {
                while program.ask(program.get(&path)).await.json["busy"] == true {
                    tokio::time::sleep(std::time::Duration::from_millis(10)).await;
                }
            })
            .await;
        };
        over().await;
        // It holds, and nobody is asked.
        used(&program, &turns, state).await;
        over().await;
        let said = json!({ "leaves": [{ "server": "t", "tool": "write", "allowed": allowed }] });
        assert_eq!(program.ask(program.get(&leaves)).await.json, said);
        let tool = format!("{leaves}/t/write");
        assert_eq!(
            refused(&other.ask(other.delete(&tool)).await),
            (404, "conversation_unavailable")
        );
        for wrong in ["t/read", "s/write", "t/write%2F"] {
            let wrong = program.ask(program.delete(&format!("{leaves}/{wrong}"))).await;
            assert_eq!(refused(&wrong), (404, "leave_gone"));
        }
        assert_eq!(program.ask(program.get(&leaves)).await.json, said);
        let back = program.delete(&tool).send().await.expect("an answer");
        assert_eq!(back.status(), StatusCode::NO_CONTENT);
        assert_eq!(program.ask(program.get(&leaves)).await.json, json!({ "leaves": [] }));
        assert_eq!(refused(&program.ask(program.delete(&tool)).await), (404, "leave_gone"));
        let (asks, _) = used(&program, &turns, "asks").await;
        let turn = format!("{turns}/{}", asks["id"].as_str().expect("an id"));
        let ended = program.delete(&turn).send().await.expect("an answer");
        assert_eq!(ended.status(), StatusCode::NO_CONTENT);
    }
}
