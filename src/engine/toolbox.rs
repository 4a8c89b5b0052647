//! The servers of tools, as conversations know them.

use async_trait::async_trait;
use serde_json::{Map, Value};

use crate::{
    conversations::toolbox::{CallFault, Progress, Toolbox},
    queue::Owner,
    tools::{Offered, ServerSlot, ToolError, ToolOutput, Tools},
    wire::ToolFault,
};

#[async_trait]
impl Toolbox for Tools {
    fn is_empty(&self) -> bool {
        Self::is_empty(self)
    }

    async fn offer(&self, waits: Progress<'_>) -> Vec<Offered> {
        Self::offer(self, |connecting| waits(connecting.servers)).await.tools
    }

    fn find(&self, name: &str) -> Option<Offered> {
        Self::find(self, name)
    }

    async fn slot(&self, server: &str, owner: Owner) -> ServerSlot {
        Self::slot(self, server, owner).await
    }

    async fn call(
        &self,
        tool: &Offered,
        arguments: Map<String, Value>,
        slot: ServerSlot,
    ) -> Result<ToolOutput, CallFault> {
        let called = Self::call(self, tool, arguments, slot, |_| ());
        called.await.map_err(|fault| failed(&fault))
    }
}

fn failed(fault: &ToolError) -> CallFault {
    let code = match fault {
        ToolError::NotThere => ToolFault::Gone,
        ToolError::Changed => ToolFault::Changed,
        ToolError::Unreachable(_) => ToolFault::Unreachable,
        ToolError::Died => ToolFault::Ended,
        ToolError::TimedOut { .. } => ToolFault::TimedOut,
        ToolError::TooLarge { .. } => ToolFault::TooLarge,
        ToolError::BadArguments(_) => ToolFault::Arguments,
        ToolError::Refused(_) | ToolError::WantsInput | ToolError::Protocol(_) => ToolFault::Invalid,
    };
    CallFault {
        fault: code,
        said: format!("The use of this tool has failed: {fault}."),
    }
}
