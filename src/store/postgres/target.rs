//! A database that is to be filled with what was kept elsewhere.

use std::borrow::Cow;

use sqlx::PgConnection;

use super::{OpenError, Opener, Tuning, contents, link::Place, open, text};
use crate::settings::Secret;

/// Bytes of a piece of a file's content.
pub(crate) const PIECE: usize = contents::PIECE;

/// A database that nobody else writes to while this is there.
#[derive(Debug)]
pub(crate) struct Target {
    /// Holds the lock.
    pub(crate) connection: PgConnection,
    /// Where it is, for people.
    pub(crate) place: Place,
}

/// Opens the database of this address and makes its tables.
///
/// # Errors
/// [`OpenError`].
pub(crate) async fn target(address: &Secret) -> Result<Target, OpenError> {
    let opened = open::open(address, &Opener::alone(), Tuning::default()).await?;
    Ok(Target {
        place: opened.link.place(),
        connection: opened.connection,
    })
}

/// A text as it is to stand in the database.
pub(crate) fn stored(text: &str) -> Cow<'_, str> {
    text::stored(text)
}
