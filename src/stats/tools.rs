//! The servers of tools, in the words of the wire.

use crate::{
    accounts::Role,
    clock::now_ms,
    tools::{ServerState, ServerView},
    wire::ToolServerRow,
};

/// A row a server, which is the operator's to know of.
pub(super) fn rows(servers: &[ServerView], role: Role) -> Vec<ToolServerRow> {
    let servers = servers.iter().filter(|_| role == Role::Operator);
    servers.map(|server| row(server, now_ms())).collect()
}

fn row(server: &ServerView, now: u64) -> ToolServerRow {
    let (state, seconds, trouble) = match &server.state {
        ServerState::Idle => ("idle", 0, None),
        ServerState::Connecting => ("connecting", 0, None),
        ServerState::Connected => ("connected", 0, None),
        ServerState::OutOfService { trouble, since, .. } => (
            "out",
            now.saturating_sub(*since) / 1000,
            Some(trouble.code().to_owned()),
        ),
    };
    ToolServerRow {
        name: server.name.clone(),
        state: state.to_owned(),
        seconds: seconds as f64,
        trouble,
        tools: server.tools.map(|tools| tools as u64),
        running: server.running as u64,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::tools::Trouble;

    #[test]
    fn servers_are_the_operators_to_know_of() {
        let mut server = ServerView {
            name: "files".to_owned(),
            transport: "stdio",
            state: ServerState::Connected,
            tools: Some(3),
            running: 2,
        };
        assert_eq!(rows(std::slice::from_ref(&server), Role::Visitor), []);
        let shown = rows(std::slice::from_ref(&server), Role::Operator);
        assert_eq!(
            (shown[0].state.as_str(), shown[0].tools, shown[0].running),
            ("connected", Some(3), 2)
        );
        server.state = ServerState::OutOfService {
            trouble: Trouble::NoAnswer,
            since: 10_000,
            again_in: Duration::ZERO,
        };
        let out = row(&server, 73_900);
        assert_eq!(
            (out.state.as_str(), out.seconds, out.trouble.as_deref()),
            ("out", 63.0, Some("no_answer"))
        );
    }
}
