//! Anteroom's pages.

pub mod api;
