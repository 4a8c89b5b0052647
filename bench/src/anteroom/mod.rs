//! Anteroom, driven through its server functions and its feed, as its own page does.

mod feed;
mod nodes;
mod page;
mod server;

pub(crate) use feed::Seen;
pub(crate) use nodes::{Nodes, Resident};
pub(crate) use page::AnteroomPage;
pub(crate) use server::{Anteroom, Load};
