//! The layer that turns tracing's events into records.

use std::fmt::{self, Write};

use tracing::{
    Event, Subscriber,
    field::{Field, Visit},
    span,
};
use tracing_subscriber::{
    Layer,
    layer::Context,
    registry::{LookupSpan, SpanRef},
};

use super::{Logs, Whose, records::Record};
use crate::clock::now_ms;

/// Longest message or field kept, in bytes.
const LONGEST: usize = 2048;
/// Most fields of one record, those of its spans included.
const MOST_FIELDS: usize = 32;

/// See [`Logs::layer`].
pub(super) struct RecordLayer {
    logs: Logs,
}

impl RecordLayer {
    pub(super) const fn new(logs: Logs) -> Self {
        Self { logs }
    }
}

/// The fields of one span, kept beside it.
pub(super) struct SpanFields(Vec<(&'static str, String)>);

impl<S> Layer<S> for RecordLayer
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    fn on_new_span(&self, attributes: &span::Attributes<'_>, id: &span::Id, context: Context<'_, S>) {
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        if let Some(span) = context.span(id) {
            span.extensions_mut().replace(SpanFields(fields.fields));
        }
    }

    fn on_record(&self, id: &span::Id, values: &span::Record<'_>, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        let mut fields = Fields::default();
        values.record(&mut fields);
        let mut extensions = span.extensions_mut();
        if let Some(SpanFields(kept)) = extensions.get_mut() {
            // A value that is recorded again takes the place of the old one.
            kept.retain(|(name, _)| fields.fields.iter().all(|(new, _)| new != name));
            kept.append(&mut fields.fields);
            kept.truncate(MOST_FIELDS);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let spans: Vec<SpanRef<'_, S>> = context.event_scope(event).into_iter().flatten().collect();
        let whose = spans
            .iter()
            .find_map(|span| span.extensions().get::<Whose>().map(|whose| whose.0));
        if whose.is_none() && !self.logs.lock().is_starting() {
            return;
        }
        let mut own = Fields::default();
        event.record(&mut own);
        for span in &spans {
            let extensions = span.extensions();
            // A session's span has none: its records need not say whose they are.
            if let Some(SpanFields(fields)) = extensions.get() {
                own.fields.extend(fields.iter().cloned());
            }
        }
        own.fields.truncate(MOST_FIELDS);
        // Everything is made before the lock is taken: a value's `Debug` may log in its turn.
        let record = Record {
            at: now_ms(),
            metadata: event.metadata(),
            message: own.message,
            fields: own.fields,
        };
        self.logs.lock().push(whose, record);
    }
}

/// Gathers an event's or a span's fields.
#[derive(Default)]
struct Fields {
    message: String,
    fields: Vec<(&'static str, String)>,
}

impl Fields {
    fn add(&mut self, field: &Field, value: fmt::Arguments<'_>) {
        let mut text = Bounded::default();
        // A value that does not fit is cut, a `Debug` that fails leaves what it has written.
        let _ = text.write_fmt(value);
        match field.name() {
            "message" => self.message = text.0,
            // What the `log` crate's bridge adds about the source line.
            name if name.starts_with("log.") => {}
            name if self.fields.len() < MOST_FIELDS => self.fields.push((name, text.0)),
            _ => {}
        }
    }
}

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.add(field, format_args!("{value}"));
    }

    fn record_error(&mut self, field: &Field, value: &(dyn std::error::Error + 'static)) {
        self.add(field, format_args!("{value}"));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.add(field, format_args!("{value:?}"));
    }
}

/// Text that stops growing.
#[derive(Default)]
struct Bounded(String);

impl Write for Bounded {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = LONGEST.saturating_sub(self.0.len());
        if text.len() <= room {
            self.0.push_str(text);
            return Ok(());
        }
        self.0.push_str(&text[..text.floor_char_boundary(room)]);
        self.0.push('…');
        Err(fmt::Error)
    }
}
