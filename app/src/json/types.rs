//! What can be read. A field or a variant that is forgotten here does not compile.

use anteroom::wire::{
    BadEdit, ConversationId, ConversationPage, ConversationSummary, ConversationView, Estimate, Event, FeedEvent,
    FeedMessage, FeedPosition, FileId, FileKind, FileView, Found, Incomplete, Level, LimitRow, LineView, LogRecord,
    LogsView, Percentiles, Place, RefreshKind, Role, Sample, SearchResults, Sent, SettingRow, StatsView, Status,
    TurnId, TurnPage, TurnState, TurnView, UploadError, Usage, Versions,
};
use uuid::Uuid;

use super::{Json, Read, Unreadable};
use crate::{
    api::House,
    first::First,
    writing::{drafts::Draft, outbox::Unsent},
};

/// Structs, by their fields.
macro_rules! structs {
    ($($name:ident { $($field:ident),* $(,)? })*) => {$(
        impl Read for $name {
            fn read(json: &Json) -> Result<Self, Unreadable> {
                Ok(Self { $($field: json.field(stringify!($field))?),* })
            }
        }
    )*};
}

/// Enums, by their tags.
macro_rules! enums {
    ($($name:ident {
        $($tag:literal => $variant:ident $(($inner:ty))? $({ $($field:ident),* })?),* $(,)?
    })*) => {$(
        impl Read for $name {
            fn read(json: &Json) -> Result<Self, Unreadable> {
                let (tag, _content) = json.variant().ok_or(Unreadable::HERE)?;
                Ok(match tag.as_str() {
                    $($tag => Self::$variant
                        $((<$inner>::read(&_content)?))?
                        $({ $($field: _content.field(stringify!($field))?),* })?,)*
                    _ => return Err(Unreadable::HERE),
                })
            }
        }

        const _: fn(&$name) = |any| match any {
            $($name::$variant { .. } => {})*
        };
    )*};
}

structs! {
    BadEdit { at, message }
    ConversationPage { conversations, more }
    ConversationSummary { id, title, updated_at, busy }
    ConversationView { summary, turns, earlier, feed }
    Draft { text, files, at }
    Estimate { low, high }
    FeedPosition { epoch, number }
    FileView { id, name, kind, mime, size }
    First { house, conversation }
    Found { conversation, turn, role, excerpt }
    House { conversations, status, feed, model, version, max_upload_bytes, queue, confirmation }
    LimitRow { line, longest_wait, wait, service, done, failed, refused, cancelled, expired }
    LineView { name, events, running, limit, waiting, newcomer, estimate }
    LogRecord { number, at, level, target, message, fields }
    LogsView { session, startup, dropped }
    Percentiles { p50, p95 }
    Place { turn, event, position, waiting, estimate }
    Sample { ago, running, waiting, done, sessions, memory }
    SearchResults { found, more }
    Sent { turn, conversation, place }
    SettingRow { name, value, source, note }
    StatsView {
        limits, samples, sessions, connected, memory, uptime, model, version, settings, settings_changed_at, bad_edit,
    }
    Status { line, places, running }
    TurnPage { turns, earlier }
    TurnView {
        id, conversation, parent, versions, message, files, state, answer, blocks, model, usage, accepted_at,
        started_at, ended_at,
    }
    Unsent { conversation, text, files, at, refused }
    UploadError { message }
    Usage { input, output }
    Versions { number, count, earlier, later }
}

enums! {
    Event {
        "chat" => Chat,
        "file_upload" => FileUpload,
        "stats_refresh" => StatsRefresh,
        "logs_refresh" => LogsRefresh,
    }
    FeedEvent {
        "conversation" => Conversation(ConversationSummary),
        "conversation_removed" => ConversationRemoved { id },
        "version" => Version { conversation, head },
        "turn" => Turn(Box<TurnView>),
        "block" => Block { turn, conversation, index, html },
    }
    FeedMessage {
        "hello" => Hello { position, resumed, version },
        "event" => Event { number, event },
        "status" => Status(Status),
        "stats" => Stats(Box<StatsView>),
        "logs" => Logs(Box<LogsView>),
        "refresh_refused" => RefreshRefused { refresh, message },
    }
    FileKind {
        "text" => Text,
        "image" => Image,
    }
    Incomplete {
        "length" => Length,
        "filter" => Filter,
        "other" => Other,
    }
    Level {
        "trace" => Trace,
        "debug" => Debug,
        "info" => Info,
        "warn" => Warn,
        "error" => Error,
    }
    RefreshKind {
        "stats" => Stats,
        "logs" => Logs,
    }
    Role {
        "user" => User,
        "agent" => Agent,
    }
    TurnState {
        "waiting" => Waiting,
        "running" => Running,
        "done" => Done,
        "incomplete" => Incomplete { cause },
        "failed" => Failed { reason },
        "cancelled" => Cancelled,
        "expired" => Expired { reason },
    }
}

