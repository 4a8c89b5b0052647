//! The server's half of the app: what stands behind its server functions, its routes, its start and its end.

mod actions;
mod along;
pub mod api;
pub mod assets;
pub mod backup;
mod charts;
mod described;
mod drawing;
mod forms;
pub mod keys;
mod listen;
pub mod migrate;
pub(crate) mod offline;
mod operator;
pub mod pages;
mod refusals;
pub mod run;
