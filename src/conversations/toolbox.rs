//! What turns need of tools, whoever has them.

use async_trait::async_trait;
use serde_json::{Map, Value};

use crate::{
    queue::Owner,
    tools::{Offered, ServerSlot, ToolOutput},
    wire::{OwnKeyFault, ToolFault},
};

/// A tool has returned nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallFault {
    /// Why, as a code.
    pub fault: ToolFault,
    /// Why, for the model, in English.
    pub said: String,
}

/// What may be offered to a model for one owner.
#[derive(Clone, Debug, Default)]
pub struct Offers {
    /// The tools.
    pub tools: Vec<Offered>,
    /// The servers that are left out because of what each person gives of their own, by name.
    pub left_out: Vec<(String, OwnKeyFault)>,
}

/// Tells the names of the servers that are waited for, whenever these are others.
pub(crate) type Progress<'a> = &'a (dyn Fn(&[&str]) + Send + Sync);

/// The tools of a site. Some servers know who asks, by what that person has given them: so all is for one owner.
#[async_trait]
pub trait Toolbox: Send + Sync + 'static {
    /// Whether there are none at all, for now.
    fn is_empty(&self) -> bool;
    /// What may be offered now. Servers whose tools are not known yet are connected to, which may take a while; those that cannot be are left out.
    /// `waits` is told who is waited for. Cancel-safe.
    async fn offer(&self, owner: Owner, waits: Progress<'_>) -> Offers;
    /// By the name that a model uses.
    async fn find(&self, owner: Owner, name: &str) -> Option<Offered>;
    /// A slot of a server, once it has one and it is this owner's turn. Cancel-safe.
    async fn slot(&self, server: &str, owner: Owner) -> ServerSlot;
    /// Has a tool used as it was when it was found: one that has changed since is not. Dropped, the tool is told that nobody wants it any more.
    ///
    /// # Errors
    /// [`CallFault`].
    async fn call(
        &self,
        owner: Owner,
        tool: &Offered,
        arguments: Map<String, Value>,
        slot: ServerSlot,
    ) -> Result<ToolOutput, CallFault>;
}