macro_rules! ids {
    ($($name:ident)*) => {$(
        impl Read for $name {
            fn read(json: &Json) -> Result<Self, Unreadable> {
                Uuid::read(json).map(Self)
            }
        }
    )*};
}

ids! { ConversationId FileId TurnId }

impl Read for Uuid {
    fn read(json: &Json) -> Result<Self, Unreadable> {
        String::read(json)?.parse().map_err(|_| Unreadable::HERE)
    }
}

impl Read for String {
    fn read(json: &Json) -> Result<Self, Unreadable> {
        json.text().ok_or(Unreadable::HERE)
    }
}

impl Read for bool {
    fn read(json: &Json) -> Result<Self, Unreadable> {
        json.flag().ok_or(Unreadable::HERE)
    }
}

impl Read for f64 {
    fn read(json: &Json) -> Result<Self, Unreadable> {
        json.number().ok_or(Unreadable::HERE)
    }
}

/// The browser's numbers are floats: exact up to 2^53, which is far beyond any that is sent.
impl Read for u64 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "whole, and between 0 and 2^53"
    )]
    fn read(json: &Json) -> Result<Self, Unreadable> {
        const MOST: f64 = (1_u64 << 53) as f64;
        let number = f64::read(json)?;
        if number.fract() == 0.0 && (0.0..=MOST).contains(&number) {
            Ok(number as Self)
        } else {
            Err(Unreadable::HERE)
        }
    }
}

impl Read for u32 {
    fn read(json: &Json) -> Result<Self, Unreadable> {
        u64::read(json)?.try_into().map_err(|_| Unreadable::HERE)
    }
}

impl Read for usize {
    fn read(json: &Json) -> Result<Self, Unreadable> {
        u64::read(json)?.try_into().map_err(|_| Unreadable::HERE)
    }
}

impl Read for () {
    fn read(json: &Json) -> Result<Self, Unreadable> {
        if json.is_null() { Ok(()) } else { Err(Unreadable::HERE) }
    }
}

impl<T: Read> Read for Box<T> {
    fn read(json: &Json) -> Result<Self, Unreadable> {
        T::read(json).map(Self::new)
    }
}

impl<T: Read> Read for Option<T> {
    fn read(json: &Json) -> Result<Self, Unreadable> {
        if json.is_null() {
            Ok(None)
        } else {
            T::read(json).map(Some)
        }
    }
}

impl<T: Read> Read for Vec<T> {
    fn read(json: &Json) -> Result<Self, Unreadable> {
        let items = json.items().ok_or(Unreadable::HERE)?;
        items.iter().map(T::read).collect()
    }
}

impl<A: Read, B: Read> Read for (A, B) {
    fn read(json: &Json) -> Result<Self, Unreadable> {
        match json.items().as_deref() {
            Some([a, b]) => Ok((A::read(a)?, B::read(b)?)),
            _ => Err(Unreadable::HERE),
        }
    }
}

impl<A: Read, B: Read, C: Read> Read for (A, B, C) {
    fn read(json: &Json) -> Result<Self, Unreadable> {
        match json.items().as_deref() {
            Some([a, b, c]) => Ok((A::read(a)?, B::read(b)?, C::read(c)?)),
            _ => Err(Unreadable::HERE),
        }
    }
}

impl<T: Read, E: Read> Read for Result<T, E> {
    fn read(json: &Json) -> Result<Self, Unreadable> {
        match json.variant() {
            Some((tag, value)) if tag == "Ok" => T::read(&value).map(Ok),
            Some((tag, value)) if tag == "Err" => E::read(&value).map(Err),
            _ => Err(Unreadable::HERE),
        }
    }
}
