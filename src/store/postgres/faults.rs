//! What PostgreSQL's codes mean for the store: a server that is away, a full disk, missing rights, a lock, damage.
//!
//! The codes: <https://www.postgresql.org/docs/current/errcodes-appendix.html>.

use std::io;

use crate::store::StoreError;

/// The server ends this connection, or takes none at the moment: a restart, a failover, a limit.
const AWAY: [&str; 8] = ["57P01", "57P02", "57P03", "57P05", "25P03", "53300", "3D000", "28P01"];
/// Two got into each other's way, or somebody has cancelled it: tried again, it may well go.
const PASSING: [&str; 3] = ["40001", "40P01", "57014"];

/// Whether the connection is of no use any more, or there is none to be had.
pub(super) fn is_lost(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Database(_) => code(error).is_some_and(|code| AWAY.contains(&&*code) || code.starts_with("08")),
        sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::Protocol(_) | sqlx::Error::WorkerCrashed => true,
        _ => false,
    }
}

/// Whether the server cannot be spoken to over TLS as the address asks for: it has none, or its certificate is not to be trusted.
pub(super) fn is_tls(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Tls(_) => true,
        // What is found while the connection is encrypted comes as an error of reading.
        sqlx::Error::Io(error) => error.get_ref().is_some_and(|inner| inner.is::<rustls::Error>()),
        _ => false,
    }
}

/// Whether the same may well succeed if it is tried again.
pub(super) fn is_passing(error: &sqlx::Error) -> bool {
    code(error).is_some_and(|code| PASSING.contains(&&*code))
}

/// Whether somebody else has locked what was needed, for longer than it was waited for.
pub(super) fn is_locked(error: &sqlx::Error) -> bool {
    code(error).as_deref() == Some("55P03")
}

/// What an error of the database means. Its text names no password: sqlx's do not, and neither do PostgreSQL's messages; its details, which
/// may have rows in them, are left out.
pub(super) fn meaning(error: &sqlx::Error) -> StoreError {
    if is_lost(error) {
        return StoreError::Away(said(error));
    }
    match error {
        sqlx::Error::Database(inner) => {
            let (code, message) = (code(error).unwrap_or_default(), inner.message().to_owned());
            match &*code {
                "53100" => StoreError::Full,
                "25006" | "42501" => StoreError::ReadOnly(message),
                "55P03" => StoreError::Locked,
                // A table or a column has gone.
                "XX001" | "XX002" | "42P01" | "42703" => StoreError::Damaged(message),
                _ => StoreError::Other(message),
            }
        }
        sqlx::Error::PoolClosed => StoreError::Closed,
        // The schema says what is in a column, so another content is not what was written.
        sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) => StoreError::Damaged(error.to_string()),
        _ => StoreError::Other(error.to_string()),
    }
}

/// An error in as few words as it has.
pub(super) fn said(error: &sqlx::Error) -> String {
    match error {
        sqlx::Error::Database(inner) => inner.message().to_owned(),
        sqlx::Error::Io(error) if error.kind() == io::ErrorKind::TimedOut => "it does not answer".to_owned(),
        sqlx::Error::Io(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
            "the connection was closed".to_owned()
        }
        sqlx::Error::Io(error) => error.to_string(),
        error => error.to_string(),
    }
}

/// The code of an error of the server.
pub(super) fn code(error: &sqlx::Error) -> Option<String> {
    Some(error.as_database_error()?.code()?.into_owned())
}

/// The error of something that took too long.
pub(super) fn silence() -> sqlx::Error {
    sqlx::Error::Io(io::ErrorKind::TimedOut.into())
}
