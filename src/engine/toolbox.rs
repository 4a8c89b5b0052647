//! The servers of tools, as conversations know them.

use async_trait::async_trait;
use serde_json::{Map, Value};

use crate::{
    conversations::toolbox::{CallFault, Content, Leave, Output, Progress, ServerSlot, Tool, Toolbox},
    tools::{self, Offered, ToolError, ToolOutput, Tools},
    wire::ToolFault,
};

#[async_trait]
impl Toolbox for Tools {
    fn is_empty(&self) -> bool {
        Self::is_empty(self)
    }

    async fn offer(&self, waits: Progress<'_>) -> Vec<Tool> {
        let offer = Self::offer(self, |connecting| waits(connecting.servers)).await;
        offer.tools.iter().map(tool).collect()
    }

    fn find(&self, name: &str) -> Option<Tool> {
        Self::find(self, name).as_ref().map(tool)
    }

    async fn slot(&self, server: &str) -> ServerSlot {
        Box::new(Self::slot(self, server).await)
    }

    async fn call(&self, tool: &Tool, arguments: Map<String, Value>, slot: ServerSlot) -> Result<Output, CallFault> {
        let offered = Self::find(self, &tool.spec.name).ok_or_else(|| failed(&ToolError::NotThere))?;
        // Held beside the call: what it holds is the server's own affair.
        let _slot = slot;
        let called = Self::call(self, &offered, arguments, tools::ServerSlot::default(), |_| ());
        called.await.map(output).map_err(|fault| failed(&fault))
    }
}

fn tool(offered: &Offered) -> Tool {
    Tool {
        spec: offered.spec.clone(),
        server: offered.server.clone(),
        tool: offered.tool.clone(),
        title: offered.title.clone(),
        leave: match offered.leave {
            tools::Leave::Ask => Leave::Ask,
            tools::Leave::Allow => Leave::Allow,
            tools::Leave::Deny => Leave::Deny,
        },
        fingerprint: hex(offered.fingerprint),
        repeatable: offered.repeatable,
    }
}

/// As text, for the store.
fn hex(fingerprint: [u8; 16]) -> String {
    format!("{:032x}", u128::from_be_bytes(fingerprint))
}

fn output(output: ToolOutput) -> Output {
    let content = output.content.into_iter().map(|content| match content {
        tools::Content::Text(text) => Content::Text(text),
        tools::Content::Picture { mime, bytes } => Content::Picture { mime, bytes },
        tools::Content::Link { uri, name } => Content::Link { uri, name },
    });
    Output {
        content: content.collect(),
        failed: output.failed,
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
