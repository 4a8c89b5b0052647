//! The records in memory, bounded in every direction.

use std::collections::{BTreeMap, HashMap, VecDeque};

use tracing::{Metadata, level_filters::LevelFilter};

use super::told;
use crate::{
    sessions::SessionId,
    wire::{Level, LogRecord, LogsView},
};

/// Most records of one session; older ones make room.
pub const RECORDS_PER_SESSION: usize = 500;
/// Most records of the start; older ones make room.
pub const STARTUP_RECORDS: usize = 500;
/// Most memory for all sessions' records together, in bytes, roughly. Beyond, the session that has been quiet for the
/// longest time loses its records.
pub const MOST_BYTES: usize = 64 * 1024 * 1024;

/// One record, before it has a number.
#[derive(Debug)]
pub(super) struct Record {
    pub(super) at: u64,
    pub(super) metadata: &'static Metadata<'static>,
    pub(super) message: String,
    pub(super) fields: Vec<(&'static str, String)>,
}

impl Record {
    /// Bytes that it takes, roughly.
    fn weight(&self) -> usize {
        let fields = self
            .fields
            .iter()
            .map(|(_, value)| size_of::<(&str, String)>() + value.len());
        size_of::<(u64, Self)>() + self.message.len() + fields.sum::<usize>()
    }

    fn view(&self, number: u64) -> LogRecord {
        LogRecord {
            number,
            at: self.at,
            level: match LevelFilter::from_level(*self.metadata.level()) {
                LevelFilter::ERROR => Level::Error,
                LevelFilter::WARN => Level::Warn,
                LevelFilter::INFO => Level::Info,
                LevelFilter::DEBUG => Level::Debug,
                _ => Level::Trace,
            },
            target: self.metadata.target().to_owned(),
            message: self.message.clone(),
            fields: self
                .fields
                .iter()
                .map(|(name, value)| ((*name).to_owned(), value.clone()))
                .collect(),
        }
    }
}

/// A ring of numbered records.
#[derive(Debug, Default)]
struct Ring {
    records: VecDeque<(u64, Record)>,
    dropped: u64,
    weight: usize,
}

impl Ring {
    fn push(&mut self, number: u64, record: Record, most: usize) {
        self.weight += record.weight();
        self.records.push_back((number, record));
        while self.records.len() > most {
            if let Some((_, old)) = self.records.pop_front() {
                self.weight -= old.weight();
                self.dropped += 1;
            }
        }
    }

    fn last_number(&self) -> u64 {
        self.records.back().map_or(0, |(number, _)| *number)
    }

    fn view(&self) -> Vec<LogRecord> {
        self.records
            .iter()
            .map(|(number, record)| record.view(*number))
            .collect()
    }
}

/// Every record there is.
#[derive(Debug, Default)]
pub(super) struct Records {
    next_number: u64,
    started: bool,
    startup: Ring,
    sessions: HashMap<SessionId, Ring>,
    /// Sessions by their last record's number: the quietest first.
    by_last: BTreeMap<u64, SessionId>,
    /// Bytes of all sessions' records, roughly.
    weight: usize,
}

impl Records {
    /// Whether a record of no session is kept.
    pub(super) const fn is_starting(&self) -> bool {
        !self.started
    }

    pub(super) const fn started(&mut self) {
        self.started = true;
    }

    /// Keeps a record of `session`, or of the start, if this is still the start.
    pub(super) fn push(&mut self, session: Option<SessionId>, record: Record) {
        self.next_number += 1;
        let number = self.next_number;
        let Some(session) = session else {
            if self.is_starting() {
                self.startup.push(number, record, STARTUP_RECORDS);
            }
            return;
        };
        let ring = self.sessions.entry(session).or_default();
        self.by_last.remove(&ring.last_number());
        self.weight -= ring.weight;
        ring.push(number, record, RECORDS_PER_SESSION);
        self.weight += ring.weight;
        self.by_last.insert(number, session);
        self.shrink_to(MOST_BYTES);
    }

    pub(super) fn forget(&mut self, session: SessionId) {
        if let Some(ring) = self.sessions.remove(&session) {
            self.by_last.remove(&ring.last_number());
            self.weight -= ring.weight;
        }
    }

    /// What a session may see of its own.
    pub(super) fn own(&self, session: SessionId) -> LogsView {
        let ring = self.sessions.get(&session);
        let records = ring.map(Ring::view).unwrap_or_default();
        LogsView {
            told: records.iter().filter_map(told::of).collect(),
            session: records,
            startup: Vec::new(),
            dropped: ring.map_or(0, |ring| ring.dropped),
        }
    }

    pub(super) fn view(&self, session: SessionId) -> LogsView {
        LogsView {
            startup: self.startup.view(),
            ..self.own(session)
        }
    }

    /// How many records of its own a session has.
    pub(super) fn count(&self, session: SessionId) -> usize {
        self.sessions.get(&session).map_or(0, |ring| ring.records.len())
    }

    fn shrink_to(&mut self, most: usize) {
        while self.weight > most {
            let Some((_, quietest)) = self.by_last.first_key_value() else {
                return;
            };
            self.forget(*quietest);
        }
    }
}

#[cfg(test)]
mod tests {
    use tracing::callsite::Callsite;
    use uuid::Uuid;

    use super::*;

    fn record(message: String) -> Record {
        let callsite = tracing::callsite! { name: "test", kind: tracing::metadata::Kind::EVENT, fields: };
        Record {
            at: 1,
            metadata: callsite.metadata(),
            message,
            fields: vec![("turn", "t".to_owned())],
        }
    }

    fn session(number: u128) -> SessionId {
        SessionId(Uuid::from_u128(number))
    }

    #[test]
    fn beyond_the_bound_the_quietest_session_goes_first() {
        let mut records = Records::default();
        // A megabyte a record: the sixty-fifth is one too many.
        for number in 0..60 {
            records.push(Some(session(number)), record("x".repeat(1024 * 1024)));
        }
        records.push(Some(session(0)), record("again".to_owned()));
        for number in 60..70 {
            records.push(Some(session(number)), record("x".repeat(1024 * 1024)));
        }
        assert!(records.weight <= MOST_BYTES);
        assert_eq!(records.view(session(1)).session, []);
        assert_eq!(
            records.view(session(0)).session.len(),
            2,
            "it spoke later than session 1"
        );
        assert_eq!(records.view(session(69)).session.len(), 1);
        assert_eq!(records.sessions.len(), records.by_last.len());
    }

    #[test]
    fn weights_add_up() {
        let mut records = Records::default();
        for number in 0..3000 {
            records.push(
                Some(session(number % 3)),
                record("y".repeat(usize::try_from(number).unwrap_or_default())),
            );
        }
        let sum: usize = records
            .sessions
            .values()
            .flat_map(|ring| &ring.records)
            .map(|(_, one)| one.weight())
            .sum();
        assert_eq!(records.weight, sum);
        for number in 0..3 {
            assert_eq!(records.view(session(number)).dropped, 500);
            records.forget(session(number));
        }
        assert_eq!((records.weight, records.by_last.len()), (0, 0));
    }
}
