//! Who asks.

mod digest;
pub mod keys;
pub mod passes;
mod principal;
pub mod rates;
mod scopes;

pub use principal::{AccountId, KeyId, Principal, Program, Role, browser_of, key_of};
pub use scopes::{NoScope, Scope, Scopes};
