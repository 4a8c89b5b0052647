//! What this browser knows, and how it learns it: the first page, the feed, the answers of server functions.

mod apply;
pub(crate) mod behind;
mod blocks;
pub(crate) mod changes;
mod choice;
pub(crate) mod clock;
mod comeback;
mod conversation;
pub(crate) mod delivery;
mod list;
mod loading;
mod rest;
pub(crate) mod sending;
mod socket;
mod store;
#[cfg(test)]
mod tests;
mod turn;
mod unbegun;
pub(crate) mod unsent;

pub(crate) use blocks::{Block, Blocks};
pub(crate) use choice::{Shown, choose};
pub(crate) use conversation::{Conversation, Load};
pub(crate) use list::List;
pub(crate) use loading::{load, load_earlier, load_more};
pub(crate) use rest::Rest;
pub(crate) use socket::start;
pub(crate) use store::{Link, Store};
pub(crate) use turn::{Delivery, Turn};
