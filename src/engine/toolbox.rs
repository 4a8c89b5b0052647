//! The servers of tools, as conversations know them.

use async_trait::async_trait;
use serde_json::{Map, Value};

use crate::{
    conversations::toolbox::{CallFault, Offers, Progress, Toolbox},
    credentials::Credentials,
    queue::Owner,
    tools::{Missing, Offered, ServerSlot, ToolError, ToolOutput, Tools, Trouble},
    wire::{OwnKeyFault, ToolFault},
};

/// The servers of tools, and what people have given for those that ask for it.
pub(super) struct Toolshed {
    pub(super) tools: Tools,
    pub(super) credentials: Credentials,
}

#[async_trait]
impl Toolbox for Toolshed {
    fn is_empty(&self) -> bool {
        self.tools.is_empty()
    }

    async fn offer(&self, owner: Owner, waits: Progress<'_>) -> Offers {
        let person = self.credentials.person(owner).await;
        let offered = self.tools.offer(&person, |connecting| waits(connecting.servers));
        let offered = offered.await;
        Offers {
            tools: offered.tools,
            left_out: offered.missing.into_iter().filter_map(left_out).collect(),
        }
    }

    async fn find(&self, owner: Owner, name: &str) -> Option<Offered> {
        let person = self.credentials.person(owner).await;
        self.tools.find(&person, name)
    }

    async fn slot(&self, server: &str, owner: Owner) -> ServerSlot {
        self.tools.slot(server, owner).await
    }

    async fn call(
        &self,
        owner: Owner,
        tool: &Offered,
        arguments: Map<String, Value>,
        slot: ServerSlot,
    ) -> Result<ToolOutput, CallFault> {
        let person = self.credentials.person(owner).await;
        let called = self.tools.call(&person, tool, arguments, slot, |_| ());
        called.await.map_err(|fault| failed(&fault))
    }
}

/// What a person should know, where a server is left out: what they can mend, and that their turn has not come.
fn left_out(missing: Missing) -> Option<(String, OwnKeyFault)> {
    let fault = match missing.reason {
        Trouble::Wanted => OwnKeyFault::Missing,
        Trouble::Unreadable => OwnKeyFault::Unreadable,
        Trouble::Unauthorized if missing.own => OwnKeyFault::Refused,
        Trouble::Full => OwnKeyFault::Full,
        _ => return None,
    };
    Some((missing.server, fault))
}

fn failed(fault: &ToolError) -> CallFault {
    let code = match fault {
        ToolError::NotThere => ToolFault::Gone,
        ToolError::Changed => ToolFault::Changed,
        ToolError::Unauthorized | ToolError::Unreachable(Trouble::Unauthorized) => ToolFault::Unauthorized,
        ToolError::Unreachable(Trouble::Full) => ToolFault::Busy,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_failed_is_told_apart() {
        for (fault, code) in [
            // Whoever was allowed to use the one of before may have waited for a slot meanwhile.
            (ToolError::Changed, ToolFault::Changed),
            (ToolError::NotThere, ToolFault::Gone),
            (ToolError::Unauthorized, ToolFault::Unauthorized),
            (ToolError::Unreachable(Trouble::Unauthorized), ToolFault::Unauthorized),
            (ToolError::Unreachable(Trouble::NoAnswer), ToolFault::Unreachable),
            (ToolError::Unreachable(Trouble::Full), ToolFault::Busy),
        ] {
            let failed = failed(&fault);
            assert_eq!(failed.fault, code);
            assert!(failed.said.contains(&fault.to_string()), "{failed:?}");
        }
    }

    #[test]
    fn a_person_is_told_of_what_they_can_mend_or_wait_for() {
        let missing = |reason, own| Missing {
            server: "s".to_owned(),
            reason,
            own,
        };
        let told = |reason, own| left_out(missing(reason, own)).map(|(_, fault)| fault);
        assert_eq!(told(Trouble::Wanted, true), Some(OwnKeyFault::Missing));
        assert_eq!(told(Trouble::Unreadable, true), Some(OwnKeyFault::Unreadable));
        assert_eq!(told(Trouble::Unauthorized, true), Some(OwnKeyFault::Refused));
        assert_eq!(told(Trouble::Full, true), Some(OwnKeyFault::Full));
        assert_eq!(told(Trouble::Unauthorized, false), None, "it is the operator's key");
        assert_eq!(told(Trouble::NoAnswer, true), None);
    }
}
