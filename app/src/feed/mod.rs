//! What this browser knows, and how it learns it: the first page, the feed, the answers of server functions.

mod apply;
mod conversation;
mod loading;
pub(crate) mod sending;
mod socket;
mod store;
#[cfg(test)]
mod tests;

pub(crate) use conversation::{Block, Conversation, Delivery, Load, Turn};
pub(crate) use loading::load;
pub(crate) use socket::start;
pub(crate) use store::{Link, Refresh, Store};
