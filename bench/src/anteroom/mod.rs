//! Anteroom, driven through its server functions and its feed, as its own page does.

mod feed;
mod page;
mod server;

pub(crate) use page::AnteroomPage;
pub(crate) use server::{Anteroom, Load};
