//! Programs are told what is over, where they have said that they want to be: signed as the specification Standard Webhooks has it, at least once, and
//! again for a day where nobody takes it.
//!
//! What is to be told is stored with the end that it is about, so that no end goes untold (`outbox`); a program says where it is to be told, and may
//! name somebody else's machine: `addresses` says which are nobody's to be reached through this server.

mod addresses;
mod message;
mod outbox;
mod send;
mod sign;

pub(crate) use message::Message;
pub(super) use send::Guarded;
