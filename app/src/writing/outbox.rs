//! Messages that the server does not have, or has not said to have: kept under their turn's id, so that sending one again, from whatever
//! page, counts once.

use anteroom::wire::{Choice, ConversationId, FileView, TurnId};
use serde::{Deserialize, Serialize};

use crate::{json, storage};

pub(crate) const PREFIX: &str = "outbox/";

/// A message that is kept until the server has it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Unsent {
    /// `None`: it begins one.
    pub(crate) conversation: Option<ConversationId>,
    pub(crate) text: String,
    pub(crate) files: Vec<FileView>,
    /// What is chosen for the conversation that it begins.
    #[serde(default)]
    pub(crate) choice: Choice,
    /// When it was written, in milliseconds since the Unix epoch.
    pub(crate) at: u64,
    /// The sentence with which it was refused, if it was: then it is not sent by itself. A sentence: a page
    /// that need not write reasons is smaller.
    pub(crate) refused: Option<String>,
}

fn key(turn: TurnId) -> String {
    format!("{PREFIX}{turn}")
}

/// Keeps a message, from before it is sent for the first time.
pub(crate) fn put(turn: TurnId, unsent: &Unsent) {
    storage::write(&key(turn), &json::write(unsent));
}

/// Takes down something else of a message, such as that it was refused: unless it has gone from here, which another page has seen to.
pub(crate) fn change(turn: TurnId, change: impl FnOnce(&mut Unsent)) {
    if let Some(mut unsent) = read(turn) {
        change(&mut unsent);
        put(turn, &unsent);
    }
}

/// The server has it, or its owner does not want it any more.
pub(crate) fn remove(turn: TurnId) {
    storage::remove(&key(turn));
}

fn read(turn: TurnId) -> Option<Unsent> {
    json::parse(&storage::read(&key(turn))?).ok()
}

/// All of them, in the order in which they were written.
pub(crate) fn all() -> Vec<(TurnId, Unsent)> {
    let ids = storage::keys(PREFIX);
    let ids = ids.iter().filter_map(|key| key.strip_prefix(PREFIX)?.parse().ok());
    let mut all: Vec<(TurnId, Unsent)> = Vec::new();
    // There are few; the standard library's sorting would be more to send than all of this.
    for (turn, unsent) in ids.filter_map(|turn| Some((turn, read(turn)?))) {
        let place = all.partition_point(|(_, known)| known.at <= unsent.at);
        all.insert(place, (turn, unsent));
    }
    all
}
