//! Anteroom's own API, over real HTTP.

mod chat;
mod conversations;
mod described;
mod files;
mod isolation;
mod line;
mod shapes;
mod streams;
mod turns;

pub(crate) use isolation::{key_for, keyed, keyed_as, keyed_for};
