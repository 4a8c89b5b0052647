//! Who asks.

mod principal;

pub use principal::{AccountId, Principal, Role, browser_of};
