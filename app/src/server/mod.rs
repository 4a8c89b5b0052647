//! The server's half of the app: what stands behind its server functions, its routes, its start and its end.

mod actions;
mod along;
mod apart;
pub mod api;
pub mod assets;
pub mod backup;
mod charts;
mod described;
mod drawing;
mod forms;
pub mod keys;
mod leaves;
mod listen;
pub mod migrate;
pub(crate) mod offline;
mod operator;
mod own;
pub mod pages;
pub(crate) mod program_keys;
mod refusals;
pub mod run;
mod sources;
