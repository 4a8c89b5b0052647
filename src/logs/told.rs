//! What records say of messages, in figures that people are told: fields that the end of every turn is logged with.

use crate::wire::{LogRecord, Told};

/// What a record says of a message; `None`: it is about something else.
pub(super) fn of(record: &LogRecord) -> Option<Told> {
    let field = |wanted: &str| {
        let found = record.fields.iter().find(|(name, _)| name == wanted);
        found.map(|(_, value)| value.as_str())
    };
    let number = |name| field(name).and_then(|value| value.parse().ok()).unwrap_or(0);
    Some(Told {
        number: record.number,
        at: record.at,
        what: field("told")?.to_owned(),
        waited: number("waited_ms"),
        took: number("took_ms"),
        characters: number("characters"),
    })
}
