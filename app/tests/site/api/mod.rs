//! Anteroom's own API, over real HTTP.

mod chat;
mod conversations;
mod described;
mod files;
mod forget;
mod isolation;
mod leaves;
mod line;
mod passes;
mod shapes;
mod streams;
mod turns;

pub(crate) use isolation::{key_for, keyed, keyed_as, keyed_for};
