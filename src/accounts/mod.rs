//! Who asks.

mod principal;
mod scopes;

pub use principal::{AccountId, KeyId, Principal, Program, Role, browser_of};
pub use scopes::{NoScope, Scope, Scopes};
