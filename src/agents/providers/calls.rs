//! The tools that a model wants used, put together from the pieces in which its server tells of them. Memory is bounded whatever is sent.

use std::collections::HashSet;

use serde::de::IgnoredAny;

use super::{Fault, text::Joiner};
use crate::agents::{AgentError, ToolCall};

/// Calls that one answer may have.
const MOST_CALLS: usize = 64;
/// The longest arguments of a call, in bytes, and the most that its server may want to have back with it.
const MOST_BYTES: usize = 256 * 1024;
/// The longest name, and the longest id.
const MOST_NAME: usize = 1024;

/// What the ids begin with that are made here. With five digits behind it, it is an id that every server takes.
const MADE: &str = "made";

/// A piece of a call, as far as its server tells. What it does not tell is empty.
#[derive(Clone, Debug, Default)]
pub(super) struct Piece<'a> {
    /// Which of the calls it is of, for servers that number them.
    pub(super) place: Option<u64>,
    pub(super) id: &'a str,
    pub(super) name: &'a str,
    /// What is added to the arguments.
    pub(super) arguments: &'a [u8],
    /// What the server wants to have back.
    pub(super) opaque: Option<String>,
}

/// The calls of one answer, as they grow.
#[derive(Clone, Debug, Default)]
pub(super) struct Calls {
    calls: Vec<Growing>,
}

#[derive(Clone, Debug, Default)]
struct Growing {
    place: Option<u64>,
    id: String,
    name: String,
    arguments: String,
    /// Puts characters together that pieces have cut.
    joiner: Joiner,
    /// Stands for arguments of which no piece comes.
    otherwise: Option<String>,
    opaque: Option<String>,
}

impl Calls {
    /// Whether anything has been told of a call.
    pub(super) const fn has_begun(&self) -> bool {
        !self.calls.is_empty()
    }

    /// Adds a piece to the call that it is of, or begins one with it.
    ///
    /// # Errors
    /// The calls are too many, or too long.
    pub(super) fn add(&mut self, piece: Piece<'_>) -> Result<(), Fault> {
        match self.place_of(&piece) {
            Some(at) => self.calls[at].add(piece),
            None => self.begin(piece, None),
        }
    }

    /// Begins a call, whatever there was before. `otherwise` are its arguments, should no piece of them come.
    ///
    /// # Errors
    /// The calls are too many, or too long.
    pub(super) fn begin(&mut self, piece: Piece<'_>, otherwise: Option<String>) -> Result<(), Fault> {
        if self.calls.len() >= MOST_CALLS || otherwise.as_ref().is_some_and(|text| text.len() > MOST_BYTES) {
            return Err(too_large());
        }
        let mut call = Growing {
            place: piece.place,
            otherwise,
            ..Growing::default()
        };
        call.add(piece)?;
        self.calls.push(call);
        Ok(())
    }

    /// Which call a piece belongs to; `None`: to one that begins with it.
    fn place_of(&self, piece: &Piece<'_>) -> Option<usize> {
        let at = match piece.place {
            Some(place) => self.calls.iter().rposition(|call| call.place == Some(place)),
            None if !piece.id.is_empty() => self.calls.iter().rposition(|call| call.id == piece.id),
            None => self.calls.len().checked_sub(1),
        }?;
        self.calls[at].takes(piece).then_some(at)
    }

    /// The calls, in the order in which they began, once the answer has come to its own end. What has no name is none.
    pub(super) fn finish(self) -> Vec<ToolCall> {
        let told: HashSet<String> = self.calls.iter().map(|call| call.id.clone()).collect();
        let mut given = HashSet::new();
        let mut number = 0;
        let named = self.calls.into_iter().filter(|call| !call.name.trim().is_empty());
        named
            .map(|call| {
                let mut call = call.finish();
                if call.id.is_empty() || given.contains(&call.id) {
                    call.id = loop {
                        number += 1;
                        let id = made(number);
                        if !told.contains(&id) {
                            break id;
                        }
                    };
                }
                given.insert(call.id.clone());
                call
            })
            .collect()
    }
}

impl Growing {
    /// Whether a piece that may be of this call is. Some servers number all their calls alike, or not at all, or give them no ids.
    fn takes(&self, piece: &Piece<'_>) -> bool {
        if !piece.id.is_empty() && !self.id.is_empty() {
            return piece.id == self.id;
        }
        if piece.name.is_empty() || self.name.is_empty() {
            return true;
        }
        // Named again: that is another call, unless the server says the name with every piece.
        piece.name == self.name && (piece.arguments.is_empty() || !self.is_whole())
    }

    /// Whether there is nothing to add to the arguments.
    fn is_whole(&self) -> bool {
        self.arguments.trim_end().ends_with('}') && serde_json::from_str::<IgnoredAny>(&self.arguments).is_ok()
    }

    fn add(&mut self, piece: Piece<'_>) -> Result<(), Fault> {
        for (known, told) in [(&mut self.id, piece.id), (&mut self.name, piece.name)] {
            if told.len() > MOST_NAME {
                return Err(too_large());
            }
            if known.is_empty() {
                told.clone_into(known);
            }
        }
        self.joiner.push(piece.arguments, &mut self.arguments);
        let opaque = piece.opaque.as_ref().map_or(0, String::len);
        if self.arguments.len() > MOST_BYTES || opaque > MOST_BYTES {
            return Err(too_large());
        }
        self.opaque = piece.opaque.or_else(|| self.opaque.take());
        Ok(())
    }

    fn finish(mut self) -> ToolCall {
        self.joiner.finish(&mut self.arguments);
        if self.arguments.trim().is_empty() {
            self.arguments = self.otherwise.unwrap_or_else(|| "{}".to_owned());
        }
        ToolCall {
            id: self.id,
            name: self.name,
            arguments: self.arguments,
            opaque: self.opaque,
            thoughts: None,
        }
    }
}

/// An id for a call that has none of its server's.
pub(super) fn made(number: u32) -> String {
    format!("{MADE}{number:05}")
}

/// Whether an id was made here, so that its server does not know it.
pub(super) fn is_made(id: &str) -> bool {
    id.strip_prefix(MADE)
        .is_some_and(|rest| rest.len() >= 5 && rest.bytes().all(|byte| byte.is_ascii_digit()))
}

fn too_large() -> Fault {
    Fault::new(AgentError::CallsTooLarge, "it calls too many tools, or with too much")
}

#[cfg(test)]
mod tests;
