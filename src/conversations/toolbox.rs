//! What turns need of tools, whoever has them.

use async_trait::async_trait;
use serde_json::{Map, Value};

use crate::{
    queue::Owner,
    tools::{Offered, ServerSlot, ToolOutput},
    wire::ToolFault,
};

/// A tool has returned nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallFault {
    /// Why, as a code.
    pub fault: ToolFault,
    /// Why, for the model, in English.
    pub said: String,
}

/// Tells the names of the servers that are waited for, whenever these are others.
pub(crate) type Progress<'a> = &'a (dyn Fn(&[&str]) + Send + Sync);

/// The tools of a site.
#[async_trait]
pub trait Toolbox: Send + Sync + 'static {
    /// Whether there are none at all, for now.
    fn is_empty(&self) -> bool;
    /// What may be offered now. Servers whose tools are not known yet are connected to, which may take a while; those that cannot be are left out.
    /// `waits` is told who is waited for. Cancel-safe.
    async fn offer(&self, waits: Progress<'_>) -> Vec<Offered>;
    /// By the name that a model uses.
    fn find(&self, name: &str) -> Option<Offered>;
    /// A slot of a server, once it has one and it is this owner's turn. Cancel-safe.
    async fn slot(&self, server: &str, owner: Owner) -> ServerSlot;
    /// Has a tool used as it was when it was found: one that has changed since is not. Dropped, the tool is told that nobody wants it any more.
    ///
    /// # Errors
    /// [`CallFault`].
    async fn call(
        &self,
        tool: &Offered,
        arguments: Map<String, Value>,
        slot: ServerSlot,
    ) -> Result<ToolOutput, CallFault>;
}
