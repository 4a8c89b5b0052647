//! An entry on its way to the log.

use std::fmt::Write as _;

use sqlx::{AssertSqlSafe, PgConnection, Row as _, postgres::PgRow};
use tokio::{sync::oneshot, time::Instant};
use uuid::Uuid;

use super::{node::Written, whole::Appended};
use crate::{
    nodes::{Batch, Digest, Entry, Incarnation, Number, Peer, Reply},
    queue::machine::Time,
};

/// What is to be appended, and who waits for the reply.
#[derive(Debug)]
pub(super) struct Append {
    entry: Entry,
    /// Those whom it declares gone.
    gone: Vec<Incarnation>,
    /// Only if that one has been heard of no more than so often.
    unless_heard: Option<Peer>,
    since: Instant,
    /// What the server has said, once it has.
    reply: Option<Reply>,
    caller: oneshot::Sender<Reply>,
}

impl Append {
    /// Where its reply will be is told beside.
    pub(super) fn new(
        entry: Entry,
        gone: Vec<Incarnation>,
        unless_heard: Option<Peer>,
    ) -> (Box<Self>, oneshot::Receiver<Reply>) {
        let (caller, reply) = oneshot::channel();
        let append = Self {
            entry,
            gone,
            unless_heard,
            since: Instant::now(),
            reply: None,
            caller,
        };
        (Box::new(append), reply)
    }

    /// When it was given.
    pub(super) const fn since(&self) -> Instant {
        self.since
    }

    /// Appends and commits, in one message: whoever is stopped before or after it does not hold the end of the log. `before` comes first in it.
    pub(super) async fn commit(&mut self, connection: &mut PgConnection, before: &str) -> sqlx::Result<()> {
        self.reply = None;
        let message = AssertSqlSafe(self.message(before));
        let rows = sqlx::raw_sql(message).fetch_all(connection).await?;
        if let Some(row) = rows.first() {
            self.hear(row);
        }
        Ok(())
    }

    /// The server has said this of it, and has committed.
    pub(super) fn hear(&mut self, row: &PgRow) {
        // What cannot be read of it is not known.
        self.reply = self.read(row).ok();
    }

    /// For a statement that makes a change with it.
    pub(super) fn as_parameters(&self) -> Appended {
        Appended {
            sequence: self.entry.sequence.cast_signed(),
            gone: self.gone.clone(),
            unless_heard: self.unless_heard,
            payload: self.entry.payload.clone(),
        }
    }

    /// Nothing in it needs to be quoted: ids, numbers and hexadecimal digits.
    fn message(&self, before: &str) -> String {
        let Entry {
            node,
            sequence,
            payload,
        } = &self.entry;
        let mut message = String::with_capacity(before.len() + 2 * payload.len() + 512);
        message.push_str(before);
        let _ = write!(
            message,
            "SELECT status, number, at, encode(digest, 'hex') AS digest FROM log_append('{}', {sequence}, '{{",
            id(*node)
        );
        for (place, gone) in self.gone.iter().enumerate() {
            let comma = if place == 0 { "" } else { "," };
            let _ = write!(message, "{comma}{}", id(*gone));
        }
        message.push_str("}', ");
        let _ = match self.unless_heard {
            Some(Peer { node, beats, .. }) => write!(message, "'{}', {beats}", id(node)),
            None => message.write_str("NULL, NULL"),
        };
        message.push_str(", decode('");
        for byte in payload {
            let _ = write!(message, "{byte:02x}");
        }
        message.push_str("', 'hex')); COMMIT");
        message
    }

    fn read(&self, row: &PgRow) -> sqlx::Result<Reply> {
        Ok(match row.try_get::<&str, _>("status")? {
            "written" => Reply::Written(Box::new(Batch {
                number: Number(row.try_get::<i64, _>("number")?.cast_unsigned()),
                at: Time(row.try_get("at")?),
                entry: self.entry.clone(),
                digest: digest(row.try_get("digest")?)?,
            })),
            "already" => Reply::Already,
            "nothing" => Reply::Nothing,
            _ => Reply::Fenced,
        })
    }

    /// Whether the server has found that this process has no row.
    pub(super) fn is_fenced(&self) -> bool {
        self.reply == Some(Reply::Fenced)
    }

    /// Tells what the server has said.
    pub(super) fn settle_as_answered(mut self) {
        let reply = self.reply.take().unwrap_or(Reply::Away);
        self.settle(reply);
    }

    /// Tells what the tables say of it after its transaction was committed and nobody heard the reply.
    pub(super) fn settle_as_found(self, written: Written) {
        let reply = if self.entry.sequence <= written.sequence {
            Reply::Already
        } else {
            Reply::Nothing
        };
        self.settle(reply);
    }

    /// A caller that has gone is one that does not want to know.
    pub(super) fn settle(self, reply: Reply) {
        let _ = self.caller.send(reply);
    }
}

const fn id(node: Incarnation) -> Uuid {
    Uuid::from_u128(node.0)
}

/// A digest in hexadecimal digits.
pub(super) fn digest(hex: &str) -> sqlx::Result<Digest> {
    let mut digest = [0; 32];
    let pairs = hex.as_bytes().chunks(2);
    if pairs.len() != digest.len() {
        return Err(sqlx::Error::Decode("a digest has 32 bytes".into()));
    }
    for (byte, pair) in digest.iter_mut().zip(pairs) {
        let pair = std::str::from_utf8(pair).map_err(|error| sqlx::Error::Decode(error.into()))?;
        *byte = u8::from_str_radix(pair, 16).map_err(|error| sqlx::Error::Decode(error.into()))?;
    }
    Ok(Digest(digest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_message_holds_nothing_that_could_end_a_literal() {
        let entry = Entry {
            node: Incarnation(1),
            sequence: 7,
            payload: b"'; DROP \0\xff".to_vec(),
        };
        let peer = Peer {
            node: Incarnation(2),
            beats: 9,
            applied: Number(7),
        };
        let (append, _reply) = Append::new(entry, vec![Incarnation(2), Incarnation(3)], Some(peer));
        let one = "00000000-0000-0000-0000-00000000000";
        assert_eq!(
            append.message("BEGIN; "),
            format!(
                "BEGIN; SELECT status, number, at, encode(digest, 'hex') AS digest FROM log_append('{one}1', 7, '{{{one}2,{one}3}}', \
                 '{one}2', 9, decode('273b2044524f502000ff', 'hex')); COMMIT"
            )
        );
    }

    #[test]
    fn a_digest_is_read_whole_or_not_at_all() {
        let digest = digest;
        assert_eq!(digest(&"0f".repeat(32)).expect("a digest"), Digest([15; 32]));
        for wrong in ["", "0f", &"0f".repeat(33), &"0g".repeat(32), &"é".repeat(32)] {
            digest(wrong).expect_err("no digest");
        }
    }
}
