//! How far a file is on its way to the server.

use anteroom::{
    say,
    wire::{FileView, Refused},
};
use web_sys::XmlHttpRequest;

use crate::{json, words::words};

/// How far a file is.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Stage {
    /// Others go first.
    Queued,
    /// On its way; at 100 it waits to be taken in.
    Sending { percent: u32 },
    /// The server has it.
    Taken(FileView),
    /// It was refused, or did not get through.
    Failed {
        /// A sentence for the person.
        reason: String,
        /// Whether another try may help.
        again: bool,
    },
}

impl Stage {
    pub(super) fn hopeless(reason: String) -> Self {
        Self::Failed { reason, again: false }
    }

    pub(super) fn passing(reason: String) -> Self {
        Self::Failed { reason, again: true }
    }

    /// Whether it has failed, and another try may help.
    pub(crate) const fn is_hopeful(&self) -> bool {
        matches!(self, Self::Failed { again: true, .. })
    }

    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Sending { .. } => "sending",
            Self::Taken(_) => "taken",
            Self::Failed { .. } => "failed",
        }
    }
}

/// What came of a request.
pub(super) fn outcome(request: &XmlHttpRequest) -> Stage {
    let words = words();
    let text = request.response_text().ok().flatten().unwrap_or_default();
    match request.status() {
        Ok(200..300) => match json::parse::<FileView>(&text) {
            Ok(file) => Stage::Taken(file),
            Err(_) => Stage::passing(say!(words, "file-not-understood")),
        },
        Ok(0) | Err(_) => Stage::passing(say!(words, "file-not-through")),
        Ok(status) => {
            let reason = json::parse::<Refused>(&text).map_or_else(
                |_| say!(words, "file-refused", status = status),
                |refused| words.reason(&refused.reason),
            );
            // The file itself will not do, or the server cannot take any at the moment.
            if status < 500 && status != 429 {
                Stage::hopeless(reason)
            } else {
                Stage::passing(reason)
            }
        }
    }
}
