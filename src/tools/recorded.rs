//! Answers of servers that were recorded, read as they are when they come over a connection.

use rmcp::model::{ListToolsResult, ServerResult};
use serde_json::Value;

use super::{
    Offered, ToolOutput, connection,
    listing::Listing,
    output::{of_result, of_value},
};
use crate::settings::ToolServer;

/// What a call returns, of the JSON with which a server has answered; `None`: that is no result of a call.
#[must_use]
pub fn recorded_output(answer: &[u8]) -> Option<ToolOutput> {
    match serde_json::from_slice(answer).ok()? {
        ServerResult::CallToolResult(result) => Some(of_result(result)),
        ServerResult::CustomResult(result) => of_value(&result.0),
        _ => None,
    }
}

/// The tools that models may be told of, of the JSON with which this server has listed them; `None`: that is no list.
#[must_use]
pub fn recorded_tools(server: &ToolServer, page: &[u8]) -> Option<Vec<Offered>> {
    let page: Value = serde_json::from_slice(page).ok()?;
    let tools = match serde_json::from_value::<ListToolsResult>(page.clone()) {
        Ok(list) => list.tools,
        Err(_) => connection::each(&page)?.0,
    };
    Some(Listing::new(server, tools).tools)
}
