//! The pages, one a file.

pub(crate) mod chat;
pub(crate) mod logs;
pub(crate) mod missing;
pub(crate) mod refreshing;
pub(crate) mod stats;
