//! Who asks.

mod principal;

pub use principal::{AccountId, Principal, Role};
