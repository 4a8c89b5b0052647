//! What a server is asked for that is no tool.

use std::time::Duration;

use rmcp::{
    model::{ClientRequest, ErrorCode, PaginatedRequestParams, ServerResult},
    service::{PeerRequestOptions, ServiceError},
};
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::time::timeout;

use super::{Connection, MOST_PAGES, Ordering, Waits};
use crate::tools::error::ToolError;

/// What a server has beside tools, as it says itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::tools) struct Gives {
    pub(in crate::tools) resources: bool,
    pub(in crate::tools) prompts: bool,
}

impl Connection {
    /// What it has beside tools.
    pub(in crate::tools) fn gives(&self) -> Gives {
        let info = self.peer.peer_info();
        info.map_or_else(Gives::default, |info| Gives {
            resources: info.capabilities.resources.is_some(),
            prompts: info.capabilities.prompts.is_some(),
        })
    }

    /// What the server answers, as JSON; `None`: it knows no such request. Dropped, the server is told that nobody waits any more; so it is
    /// once `longest` has passed.
    pub(in crate::tools) async fn ask(
        &self,
        request: ClientRequest,
        longest: Duration,
    ) -> Result<Option<Value>, ToolError> {
        let asking = async {
            let options = PeerRequestOptions::no_options();
            let sent = self.peer.send_request_with_option(request, options).await?;
            let mut waits = Waits {
                connection: self,
                id: Some(sent.id),
                token: sent.progress_token,
            };
            let answer = sent.rx.await;
            waits.id = None;
            answer.unwrap_or_else(|_| {
                self.broken.store(true, Ordering::Relaxed);
                Err(ServiceError::TransportClosed)
            })
        };
        let answer = match timeout(longest, asking).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(ServiceError::McpError(error))) if error.code == ErrorCode::METHOD_NOT_FOUND => return Ok(None),
            Ok(Err(error)) => return Err(self.failed(&error)),
            Err(_) => {
                return Err(ToolError::TimedOut {
                    seconds: longest.as_secs_f64().ceil() as u64,
                });
            }
        };
        self.proven.store(true, Ordering::Relaxed);
        if matches!(answer, ServerResult::InputRequiredResult(_)) {
            return Err(ToolError::WantsInput);
        }
        let answer = serde_json::to_value(answer);
        answer.map(Some).map_err(|_| no_answer())
    }

    /// What stands under `key` of every page of a list, up to `most` and a page more. What is not described as the protocol says is left out.
    pub(in crate::tools) async fn list_of<T: DeserializeOwned>(
        &self,
        key: &str,
        most: usize,
        longest: Duration,
        request: impl Fn(PaginatedRequestParams) -> ClientRequest,
    ) -> Result<Vec<T>, ToolError> {
        let (mut all, mut cursor) = (Vec::new(), None);
        for _ in 0..MOST_PAGES {
            let params = PaginatedRequestParams::default().with_cursor(cursor.clone());
            let Some(page) = self.ask(request(params), longest).await? else {
                break;
            };
            // An empty object is an empty list.
            let entries = match page.get(key) {
                Some(entries) => entries.as_array().ok_or_else(no_answer)?.as_slice(),
                None => &[],
            };
            all.extend(entries.iter().filter_map(|entry| T::deserialize(entry).ok()));
            let next = page.get("nextCursor").and_then(Value::as_str).map(str::to_owned);
            if next.is_none() || next == cursor || all.len() >= most {
                break;
            }
            cursor = next;
        }
        Ok(all)
    }
}

fn no_answer() -> ToolError {
    ToolError::Protocol("its answer is none".to_owned())
}
